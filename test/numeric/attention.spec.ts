import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { kernels } from '../../src/numeric/index.ts'
import type { Kernels } from '../../src/numeric/index.ts'

const BYTES = 1 << 22
const wasm = kernels({ arenaBytesMax: BYTES })
const reference = kernels({ backend: 'reference', arenaBytesMax: BYTES })

/** Addresses of buffers of 256 KiB each, results in the last four; scratch behind. */
const [Q, K, V, DY, Y, DQ, DK, DV, P, SCRATCH] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 13].map(i => i << 18)

interface Shape { m: number, past: number, kvHeads: number, shared: number, headDim: number }

/** Sizes around those of tiles, and more queries than are taken at once. */
const shapes: fc.Arbitrary<Shape> = fc.record({
  m: fc.oneof(fc.integer({ min: 1, max: 14 }), fc.integer({ min: 60, max: 75 })),
  past: fc.integer({ min: 0, max: 13 }),
  kvHeads: fc.integer({ min: 1, max: 2 }),
  shared: fc.integer({ min: 1, max: 3 }),
  headDim: fc.integer({ min: 1, max: 18 })
})
const number = fc.oneof({ weight: 6, arbitrary: fc.float({ min: -2, max: 2, noNaN: true }) }, fc.constantFrom(0, -0, 30), fc.float({ min: Math.fround(-1e-40), max: Math.fround(1e-40), noNaN: true }))

/** Bits, with every NaN the same. */
function words (k: Kernels, at: number, length: number): number[] {
  const floats = new Float32Array(k.buffer, at, length)
  return Array.from(new Uint32Array(k.buffer, at, length), (word, i) => Number.isNaN(floats[i]) ? 0x7fc00000 : word)
}

function write (numbers: Iterator<number>, ...sizes: Array<[at: number, size: number]>): void {
  for (const [at, size] of sizes) {
    const values = Float32Array.from({ length: size }, () => numbers.next().value)
    for (const k of [wasm, reference]) {
      new Float32Array(k.buffer, at, size).set(values)
    }
  }
}

function attend (k: Kernels, { m, past, kvHeads, shared, headDim }: Shape, keep: boolean): void {
  k.attend(m, m + past, kvHeads * shared, kvHeads, headDim, Q, K, V, SCRATCH, P, Y, keep)
}

describe('attention of all heads at once', () => {
  it('gives the bits of the oracle, there and back, whatever is left out', () => {
    fc.assert(fc.property(shapes, fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()), fc.infiniteStream(number), (shape, [wantsQ, wantsK, wantsV], stream) => {
      const { m, past, kvHeads, shared, headDim } = shape
      const queries = m * kvHeads * shared * headDim
      const keys = (m + past) * kvHeads * headDim
      write(stream[Symbol.iterator](), [Q, queries], [K, keys], [V, keys], [DY, queries], [DQ, 1], [DK, 1], [DV, 1])
      const [there, back] = [wasm, reference].map(k => {
        attend(k, shape, true)
        const y = words(k, Y, queries)
        k.attendBack(m, m + past, kvHeads * shared, kvHeads, headDim, Q, K, V, P, DY, SCRATCH, wantsQ ? DQ : 0, wantsK ? DK : 0, wantsV ? DV : 0)
        return [y, words(k, DQ, wantsQ ? queries : 1), words(k, DK, wantsK ? keys : 1), words(k, DV, wantsV ? keys : 1)]
      })
      expect(there).to.deep.equal(back)
    }), { numRuns: 60 })
  })

  it('gives the same without keeping the probabilities', () => {
    fc.assert(fc.property(shapes, fc.infiniteStream(number), (shape, stream) => {
      const { m, past, kvHeads, shared, headDim } = shape
      const size = m * kvHeads * shared * headDim
      const keys = (m + past) * kvHeads * headDim
      write(stream[Symbol.iterator](), [Q, size], [K, keys], [V, keys])
      for (const k of [wasm, reference]) {
        attend(k, shape, true)
        const kept = words(k, Y, size)
        attend(k, shape, false)
        expect(words(k, Y, size)).to.deep.equal(kept)
      }
    }), { numRuns: 20 })
  })

  it('makes exactly the rows undefined of which a score that they see is not finite', () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 70 }), fc.nat(), fc.constantFrom(3e38, -3e38), (m, seed, huge) => {
      const shape = { m, past: 0, kvHeads: 1, shared: 1, headDim: 2 }
      const bad = seed % m
      write(new Float32Array(6 * m).fill(2).values(), [Q, 2 * m], [K, 2 * m], [V, 2 * m])
      for (const k of [wasm, reference]) {
        new Float32Array(k.buffer, K, 2 * m).fill(huge, 2 * bad, 2 * bad + 2)
        attend(k, shape, true)
        const y = Array.from(new Float32Array(k.buffer, Y, 2 * m))
        expect(y.map(Number.isNaN)).to.deep.equal(y.map((_, i) => i >= 2 * bad))
      }
    }), { numRuns: 30 })
  })
})
