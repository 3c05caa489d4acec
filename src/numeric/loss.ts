import { placeIds } from './embedding.ts'
import { ShapeError } from './errors.ts'
import { matmul } from './matmul.ts'
import { NONE } from './node.ts'
import { softmaxTangent } from './rows.ts'
import type { Engine } from './engine.ts'
import type { Node } from './node.ts'

/** What the forward pass leaves for its derivatives: addresses. */
interface Rows {
  /** i32 [m] */
  targets: number
  /** f32 [m] */
  weights: number
  /** softmax(logits), zero where the weight is 0 */
  probabilities: number
}

/** Tangent of the loss: Σ weight·(p·l̇ − l̇[target]), in f64. */
function lossTangent (e: Engine, logits: Node, rows: Rows, along: number): number {
  const { floats, integers } = e
  const { rows: m, columns: v } = logits
  const at = e.arena.take(4)
  const mark = e.arena.mark()
  const dots = e.arena.take(m * 4)
  e.kernels.rowDot(m, v, rows.probabilities, along, dots, false)
  e.step(() => {
    let sum = 0
    for (let i = 0; i < m; i++) {
      const weight = floats[(rows.weights >>> 2) + i]
      if (weight !== 0) {
        const target = integers[(rows.targets >>> 2) + i]
        sum += weight * (floats[(dots >>> 2) + i] - floats[(along >>> 2) + i * v + target])
      }
    }
    floats[at >>> 2] = sum
  })
  e.arena.release(mark)
  return at
}

/** r[i]·(p[i,:] − onehot(target[i])): linear in p and r but for the constant. */
function residual (e: Engine, p: Node, r: Node, rows: Rows): Node {
  const { rows: m, columns: v } = p
  /** y[i, target] −= r[i] */
  const subtract = (y: number, by: number): void => {
    e.step(() => {
      for (let i = 0; i < m; i++) {
        if (e.floats[(rows.weights >>> 2) + i] !== 0) {
          e.floats[(y >>> 2) + i * v + e.integers[(rows.targets >>> 2) + i]] -= e.floats[(by >>> 2) + i]
        }
      }
    })
  }
  const y = e.bilinear('crossEntropy', p, r, m, v,
    (a, b, out, accumulate) => { e.kernels.rowScale(m, v, a, b, out, accumulate) }, () => [])
  subtract(y.at, r.at)
  for (let i = 0; i < y.dots.length; i++) {
    const dr = r.dots[i] ?? NONE
    if (dr !== NONE) {
      subtract(y.dots[i], dr)
    }
  }
  return y
}

/** See Tape.crossEntropy. */
export function crossEntropy (e: Engine, logits: Node, targets: ArrayLike<number>, weights?: ArrayLike<number>): Node {
  const { rows: m, columns: v } = logits
  if (targets.length !== m || (weights != null && weights.length !== m)) {
    throw new ShapeError('crossEntropy', `${m} targets and weights`, `${targets.length} and ${weights?.length ?? m}`)
  }
  const rows: Rows = {
    weights: e.arena.take(m * 4),
    targets: e.arena.take(m * 4),
    probabilities: e.arena.take(m * v * 4)
  }
  e.leaf(weights ?? new Float32Array(m).fill(1), given => { e.floats.set(given, rows.weights >>> 2) })
  placeIds(e, 'crossEntropy', targets, v, rows.targets, i => e.floats[(rows.weights >>> 2) + i] !== 0)
  const y = e.empty(1, 1)
  e.step(() => { e.floats[y.at >>> 2] = e.kernels.crossEntropy(m, v, logits.at, rows.targets, rows.weights, rows.probabilities) })
  e.tangents(y, [logits], i => logits.dots[i] === NONE ? NONE : lossTangent(e, logits, rows, logits.dots[i]))
  return e.finish('crossEntropy', y, [logits], dy => {
    const p = e.place(m, v, rows.probabilities)
    e.tangents(p, [logits], i => logits.dots[i] === NONE ? NONE : softmaxTangent(e, m, v, p.at, logits.dots[i]))
    return [residual(e, p, matmul(e, e.place(m, 1, rows.weights), dy, false, false), rows)]
  })
}
