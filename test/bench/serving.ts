import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inferenceEngine } from '../../src/inference/index.ts'
import { llama, loraShape, parseBaseJson, parseSafetensors, peftToTheta, thetaToPeft } from '../../src/models/index.ts'
import { chooser, closedLoop, manyAdapters, openLoop, quantile, randomModel, requests, TARGETS } from './serving-load.ts'
import type { BenchOptions, BenchResult, OwnOptions } from './interface.ts'
import type { Popularity } from './serving-load.ts'
import type { InferenceEngine } from '../../src/inference/index.ts'
import type { LlamaModel } from '../../src/models/index.ts'

export const options: OwnOptions = { minutes: { type: 'string', value: '0.5', help: 'how long the open loop runs' } }

const SHAPE = { promptTokens: 16, answerTokens: 32 }

/** llama2.c's stories15M: what an adapter costs is a share of its base, and a base of 1 M is smaller than any in use. */
const CONFIG_15M = { dim: 288, hiddenDim: 768, layers: 6, heads: 6, kvHeads: 6, vocabularySize: 32_000, contextLength: 256, ropeTheta: 10_000, rmsNormEpsNano: 10_000, tied: true }

async function ownBase (): Promise<LlamaModel> {
  const folder = new URL('../../models/base/', import.meta.url)
  const { config } = parseBaseJson(await readFile(new URL('base.json', folder)))
  return llama(config, parseSafetensors(await readFile(new URL('model.safetensors', folder))))
}

interface Case {
  name: string
  adapters: number
  popularity: Popularity
}

const CASES: Case[] = [
  { name: 'base', adapters: 0, popularity: 'uniform' },
  { name: '5', adapters: 5, popularity: 'uniform' },
  { name: '100', adapters: 100, popularity: 'uniform' },
  { name: '1000', adapters: 1000, popularity: 'uniform' },
  { name: '2000', adapters: 2000, popularity: 'uniform' },
  { name: '1000Zipf', adapters: 1000, popularity: 'zipf' }
]

/** Best processor time a token of each case: cases take turns, so that a busy neighbour slows none alone. */
function throughput (model: LlamaModel, rank: number, rounds: number, sequences: number): Map<string, number> {
  const engine = inferenceEngine({ model, adapterBytesMax: 2 ** 30 + 2 ** 29 })
  const adapters = manyAdapters(model, 2000, rank)
  adapters.forEach(lora => { engine.loadAdapter(lora) })
  const best = new Map<string, number>()
  for (let round = 0; round < rounds; round++) {
    for (const { name, adapters: count, popularity } of CASES) {
      const choose = chooser(adapters.slice(0, count), popularity, round)
      const ms = closedLoop(engine, requests(model, sequences, SHAPE, choose, `${name}-${round}`))
      best.set(name, Math.min(ms, best.get(name) ?? Infinity))
    }
  }
  return best
}

function ratios (label: string, suffix: string, best: Map<string, number>): BenchResult[] {
  const of = (name: string): number => best.get(name) ?? NaN
  const micro = (name: string): string => `${(1000 * of(name)).toFixed(0)} µs`
  return [['1000', '5'], ['2000', '5'], ['100', '5'], ['1000Zipf', '5'], ['1000', 'base'], ['2000', 'base']].map(([more, less]) => ({
    name: `adapters${more}Of${less === 'base' ? 'Base' : less}${suffix}`,
    value: of(less) / of(more),
    unit: 'ratio',
    peer: less === 'base' ? 'no adapter' : '5 adapters',
    detail: `${label}: ${micro(more)} against ${micro(less)} a token, prompts included, batch of 32, ${more.endsWith('Zipf') ? 'Zipf' : 'uniform'}; S-LoRA states 0.945 at 2,000 of 5`
  }))
}

/** How many times as many tokens a second a full batch gives as one sequence alone. */
function batchScaling (label: string, suffix: string, model: LlamaModel, rounds: number): BenchResult[] {
  const best = new Map<number, number>()
  const engines = [1, 8, 32].map(batchMax => ({ batchMax, engine: inferenceEngine({ model, batchMax }) }))
  for (let round = 0; round < rounds; round++) {
    for (const { batchMax, engine } of engines) {
      const ms = closedLoop(engine, requests(model, Math.max(4, batchMax), { promptTokens: 1, answerTokens: 32 }, () => [], String(round)))
      best.set(batchMax, Math.min(ms, best.get(batchMax) ?? Infinity))
    }
  }
  const alone = best.get(1) ?? NaN
  return [8, 32].map(batchMax => ({
    name: `batch${batchMax}Of1${suffix}`,
    value: alone / (best.get(batchMax) ?? NaN),
    unit: 'ratio',
    peer: 'one at a time',
    detail: `${label}, tokens a second of decoding: ${(1000 / alone).toFixed(0)} alone, ${(1000 / (best.get(batchMax) ?? NaN)).toFixed(0)} in a batch of ${batchMax}`
  }))
}

function median (values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]
}

/** Another adapter in the place of one, and from its file to ready. */
async function loading (model: LlamaModel, times: number): Promise<BenchResult[]> {
  const rank = 8
  const adapters = manyAdapters(model, times, rank)
  const engine = inferenceEngine({ model })
  engine.loadAdapter(adapters[0])
  const swaps = adapters.slice(1).map((lora, i) => {
    const begin = performance.now()
    engine.unloadAdapter(adapters[i])
    engine.loadAdapter(lora)
    return performance.now() - begin
  })
  const folder = await mkdtemp(join(tmpdir(), 'datanet-bench-'))
  try {
    const shape = loraShape(model.config, { rank, alpha: rank, targets: TARGETS })
    const { weights } = thetaToPeft(shape, adapters[0].theta)
    const file = join(folder, 'adapter_model.safetensors')
    await writeFile(file, weights)
    const colds: number[] = []
    for (let i = 0; i < times; i++) {
      const begin = performance.now()
      engine.loadAdapter({ shape, theta: peftToTheta(shape, await readFile(file)) })
      colds.push(performance.now() - begin)
    }
    return [
      { name: 'hotSwapMs', value: median(swaps), unit: 'ms', detail: `unloading one rank-${rank} adapter and loading another, median of ${swaps.length}` },
      { name: 'coldLoadDiskMs', value: median(colds), unit: 'ms', detail: `from a PEFT file of ${weights.length} bytes on disk to ready, median of ${times}` }
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Latencies at a share of capacity, with a thousand adapters of which memory holds a quarter. */
async function underLoad (model: LlamaModel, ms: number): Promise<BenchResult[]> {
  const adapters = manyAdapters(model, 1000, 8)
  const engine: InferenceEngine = inferenceEngine({ model, adapterBytesMax: 250 * 4 * adapters[0].theta.length })
  const choose = chooser(adapters, 'zipf', 5)
  const make = (prefix: string, count: number): ReturnType<typeof requests> => requests(model, count, SHAPE, choose, prefix)
  const begin = performance.now()
  closedLoop(engine, make('capacity', 128))
  const perSecond = 128 / (performance.now() - begin) * 1000
  const results: BenchResult[] = []
  for (const share of [0.5, 0.8]) {
    const { firstToken, answer, faults, heapBytes: [before, after] } = await openLoop(engine, i => make(`${share}-${i}`, 1)[0], share * perSecond, ms / 2)
    const detail = `open loop at ${share} of ${perSecond.toFixed(0)} answers a second for ${(ms / 2000).toFixed(0)} s: ${answer.length} answers, ${faults} faults, memory ${((after - before) / 2 ** 20).toFixed(0)} MiB more; ${engine.statistics().adapterLoads} adapter loads by now`
    for (const [name, values, at] of [['ttftP50', firstToken, 0.5], ['ttftP99', firstToken, 0.99], ['answerP50', answer, 0.5], ['answerP99', answer, 0.99]] as const) {
      results.push({ name: `${name}${share === 0.5 ? '' : 'At80'}Ms`, value: quantile(values, at), unit: 'ms', detail })
    }
  }
  return results
}

/**
 * The serving engine with thousands of adapters against itself with few and with none, all in one run.
 */
export async function run ({ quick, values }: BenchOptions): Promise<BenchResult[]> {
  const own = await ownBase()
  const larger = randomModel(CONFIG_15M)
  const minutes = Number(values?.minutes ?? (quick ? 0.1 : 0.5))
  const results: BenchResult[] = []
  for (const rank of quick ? [8] : [8, 16]) {
    results.push(...ratios(`15 M parameters, rank ${rank} on q, k, v, o`, rank === 8 ? '' : 'Rank16', throughput(larger, rank, quick ? 2 : 5, quick ? 32 : 64)))
    results.push(...ratios(`own base of 1 M, rank ${rank} on q, k, v, o`, rank === 8 ? 'Own' : 'Rank16Own', throughput(own, rank, quick ? 4 : 10, 64)))
  }
  results.push(...batchScaling('15 M parameters', '', larger, quick ? 1 : 4), ...batchScaling('own base of 1 M', 'Own', own, quick ? 4 : 12))
  results.push(...await loading(own, 50), ...await underLoad(own, minutes * 60_000))
  return results
}
