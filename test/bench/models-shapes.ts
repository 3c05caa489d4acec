import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { llama, llamaShapes, loadBase, parseBaseJson, parseLlama2c } from '../../src/models/index.ts'
import { dequantise, quantise } from '../../src/numeric/index.ts'
import { STORIES } from './attribution-data.ts'
import type { LlamaConfig } from '../../src/interface/index.ts'
import type { LlamaModel } from '../../src/models/index.ts'

export interface Shape {
  name: string
  model: LlamaModel
}

const folder = fileURLToPath(new URL('../../models/base/', import.meta.url))

/** The project's own base, as its files are. */
export function ownBase (): Shape {
  const read = (file: string): Uint8Array => readFileSync(`${folder}${file}`)

  return { name: 'Base', model: loadBase(parseBaseJson(read('base.json')), read('model.safetensors'), read('tokenizer.json')).model }
}

/** llama2.c's smallest model, if it lies beside the repository. */
export function stories260k (): Shape | undefined {
  try {
    return { name: 'Stories260k', model: parseLlama2c(readFileSync(`${STORIES}/stories260K.bin`)) }
  } catch {
    return undefined
  }
}

const llamaShape = { ropeTheta: 10_000, rmsNormEpsNano: 10_000, tied: true }

/** Published shapes; what they have learnt does not change what they cost. */
export const published: Record<string, LlamaConfig> = {
  '15m': { ...llamaShape, dim: 288, hiddenDim: 768, layers: 6, heads: 6, kvHeads: 6, vocabularySize: 32_000, contextLength: 256 },
  Gpt2: { ...llamaShape, architecture: 'gpt2', ropeTheta: 1, dim: 768, hiddenDim: 3072, layers: 12, heads: 12, kvHeads: 12, vocabularySize: 50_257, contextLength: 1024 },
  Smol135m: { ...llamaShape, ropeTheta: 100_000, dim: 576, hiddenDim: 1536, layers: 30, heads: 9, kvHeads: 3, vocabularySize: 49_152, contextLength: 2048 }
}

/** Random weights in f32: xorshift, since a hundred million normal numbers would take longer than the benchmark. */
export function random (name: string): Shape {
  const config = published[name]
  let state = 1
  const weights = new Map([...llamaShapes(config)].map(([tensor, shape]) => {
    const size = shape.length === 1 ? shape[0] : shape[0] * shape[1]
    const scale = shape.length === 1 ? 0 : 1 / Math.sqrt(shape[1]) / 2 ** 31
    const data = new Float32Array(size)

    for (let i = 0; i < size; i++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      data[i] = (shape.length === 1 && tensor.endsWith('weight') ? 1 : 0) + state * scale
    }

    return [tensor, { shape, data }] as const
  }))

  return { name, model: llama(config, weights) }
}

/** The same model with its matrices in q8_0, multiplied in f32 or in integers. */
export function int8 ({ config, weights, pairing }: LlamaModel, activations?: 'int16'): LlamaModel {
  return llama({ ...config, activations }, new Map([...weights].map(([name, weight]) => {
    const { shape } = weight

    return shape.length === 2 && shape[1] % 32 === 0 ? [name, quantise('q8_0', 'data' in weight ? weight.data : dequantise(weight), [shape[0], shape[1]])] : [name, weight]
  })), { pairing })
}

/** Bytes of weights that one token reads; of an untied embedding it reads a row. */
export function bytesPerToken ({ config, weights }: LlamaModel): number {
  let sum = 0

  for (const [name, weight] of weights) {
    if (config.tied || !name.includes('embed')) {
      sum += 'data' in weight ? weight.data.byteLength : weight.bytes.length
    }
  }

  return sum
}
