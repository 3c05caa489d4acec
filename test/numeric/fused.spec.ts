import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { kernels, ShapeError, tape } from '../../src/numeric/index.ts'
import { normals } from './fixtures.ts'
import type { Kernels, Tape, TapeInit, Value } from '../../src/numeric/index.ts'

const BYTES = 1 << 20
const wasm = kernels({ arenaBytesMax: BYTES })
const reference = kernels({ backend: 'reference', arenaBytesMax: BYTES })

/** Addresses of buffers of 64 KiB each. */
const [A, B, C, D, E, Y, Z] = [1, 2, 3, 4, 5, 6, 7].map(page => page << 16)
const number = fc.oneof({ weight: 6, arbitrary: fc.float({ min: -4, max: 4, noNaN: true }) }, fc.constantFrom(0, -0, 1), fc.float({ min: Math.fround(-1e-40), max: Math.fround(1e-40), noNaN: true }))
const side = fc.integer({ min: 1, max: 19 })

function words (k: Kernels, at: number, length: number): Uint32Array {
  return new Uint32Array(k.buffer, at, length).slice()
}

/** Runs the same numbers through both sides of a comparison, and compares so many words of Y and Z: kernels may write the padding. */
function agree ([y, z]: [y: number, z: number], numbers: Iterator<number>, run: [on: Kernels, (k: Kernels) => void], other: [on: Kernels, (k: Kernels) => void]): void {
  const n = y + 3
  const values = Float32Array.from({ length: 5 * n }, () => numbers.next().value)
  const results = [run, other].map(([k, work]) => {
    for (const [i, at] of [A, B, C, D, E].entries()) {
      new Float32Array(k.buffer, at, n).set(values.subarray(i * n, (i + 1) * n))
    }
    new Uint8Array(k.buffer, Y, 1 << 17).fill(0)
    work(k)
    return [words(k, Y, y), words(k, Z, z)]
  })
  expect(results[0]).to.deep.equal(results[1])
}

const fused: Record<string, (k: Kernels, m: number, d: number) => void> = {
  rmsNorm: (k, m, d) => { k.rmsNorm(m, d, A, B, 1e-5, Z, Y) },
  rmsNormBack: (k, m, d) => { k.rmsNormBack(m, d, A, B, C, D, E, Y) },
  'rmsNormBack without a sum': (k, m, d) => { k.rmsNormBack(m, d, A, B, C, D, 0, Y) },
  swiglu: (k, m, d) => { k.swiglu(m * d, A, B, Z, Y) },
  swigluBack: (k, m, d) => { k.swigluBack(m * d, A, B, C, D, Y, Z) },
  addScaled: (k, m, d) => { k.addScaled(m * d, A, B, 0.3, Y) }
}

describe('fused kernels', () => {
  for (const [name, run] of Object.entries(fused)) {
    it(`give the bits of the oracle: ${name}`, () => {
      fc.assert(fc.property(side, side, fc.infiniteStream(number), (m, d, numbers) => {
        const second = name.startsWith('swiglu') ? m * d : 0
        agree([m * d, name === 'rmsNorm' ? m : second], numbers[Symbol.iterator](), [wasm, k => { run(k, m, d) }], [reference, k => { run(k, m, d) }])
      }), { numRuns: 60 })
    })
  }

  it('give the bits of the kernels that they stand for', () => {
    fc.assert(fc.property(side, side, fc.infiniteStream(number), (m, d, numbers) => {
      const iterator = numbers[Symbol.iterator]()
      const n = m * d
      agree([n, m], iterator, [wasm, k => { fused.rmsNorm(k, m, d) }], [wasm, k => {
        k.inverseRms(m, d, A, 1e-5, Z)
        k.rowScale(m, d, A, Z, C, false)
        k.columnScale(m, d, C, B, Y, false)
      }])
      agree([n, 0], iterator, [wasm, k => { fused.rmsNormBack(k, m, d) }], [wasm, k => {
        const [dots, slopes] = [Y + 4 * 4096, Y + 8 * 4096]
        k.columnScale(m, d, D, B, D, false)
        k.rowDot(m, d, D, A, dots, false)
        k.mul(m, C, C, slopes, false)
        k.mul(m, C, slopes, slopes, false)
        k.scale(m, slopes, -1 / d, slopes)
        k.mul(m, dots, slopes, dots, false)
        k.rowScale(m, d, D, C, Y, false)
        k.add(n, E, Y, Y)
        k.rowScale(m, d, A, dots, Y, true)
      }])
      agree([n, n], iterator, [wasm, k => { fused.swiglu(k, m, d) }], [wasm, k => {
        k.sigmoid(n, A, Z)
        k.mul(n, A, Z, Y, false)
        k.mul(n, Y, B, Y, false)
      }])
    }), { numRuns: 60 })
  })
})

/** A block of a model with everything that is fused; x is used again, so that cotangents add up. */
function block (init: TapeInit): Float32Array[] {
  const t: Tape = tape({ arenaBytesMax: 1 << 23, ...init })
  const [rows, dim, hidden] = [37, 12, 20]
  const leaf = (seed: number, m: number, n: number): Value => t.parameter(normals(seed, m * n, 0.7), [m, n])
  const frozen = (seed: number, m: number, n: number): Value => t.constant(normals(seed, m * n, 0.7), [m, n])
  const x = leaf(1, rows, dim)
  const gain = leaf(2, 1, dim)
  const bias = leaf(3, 1, dim)
  const factors = [leaf(4, 3, dim), leaf(5, hidden, 3), leaf(6, 4, dim), leaf(7, hidden, 4)]
  const [a1, b1, a2, b2] = factors
  const h = t.rmsNorm(x, gain, 1e-5)
  const q = t.project(h, frozen(8, dim, dim), { bias })
  const mixed = t.add(x, t.attention(q, h, h, { heads: 3, kvHeads: 3 }))
  const g = t.rmsNorm(mixed, gain, 1e-5)
  const gate = t.project(g, frozen(9, hidden, dim), { changes: [{ a: a1, b: b1, scale: 0.5 }, { a: a2, b: b2, scale: 2 }] })
  const y = t.add(mixed, t.project(t.swiglu(gate, t.project(g, frozen(10, hidden, dim))), frozen(11, dim, hidden)))
  const loss = t.crossEntropy(y, Array.from({ length: rows }, (_, i) => i % dim))
  return [loss, ...t.gradient(loss, [x, gain, bias, ...factors])].map(({ data }) => data.slice())
}

describe('a tape without directions', () => {
  it('gives the bits of the primitives one by one, which one with directions takes', () => {
    expect(block({})).to.deep.equal(block({ directions: 1 }))
  })

  it('gives the bits of the oracle', () => {
    expect(block({})).to.deep.equal(block({ backend: 'reference' }))
  })

  it('refuses a bias, and factors, that do not fit', () => {
    const t = tape({ arenaBytesMax: 1 << 20 })
    const ones = (m: number, n: number): Value => t.parameter(new Float32Array(m * n).fill(1), [m, n])
    expect(() => t.project(ones(2, 3), ones(4, 3), { bias: ones(1, 3) })).to.throw(ShapeError)
    expect(() => t.project(ones(2, 3), ones(4, 3), { changes: [{ a: ones(1, 2), b: ones(4, 1), scale: 1 }] })).to.throw(ShapeError)
    expect(() => t.project(ones(2, 3), ones(4, 3), { changes: [{ a: ones(1, 3), b: ones(5, 1), scale: 1 }] })).to.throw(ShapeError)
    expect(() => t.swiglu(ones(2, 3), ones(3, 2))).to.throw(ShapeError)
  })
})
