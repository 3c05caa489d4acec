import { llama, llamaShapes } from '../../src/models/index.ts'
import { prng } from '../../src/numeric/index.ts'
import type { LlamaConfig } from '../../src/interface/index.ts'
import type { LlamaModel, SentencePieceModel, Tensors } from '../../src/models/index.ts'

export const tinyConfig: LlamaConfig = {
  dim: 16,
  hiddenDim: 24,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  vocabularySize: 40,
  contextLength: 32,
  ropeTheta: 10_000,
  rmsNormEpsNano: 10_000,
  tied: true
}

/** A model of random weights, large enough that its answers are not all alike. */
export function tinyModel (overrides: Partial<LlamaConfig> = {}, seed = 7): LlamaModel {
  const config = { ...tinyConfig, ...overrides }
  const random = prng(seed)
  const weights: Tensors = new Map()
  for (const [name, shape] of llamaShapes(config)) {
    const size = shape.length === 1 ? shape[0] : shape[0] * shape[1]
    const scale = shape.length === 1 ? 0.1 : 1 / Math.sqrt(shape[1])
    const centre = shape.length === 1 && name.endsWith('weight') ? 1 : 0
    weights.set(name, { shape, data: Float32Array.from({ length: size }, () => centre + scale * random.nextNormal()) })
  }
  return llama(config, weights)
}

/** A SentencePiece vocabulary of bytes, letters and some words. */
export function smallPieces (): SentencePieceModel {
  const words = ['▁t', 'he', '▁the', 'at', '▁a', 'in', '▁c', '▁cat', 'on', '▁on', '▁s', '▁m', '▁mat', '▁▁', 'er', 're', 'ere', '▁There', '▁o', 'an', '▁and', 'ine', 'ines']
  const letters = Array.from('▁abcdefghijklmnopqrstuvwxyzTZ12345\'<>/,')
  const pieces = [
    { text: '<unk>', score: 0, type: 2 },
    { text: '<s>', score: 0, type: 3 },
    { text: '</s>', score: 0, type: 3 },
    ...Array.from({ length: 256 }, (_, byte) => ({ text: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, score: 0, type: 6 })),
    ...[...words, ...letters].map((text, i) => ({ text, score: -i, type: 1 }))
  ]
  return { pieces, addDummyPrefix: true, removeExtraWhitespaces: false }
}

/** Reproducible token sequences. */
export function sequences (count: number, length: number, vocabularySize: number, seed = 3): Uint32Array[] {
  const random = prng(seed)
  return Array.from({ length: count }, () => Uint32Array.from({ length }, () => random.nextBelow(vocabularySize)))
}

/** Normal noise, for thetas and directions. */
export function noise (length: number, scale: number, seed: number): Float64Array {
  const random = prng(seed)
  return Float64Array.from({ length }, () => scale * random.nextNormal())
}

export function dot (a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    sum += a[i] * b[i]
  }
  return sum
}
