import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { cos, exp, kernels, log, power, prng, quantise, sin, tape, toBfloat16 } from '../../src/numeric/index.ts'
import { derivatives, normals, weights } from './fixtures.ts'
import type { TapeInit, Value } from '../../src/numeric/index.ts'

function hash (...arrays: ArrayBufferView[]): string {
  const h = sha256.create()
  for (const array of arrays) {
    h.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  }
  return bytesToHex(h.digest())
}

type Backend = TapeInit['backend']

function product (backend: Backend, m: number, n: number, k: number): Float32Array {
  const t = tape({ backend, arenaBytesMax: 1 << 22 })
  const a = t.parameter(normals(m, m * k, 1), [m, k])
  const b = t.parameter(normals(n, n * k, 1), [n, k])
  return t.matmul(a, b, { transposeB: true }).data.slice()
}

function vectorMaths (backend: Backend): Float32Array {
  const k = kernels({ backend, arenaBytesMax: 1 << 18 })
  const n = 4096
  const x = new Float32Array(k.buffer, 1 << 16, n)
  const y = new Float32Array(k.buffer, 1 << 17, 3 * n)
  const random = prng(11)
  for (let i = 0; i < n; i++) {
    x[i] = (random.nextFloat() - 0.5) * 200
  }
  k.exp(n, x.byteOffset, y.byteOffset)
  k.sigmoid(n, x.byteOffset, y.byteOffset + 4 * n)
  k.mul(n, x.byteOffset, x.byteOffset, x.byteOffset, false)
  k.log(n, x.byteOffset, y.byteOffset + 8 * n)
  return y
}

function scalarMaths (): Float64Array {
  const random = prng(12)
  const values: number[] = []
  for (let i = 0; i < 2000; i++) {
    const x = (random.nextFloat() - 0.5) * 1400
    values.push(exp(x), log(Math.abs(x) + 1e-300), sin(x), cos(x), power(Math.abs(x) + 0.001, 0.37), random.nextNormal())
  }
  return Float64Array.from(values)
}

function attention (backend: Backend): Float32Array {
  const t = tape({ backend, arenaBytesMax: 1 << 22 })
  const q = t.parameter(normals(1, 9 * 24, 1), [9, 24])
  const k = t.parameter(normals(2, 13 * 12, 1), [13, 12])
  const v = t.parameter(normals(3, 13 * 12, 1), [13, 12])
  return t.attention(q, k, v, { heads: 4, kvHeads: 2 }).data.slice()
}

/** Frozen weights of each type, forward and back, for one row and for several, and picked by row. */
function weightProducts (backend: Backend): Float32Array[] {
  return (['f32', 'bf16', 'q8_0', 'q4_0'] as const).flatMap(type => [1, 6].flatMap(m => {
    const t = tape({ backend, arenaBytesMax: 1 << 22 })
    const w = t.constant(quantise(type, normals(21, 45 * 416, 1), [45, 416]))
    const y = t.matmul(t.parameter(normals(22, m * 416, 1), [m, 416]), w, { transposeB: true })
    return [y.data, t.matmul(y, w).data, t.gather(w, [44, 0, 17]).data]
  }))
}

/** Products with frozen weights in integers, for one row and for several. */
function roundedProducts (backend: Backend): Float32Array[] {
  return (['q8_0', 'q4_0'] as const).flatMap(type => [1, 6].map(m => {
    const t = tape({ backend, arenaBytesMax: 1 << 22 })
    const w = t.constant({ ...quantise(type, normals(21, 45 * 416, 1), [45, 416]), activations: 'int16' })
    return t.matmul(t.parameter(normals(22, m * 416, 1), [m, 416]), w, { transposeB: true }).data
  }))
}

/** Everything that GPT-2 has and the layer of `derivatives` has not, over more queries than attention takes at once. */
function secondFamily (backend: Backend): Float32Array[] {
  const t = tape({ backend, directions: 1, arenaBytesMax: 1 << 23 })
  const leaf = (seed: number, rows: number, columns: number): Value => t.parameter(normals(seed, rows * columns, 1), [rows, columns], [normals(seed + 50, rows * columns, 1)])
  const leaves = [leaf(31, 41, 18), leaf(32, 1, 18), leaf(33, 1, 18), leaf(34, 18, 18), leaf(35, 1, 18)]
  const [x, gain, bias, w, b] = leaves
  const a = t.layerNorm(x, gain, bias, 1e-5)
  const y = t.gelu(t.addRow(t.matmul(t.attention(a, a, x, { heads: 3, kvHeads: 3 }), w, { transposeB: true }), b))
  const loss = t.crossEntropy(t.add(x, y), Array.from({ length: 41 }, (_, i) => i % 18))
  return [loss, ...t.gradient(loss, leaves)].flatMap(value => [value.data, value.tangents[0] ?? new Float32Array(0)])
}

/**
 * Hashes of what has to be the same on every machine and in every runtime: a change of one of them
 * changes every adapter's CID and every score.
 */
export function golden (backend: Backend): Record<string, string> {
  const t = tape({ backend, directions: 2, arenaBytesMax: 1 << 23 })
  const d = derivatives(t, weights(1), [weights(2, 1), weights(3, 1)])
  const random = prng(Uint8Array.of(1, 2, 3))
  return {
    gemm: hash(product(backend, 37, 29, 401), product(backend, 64, 64, 64), product(backend, 1, 77, 130), product(backend, 3, 8, 1)),
    vectorMaths: hash(vectorMaths(backend)),
    scalarMaths: hash(scalarMaths()),
    attention: hash(attention(backend)),
    crossEntropy: hash(Float32Array.of(d.loss, ...d.lossTangents)),
    gradient: hash(...d.gradients),
    hessianVectorProduct: hash(...d.products.flat()),
    weights: hash(...weightProducts(backend)),
    roundedProducts: hash(...roundedProducts(backend)),
    secondFamily: hash(...secondFamily(backend)),
    prng: hash(random.shuffle(1000), random.save()),
    bfloat16: hash(toBfloat16(normals(5, 1000, 1)))
  }
}
