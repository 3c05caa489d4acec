import { expect } from 'aegir/chai'
import { NonFiniteError, ShapeError, tape } from '../../src/numeric/index.ts'
import { distance, normals } from './fixtures.ts'
import type { Tape, TapeInit, Value } from '../../src/numeric/index.ts'

const arenaBytesMax = 1 << 20

/** One layer of GPT-2's kind without its attention. */
const shapes: Array<readonly [number, number]> = [[7, 12], [1, 12], [1, 12], [21, 12], [1, 21], [12, 21], [1, 12]]

function loss (t: Tape, [x, gain, bias, up, upBias, down, downBias]: Value[]): Value {
  const h = t.gelu(t.addRow(t.matmul(t.layerNorm(x, gain, bias, 1e-5), up, { transposeB: true }), upBias))
  return t.crossEntropy(t.add(x, t.addRow(t.matmul(h, down, { transposeB: true }), downBias)), [0, 1, 2, 3, 11, 5, 6])
}

const values = shapes.map(([rows, columns], i) => normals(20 + i, rows * columns, 0.7))
const directions = shapes.map(([rows, columns], i) => normals(40 + i, rows * columns, 1))

function derive (init: TapeInit, at = values): { loss: number, slope: number, gradients: Float32Array[], products: Float32Array[] } {
  const t = tape({ arenaBytesMax, ...init })
  const parameters = shapes.map((shape, i) => t.parameter(at[i], shape, t.directions === 0 ? undefined : [directions[i]]))
  const value = loss(t, parameters)
  const gradients = t.gradient(value, parameters)
  return {
    loss: value.data[0],
    slope: value.tangents[0]?.[0] ?? 0,
    gradients: gradients.map(g => g.data.slice()),
    products: gradients.map(g => g.tangents[0]?.slice() ?? new Float32Array(g.data.length))
  }
}

const moved = (step: number, only?: number): Float32Array[] => values.map((v, i) => only != null && only !== i ? v : v.map((x, j) => x + step * directions[i][j]))

describe('layerNorm, addRow and gelu', () => {
  it('have gradients that finite differences confirm, for every operand', () => {
    const { gradients } = derive({})
    gradients.forEach((g, i) => {
      const slope = (derive({}, moved(2e-3, i)).loss - derive({}, moved(-2e-3, i)).loss) / 4e-3
      const predicted = g.reduce((sum, x, j) => sum + x * directions[i][j], 0)
      expect(predicted).to.be.closeTo(slope, 4e-3 * Math.max(1, Math.abs(slope)), `operand ${i}`)
    })
  })

  it('have Hessian-vector products that differences of gradients confirm', () => {
    const { products, slope, gradients } = derive({ directions: 1 })
    const [up, down] = [derive({}, moved(2e-4)).gradients, derive({}, moved(-2e-4)).gradients]
    products.forEach((product, i) => {
      expect(distance(product, up[i].map((g, j) => (g - down[i][j]) / 4e-4))).to.be.below(4e-3, `operand ${i}`)
    })
    const along = gradients.reduce((sum, g, i) => sum + g.reduce((part, x, j) => part + x * directions[i][j], 0), 0)
    expect(slope).to.be.closeTo(along, 1e-4 * Math.max(1, Math.abs(along)))
  })

  it('give the bits of the oracle', () => {
    expect(derive({ directions: 1 })).to.deep.equal(derive({ directions: 1, backend: 'reference' }))
  })

  it('are what they are called', () => {
    const t = tape({ arenaBytesMax })
    const x = normals(9, 3 * 10, 2)
    const rows = [0, 10, 20].flatMap(from => {
      const row = x.subarray(from, from + 10)
      const mean = row.reduce((sum, v) => sum + v, 0) / 10
      const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 10
      return Array.from(row, (v, j) => (v - mean) / Math.sqrt(variance + 0.1) * (j + 1) - j)
    })
    const [gain, bias] = [Float32Array.from({ length: 10 }, (_, j) => j + 1), Float32Array.from({ length: 10 }, (_, j) => -j)]
    const y = t.layerNorm(t.parameter(x, [3, 10]), t.constant(gain, [1, 10]), t.constant(bias, [1, 10]), 0.1)
    expect(distance(y.data, rows)).to.be.below(1e-6)
    const line = Float32Array.from({ length: 401 }, (_, i) => (i - 200) / 20)
    const exact = Array.from(line, v => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))))
    const got = t.gelu(t.parameter(line, [1, 401])).data
    exact.forEach((value, i) => { expect(got[i]).to.be.closeTo(value, 1e-6 + 1e-6 * Math.abs(value)) })
  })

  it('pass numbers through that are too large to cube', () => {
    const t = tape({ arenaBytesMax, directions: 1 })
    const x = t.parameter(Float32Array.of(3e38, -3e38, 1e20, -17), [1, 4], [Float32Array.of(1, 1, 1, 1)])
    const y = t.gelu(x)
    expect(Array.from(y.data, Math.abs)).to.deep.equal([Math.fround(3e38), 0, Math.fround(1e20), 0])
    expect(y.tangents[0]).to.deep.equal(Float32Array.of(1, 0, 1, 0))
  })

  it('refuse operands that do not fit', () => {
    const t = tape({ arenaBytesMax })
    const x = t.parameter(normals(1, 12), [3, 4])
    const row = t.constant(Float32Array.of(3e38, 3e38, 1, 1), [1, 4])
    expect(() => t.addRow(x, x)).to.throw(ShapeError)
    expect(() => t.layerNorm(x, row, x, 1e-5)).to.throw(ShapeError)
    expect(() => t.layerNorm(x, x, row, 1e-5)).to.throw(ShapeError)
    expect(() => t.addRow(t.addRow(x, row), row)).to.throw(NonFiniteError).with.property('primitive', 'addRow')
  })
})

describe('attention over more queries than it takes at once', () => {
  const [m, n, heads, kvHeads, dim] = [75, 83, 4, 2, 8]
  const along = (seed: number, rows: number, columns: number): { data: Float32Array, shape: readonly [number, number], tangent: Float32Array[] } => {
    return { data: normals(seed, rows * columns, 1), shape: [rows, columns], tangent: [normals(seed + 1, rows * columns, 1)] }
  }
  const operands = [along(1, m, heads * dim), along(3, n, kvHeads * dim), along(5, n, kvHeads * dim)]
  const targets = Array.from({ length: m }, (_, i) => i % (heads * dim))

  /** Row by row: each query over what it sees, nothing else. */
  function rowByRow (t: Tape, [q, k, v]: Value[]): Float32Array {
    const all = new Float32Array(m * heads * dim)
    for (let i = 0; i < m; i++) {
      const rows = (x: Value, from: number, to: number): Value => t.gather(x, Array.from({ length: to - from }, (_, j) => from + j))
      const one = t.attention(rows(q, i, i + 1), rows(k, 0, n - m + i + 1), rows(v, 0, n - m + i + 1), { heads, kvHeads })
      all.set(one.data, i * heads * dim)
    }
    return all
  }

  it('has the bits of each query by itself', () => {
    const t = tape({ arenaBytesMax: 1 << 23 })
    const values = operands.map(({ data, shape }) => t.parameter(data, shape))
    expect(t.attention(values[0], values[1], values[2], { heads, kvHeads }).data).to.deep.equal(rowByRow(t, values))
  })

  it('has the derivatives of the general products, masked', () => {
    const t = tape({ arenaBytesMax: 1 << 24, directions: 1 })
    const [q, k, v] = operands.map(({ data, shape, tangent }) => t.parameter(data, shape, tangent))
    const loss = t.crossEntropy(t.attention(q, k, v, { heads, kvHeads }), targets)
    const found = [loss, ...t.gradient(loss, [q, k, v])].map(value => [value.data.slice(), value.tangents[0]?.slice()])
    // the same out of one attention per query, whose gradients add up in another order
    const parts = Array.from({ length: m }, (_, i) => {
      const rows = (x: Value, from: number, to: number): Value => t.gather(x, Array.from({ length: to - from }, (_, j) => from + j))
      const seen = n - m + i + 1
      return t.crossEntropy(t.attention(rows(q, i, i + 1), rows(k, 0, seen), rows(v, 0, seen), { heads, kvHeads }), [targets[i]])
    })
    const sum = parts.reduce((a, b) => t.add(a, b))
    const expected = [sum, ...t.gradient(sum, [q, k, v])]
    found.forEach(([data, tangent], i) => {
      expect(distance(data ?? [], expected[i].data)).to.be.below(1e-5)
      expect(distance(tangent ?? [], expected[i].tangents[0] ?? [])).to.be.below(1e-5)
    })
  })

  it('gives the bits of the oracle', () => {
    const [fast, slow] = (['wasm', 'reference'] as const).map(backend => {
      const t = tape({ backend, arenaBytesMax: 1 << 23, directions: 1 })
      const values = operands.map(({ data, shape, tangent }) => t.parameter(data, shape, tangent))
      const loss = t.crossEntropy(t.attention(values[0], values[1], values[2], { heads, kvHeads }), targets)
      return [loss, ...t.gradient(loss, values)].map(value => [value.data.slice(), value.tangents[0]?.slice()])
    })
    expect(fast).to.deep.equal(slow)
  })
})
