import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bpeMetadata, writeGguf } from '../models/gguf-writer.ts'
import { llamaCpp } from '../models/llama-cpp.ts'
import { processMs } from './models-peer.ts'
import type { SequenceRequest } from '../../src/inference/index.ts'
import type { LlamaModel } from '../../src/models/index.ts'
import type { Token } from 'node-llama-cpp'

/**
 * Processor milliseconds a token by which llama.cpp answers the same requests, greedily and without
 * adapters: its server's way of batching, `batch` sequences of one context on one thread, from a file
 * of the same f32 weights. Its server does not install from npm, its library does. A reason where it
 * does not load.
 */
export async function peerBatch (model: LlamaModel, work: readonly SequenceRequest[], batch: number, rounds: number): Promise<number | { reason: string }> {
  const peer = await llamaCpp()
  if ('reason' in peer) {
    return peer
  }
  const folder = await mkdtemp(join(tmpdir(), 'datanet-bench-'))
  try {
    const path = join(folder, 'base.gguf')
    const tokenizer = bpeMetadata(await readFile(new URL('../../models/base/tokenizer.json', import.meta.url)), 'gpt-2')
    await writeFile(path, writeGguf(model, tokenizer, 'f32'))
    const loaded = await peer.llama.loadModel({ modelPath: path, gpuLayers: 0, useMmap: false })
    const longest = Math.max(...work.map(({ prompt, maxTokens }) => prompt.length + maxTokens))
    const context = await loaded.createContext({
      sequences: batch, contextSize: longest + 16, batchSize: 128, threads: 1, experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32', flashAttention: false
    })
    const sequences = Array.from({ length: batch }, () => context.getSequence())
    let best = Infinity
    for (let round = 0; round < rounds; round++) {
      const begin = processMs()
      let tokens = 0
      const waiting = [...work]
      await Promise.all(sequences.map(async sequence => {
        for (let request = waiting.shift(); request != null; request = waiting.shift()) {
          await sequence.clearHistory()
          let count = 0
          for await (const token of sequence.evaluate(Array.from(request.prompt, id => id as Token), { temperature: 0, yieldEogToken: true })) {
            count += token >= 0 ? 1 : 0
            if (count === request.maxTokens) {
              break
            }
          }
          tokens += count
        }
      }))
      best = Math.min(best, (processMs() - begin) / tokens)
    }
    await context.dispose()
    await loaded.dispose()
    return best
  } finally {
    await peer.llama.dispose()
    await rm(folder, { recursive: true, force: true })
  }
}
