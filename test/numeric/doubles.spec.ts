import { expect } from 'aegir/chai'
import * as fc from 'fast-check'
import { doubles } from '../../src/numeric/index.ts'
import type { DoubleOperand } from '../../src/numeric/index.ts'

const kernels = doubles()
const oracle = doubles('reference')

/** Sizes around what lanes, tiles and blocks are made of. */
const size = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(31, 33, 64, 255, 257))
/** Ordinary numbers, subnormals, zeros of both signs, and what overflows in a product. */
const value = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: -2, max: 2, noNaN: true }) },
  fc.constantFrom(0, -0, 5e-324, -2.2e-308, 1e160, -1e160, 1.7e308)
)

/** Numbers that repeat a few drawn ones in no simple order: shapes may be large, inputs stay small. */
function spread (drawn: number[], length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => drawn[(i * i + 3 * i) % drawn.length] * (1 + (i % 17) / 16))
}

function operand (values: Float64Array, lines: number, depth: number, byDepth: boolean): DoubleOperand {
  const length = byDepth ? lines : depth

  return { lines, depth, byDepth, copy: (index, from, to, out, at) => { out.set(values.subarray(index * length + from, index * length + to), at) } }
}

/** Bits; what is not a number has none that are portable. */
function bits (values: Float64Array): BigUint64Array {
  return new BigUint64Array(values.map(one => Number.isNaN(one) ? NaN : one).buffer)
}

const transposed = (values: Float64Array, rows: number, columns: number): Float64Array =>
  Float64Array.from({ length: rows * columns }, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)])

/** G·Gᵀ plus something on the diagonal. */
function positive (drawn: number[], rows: number, damping: number): Float64Array {
  const g = operand(spread(drawn, rows * (rows + 1)), rows, rows + 1, false)
  const a = new Float64Array(rows * rows)

  kernels.product(g, g, a)
  for (let i = 0; i < rows; i++) {
    a[i * rows + i] += damping
  }

  return a
}

const small = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 5, maxLength: 40 })

describe('f64 products', () => {
  it('have the bits of the oracle, whatever shape, orientation and values', () => {
    fc.assert(fc.property(
      size, size, size, fc.array(value, { minLength: 3, maxLength: 50 }), fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean(),
      (m, n, k, drawn, aByDepth, bByDepth, accumulate, lower) => {
        const a = operand(spread(drawn, m * k), m, k, aByDepth)
        const b = operand(spread([...drawn].reverse(), n * k), n, k, bByDepth)
        const actual = spread(drawn, m * n)
        const wanted = actual.slice()

        kernels.product(a, b, actual, { accumulate, lower })
        oracle.product(a, b, wanted, { accumulate, lower })
        expect(bits(actual)).to.deep.equal(bits(wanted))
      }
    ), { numRuns: 40 })
  })

  it('add sums of groups in turn, each from zero', () => {
    fc.assert(fc.property(size, size, fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(255, 257)), fc.integer({ min: 1, max: 4 }), small, (m, n, group, groups, drawn) => {
      const depth = group * groups
      const [a, b] = [operand(spread(drawn, m * depth), m, depth, true), operand(spread(drawn, n * depth), n, depth, false)]
      const [actual, wanted] = [new Float64Array(m * n).fill(0.1), new Float64Array(m * n).fill(0.1)]

      kernels.product(a, b, actual, { group, accumulate: true })
      oracle.product(a, b, wanted, { group, accumulate: true })
      expect(bits(actual)).to.deep.equal(bits(wanted))
    }), { numRuns: 25 })
  })

  it('sum strictly in the order of the inner dimension', () => {
    const line = operand(Float64Array.of(1, 2 ** -53, 2 ** -53), 1, 3, false)
    const ones = operand(Float64Array.of(1, 1, 1), 1, 3, false)
    const c = new Float64Array(1)

    // in any other order the two small ones would be seen
    kernels.product(line, ones, c)
    expect(c[0]).to.equal(1)
    kernels.product(line, ones, c, { group: 3, accumulate: true })
    expect(c[0]).to.equal(2)
  })

  it('refuse operands that do not fit, and groups that a block cannot hold', () => {
    const a = operand(new Float64Array(6), 2, 3, false)

    expect(() => { kernels.product(a, operand(new Float64Array(4), 2, 2, false), new Float64Array(4)) }).to.throw().with.property('code', 'ERR_SHAPE')
    expect(() => { kernels.product(a, a, new Float64Array(5)) }).to.throw().with.property('code', 'ERR_SHAPE')
    for (const group of [0, 2, 1.5, 6]) {
      expect(() => { kernels.product(a, a, new Float64Array(4), { group }) }, String(group)).to.throw().with.property('code', 'ERR_NUMERIC_RANGE')
    }
  })
})

describe('f64 Cholesky factors', () => {
  it('have the bits of the oracle, and leave the upper triangle alone', () => {
    fc.assert(fc.property(fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 70 }) }, fc.constantFrom(255, 257, 300)), small, (rows, drawn) => {
      const actual = positive(drawn, rows, 1)
      const wanted = actual.slice()
      const upper = transposed(actual, rows, rows)

      expect(kernels.cholesky(actual, rows)).to.equal(oracle.cholesky(wanted, rows))
      expect(bits(actual)).to.deep.equal(bits(wanted))
      for (let i = 0; i + 1 < rows; i++) {
        expect(actual[i * rows + i + 1]).to.equal(upper[(i + 1) * rows + i])
      }
    }), { numRuns: 25 })
  })

  it('say at which row a matrix is not positive definite', () => {
    for (const [rows, bad] of [[1, 0], [5, 3], [40, 39], [300, 258]]) {
      for (const pivot of [-1e9, NaN]) {
        const a = positive([0.5, -1.25, 0.75], rows, 1)

        a[bad * rows + bad] = pivot
        expect(kernels.cholesky(a.slice(), rows), `${rows} rows`).to.equal(bad).and.to.equal(oracle.cholesky(a, rows))
      }
    }
  })

  it('refuse what is no square', () => {
    expect(() => kernels.cholesky(new Float64Array(5), 2)).to.throw().with.property('code', 'ERR_SHAPE')
  })
})

describe('f64 eigenvectors', () => {
  it('have the bits of the oracle, values on the diagonal included', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), small, (rows, drawn) => {
      const actual = positive(drawn, rows, 0)
      const wanted = actual.slice()

      expect(kernels.eigenvectors(actual, rows, 1e-12, 40)).to.deep.equal(oracle.eigenvectors(wanted, rows, 1e-12, 40))
      expect(bits(actual)).to.deep.equal(bits(wanted))
    }), { numRuns: 30 })
  })

  it('turn the matrix into its values', () => {
    const rows = 21
    const a = positive([0.5, -1.25, 0.75, 1.5], rows, 0)
    const values = a.slice()
    const vectors = kernels.eigenvectors(values, rows, 1e-12, 40) ?? new Float64Array(0)

    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < rows; j++) {
        const product = Array.from({ length: rows }, (_, k) => a[j * rows + k] * vectors[i * rows + k]).reduce((sum, one) => sum + one, 0)

        expect(product).to.be.closeTo(values[i * rows + i] * vectors[i * rows + j], 1e-9)
      }
    }
  })

  it('are none if the sweeps are too few or a value is not finite', () => {
    const a = positive([0.5, -1.25, 0.75], 9, 0)

    expect(kernels.eigenvectors(a.slice(), 9, 1e-12, 1)).to.equal(undefined)
    expect(kernels.eigenvectors(a.map((one, i) => i === 4 ? Infinity : one), 9, 1e-12, 40)).to.equal(undefined)
    expect(() => kernels.eigenvectors(new Float64Array(2049 ** 2), 2049, 1e-12, 40)).to.throw().with.property('code', 'ERR_NUMERIC_RANGE')
  })
})
