import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { kernels } from '../../src/numeric/index.ts'
import type { Kernels } from '../../src/numeric/index.ts'

const BYTES = 1 << 20
const wasm = kernels({ arenaBytesMax: BYTES })
const reference = kernels({ backend: 'reference', arenaBytesMax: BYTES })

/** Addresses of buffers of 64 KiB each. */
const [A, B, C, D, Y, SCRATCH] = [1, 2, 3, 4, 5, 8].map(page => page << 16)

/** Ordinary, subnormal, huge and signed zero, but no NaN or infinity. */
const number = fc.oneof(
  { weight: 6, arbitrary: fc.float({ min: -4, max: 4, noNaN: true }) },
  fc.constantFrom(0, -0, 1, -1),
  fc.float({ min: Math.fround(-1e-40), max: Math.fround(1e-40), noNaN: true }),
  fc.float({ min: Math.fround(-3e38), max: Math.fround(3e38), noNaN: true })
)

/** Numbers that make no sum overflow. */
const tame = fc.float({ min: -100, max: 100, noNaN: true })

const side = fc.integer({ min: 1, max: 19 })

function write (k: Kernels, at: number, values: ArrayLike<number>): void {
  new Float32Array(k.buffer, at, values.length).set(Array.from(values))
}

/** Bits, with every NaN the same: engines differ in them and the tape refuses them. */
function bits (k: Kernels, at: number, n: number): number[] {
  const floats = new Float32Array(k.buffer, at, n)
  const words = new Uint32Array(k.buffer, at, n)
  return Array.from(words, (word, i) => Number.isNaN(floats[i]) ? 0x7fc00000 : word)
}

/** Runs a kernel in both backends on the same inputs; the outputs are the n floats at Y. */
function agree (inputs: Array<[at: number, values: ArrayLike<number>]>, n: number, run: (k: Kernels) => void): void {
  const results = [wasm, reference].map(k => {
    new Uint8Array(k.buffer, Y, 1 << 16).fill(0)
    for (const [at, values] of inputs) {
      write(k, at, values)
    }
    run(k)
    return bits(k, Y, n)
  })
  expect(results[0]).to.deep.equal(results[1])
}

const many = (length: number, of = number): fc.Arbitrary<number[]> => fc.array(of, { minLength: length, maxLength: length })

describe('kernels in wasm and in the oracle', () => {
  it('multiply matrices of any shape and orientation to the same bits', () => {
    fc.assert(fc.property(side, fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 40 }), fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean(), fc.infiniteStream(number), (m, n, k, ta, tb, accumulate, packed, numbers) => {
      const take = (count: number): number[] => [...numbers.take(count)]
      agree([[A, take(m * k)], [B, take(k * n)], [Y, take(m * n)]], m * n, kernel => {
        const [bRow, bColumn] = tb ? [1, k] : [n, 1]
        kernel.packColumns(n, k, B, bRow, bColumn, D)
        kernel.gemm(m, n, k, A, ta ? 1 : k, ta ? m : 1, B, bRow, bColumn, packed ? D : 0, SCRATCH, Y, n, accumulate)
      })
    }), { numRuns: 300 })
  })

  it('multiply through several blocks of the inner dimension to the same bits', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 380, max: 1200 }), fc.infiniteStream(tame), (m, n, k, numbers) => {
      agree([[A, [...numbers.take(m * k)]], [B, [...numbers.take(k * n)]]], m * n, kernel => {
        kernel.gemm(m, n, k, A, k, 1, B, n, 1, 0, SCRATCH, Y, n, false)
      })
    }), { numRuns: 15 })
  })

  it('give a row of a product the same bits alone as among others', () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 40 }), fc.infiniteStream(number), (m, n, k, numbers) => {
      write(wasm, A, [...numbers.take(m * k)])
      write(wasm, B, [...numbers.take(n * k)])
      wasm.gemm(m, n, k, A, k, 1, B, 1, k, 0, SCRATCH, Y, n, false)
      for (let i = 0; i < m; i++) {
        wasm.gemm(1, n, k, A + i * k * 4, k, 1, B, 1, k, 0, SCRATCH, C, n, false)
        expect(bits(wasm, C, n)).to.deep.equal(bits(wasm, Y + i * n * 4, n))
      }
    }), { numRuns: 50 })
  })

  it('work on single elements to the same bits', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 50 }).chain(n => fc.tuple(many(n), many(n), many(n))), fc.float({ noNaN: true, min: -10, max: 10 }), fc.boolean(), ([a, b, y], factor, accumulate) => {
      const n = a.length
      const all: Array<(k: Kernels) => void> = [
        k => { k.add(n, A, B, Y) },
        k => { k.mul(n, A, B, Y, accumulate) },
        k => { k.scale(n, A, factor, Y) },
        k => { k.exp(n, A, Y) },
        k => { k.log(n, A, Y) },
        k => { k.sigmoid(n, A, Y) },
        k => { k.sigmoidSlope(n, A, B, Y, accumulate) },
        k => { k.sigmoidBend(n, A, B, C, Y) },
        k => { k.gelu(n, A, Y) },
        k => { k.geluSlope(n, A, B, Y, accumulate) },
        k => { k.geluBend(n, A, B, C, Y) }
      ]
      for (const run of all) {
        agree([[A, a], [B, b], [C, y], [Y, y]], n, run)
      }
    }), { numRuns: 200 })
  })

  it('work along rows and columns to the same bits', () => {
    fc.assert(fc.property(side, fc.integer({ min: 1, max: 37 }), fc.boolean(), fc.infiniteStream(number), (m, d, accumulate, numbers) => {
      const take = (count: number): number[] => [...numbers.take(count)]
      const inputs: Array<[number, number[]]> = [[A, take(m * d)], [B, take(m * d)], [C, take(m + d)], [Y, take(m * d)]]
      const all: Array<[number, (k: Kernels) => void]> = [
        [m, k => { k.rowDot(m, d, A, B, Y, accumulate) }],
        [m * d, k => { k.rowScale(m, d, A, C, Y, accumulate) }],
        [m * d, k => { k.rowSubtract(m, d, A, C, Y) }],
        [m * d, k => { k.columnScale(m, d, A, C, Y, accumulate) }],
        [d, k => { k.columnDot(m, d, A, B, Y, accumulate) }],
        [m, k => { k.inverseRms(m, d, A, 1e-5, Y) }],
        [m * d, k => { k.centre(m, d, A, Y) }],
        [m * d, k => { k.addRow(m, d, A, C, Y) }],
        [d, k => { k.columnSum(m, d, A, Y) }]
      ]
      for (const [n, run] of all) {
        agree(inputs, n, run)
      }
    }), { numRuns: 150 })
  })

  it('weigh nothing what is beyond e^44 times smaller than the greatest, and hide nothing that is not a number', () => {
    for (const k of [wasm, reference]) {
      const weights = (x: number[]): number[] => {
        write(k, A, x)
        k.softmax(1, x.length, 0, A, Y)
        return [...new Float32Array(k.buffer, Y, x.length)]
      }
      const [, near, beyond, far, last] = weights([3, 3 - 43.99, 3 - 44, -200, -41])
      expect(near).to.be.within(7e-20, 8e-20)
      expect([beyond, far, last]).to.deep.equal([0, 0, 0])
      expect(weights([0, -50, Number.NaN, 1, 2])[2]).to.deep.equal(Number.NaN)
      // wherever in a row they lie, of which some is taken by eight, by four and one by one
      const row = new Float32Array(15).fill(-200)
      for (let i = 1; i < 15; i++) {
        row[0] = 0
        const at = (x: number): number => weights([...row.with(i, x)])[i]
        expect([at(-43.99) > 0, at(-44), at(-Infinity), at(Number.NaN)]).to.deep.equal([true, 0, 0, Number.NaN])
      }
    }
  })

  it('normalise rows and take losses to the same bits', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 30 }), fc.infiniteStream(fc.oneof(tame, number)), (heads, m, before, numbers) => {
      const n = before + m
      const rows = heads * m
      const x = [...numbers.take(rows * n)]
      agree([[A, x]], rows * n, k => { k.softmax(rows, n, m, A, Y) })
      agree([[A, x]], rows * n, k => { k.softmax(rows, n, 0, A, Y) })
      const losses = [wasm, reference].map(k => {
        write(k, A, x)
        new Int32Array(k.buffer, B, rows).set(Array.from({ length: rows }, (_, i) => (i * 7) % n))
        write(k, C, Array.from({ length: rows }, (_, i) => (i % 3) / 2))
        return k.crossEntropy(rows, n, A, B, C, Y)
      })
      expect(losses[0]).to.equal(losses[1])
      expect(bits(wasm, Y, rows * n)).to.deep.equal(bits(reference, Y, rows * n))
    }), { numRuns: 150 })
  })

  it('move and rotate rows to the same bits', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9 }), fc.boolean(), fc.boolean(), fc.infiniteStream(number), (m, heads, half, interleaved, inverse, numbers) => {
      const d = heads * half * 2
      const take = (count: number): number[] => [...numbers.take(count)]
      agree([[A, take(m * d)], [B, take(m * half)], [C, take(m * half)]], m * d, k => {
        k.rope(m, heads, half * 2, A, B, C, Y, interleaved, inverse)
      })
      const ids = Array.from({ length: m }, (_, i) => (i * 3) % m)
      for (const move of ['gather', 'scatter'] as const) {
        agree([[A, take(m * d)]], m * d, k => {
          new Int32Array(k.buffer, B, m).set(ids)
          k[move](m, d, B, A, Y)
        })
      }
    }), { numRuns: 100 })
  })

  it('find one infinite or undefined number anywhere, and none beyond the end', () => {
    for (const k of [wasm, reference]) {
      for (let n = 1; n < 40; n++) {
        const x = new Float32Array(k.buffer, A, n + 1).fill(3.4e38)
        x[n] = NaN
        expect(k.allFinite(n, A)).to.equal(true)
        for (const bad of [NaN, Infinity, -Infinity]) {
          x[(n * 7) % n] = bad
          expect(k.allFinite(n, A)).to.equal(false)
        }
        x.fill(0)
        x[n - 1] = -Infinity
        expect(k.allFinite(n, A)).to.equal(false)
      }
    }
  })

  it('take exponentials within 1.5 units in the last place', () => {
    const n = 4000
    const x = new Float32Array(wasm.buffer, A, n)
    for (let i = 0; i < n; i++) {
      x[i] = (i - n / 2) * 0.0431
    }
    wasm.exp(n, A, Y)
    new Float32Array(wasm.buffer, Y, n).forEach((y, i) => {
      const exact = Math.exp(x[i])
      const unit = 2 ** (Math.max(Math.floor(Math.log2(exact)), -126) - 23)
      expect(Math.abs(y - exact) / unit).to.be.below(1.5, `exp(${x[i]})`)
    })
  })
})
