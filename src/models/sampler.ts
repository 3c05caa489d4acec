import { exp, prng } from '../numeric/index.ts'
import { VOCABULARY_MAX } from './constants.ts'
import { SettingsError } from './errors.ts'
import type { SamplerSettings } from './interface.ts'

/** Chooses the next token from logits; draws once for each token unless it is greedy. */
export type Sampler = (logits: Float32Array) => number

/**
 * Deterministic sampling in f64: temperature, then the topK likeliest (all if 0), then one
 * draw of the seed's generator. Ties go to the lower id.
 *
 * @throws {SettingsError} if a setting is out of range
 */
export function sampler (settings: SamplerSettings): Sampler {
  const { temperatureMilli, topK, seed } = settings
  if (!isInteger(temperatureMilli, 100_000) || !isInteger(topK, VOCABULARY_MAX) || !isInteger(seed, 0xffff_ffff)) {
    throw new SettingsError(`expected temperatureMilli of 0 … 100000, topK of 0 … ${VOCABULARY_MAX} and a seed of 32 bits but got ${temperatureMilli}, ${topK} and ${seed}`)
  }
  if (temperatureMilli === 0) {
    return argmax
  }
  const random = prng(seed)
  return logits => {
    const ids = likeliest(logits, topK === 0 ? logits.length : topK)
    const top = logits[ids[0]]
    const weights = new Float64Array(ids.length)
    let total = 0
    ids.forEach((id, i) => {
      weights[i] = exp((logits[id] - top) * 1000 / temperatureMilli)
      total += weights[i]
    })
    let left = random.nextFloat() * total
    for (let i = 0; i < ids.length; i++) {
      left -= weights[i]
      if (left < 0) {
        return ids[i]
      }
    }
    return ids[ids.length - 1]
  }
}

function argmax (logits: Float32Array): number {
  let best = 0
  for (let id = 1; id < logits.length; id++) {
    if (logits[id] > logits[best]) {
      best = id
    }
  }
  return best
}

function likeliest (logits: Float32Array, count: number): Uint32Array {
  return Uint32Array.from(logits, (_, id) => id).sort((a, b) => logits[b] - logits[a] || a - b).subarray(0, count)
}

function isInteger (value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}
