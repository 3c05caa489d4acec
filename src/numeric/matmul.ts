import { TILE_COLUMNS, TILE_ROWS } from './constants.ts'
import { ShapeError } from './errors.ts'
import { NONE } from './node.ts'
import type { Engine } from './engine.ts'
import type { Node } from './node.ts'

/** Bytes of B packed into panels of 8 columns. */
export function packedBytes (n: number, k: number): number {
  return 4 * k * Math.ceil(n / TILE_COLUMNS) * TILE_COLUMNS
}

/** Bytes that `gemm` may use as scratch. */
export function scratchBytes (m: number, n: number, k: number): number {
  return 4 * k * Math.ceil(m / TILE_ROWS) * TILE_ROWS + packedBytes(n, k)
}

/** The right operand of a product. Frozen weights are packed once per orientation. */
function packedOperand (e: Engine, b: Node, transposed: boolean, n: number, k: number): number {
  const known = transposed ? b.packedTransposed : b.packed
  if (!b.frozen || known !== NONE) {
    return known
  }
  const at = e.arena.keep(packedBytes(n, k))
  e.kernels.packColumns(n, k, b.at, transposed ? 1 : b.columns, transposed ? b.columns : 1, at)
  if (transposed) {
    b.packedTransposed = at
  } else {
    b.packed = at
  }
  return at
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
  const packed = packedOperand(e, b, tb, n, k)
  return e.bilinear('matmul', a, b, m, n, (x, w, y, accumulate) => {
    const mark = e.arena.mark()
    const scratch = e.arena.take(scratchBytes(m, n, k))
    e.kernels.gemm(m, n, k, x, ta ? 1 : a.columns, ta ? a.columns : 1, w, tb ? 1 : b.columns, tb ? b.columns : 1,
      w === b.at ? packed : NONE, scratch, y, n, accumulate)
    e.arena.release(mark)
    if (x !== a.at || w !== b.at) {
      // tangents; the product itself is checked when it is finished
      e.check('matmul', m * n, y)
    }
  }, pullback(e, a, b, ta, tb))
}
