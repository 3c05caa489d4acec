import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { dequantise, kernels, quantise, ShapeError, tape, weightBytes } from '../../src/numeric/index.ts'
import { normals } from './fixtures.ts'
import type { Kernels, WeightMatrix } from '../../src/numeric/index.ts'

const BYTES = 1 << 21
const wasm = kernels({ arenaBytesMax: BYTES })
const reference = kernels({ backend: 'reference', arenaBytesMax: BYTES })
const [RAW, PACKED, X, Y, SCRATCH] = [1, 5, 9, 13, 18].map(page => page << 16)
const types = ['q8_0', 'q4_0'] as const
type Type = typeof types[number]

/** A finite scale of f16: ordinary, subnormal, huge, of either sign. */
const scale = fc.oneof(fc.integer({ min: 0x1000, max: 0x3000 }), fc.integer({ min: 0, max: 0x7bff }), fc.integer({ min: 0x8000, max: 0xfbff }))

const number = fc.oneof(
  { weight: 6, arbitrary: fc.float({ min: -4, max: 4, noNaN: true }) },
  fc.constantFrom(0, -0, 1, -1, 2 ** -126, 16384, 16383.5, -16384.5),
  fc.float({ min: Math.fround(-1e-40), max: Math.fround(1e-40), noNaN: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true })
)

/** Any bytes that are weights, as a hostile file might have them. */
function anyWeights (type: Type, rows: number, blocks: number): fc.Arbitrary<WeightMatrix> {
  const size = weightBytes(type, rows, 32 * blocks)
  return fc.tuple(fc.infiniteStream(fc.integer({ min: 0, max: 255 })), fc.infiniteStream(scale)).map(([random, scales]) => {
    const bytes = Uint8Array.from([...random.take(size)])
    for (let at = 0; at < size; at += type === 'q8_0' ? 34 : 18) {
      const [bits] = [...scales.take(1)]
      bytes[at] = bits & 0xff
      bytes[at + 1] = bits >>> 8
    }
    return { type, shape: [rows, 32 * blocks] as const, bytes }
  })
}

/** From 64 rows on, a quarter of them is read beside the others. */
const rowCount = fc.oneof(fc.integer({ min: 1, max: 41 }), fc.integer({ min: 60, max: 147 }))

const cases = fc.constantFrom(...types).chain(type => fc.tuple(fc.constant(type), fc.tuple(rowCount, fc.integer({ min: 1, max: 3 })).chain(([rows, blocks]) => anyWeights(type, rows, blocks))))

function load (k: Kernels, type: Type, w: WeightMatrix): void {
  new Uint8Array(k.buffer, RAW, w.bytes.length).set(w.bytes)
  k.packWeights(type, w.shape[0], w.shape[1], RAW, PACKED)
}

function multiply (k: Kernels, type: Type, [rows, columns]: readonly [number, number], x: ArrayLike<number>, before?: ArrayLike<number>, again = false, apart = rows): number[] {
  const m = x.length / columns
  new Float32Array(k.buffer, X, x.length).set(x)
  const floats = new Float32Array(k.buffer, Y, m * apart).fill(7)
  floats.set(before ?? [])
  k.matmulRounded(type, m, rows, columns, X, columns, PACKED, SCRATCH, Y, apart, before != null, again)
  return Array.from(new Uint32Array(k.buffer, Y, m * apart), (word, i) => Number.isNaN(floats[i]) ? 0x7fc00000 : word)
}

describe('products in integers', () => {
  it('have the bits of the oracle for any weights and numbers', () => {
    fc.assert(fc.property(cases, fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 5 }), fc.boolean(), fc.infiniteStream(number), ([type, w], m, gap, accumulate, numbers) => {
      const [rows, columns] = w.shape
      const x = Float32Array.from([...numbers.take(m * columns)])
      const before = accumulate ? Float32Array.from([...numbers.take(m * (rows + gap))]) : undefined
      const [ours, oracle] = [wasm, reference].map(k => {
        load(k, type, w)
        return multiply(k, type, w.shape, x, before, false, rows + gap)
      })
      expect(ours).to.deep.equal(oracle)
    }), { numRuns: 200 })
  })

  it('give each row the bits that it has alone', () => {
    for (const type of types) {
      const shape = [149, 352] as const
      const x = normals(3, 7 * shape[1], 1)
      load(wasm, type, quantise(type, normals(4, shape[0] * shape[1], 1), shape))
      const together = multiply(wasm, type, shape, x)
      for (let i = 0; i < 7; i++) {
        expect(multiply(wasm, type, shape, x.subarray(i * shape[1], (i + 1) * shape[1]))).to.deep.equal(together.slice(i * shape[0], (i + 1) * shape[0]))
      }
    }
  })

  it('round a row once for several matrices', () => {
    for (const k of [wasm, reference]) {
      for (const m of [1, 5]) {
        const [first, second] = [5, 6].map(seed => quantise('q8_0', normals(seed, 19 * 64, 1), [19, 64]))
        const x = normals(7, 64 * m, 1)
        load(k, 'q8_0', second)
        const alone = multiply(k, 'q8_0', [19, 64], x)
        load(k, 'q8_0', first)
        multiply(k, 'q8_0', [19, 64], x)
        load(k, 'q8_0', second)
        expect(multiply(k, 'q8_0', [19, 64], x, undefined, true)).to.deep.equal(alone)
      }
    }
  })

  it('err by at most half a step of each block', () => {
    for (const type of types) {
      const w = quantise(type, normals(5, 29 * 96, 1), [29, 96])
      const x = normals(6, 96, 1)
      load(wasm, type, w)
      const y = new Float32Array(Uint32Array.from(multiply(wasm, type, w.shape, x)).buffer)
      const values = dequantise(w)
      y.forEach((sum, row) => {
        let [exact, bound] = [0, 1e-5]
        for (let block = 0; block < 96; block += 32) {
          const most = x.subarray(block, block + 32).reduce((top, value) => Math.max(top, Math.abs(value)), 0)
          for (let i = block; i < block + 32; i++) {
            exact += x[i] * values[row * 96 + i]
            // a step is at most 2^-13 of the largest
            bound += Math.abs(values[row * 96 + i]) * most * 2 ** -14
          }
        }
        expect(Math.abs(sum - exact)).to.be.at.most(bound)
      })
    }
  })

  it('are not finite where a number is not, whatever the weights', () => {
    for (const type of types) {
      for (const k of [wasm, reference]) {
        for (const fault of [Infinity, -Infinity, NaN]) {
          const w = quantise(type, new Float32Array(64), [1, 64])
          load(k, type, w)
          const x = new Float32Array(64)
          x[40] = fault
          const [bits] = multiply(k, type, w.shape, x)
          expect(bits & 0x7f800000).to.equal(0x7f800000)
        }
      }
    }
  })
})

describe('integer activations on a tape', () => {
  it('round the forward product and leave tangents and gradients those of the dequantised matrix', () => {
    for (const backend of ['wasm', 'reference'] as const) {
      for (const type of types) {
        const w = quantise(type, normals(2, 23 * 64, 1), [23, 64])
        const run = (matrix: WeightMatrix): Float32Array[] => {
          const t = tape({ backend, arenaBytesMax: BYTES, directions: 1 })
          const x = t.parameter(normals(5, 3 * 64, 1), [3, 64], [normals(6, 3 * 64, 1)])
          const y = t.matmul(x, t.constant(matrix), { transposeB: true })
          // linear in y, so that what flows back does not depend on it
          const column = t.matmul(y, t.constant(normals(7, 23, 1), [23, 1]))
          const [g] = t.gradient(t.matmul(t.constant(Float32Array.of(1, 2, 3), [1, 3]), column), [x])
          return [y.data, y.tangents[0] ?? new Float32Array(), g.data].map(part => part.slice())
        }
        const [rounded, exact] = [run({ ...w, activations: 'int16' }), run(w)]
        expect(rounded[0], type).to.not.deep.equal(exact[0])
        expect(rounded.slice(1), type).to.deep.equal(exact.slice(1))
      }
    }
  })

  it('are refused for weights that are no integers', () => {
    const w = quantise('bf16', normals(1, 64, 1), [2, 32])
    expect(() => tape({ arenaBytesMax: BYTES }).constant({ ...w, activations: 'int16' })).to.throw(ShapeError)
  })
})
