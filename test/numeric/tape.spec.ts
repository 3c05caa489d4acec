import { expect } from 'aegir/chai'
import { ArenaFullError, NonFiniteError, NumericRangeError, ShapeError, StaleValueError, tape } from '../../src/numeric/index.ts'
import { derivatives, distance, moved, NAMES, normals, SHAPES, weights } from './fixtures.ts'
import type { Derivatives } from './fixtures.ts'
import type { TapeInit } from '../../src/numeric/index.ts'

const arenaBytesMax = 1 << 23
const values = weights(1)
const directions = [weights(2, 1), weights(3, 1), weights(4, 1)]

function derive (init: TapeInit, at = values, along = directions.slice(0, init.directions ?? 0)): Derivatives {
  return derivatives(tape({ arenaBytesMax, ...init }), at, along)
}

function product (a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i], 0)
}

describe('tape', () => {
  it('gives gradients that finite differences confirm, for every parameter', () => {
    const { gradients } = derive({})
    for (const [i, name] of NAMES.entries()) {
      // one direction per parameter, all others still
      const still = Object.fromEntries(NAMES.map(other => [other, other === name ? directions[0][name] : new Float32Array(values[other].length)])) as typeof values
      const step = 2e-3
      const slope = (derive({}, moved(values, still, step)).loss - derive({}, moved(values, still, -step)).loss) / (2 * step)
      const predicted = product(gradients[i], still[name])
      expect(predicted).to.be.closeTo(slope, 5e-3 * Math.max(1, Math.abs(slope)), name)
    }
  })

  it('gives Hessian-vector products that differences of gradients confirm, for every parameter', () => {
    const { products } = derive({ directions: 1 })
    const step = 2e-4
    const up = derive({}, moved(values, directions[0], step)).gradients
    const down = derive({}, moved(values, directions[0], -step)).gradients
    for (const [i, name] of NAMES.entries()) {
      const difference = up[i].map((g, j) => (g - down[i][j]) / (2 * step))
      expect(distance(products[i][0], difference)).to.be.below(2e-3, name)
    }
  })

  it('gives the loss its tangents: the gradient along each direction', () => {
    const { lossTangents, gradients } = derive({ directions: 3 })
    directions.forEach((direction, k) => {
      const along = NAMES.reduce((sum, name, i) => sum + product(gradients[i], direction[name]), 0)
      expect(lossTangents[k]).to.be.closeTo(along, 1e-4 * Math.max(1, Math.abs(along)))
    })
  })

  it('carries many directions with the bits of one', () => {
    const together = derive({ directions: 3 })
    directions.forEach((direction, k) => {
      const alone = derive({ directions: 1 }, values, [direction])
      expect(alone.lossTangents[0]).to.equal(together.lossTangents[k])
      expect(alone.products.map(p => p[0])).to.deep.equal(together.products.map(p => p[k]))
    })
  })

  it('gives the same gradient with and without directions', () => {
    expect(derive({ directions: 3 }).gradients).to.deep.equal(derive({}).gradients)
  })

  it('gives the bits of the oracle', () => {
    expect(derive({ directions: 2 })).to.deep.equal(derive({ directions: 2, backend: 'reference' }))
  })

  it('gives a constant the bits of a parameter', () => {
    const all = derive({})
    const some = derivatives(tape({ arenaBytesMax }), values, [], ['table', 'q', 'gate', 'down', 'gain'])
    expect(some.loss).to.equal(all.loss)
    expect(some.gradients).to.deep.equal(['k', 'v', 'o', 'up'].map(name => all.gradients[NAMES.findIndex(other => other === name)]))
  })

  it('gives a constant the bits of a parameter for products in every orientation', () => {
    const t = tape({ arenaBytesMax })
    const [a, b] = [normals(1, 35, 1), normals(2, 35, 1)]
    const left = t.parameter(a, [5, 7])
    for (const transposeB of [false, true]) {
      const shape = transposeB ? [5, 7] as const : [7, 5] as const
      const [p, c] = [t.parameter(b, shape), t.constant(b, shape)]
      expect(t.matmul(left, c, { transposeB }).data).to.deep.equal(t.matmul(left, p, { transposeB }).data)
      expect(t.matmul(left, c, { transposeB }).data).to.deep.equal(t.matmul(left, c, { transposeB }).data)
    }
  })

  it('decodes token by token with the bits of a prefill', () => {
    const t = tape({ arenaBytesMax })
    const [q, k, v] = [1, 2, 3].map(seed => normals(seed, 11 * 16, 1))
    const options = { heads: 2, kvHeads: 2 }
    const rope = { heads: 2, theta: 10000, pairing: 'half' } as const
    const part = (x: Float32Array, from: number, to: number): Float32Array => x.slice(from * 16, to * 16)
    const all = (x: Float32Array): ReturnType<typeof t.parameter> => t.parameter(x, [11, 16])
    const whole = t.attention(t.rope(all(q), rope), t.rope(all(k), rope), all(v), options).data.slice()
    const keys = t.rope(all(k), rope).data.slice()
    for (let i = 0; i < 11; i++) {
      const query = t.rope(t.parameter(part(q, i, i + 1), [1, 16]), { ...rope, offset: i })
      const one = t.attention(query, t.parameter(part(keys, 0, i + 1), [i + 1, 16]), t.parameter(part(v, 0, i + 1), [i + 1, 16]), options)
      expect(one.data).to.deep.equal(part(whole, i, i + 1))
    }
  })

  it('takes several gradients on one tape, each as if it were alone', () => {
    const t = tape({ arenaBytesMax, directions: 1 })
    const x = t.parameter(normals(1, 12, 1), [3, 4], [normals(2, 12, 1)])
    const y = t.silu(t.matmul(x, x, { transposeB: true }))
    const first = t.crossEntropy(y, [0, 1, 2], [1, 0, 0])
    const second = t.crossEntropy(y, [0, 1, 2], [0, 1, 0])
    const [g] = t.gradient(first, [x])
    const kept = [g.data.slice(), g.tangents[0]?.slice()]
    const [h] = t.gradient(second, [x])
    expect([g.data, g.tangents[0]]).to.deep.equal(kept)
    expect(t.gradient(first, [x])[0].data).to.deep.equal(kept[0])
    expect(h.data).to.not.deep.equal(kept[0])
  })

  it('gives zeros for a parameter that the loss does not depend on', () => {
    const t = tape({ arenaBytesMax })
    const [x, idle] = [t.parameter(normals(1, 4), [2, 2]), t.parameter(normals(2, 4), [2, 2])]
    const [g, zero] = t.gradient(t.crossEntropy(x, [0, 1]), [x, idle])
    expect(distance(g.data, Float32Array.of(0, 0, 0, 1))).to.be.above(0)
    expect(zero.data).to.deep.equal(new Float32Array(4))
  })

  it('keeps constants over a reset and refuses all other values of before', () => {
    const t = tape({ arenaBytesMax })
    const c = t.constant(Float32Array.of(1, 2, 3, 4), [2, 2])
    const p = t.parameter(Float32Array.of(1, 0, 0, 1), [2, 2])
    t.matmul(p, c)
    t.reset()
    expect(() => t.matmul(p, c)).to.throw(StaleValueError).with.property('code', 'ERR_STALE_VALUE')
    const again = t.parameter(Float32Array.of(0, 1, 1, 0), [2, 2])
    expect(t.matmul(again, c).data).to.deep.equal(Float32Array.of(3, 4, 1, 2))
    expect(() => t.add(c, tape({ arenaBytesMax }).constant(Float32Array.of(1), [1, 1]))).to.throw(StaleValueError)
  })

  it('names the primitive that overflowed', () => {
    const t = tape({ arenaBytesMax })
    const huge = t.parameter(new Float32Array(4).fill(3e38), [2, 2])
    expect(() => t.matmul(huge, huge)).to.throw(NonFiniteError).with.property('primitive', 'matmul')
    expect(() => t.add(huge, huge)).to.throw(NonFiniteError).with.property('primitive', 'add')
    expect(() => t.rmsNorm(huge, t.constant(Float32Array.of(1, 1), [1, 2]), 1e-5)).to.throw(NonFiniteError).with.property('primitive', 'rmsNorm')
    expect(() => t.parameter(Float32Array.of(NaN), [1, 1])).to.throw(NonFiniteError)
    expect(() => t.constant(Float32Array.of(Infinity), [1, 1])).to.throw(NonFiniteError)
  })

  it('names the tensor that is not finite, and the element', () => {
    const t = tape({ arenaBytesMax })
    const bad = Float32Array.of(1, 2, 3, 4, 5, NaN)
    expect(() => t.parameter(bad, [2, 3], undefined, 'lora.a')).to.throw(NonFiniteError).with.property('tensor', 'lora.a [2,3] at row 1, column 2')
    expect(() => t.constant(bad, [3, 2], 'embedding')).to.throw(NonFiniteError, 'embedding [3,2] at row 2, column 1')
    const w = t.constant(Float32Array.of(1, 1, 1, 3e38), [2, 2], 'layers.3.down')
    const x = t.parameter(Float32Array.of(1, 1, 1, 3e38), [2, 2])
    expect(() => t.matmul(x, w, { transposeB: true })).to.throw(NonFiniteError)
      .with.property('tensor', '[2,2] made of [2,2] and layers.3.down [2,2] at row 1, column 1')
  })

  it('needs memory for the cotangents that are live, not for all of a pass', () => {
    // 60 layers take 60·2·16 KiB forward, their cotangents 60·4·16 KiB if none were given back
    const t = tape({ arenaBytesMax: 60 * 2 * 16384 + 400_000 })
    const x = t.parameter(normals(1, 4096, 1), [64, 64])
    let y = x
    for (let i = 0; i < 60; i++) {
      y = t.silu(y)
    }
    const loss = t.crossEntropy(y, new Uint32Array(64))
    const [g] = t.gradient(loss, [x])
    const roomy = tape({ arenaBytesMax: 1 << 24, backend: 'reference' })
    const p = roomy.parameter(normals(1, 4096, 1), [64, 64])
    const z = Array.from({ length: 60 }).reduce<typeof p>(value => roomy.silu(value), p)
    expect(g.data).to.deep.equal(roomy.gradient(roomy.crossEntropy(z, new Uint32Array(64)), [p])[0].data)
  })

  it('refuses operands that do not fit', () => {
    const t = tape({ arenaBytesMax })
    const x = t.parameter(normals(1, 12), [3, 4])
    expect(() => t.matmul(x, x)).to.throw(ShapeError)
    expect(() => t.add(x, t.parameter(normals(1, 12), [4, 3]))).to.throw(ShapeError)
    expect(() => t.rmsNorm(x, x, 1e-5)).to.throw(ShapeError)
    expect(() => t.attention(x, x, x, { heads: 3, kvHeads: 1 })).to.throw(ShapeError)
    expect(() => t.rope(x, { heads: 4, theta: 10000, pairing: 'half' })).to.throw(ShapeError)
    expect(() => t.rope(x, { heads: 1, theta: 10000, pairing: 'half', offset: -1 })).to.throw(NumericRangeError)
    expect(() => t.gather(x, [3])).to.throw(NumericRangeError)
    expect(() => t.crossEntropy(x, [0, 1])).to.throw(ShapeError)
    expect(() => t.crossEntropy(x, [0, 1, 4])).to.throw(NumericRangeError)
    expect(t.crossEntropy(x, [0, 1, -1], [1, 1, 0]).shape).to.deep.equal([1, 1])
    expect(() => t.parameter(normals(1, 12), [3, 5])).to.throw(ShapeError)
    expect(() => t.gradient(x, [x])).to.throw(ShapeError)
  })

  it('says when its arena is full, and works on after a reset', () => {
    const t = tape({ arenaBytesMax: 1 << 16 })
    const x = t.parameter(normals(1, SHAPES.q[0] * SHAPES.q[1]), SHAPES.q)
    expect(() => {
      for (let i = 0; i < 1000; i++) {
        t.add(x, x)
      }
    }).to.throw(ArenaFullError).with.property('code', 'ERR_ARENA_FULL')
    t.reset()
    expect(t.scale(t.parameter(Float32Array.of(2), [1, 1]), 3).data[0]).to.equal(6)
    expect(() => tape({ arenaBytesMax: 10 })).to.throw(NumericRangeError)
    expect(() => tape({ directions: -1 })).to.throw(NumericRangeError)
  })
})
