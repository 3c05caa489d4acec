/**
 * Causal grouped-query attention out of three products that are closed under differentiation. With
 * H query heads, G key-value heads, g(h) the group of head h, and S stacked by head, [H·m, n]:
 *
 * - scores(x, y): S_h = x_h · y_g(h)ᵀ, for x [m, H·d] and y [n, G·d]
 * - mix(S, y): x_h = S_h · y_g(h)
 * - collect(S, x): y_g = Σ_h∈g S_hᵀ · x_h
 */
import { scale } from './elementwise.ts'
import { ShapeError } from './errors.ts'
import { scratchBytes } from './matmul.ts'
import { NONE } from './node.ts'
import { softmax } from './rows.ts'
import type { Engine } from './engine.ts'
import type { Node } from './node.ts'

interface Heads {
  heads: number
  kvHeads: number
  headDim: number
  /** queries */
  m: number
  /** keys */
  n: number
}

/** Runs `each` with a scratch buffer for products of [m,n,k]. */
function withScratch (e: Engine, m: number, n: number, k: number, each: (scratch: number) => void): void {
  const mark = e.arena.mark()
  each(e.arena.take(scratchBytes(m, n, k)))
  e.arena.release(mark)
}

function scores (e: Engine, x: Node, y: Node, s: Heads): Node {
  const { heads, kvHeads, headDim, m, n } = s
  return e.bilinear('attention', x, y, heads * m, n, (q, k, out, accumulate) => {
    withScratch(e, m, n, headDim, scratch => {
      for (let h = 0; h < heads; h++) {
        const group = Math.floor(h * kvHeads / heads)
        e.kernels.gemm(m, n, headDim, q + h * headDim * 4, heads * headDim, 1,
          k + group * headDim * 4, 1, kvHeads * headDim, NONE, scratch, out + h * m * n * 4, n, accumulate)
      }
    })
  }, (dy, wants) => [wants[0] ? mix(e, dy, y, s) : undefined, wants[1] ? collect(e, dy, x, s) : undefined])
}

function mix (e: Engine, weights: Node, y: Node, s: Heads): Node {
  const { heads, kvHeads, headDim, m, n } = s
  return e.bilinear('attention', weights, y, m, heads * headDim, (p, v, out, accumulate) => {
    withScratch(e, m, headDim, n, scratch => {
      for (let h = 0; h < heads; h++) {
        const group = Math.floor(h * kvHeads / heads)
        e.kernels.gemm(m, headDim, n, p + h * m * n * 4, n, 1,
          v + group * headDim * 4, kvHeads * headDim, 1, NONE, scratch, out + h * headDim * 4, heads * headDim, accumulate)
      }
    })
  }, (dy, wants) => [wants[0] ? scores(e, dy, y, s) : undefined, wants[1] ? collect(e, weights, dy, s) : undefined])
}

/** Only pulled back to, never through. */
function collect (e: Engine, weights: Node, x: Node, s: Heads): Node {
  const { heads, kvHeads, headDim, m, n } = s
  return e.bilinear('attention', weights, x, n, kvHeads * headDim, (p, q, out, accumulate) => {
    withScratch(e, n, headDim, m, scratch => {
      for (let h = 0; h < heads; h++) {
        const group = Math.floor(h * kvHeads / heads)
        const first = h % (heads / kvHeads) === 0
        e.kernels.gemm(n, headDim, m, p + h * m * n * 4, 1, n,
          q + h * headDim * 4, heads * headDim, 1, NONE, scratch, out + group * headDim * 4, kvHeads * headDim, accumulate || !first)
      }
    })
  }, () => [])
}

/** See Tape.attention. */
export function attention (e: Engine, q: Node, k: Node, v: Node, heads: number, kvHeads: number): Node {
  const headDim = q.columns / heads
  if (!Number.isInteger(heads) || !Number.isInteger(kvHeads) || heads < 1 || kvHeads < 1 || heads % kvHeads !== 0 || !Number.isInteger(headDim)) {
    throw new ShapeError('attention', 'kvHeads that divide heads, and heads that divide the columns of q', `${kvHeads}, ${heads} and ${q.columns}`)
  }
  if (k.columns !== kvHeads * headDim || v.columns !== k.columns || v.rows !== k.rows || k.rows < q.rows) {
    throw new ShapeError('attention', `k and v of [n,${kvHeads * headDim}], n ≥ ${q.rows}`, `[${k.rows},${k.columns}] and [${v.rows},${v.columns}]`)
  }
  const shape = { heads, kvHeads, headDim, m: q.rows, n: k.rows }
  const scaled = scale(e, q, 1 / Math.sqrt(headDim))
  return mix(e, softmax(e, scores(e, scaled, k, shape), q.rows), v, shape)
}
