import { expect } from 'aegir/chai'
import { kernels, PAGE_TOKENS, prng } from '../../src/numeric/index.ts'
import type { Kernels } from '../../src/numeric/index.ts'

const HEADS = 4
const KV_HEADS = 2
const BASE = 1 << 16
const [K, V, Q, Y, SCORES, TABLE, LIST, PAGES] = Array.from({ length: 8 }, (_, i) => BASE * (i + 2))
const LENGTHS = [1, 7, 16, 17, 40]

function normals (seed: number, length: number): Float32Array {
  const random = prng(seed)
  return Float32Array.from({ length }, () => random.nextNormal())
}

/** Attention of one query over each of the first `LENGTHS` tokens, in pages that lie in disorder. */
function attend (k: Kernels, headDim: number, spoil?: number): Float32Array {
  const floats = new Float32Array(k.buffer)
  const integers = new Int32Array(k.buffer)
  const random = prng(5)
  const tokens = 40
  const kvDim = KV_HEADS * headDim
  const layerBytes = 8 * PAGE_TOKENS * kvDim
  const pages = [2, 0, 1].map(i => PAGES + i * 2 * layerBytes)
  for (const [at, size] of [[K, tokens * kvDim], [V, tokens * kvDim], [Q, LENGTHS.length * HEADS * headDim], [PAGES, 6 * layerBytes / 4]]) {
    for (let i = 0; i < size; i++) {
      // queries that are large enough for scores which softmax takes for nothing
      floats[at / 4 + i] = random.nextNormal() * (at === Q ? 8 : 1)
    }
  }
  if (spoil != null) {
    floats[K / 4 + spoil * kvDim] = 3e38
    floats.fill(1e10, Q / 4, Q / 4 + LENGTHS.length * HEADS * headDim)
  }
  for (let t = 0; t < tokens; t++) {
    integers.set([pages[Math.floor(t / PAGE_TOKENS)], t % PAGE_TOKENS], TABLE / 4 + 2 * t)
  }
  k.writePages(tokens, KV_HEADS, headDim, TABLE, layerBytes, K, V)
  integers.set(pages, LIST / 4)
  integers.set(LENGTHS.flatMap(length => [length, LIST]), TABLE / 4)
  k.attendPages(LENGTHS.length, HEADS, KV_HEADS, headDim, TABLE, layerBytes, Q, SCORES, Y)
  return floats.slice(Y / 4, Y / 4 + LENGTHS.length * HEADS * headDim)
}

/** The same by the products that attention without pages is made of. */
function attendPlainly (k: Kernels, headDim: number): Float32Array {
  const floats = new Float32Array(k.buffer)
  const kvDim = KV_HEADS * headDim
  attend(k, headDim)
  LENGTHS.forEach((n, i) => {
    for (let h = 0; h < HEADS; h++) {
      const group = Math.floor(h * KV_HEADS / HEADS) * headDim * 4
      const at = (i * HEADS + h) * headDim * 4
      k.gemm(1, n, headDim, Q + at, headDim, 1, K + group, 1, kvDim, 0, PAGES, SCORES, n, false)
      k.softmax(1, n, 1, SCORES, SCORES)
      k.gemm(1, headDim, n, SCORES, n, 1, V + group, kvDim, 1, 0, PAGES, Y + at, headDim, false)
    }
  })
  return floats.slice(Y / 4, Y / 4 + LENGTHS.length * HEADS * headDim)
}

describe('pages', () => {
  const wasm = kernels({ arenaBytesMax: 1 << 22 })
  const reference = kernels({ arenaBytesMax: 1 << 22, backend: 'reference' })

  it('attend with the bits of attention over contiguous keys and values, in both backends', () => {
    for (const headDim of [2, 6, 8, 32, 34, 64]) {
      const expected = attendPlainly(wasm, headDim)
      expect(attend(wasm, headDim)).to.deep.equal(expected)
      expect(attend(reference, headDim)).to.deep.equal(expected)
    }
  })

  it('keep a fault to the rows that see it', () => {
    for (const k of [wasm, reference]) {
      const y = attend(k, 8, 20)
      const rows = LENGTHS.map((_, i) => y.subarray(i * HEADS * 8, (i + 1) * HEADS * 8).every(Number.isFinite))
      expect(rows.slice(3)).to.deep.equal([true, false])
    }
  })

  it('multiplies many at once with the bits of each alone', () => {
    const results = [wasm, reference].map(k => {
      const floats = new Float32Array(k.buffer)
      const products = [[1, 8, 12], [3, 5, 7], [9, 40, 4]].map(([m, n, d], i) => {
        const [a, packed, c] = [K + i * 8192, V + i * 8192, Y + i * 8192]
        floats.set(normals(i, m * d), a / 4)
        floats.set(normals(i + 9, n * d), Q / 4)
        k.packColumns(n, d, Q, n, 1, packed)
        k.gemm(m, n, d, a, d, 1, Q, n, 1, 0, PAGES, SCORES, n, false)
        return { table: [m, n, d, a, d, packed, c, n], c, expected: floats.slice(SCORES / 4, SCORES / 4 + m * n) }
      })
      new Int32Array(k.buffer).set(products.flatMap(({ table }) => table), TABLE / 4)
      k.gemmMany(products.length, TABLE, PAGES)
      for (const { c, expected } of products) {
        expect(floats.slice(c / 4, c / 4 + expected.length)).to.deep.equal(expected)
      }
      return products.map(({ expected }) => expected)
    })
    expect(results[0]).to.deep.equal(results[1])
  })
})
