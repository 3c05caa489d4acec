import { TILE_ROWS } from './constants.ts'
import { resultOf } from './engine.ts'
import { ShapeError } from './errors.ts'
import { dense, frozenOperand } from './frozen.ts'
import { NONE } from './node.ts'
import { packedBytes, weightsScratchBytes } from './weights.ts'
import type { Engine } from './engine.ts'
import type { Node } from './node.ts'

/** Bytes that `gemm` may use as scratch. */
export function scratchBytes (m: number, n: number, k: number): number {
  return 4 * k * Math.ceil(m / TILE_ROWS) * TILE_ROWS + packedBytes('f32', n, k)
}

/** x·op(b) for op(x) = x of [m,k]. What is linear in x, a tangent, is never rounded: derivatives go straight through. */
function frozenProduct (e: Engine, b: Node, tb: boolean, m: number, n: number, k: number, x: number, y: number, accumulate: boolean, tangent: boolean): void {
  const { type, at, transposed, rounded } = frozenOperand(e, b, tb)
  if (rounded === true && tb && !tangent && (type === 'q8_0' || type === 'q4_0')) {
    e.kernels.matmulRounded(type, m, n, k, x, k, at, e.arena.take(weightsScratchBytes(m, n, k)), y, n, accumulate)
  } else if (tb !== transposed) {
    e.kernels.matmulWeights(type, m, n, k, x, k, at, e.arena.take(weightsScratchBytes(m, n, k)), y, n, accumulate)
  } else {
    e.kernels.matmulWeightsBack(type, m, k, n, x, k, at, e.arena.take(weightsScratchBytes(m, n, k)), y, n, accumulate)
  }
}

/** y = x·wᵀ at an address, unchecked. */
export function productInto (e: Engine, x: Node, w: Node, y: number): void {
  const [m, n, k] = [x.rows, w.rows, x.columns]
  if (w.columns !== k) {
    throw new ShapeError('matmul', `inner dimensions that agree (a gives ${k})`, `[${m},${k}] and [${n},${w.columns}]ᵀ`)
  }
  const mark = e.arena.mark()
  if (w.frozen) {
    frozenProduct(e, w, true, m, n, k, x.at, y, false, false)
  } else {
    e.kernels.gemm(m, n, k, x.at, k, 1, w.at, 1, k, NONE, e.arena.take(scratchBytes(m, n, k)), y, n, false)
  }
  e.arena.release(mark)
}

/** Cotangent rules of op(a)·op(b), which are products of the same kind. */
function pullback (e: Engine, a: Node, b: Node, ta: boolean, tb: boolean) {
  return (dy: Node, wants: boolean[]): Array<Node | undefined> => {
    const da = (): Node => ta ? matmul(e, b, dy, tb, true) : matmul(e, dy, b, false, !tb)
    const db = (): Node => tb ? matmul(e, dy, a, true, ta) : matmul(e, a, dy, !ta, false)
    return [wants[0] ? da() : undefined, wants[1] ? db() : undefined]
  }
}

/** op(a)·op(b), op transposing where told to: [m,k]·[k,n] → [m,n]. */
export function matmul (e: Engine, a: Node, b: Node, ta: boolean, tb: boolean): Node {
  const m = ta ? a.columns : a.rows
  const k = ta ? a.rows : a.columns
  const n = tb ? b.rows : b.columns
  if ((tb ? b.columns : b.rows) !== k) {
    throw new ShapeError('matmul', `inner dimensions that agree (a gives ${k})`, `[${a.rows},${a.columns}]${ta ? 'ᵀ' : ''} and [${b.rows},${b.columns}]${tb ? 'ᵀ' : ''}`)
  }
  const streamed = b.frozen && !ta
  a = dense(e, a)
  b = streamed ? b : dense(e, b)
  return e.bilinear('matmul', a, b, m, n, (x, w, y, accumulate) => {
    const mark = e.arena.mark()
    if (streamed) {
      frozenProduct(e, b, tb, m, n, k, x, y, accumulate, !e.recording || x !== a.at)
    } else {
      e.kernels.gemm(m, n, k, x, ta ? 1 : a.columns, ta ? a.columns : 1, w, tb ? 1 : b.columns, tb ? b.columns : 1,
        NONE, e.arena.take(scratchBytes(m, n, k)), y, n, accumulate)
    }
    e.arena.release(mark)
    if (x !== a.at || w !== b.at) {
      // tangents; the product itself is checked when it is finished
      e.check('matmul', m, n, y, shape => `a tangent of ${resultOf(shape, [a, b])}`)
    }
  }, pullback(e, a, b, ta, tb))
}
