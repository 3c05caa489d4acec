import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inferenceEngine } from '../../src/inference/index.ts'
import { loraShape, peftToTheta, thetaToPeft } from '../../src/models/index.ts'
import { storage } from '../../src/storage/index.ts'
import { testNetwork } from '../storage/network.ts'
import { manyAdapters, quantile, TARGETS } from './serving-load.ts'
import type { BenchResult } from './interface.ts'
import type { InferenceEngine } from '../../src/inference/index.ts'
import type { LlamaModel, Lora, LoraShape } from '../../src/models/index.ts'

const RANK = 8

const median = (values: number[]): number => quantile(values.toSorted((a, b) => a - b), 0.5)

/** An adapter in the place of another one, and from its file to ready: on this disk, and at another node. */
export async function loading (model: LlamaModel, times: number): Promise<BenchResult[]> {
  const adapters = manyAdapters(model, times, RANK)
  const shape = loraShape(model.config, { rank: RANK, alpha: RANK, targets: TARGETS })
  const engine = inferenceEngine({ model })
  const files = adapters.map(({ theta }) => thetaToPeft(shape, theta).weights)
  const bytes = `a rank-${RANK} adapter of ${files[0].length} bytes`
  const swaps = hotSwaps(engine, adapters)
  const fromDisk = await coldFromDisk(engine, shape, files)
  const fromPeer = await coldFromPeer(engine, shape, files)
  return [
    { name: 'hotSwapMs', value: median(swaps), unit: 'ms', detail: `unloading one rank-${RANK} adapter and loading another, median of ${swaps.length}` },
    { name: 'coldLoadDiskMs', value: median(fromDisk), unit: 'ms', detail: `${bytes}, from a PEFT file on disk to ready, median of ${fromDisk.length}` },
    { name: 'coldLoadPeerMs', value: median(fromPeer), unit: 'ms', detail: `${bytes}, by CID from another node over TCP on one machine to ready, each block verified; median of ${fromPeer.length}` }
  ]
}

function hotSwaps (engine: InferenceEngine, adapters: Lora[]): number[] {
  engine.loadAdapter(adapters[0])
  return adapters.slice(1).map((lora, i) => {
    const begin = performance.now()
    engine.unloadAdapter(adapters[i])
    engine.loadAdapter(lora)
    return performance.now() - begin
  })
}

async function coldFromDisk (engine: InferenceEngine, shape: LoraShape, files: Uint8Array[]): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'datanet-bench-'))
  try {
    const times: number[] = []
    for (const [i, bytes] of files.entries()) {
      const file = join(folder, `${i}.safetensors`)
      await writeFile(file, bytes)
      const begin = performance.now()
      engine.loadAdapter({ shape, theta: peftToTheta(shape, await readFile(file)) })
      times.push(performance.now() - begin)
    }
    return times
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Two nodes that speak bitswap: one has the files, the other asks for them by CID. */
async function coldFromPeer (engine: InferenceEngine, shape: LoraShape, files: Uint8Array[]): Promise<number[]> {
  const networks = [await testNetwork(), await testNetwork()]
  const [has, asks] = networks.map(network => storage({})({ network }))
  try {
    await has.start()
    await asks.start()
    await networks[1].libp2p.dial(networks[0].libp2p.getMultiaddrs())
    const times: number[] = []
    for (const bytes of files) {
      const cid = await has.putFile(bytes)
      const begin = performance.now()
      engine.loadAdapter({ shape, theta: peftToTheta(shape, await asks.getFile(cid, { signal: AbortSignal.timeout(60_000) })) })
      times.push(performance.now() - begin)
    }
    return times
  } finally {
    await asks.stop()
    await has.stop()
    await Promise.all(networks.map(async ({ libp2p }) => libp2p.stop()))
  }
}
