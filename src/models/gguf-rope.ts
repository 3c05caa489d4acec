import { PI, ropeFrequencies } from '../numeric/index.ts'
import { MILLI } from './constants.ts'
import { ModelUnsupportedError } from './errors.ts'
import type { GgufHeader } from './gguf.ts'
import type { TensorEntry } from './tensor-types.ts'
import type { RopeScalingConfig } from '../interface/index.ts'

/** The tensor by which llama.cpp divides rotary frequencies since Llama 3.1. */
export const ROPE_FACTORS = 'rope_freqs.weight'

/** Where the factors lie that `ggufConfig` asks for: f32; undefined if the file has none. */
export function ggufRopeFactors ({ entries }: GgufHeader): TensorEntry | undefined {
  return entries.get(ROPE_FACTORS)
}

/** f32 has 24 bits, and the file's factors come out of a few operations in it. */
const TOLERANCE = 1e-5

/**
 * The scaling that a file's factors say, as config.json of the same model has it: they are
 * 1 / ((1 − t)/factor + t), t = (turns − low)/(high − low) in [0, 1], turns = length·frequency/2π.
 * Bands can be multiplied by any number together; the one with low = 1 is taken, which all published
 * models have.
 *
 * @throws {ModelUnsupportedError} if they are no such curve
 */
export function llama3Scaling (factors: Float32Array, headDim: number, theta: number): RopeScalingConfig {
  const frequencies = ropeFrequencies(headDim, theta)
  const factor = Math.round(factors.reduce((most, value) => Math.max(most, value), 0) * MILLI) / MILLI
  const [first, last] = ends(factors, factor)
  const candidate: RopeScalingConfig = { type: 'llama3', factorMilli: factor * MILLI, lowFrequencyFactorMilli: MILLI, highFrequencyFactorMilli: 4 * MILLI, originalContextLength: 8192 }
  if (first < last) {
    // two places on the line give its slope, length/(high − low), and where it begins, low/(high − low)
    const [a, b] = [first, last].map(i => ({ turns: frequencies[i] / (2 * PI), share: (1 / factors[i] - 1 / factor) / (1 - 1 / factor) }))
    const slope = (a.share - b.share) / (a.turns - b.turns)
    const begin = slope * a.turns - a.share
    candidate.highFrequencyFactorMilli = Math.round((1 + 1 / begin) * MILLI)
    candidate.originalContextLength = Math.round(slope / begin)
  }
  const said = ropeFrequencies(headDim, theta, { factor, bands: { low: 1, high: (candidate.highFrequencyFactorMilli ?? 0) / MILLI, length: candidate.originalContextLength ?? 0 } })
  if (!(factor >= 1) || factors.length !== said.length || said.some((value, i) => !(Math.abs(value * factors[i] / frequencies[i] - 1) <= TOLERANCE))) {
    throw new ModelUnsupportedError(`expected ${ROPE_FACTORS} to scale frequencies as Llama 3.1 does but its factors are others: import the safetensors`)
  }
  return candidate
}

/** The first and the last factor strictly between 1 and the largest. */
function ends (factors: Float32Array, factor: number): [first: number, last: number] {
  const between = (value: number): boolean => value > 1 + TOLERANCE && value < factor * (1 - TOLERANCE)
  return [factors.findIndex(between), factors.findLastIndex(between)]
}
