/**
 * xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018),
 * seeded by SplitMix64 as its authors advise. Not cryptographic: for initial weights, batch order and
 * sampling, which everyone has to be able to repeat.
 */
import { NumericRangeError } from './errors.ts'
import { cos, log, PI } from './math.ts'

export interface Prng {
  /** uniform in 0 … 2^32 − 1 */
  nextUint32 (): number
  /** uniform in 0 … bound − 1 without bias, 1 ≤ bound ≤ 2^32 */
  nextBelow (bound: number): number
  /** uniform in [0, 1), 24 bits: exact in f32 */
  nextFloat (): number
  /** standard normal (Box and Muller's cosine branch, two draws each), f64 */
  nextNormal (): number
  /** a uniform permutation of 0 … n − 1 (Fisher and Yates) */
  shuffle (n: number): Uint32Array
  /** four words that `restore` accepts */
  save (): Uint32Array
  restore (state: Uint32Array): void
}

const MASK = 0xffffffffffffffffn

function mix (z: bigint): bigint {
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK
  return z ^ (z >> 31n)
}

/** Folds bytes into 64 bits, eight at a time, length last. */
function absorb (bytes: Uint8Array): bigint {
  let state = 0n
  for (let i = 0; i < bytes.length; i += 8) {
    let word = 0n
    for (let j = 0; j < 8 && i + j < bytes.length; j++) {
      word |= BigInt(bytes[i + j]) << BigInt(8 * j)
    }
    state = mix((state + 0x9e3779b97f4a7c15n + word) & MASK)
  }
  return mix((state + BigInt(bytes.length)) & MASK)
}

function seedWords (seed: number | Uint8Array): Uint32Array {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed)) {
    throw new NumericRangeError('a seed', 'a safe integer', seed)
  }
  let state = typeof seed === 'number' ? BigInt.asUintN(64, BigInt(seed)) : absorb(seed)
  const words = new Uint32Array(4)
  for (let i = 0; i < 4; i += 2) {
    state = (state + 0x9e3779b97f4a7c15n) & MASK
    const word = mix(state)
    words[i] = Number(word & 0xffffffffn)
    words[i + 1] = Number(word >> 32n)
  }
  return words
}

function rotateLeft (x: number, by: number): number {
  return (x << by) | (x >>> (32 - by))
}

/** One step: changes `s`, gives 32 bits. */
function step (s: Uint32Array): number {
  const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0
  const t = s[1] << 9
  s[2] ^= s[0]
  s[3] ^= s[1]
  s[1] ^= s[2]
  s[0] ^= s[3]
  s[2] ^= t
  s[3] = rotateLeft(s[3], 11)
  return result
}

/**
 * A generator that gives the same numbers for the same seed everywhere.
 *
 * @throws {NumericRangeError} for a seed that is no safe integer
 * @example
 * ```ts
 * const random = prng(7)
 * const order = random.shuffle(32)
 * ```
 */
export function prng (seed: number | Uint8Array): Prng {
  const s = seedWords(seed)
  const nextUint32 = (): number => step(s)

  function nextBelow (bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 4294967296) {
      throw new NumericRangeError('a bound', 'an integer from 1 to 2^32', bound)
    }
    const limit = 4294967296 - 4294967296 % bound
    let x = nextUint32()
    while (x >= limit) {
      x = nextUint32()
    }
    return x % bound
  }

  return {
    nextUint32,
    nextBelow,
    nextFloat: () => (nextUint32() >>> 8) / 16777216,
    nextNormal () {
      const radius = Math.sqrt(-2 * log((nextUint32() + 1) / 4294967296))
      return radius * cos(2 * PI * (nextUint32() / 4294967296))
    },
    shuffle (n) {
      const order = Uint32Array.from({ length: n }, (_, i) => i)
      for (let i = n - 1; i > 0; i--) {
        const j = nextBelow(i + 1)
        const kept = order[i]
        order[i] = order[j]
        order[j] = kept
      }
      return order
    },
    save: () => s.slice(),
    restore (state) {
      if (state.length !== 4 || state.every(word => word === 0)) {
        throw new NumericRangeError('a saved state', 'four words, not all zero', state.length)
      }
      s.set(state)
    }
  }
}
