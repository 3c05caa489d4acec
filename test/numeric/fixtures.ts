import { prng } from '../../src/numeric/index.ts'
import type { Tape, Value } from '../../src/numeric/index.ts'

/** Normal numbers, small enough that nothing saturates. */
export function normals (seed: number, length: number, deviation = 0.3): Float32Array {
  const random = prng(seed)
  return Float32Array.from({ length }, () => random.nextNormal() * deviation)
}

/** Sizes that are no multiples of any tile. */
const D = 12
const HEADS = 3
const HIDDEN = 21
const VOCABULARY = 23
export const IDS = [1, 5, 3, 3, 0, 9, 22]
export const TARGETS = [2, 3, 4, 5, 6, 7, 8]

export const SHAPES = {
  table: [VOCABULARY, D],
  gain: [1, D],
  q: [D, D],
  k: [D / HEADS, D],
  v: [D / HEADS, D],
  o: [D, D],
  gate: [HIDDEN, D],
  up: [HIDDEN, D],
  down: [D, HIDDEN]
} as const satisfies Record<string, readonly [number, number]>

export type Name = keyof typeof SHAPES
export const NAMES = Object.keys(SHAPES).filter((name): name is Name => name in SHAPES)

export type Weights = Record<Name, Float32Array>

export function weights (seed: number, deviation = 0.3): Weights {
  const entries = NAMES.map((name, i) => [name, normals(seed * 100 + i, SHAPES[name][0] * SHAPES[name][1], deviation)] as const)
  return Object.fromEntries(entries) as Weights
}

/** One Llama layer with every primitive in it: the loss of a few tokens. */
export function loss (t: Tape, w: Record<Name, Value>, rowWeights?: number[]): Value {
  const by = { transposeB: true }
  const rope = (x: Value, heads: number): Value => t.rope(x, { heads, theta: 10000, pairing: heads === 1 ? 'half' : 'interleaved' })
  const x = t.gather(w.table, IDS)
  const a = t.rmsNorm(x, w.gain, 1e-5)
  const q = t.rope(t.matmul(a, w.q, by), { heads: HEADS, theta: 10000, pairing: 'half' })
  const mixed = t.attention(q, rope(t.matmul(a, w.k, by), 1), t.matmul(a, w.v, by), { heads: HEADS, kvHeads: 1 })
  const y = t.add(x, t.matmul(rope(mixed, HEADS), w.o, by))
  const b = t.rmsNorm(y, w.gain, 1e-5)
  const hidden = t.mul(t.silu(t.matmul(b, w.gate, by)), t.matmul(b, w.up, by))
  const z = t.add(y, t.scale(t.matmul(hidden, w.down, by), 0.5))
  return t.crossEntropy(t.matmul(z, w.table, by), TARGETS, rowWeights)
}

export interface Derivatives {
  loss: number
  lossTangents: number[]
  gradients: Float32Array[]
  /** by parameter, then by direction */
  products: Float32Array[][]
}

/** Loss, gradients and Hessian-vector products of the layer; `frozen` ones are constants. */
export function derivatives (t: Tape, values: Weights, along: Weights[] = [], frozen: Name[] = []): Derivatives {
  t.reset()
  const w: Partial<Record<Name, Value>> = {}
  for (const name of NAMES) {
    w[name] = frozen.includes(name)
      ? t.constant(values[name], SHAPES[name])
      : t.parameter(values[name], SHAPES[name], t.directions === 0 ? undefined : along.map(direction => direction[name]))
  }
  const nodes = w as Record<Name, Value>
  const value = loss(t, nodes, [1, 1, 0, 1, 0.5, 1, 1])
  const gradients = t.gradient(value, NAMES.filter(name => !frozen.includes(name)).map(name => nodes[name]))
  return {
    loss: value.data[0],
    lossTangents: value.tangents.map(tangent => tangent?.[0] ?? 0),
    gradients: gradients.map(g => g.data.slice()),
    products: gradients.map(g => g.tangents.map(tangent => tangent?.slice() ?? new Float32Array(g.data.length)))
  }
}

/** Values moved by `step` along a direction. */
export function moved (values: Weights, direction: Weights, step: number): Weights {
  const entries = NAMES.map(name => [name, values[name].map((x, i) => x + step * direction[name][i])] as const)
  return Object.fromEntries(entries) as Weights
}

/** ‖a − b‖ / ‖b‖ */
export function distance (a: ArrayLike<number>, b: ArrayLike<number>): number {
  let difference = 0
  let size = 0
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2
    size += b[i] ** 2
  }
  return Math.sqrt(difference / size)
}
