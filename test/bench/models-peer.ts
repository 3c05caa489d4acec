import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bpeMetadata, writeGguf } from '../models/gguf-writer.ts'
import { llamaCpp } from '../models/llama-cpp.ts'
import type { LlamaModel } from '../../src/models/index.ts'
import type { Token } from 'node-llama-cpp'

/** What llama.cpp made of a prompt. */
export interface PeerAnswer {
  output: number[]
  /** of processor time for each token after the first */
  msPerToken: number
}

/** Processor time of all threads: whoever else is at work does not count. */
export function processMs (): number {
  const { user, system } = process.cpuUsage()

  return (user + system) / 1000
}

/**
 * Greedy decoding by llama.cpp on one thread, from a file of the same weights; the tokenizer is that of the project's base.
 * A reason instead where its binary does not load.
 */
export async function peerAnswers (model: LlamaModel, prompt: number[], tokens: number, rounds: number): Promise<{ f32: PeerAnswer, q8: PeerAnswer } | { reason: string }> {
  const peer = await llamaCpp()

  if ('reason' in peer) {
    return peer
  }

  const folder = await mkdtemp(join(tmpdir(), 'datanet-bench-'))
  const tokenizer = bpeMetadata(await readFile(fileURLToPath(new URL('../../models/base/tokenizer.json', import.meta.url))), 'gpt-2', model.config.vocabularySize)

  async function answer (type: 'f32' | 'q8_0'): Promise<PeerAnswer> {
    const path = join(folder, `${type}.gguf`)

    await writeFile(path, writeGguf(model, tokenizer, type))

    const loaded = await peerLlama.loadModel({ modelPath: path, gpuLayers: 0, useMmap: false })
    let best: PeerAnswer = { output: [], msPerToken: Infinity }

    for (let round = 0; round < rounds; round++) {
      const context = await loaded.createContext({ contextSize: 256, threads: 1, experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32', flashAttention: false })
      const sequence = context.getSequence()
      const output: number[] = []
      let begin = 0

      for await (const token of sequence.evaluate(prompt.map(id => id as Token), { temperature: 0, yieldEogToken: true })) {
        output.push(token)

        if (output.length === 1) {
          begin = processMs()
        } else if (output.length === tokens) {
          break
        }
      }

      const msPerToken = (processMs() - begin) / (tokens - 1)

      await context.dispose()
      best = msPerToken < best.msPerToken ? { output, msPerToken } : best
    }

    await loaded.dispose()

    return best
  }

  const peerLlama = peer.llama

  try {
    return { f32: await answer('f32'), q8: await answer('q8_0') }
  } finally {
    await peerLlama.dispose()
    await rm(folder, { recursive: true, force: true })
  }
}
