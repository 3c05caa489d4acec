import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { cos, exp, fromBfloat16, log, NumericRangeError, PI, power, prng, ShapeError, sin, toBfloat16 } from '../../src/numeric/index.ts'

function relative (came: number, expected: number): number {
  return expected === 0 ? Math.abs(came) : Math.abs(came - expected) / Math.abs(expected)
}

describe('elementary functions', () => {
  it('agree with those of the runtime to about one unit in the last place', () => {
    fc.assert(fc.property(fc.double({ min: -700, max: 700, noNaN: true }), x => {
      expect(relative(exp(x), Math.exp(x))).to.be.below(4e-16)
      expect(relative(log(Math.abs(x) + 1e-3), Math.log(Math.abs(x) + 1e-3))).to.be.below(4e-16)
      expect(Math.abs(sin(x * 1000) - Math.sin(x * 1000))).to.be.below(3e-16)
      expect(Math.abs(cos(x * 1000) - Math.cos(x * 1000))).to.be.below(3e-16)
      expect(relative(power(Math.abs(x) + 1e-3, 1.7), (Math.abs(x) + 1e-3) ** 1.7)).to.be.below(1e-13)
    }), { numRuns: 2000 })
  })

  it('know their limits', () => {
    expect([exp(0), exp(1000), exp(-1000), exp(-Infinity), log(1), log(0), log(Infinity)]).to.deep.equal([1, Infinity, 0, 0, 0, -Infinity, Infinity])
    expect(exp(NaN)).to.be.NaN()
    expect(log(-1)).to.be.NaN()
    expect(exp(-745)).to.equal(5e-324)
    expect(relative(log(5e-324), Math.log(5e-324))).to.be.below(1e-15)
    expect(cos(PI)).to.equal(-1)
    expect(() => sin(1e7)).to.throw(NumericRangeError)
    expect(() => power(-1, 2)).to.throw(NumericRangeError)
  })
})

describe('prng', () => {
  it('steps as the published xoshiro128** does', () => {
    const random = prng(0)
    random.restore(Uint32Array.of(1, 2, 3, 4))
    expect(Array.from({ length: 6 }, () => random.nextUint32())).to.deep.equal([11520, 0, 5927040, 70819200, 2031721883, 1637235492])
  })

  it('is seeded as the published SplitMix64 is', () => {
    const [a, b, c, d] = prng(1234567).save()
    expect((BigInt(b) << 32n) | BigInt(a)).to.equal(6457827717110365317n)
    expect((BigInt(d) << 32n) | BigInt(c)).to.equal(3203168211198807973n)
  })

  it('continues where a saved state left off', () => {
    const random = prng(Uint8Array.of(1, 2, 3))
    random.nextNormal()
    const state = random.save()
    const expected = random.shuffle(20)
    random.restore(state)
    expect(random.shuffle(20)).to.deep.equal(expected)
    expect(prng(Uint8Array.of(1, 2)).nextUint32()).to.not.equal(prng(Uint8Array.of(1, 2, 0)).nextUint32())
  })

  it('draws normals, floats, permutations and bounded integers', () => {
    const random = prng(5)
    const normals = Array.from({ length: 20000 }, () => random.nextNormal())
    expect(normals.reduce((sum, x) => sum + x) / 20000).to.be.closeTo(0, 0.03)
    expect(normals.reduce((sum, x) => sum + x * x) / 20000).to.be.closeTo(1, 0.05)
    for (let i = 0; i < 1000; i++) {
      expect(random.nextFloat()).to.be.within(0, 1 - 2 ** -24)
      expect(random.nextBelow(7)).to.be.within(0, 6)
    }
    expect([...random.shuffle(50)].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 50 }, (_, i) => i))
    expect(random.shuffle(0)).to.have.length(0)
  })

  it('refuses seeds, bounds and states that are none', () => {
    expect(() => prng(0.5)).to.throw(NumericRangeError)
    expect(() => prng(1).nextBelow(0)).to.throw(NumericRangeError)
    expect(() => { prng(1).restore(new Uint32Array(4)) }).to.throw(NumericRangeError)
  })
})

describe('bfloat16', () => {
  it('keeps what it can hold and rounds the rest to nearest even', () => {
    const exact = Float32Array.of(0, -0, 1, -2, 0.5, Infinity, -Infinity, 3.3895314e38)
    expect(fromBfloat16(toBfloat16(exact))).to.deep.equal(exact)
    expect(fromBfloat16(toBfloat16(Float32Array.of(1.00390625, 1.01171875)))).to.deep.equal(Float32Array.of(1, 1.015625))
    expect(fromBfloat16(toBfloat16(Float32Array.of(NaN)))[0]).to.be.NaN()
    expect(() => fromBfloat16(new Uint8Array(3))).to.throw(ShapeError)
  })
})
