import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { dequantise, kernels, NonFiniteError, NumericRangeError, quantise, ShapeError, tape, weightBytes } from '../../src/numeric/index.ts'
import { normals } from './fixtures.ts'
import type { Kernels, WeightMatrix, WeightType } from '../../src/numeric/index.ts'

const BYTES = 1 << 21
const wasm = kernels({ arenaBytesMax: BYTES })
const reference = kernels({ backend: 'reference', arenaBytesMax: BYTES })
const [RAW, PACKED, X, Y, IDS, SCRATCH] = [1, 5, 9, 13, 17, 18].map(page => page << 16)

const types: WeightType[] = ['f32', 'bf16', 'q8_0', 'q4_0']

/** A scale of f16 that is finite: ordinary, subnormal, huge, zero of either sign. */
const scale = fc.oneof(fc.integer({ min: 0x1000, max: 0x3000 }), fc.integer({ min: 0, max: 0x7bff }), fc.integer({ min: 0x8000, max: 0xfbff }))

/** Any bytes that are weights: quants, scales and exponents as a hostile file might have them, but finite. */
function anyWeights (type: WeightType, rows: number, columns: number): fc.Arbitrary<WeightMatrix> {
  const quantised = type === 'q8_0' || type === 'q4_0'
  const width = quantised ? columns * 32 : columns
  const size = weightBytes(type, rows, width)
  return fc.tuple(fc.infiniteStream(fc.integer({ min: 0, max: 255 })), fc.infiniteStream(scale), fc.infiniteStream(fc.float({ noNaN: true, min: Math.fround(-3e38), max: Math.fround(3e38) }))).map(([random, scales, numbers]) => {
    const shape = [rows, width] as const
    if (!quantised) {
      return quantise(type, Float32Array.from([...numbers.take(rows * width)]), shape)
    }
    const bytes = Uint8Array.from([...random.take(size)])
    for (let at = 0; at < size; at += type === 'q8_0' ? 34 : 18) {
      const [bits] = [...scales.take(1)]
      bytes[at] = bits & 0xff
      bytes[at + 1] = bits >>> 8
    }
    return { type, shape, bytes }
  })
}

const anyType = fc.constantFrom(...types)
/** From 64 rows on, few rows of x meet a quarter of them beside the others. */
const rowCount = fc.oneof(fc.integer({ min: 1, max: 41 }), fc.integer({ min: 60, max: 147 }))
const cases = fc.tuple(anyType, rowCount, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 70 }))
  .chain(([type, rows, blocks, columns]) => anyWeights(type, rows, type === 'f32' || type === 'bf16' ? columns : blocks))

const number = fc.oneof(
  { weight: 6, arbitrary: fc.float({ min: -4, max: 4, noNaN: true }) },
  fc.constantFrom(0, -0, 1, -1),
  fc.float({ min: Math.fround(-1e-40), max: Math.fround(1e-40), noNaN: true })
)

function bits (k: Kernels, at: number, n: number): number[] {
  const floats = new Float32Array(k.buffer, at, n)
  return Array.from(new Uint32Array(k.buffer, at, n), (word, i) => Number.isNaN(floats[i]) ? 0x7fc00000 : word)
}

function load (k: Kernels, w: WeightMatrix, type: WeightType): void {
  new Uint8Array(k.buffer, RAW, w.bytes.length).set(w.bytes)
  expect(k.packWeights(type, w.shape[0], w.shape[1], RAW, PACKED)).to.equal(true)
}

describe('products with frozen weights', () => {
  it('have the bits of the product with the dequantised matrix, in both backends and both ways', () => {
    fc.assert(fc.property(cases, fc.integer({ min: 1, max: 9 }), fc.boolean(), fc.infiniteStream(number), (w, m, accumulate, numbers) => {
      const type = types.find(known => known === w.type) ?? 'f32'
      const [rows, columns] = w.shape
      const x = Float32Array.from([...numbers.take(m * Math.max(rows, columns))])
      const before = Float32Array.from([...numbers.take(m * Math.max(rows, columns))])
      const run = (k: Kernels, multiply: (k: Kernels) => void, n: number): number[] => {
        new Float32Array(k.buffer, X, x.length).set(x)
        new Float32Array(k.buffer, Y, before.length).set(before)
        multiply(k)
        return bits(k, Y, n)
      }
      for (const k of [wasm, reference]) {
        load(k, w, type)
      }
      const forward = (k: Kernels): void => { k.matmulWeights(type, m, rows, columns, X, columns, PACKED, SCRATCH, Y, rows, accumulate) }
      const back = (k: Kernels): void => { k.matmulWeightsBack(type, m, rows, columns, X, rows, PACKED, SCRATCH, Y, columns, accumulate) }
      const results = [run(wasm, forward, m * rows), run(wasm, back, m * columns)]
      expect(results).to.deep.equal([run(reference, forward, m * rows), run(reference, back, m * columns)])
      // and by the general product over the dequantised numbers
      new Float32Array(wasm.buffer, RAW, rows * columns).set(dequantise(w))
      expect(results).to.deep.equal([
        run(wasm, k => { k.gemm(m, rows, columns, X, columns, 1, RAW, 1, columns, 0, SCRATCH, Y, rows, accumulate) }, m * rows),
        run(wasm, k => { k.gemm(m, columns, rows, X, rows, 1, RAW, columns, 1, 0, SCRATCH, Y, columns, accumulate) }, m * columns)
      ])
    }), { numRuns: 250 })
  })

  it('run through several blocks of the inner dimension to the same bits', () => {
    for (const type of types) {
      for (const [rows, columns, m] of [[37, 800, 1], [37, 800, 6], [800, 64, 3], [405, 32, 5], [200, 64, 2]]) {
        const w = quantise(type, normals(rows, rows * columns, 1), [rows, columns])
        const results = [wasm, reference].map(k => {
          load(k, w, type)
          new Float32Array(k.buffer, X, m * 800).set(normals(m, m * 800, 1))
          // lines of y with a gap between them, which stays as it was
          new Float32Array(k.buffer, Y, m * (rows + 3)).fill(7)
          k.matmulWeights(type, m, rows, columns, X, 800, PACKED, SCRATCH, Y, rows + 3, false)
          const forward = bits(k, Y, m * (rows + 3))
          k.matmulWeightsBack(type, m, rows, columns, X, 800, PACKED, SCRATCH, Y, columns, false)
          return [forward, bits(k, Y, m * columns)]
        })
        expect(results[0]).to.deep.equal(results[1])
      }
    }
  })

  it('give each row the bits that it has alone', () => {
    fc.assert(fc.property(cases, fc.integer({ min: 2, max: 9 }), fc.infiniteStream(number), (w, m, numbers) => {
      const type = types.find(known => known === w.type) ?? 'f32'
      const [rows, columns] = w.shape
      load(wasm, w, type)
      new Float32Array(wasm.buffer, X, m * columns).set([...numbers.take(m * columns)])
      wasm.matmulWeights(type, m, rows, columns, X, columns, PACKED, SCRATCH, Y, rows, false)
      const together = bits(wasm, Y, m * rows)
      for (let i = 0; i < m; i++) {
        wasm.matmulWeights(type, 1, rows, columns, X + 4 * i * columns, columns, PACKED, SCRATCH, Y, rows, false)
        expect(bits(wasm, Y, rows)).to.deep.equal(together.slice(i * rows, (i + 1) * rows))
      }
    }), { numRuns: 60 })
  })

  it('pack groups of 16 rows one by one, and give rows back decoded', () => {
    fc.assert(fc.property(cases, w => {
      const type = types.find(known => known === w.type) ?? 'f32'
      const [rows, columns] = w.shape
      const values = dequantise(w)
      for (const k of [wasm, reference]) {
        load(k, w, type)
        if (k === wasm) {
          new Uint8Array(k.buffer, PACKED, k.packedBytes(type, rows, columns)).fill(255)
          for (let row = 0; row < rows; row += 16) {
            const count = Math.min(16, rows - row)
            k.packWeights(type, count, columns, RAW + weightBytes(type, row, columns), PACKED + k.packedBytes(type, row, columns))
          }
        }
        const ids = Int32Array.from({ length: rows }, (_, i) => (i * 7 + 3) % rows)
        new Int32Array(k.buffer, IDS, rows).set(ids)
        k.gatherWeights(type, rows, columns, rows, IDS, PACKED, SCRATCH, Y)
        ids.forEach((id, i) => {
          expect(new Float32Array(k.buffer, Y + 4 * i * columns, columns)).to.deep.equal(values.subarray(id * columns, (id + 1) * columns))
        })
      }
    }), { numRuns: 60 })
  })

  it('notice one infinite or undefined weight', () => {
    const broken: Array<[WeightType, number]> = [['bf16', 5], ['f32', 7], ['q8_0', 35], ['q4_0', 19]]
    for (const [type, at] of broken) {
      const { bytes } = quantise(type, normals(1, 64), [1, 64])
      bytes[at] = 0x7f
      bytes[at - 1] = type === 'f32' || type === 'bf16' ? 0x80 : 0
      for (const k of [wasm, reference]) {
        new Uint8Array(k.buffer, RAW, bytes.length).set(bytes)
        expect(k.packWeights(type, 1, 64, RAW, PACKED), type).to.equal(false)
      }
      expect(() => tape({ arenaBytesMax: BYTES }).constant({ type, shape: [1, 64], bytes })).to.throw(NonFiniteError)
    }
  })
})

describe('quantising', () => {
  it('keeps what the type can hold, and errs by half a step at most', () => {
    const values = normals(3, 96 * 5, 1)
    for (const type of [...types, 'f16'] as const) {
      const once = quantise(type, values, [5, 96])
      const back = dequantise(once)
      expect(dequantise(quantise(type, back, [5, 96])), type).to.deep.equal(back)
      for (let block = 0; block < values.length; block += 32) {
        const most = values.subarray(block, block + 32).reduce((top, x) => Math.max(top, Math.abs(x)), 0)
        // q4_0 has no +8: what lies opposite to the extreme is off by a whole step at most
        const step = { f32: 0, f16: most / 2048, bf16: most / 256, q8_0: most / 127 * 0.51, q4_0: most / 8 * 1.01 }[type]
        for (let i = block; i < block + 32; i++) {
          expect(Math.abs(back[i] - values[i])).to.be.at.most(step)
        }
      }
    }
  })

  it('rounds halves to even and reads subnormal halves', () => {
    // 1 + 2^-11 lies between 1 and 1 + 2^-10; 1 + 3·2^-11 between that and 1 + 2^-9
    const values = Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 65504, 2 ** -24, 2 ** -25, 3 * 2 ** -25, -(2 ** -14), 0)
    expect(dequantise(quantise('f16', values, [1, 8]))).to.deep.equal(Float32Array.of(1, 1 + 2 ** -9, 65504, 2 ** -24, 0, 2 ** -23, -(2 ** -14), 0))
    const halves = Float32Array.from({ length: 32 }, (_, i) => i % 2 === 0 ? i + 0.5 : -i - 0.5)
    halves[0] = 127
    expect(dequantise(quantise('q8_0', halves, [1, 32]))[2]).to.equal(2)
    expect(dequantise(quantise('q8_0', halves, [1, 32]))[3]).to.equal(-4)
  })

  it('gives all halves back bit for bit', () => {
    const bytes = new Uint8Array(2 * 0x7c00)
    for (let i = 0; i < 0x7c00; i++) {
      bytes[2 * i] = i & 0xff
      bytes[2 * i + 1] = i >>> 8
    }
    const matrix = { type: 'f16' as const, shape: [1, 0x7c00] as const, bytes }
    expect(quantise('f16', dequantise(matrix), [1, 0x7c00]).bytes).to.deep.equal(bytes)
  })

  it('refuses what does not fit', () => {
    expect(() => quantise('q8_0', new Float32Array(33), [1, 33])).to.throw(ShapeError)
    expect(() => quantise('q8_0', new Float32Array(32), [1, 64])).to.throw(ShapeError)
    expect(() => quantise('q4_0', new Float32Array(32).fill(1e7), [1, 32])).to.throw(NumericRangeError)
    expect(() => quantise('f16', Float32Array.of(65520), [1, 1])).to.throw(NonFiniteError)
    expect(() => quantise('f32', Float32Array.of(NaN), [1, 1])).to.throw(NonFiniteError)
    expect(() => dequantise({ type: 'bf16', shape: [2, 2], bytes: new Uint8Array(7) })).to.throw(ShapeError)
  })
})

describe('weights on a tape', () => {
  it('give the bits of the dequantised matrix everywhere: losses, gradients, rows, decoded copies', () => {
    for (const backend of ['wasm', 'reference'] as const) {
      for (const type of types) {
        const w = quantise(type, normals(2, 23 * 32, 1), [23, 32])
        const run = (frozen: boolean): unknown[] => {
          const t = tape({ backend, arenaBytesMax: BYTES, directions: 1 })
          const table = frozen ? t.constant(w) : t.constant(dequantise(w), w.shape)
          const a = t.parameter(normals(5, 5 * 32, 1), [5, 32], [normals(6, 5 * 32, 1)])
          const x = t.add(a, t.gather(table, [0, 22, 7, 7, 16]))
          const y = t.matmul(x, table, { transposeB: true })
          const z = t.matmul(t.matmul(y, table), t.scale(table, 0.5), { transposeB: true })
          const loss = t.crossEntropy(t.add(t.scale(z, 1e-3), y), [1, 2, 3, 4, 5])
          const [g] = t.gradient(loss, [a])
          const other = t.matmul(table, t.parameter(normals(7, 32, 1), [32, 1]))
          t.reset()
          return [loss.data, loss.tangents, g.data, g.tangents, other.data, table.data].map(part => structuredClone(part))
        }
        expect(run(true), type).to.deep.equal(run(false))
      }
    }
  })

  it('are held in their own type', () => {
    const values = normals(1, 512 * 512)
    const t = tape({ arenaBytesMax: 512 * 512 + 512 * 32 + 1_200_000 })
    const w = t.constant(quantise('q8_0', values, [512, 512]))
    const x = t.parameter(normals(2, 512), [1, 512])
    expect(t.matmul(t.matmul(x, w, { transposeB: true }), w).shape).to.deep.equal([1, 512])
    expect(() => t.constant({ type: 'f16', shape: [1, 1], bytes: new Uint8Array(2) })).to.throw(ShapeError)
    expect(() => t.constant({ type: 'q8_0', shape: [1, 32], bytes: new Uint8Array(33) })).to.throw(ShapeError)
  })
})
