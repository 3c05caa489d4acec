/**
 * Causal grouped-query attention out of three products that are closed under differentiation. With
 * H query heads, G key-value heads, g(h) the group of head h, and S stacked by head, [H·m, n]:
 *
 * - scores(x, y): S_h = x_h · y_g(h)ᵀ, for x [m, H·d] and y [n, G·d]
 * - mix(S, y): x_h = S_h · y_g(h)
 * - collect(S, x): y_g = Σ_h∈g S_hᵀ · x_h
 */
import { attentionLine, attentionScratchBytes } from './attention-layout.ts'
import { ATTENDED_ROWS, ATTENTION_ROWS } from './constants.ts'
import { scale } from './elementwise.ts'
import { ShapeError } from './errors.ts'
import { scratchBytes } from './matmul.ts'
import { NONE } from './node.ts'
import { softmax } from './rows.ts'
import { packedBytes } from './weights.ts'
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

/** Rows of queries, and the columns that they are the first to see; block b's rows see all columns before `end`. */
interface Block {
  row: number
  rows: number
  column: number
  end: number
}

/**
 * Cuts S at the diagonal, so that what no query sees is not computed. Weights there are zero, and a sum
 * that starts from +0 has the same bits with and without terms of zero: it is never −0.
 */
function blocks ({ m, n }: Heads): Block[] {
  const list: Block[] = []
  for (let row = 0; row < m; row += ATTENTION_ROWS) {
    const rows = Math.min(ATTENTION_ROWS, m - row)
    list.push({ row, rows, column: row === 0 ? 0 : n - m + row, end: n - m + row + rows })
  }
  return list
}

/** Runs `each` for all query heads with a scratch buffer. */
function eachHead (e: Engine, { heads, kvHeads }: Heads, bytes: number, each: (h: number, group: number, scratch: number) => void): void {
  const mark = e.arena.mark()
  const scratch = e.arena.take(bytes)
  for (let h = 0; h < heads; h++) {
    each(h, Math.floor(h * kvHeads / heads), scratch)
  }
  e.arena.release(mark)
}

function scores (e: Engine, x: Node, y: Node, s: Heads): Node {
  const { heads, kvHeads, headDim, m, n } = s
  return e.bilinear('attention', x, y, heads * m, n, (q, k, out, accumulate) => {
    const packed = packedBytes('f32', n, headDim)
    const parts = blocks(s)
    eachHead(e, s, packed + scratchBytes(m, n, headDim), (h, group, scratch) => {
      // one query: packing would cost as much as the product
      if (m > 1 && h % (heads / kvHeads) === 0) {
        e.kernels.packColumns(n, headDim, k + group * headDim * 4, 1, kvHeads * headDim, scratch)
      }
      for (const { row, rows, end } of parts) {
        const to = out + (h * m + row) * n * 4
        e.kernels.gemm(rows, end, headDim, q + (row * heads + h) * headDim * 4, heads * headDim, 1,
          k + group * headDim * 4, 1, kvHeads * headDim, m > 1 ? scratch : NONE, scratch + packed, to, n, accumulate)
        if (!accumulate && end < n) {
          for (let i = 0; i < rows; i++) {
            e.fill(to + (i * n + end) * 4, n - end, 0)
          }
        }
      }
    })
  }, (dy, wants) => [wants[0] ? mix(e, dy, y, s) : undefined, wants[1] ? collect(e, dy, x, s) : undefined])
}

function mix (e: Engine, weights: Node, y: Node, s: Heads): Node {
  const { heads, kvHeads, headDim, m, n } = s
  return e.bilinear('attention', weights, y, m, heads * headDim, (p, v, out, accumulate) => {
    const parts = blocks(s)
    eachHead(e, s, scratchBytes(m, headDim, n), (h, group, scratch) => {
      for (const { row, column, end } of parts) {
        e.kernels.gemm(m - row, headDim, end - column, p + ((h * m + row) * n + column) * 4, n, 1,
          v + (column * kvHeads + group) * headDim * 4, kvHeads * headDim, 1, NONE, scratch,
          out + (row * heads + h) * headDim * 4, heads * headDim, accumulate || row > 0)
      }
    })
  }, (dy, wants) => [wants[0] ? scores(e, dy, y, s) : undefined, wants[1] ? collect(e, weights, dy, s) : undefined])
}

/** Only pulled back to, never through. */
function collect (e: Engine, weights: Node, x: Node, s: Heads): Node {
  const { heads, kvHeads, headDim, m, n } = s
  return e.bilinear('attention', weights, x, n, kvHeads * headDim, (p, q, out, accumulate) => {
    if (!accumulate) {
      e.fill(out, n * kvHeads * headDim, 0)
    }
    const parts = blocks(s)
    eachHead(e, s, scratchBytes(n, headDim, m), (h, group, scratch) => {
      for (const { row, rows, end } of parts) {
        e.kernels.gemm(end, headDim, rows, p + (h * m + row) * n * 4, 1, n,
          q + (row * heads + h) * headDim * 4, heads * headDim, 1, NONE, scratch, out + group * headDim * 4, kvHeads * headDim, true)
      }
    })
  }, () => [])
}

/** The same without tangents: all heads at once, and of the probabilities' cotangents a few rows at a time. */
function fused (e: Engine, q: Node, k: Node, v: Node, s: Heads): Node {
  const { heads, kvHeads, headDim, m, n } = s
  const factor = 1 / Math.sqrt(headDim)
  const scaled = e.unrecorded(() => scale(e, q, factor))
  const y = e.empty(m, q.columns)
  const keep = e.recording && [q, k, v].some(({ needsGradient }) => needsGradient)
  const p = e.arena.take(4 * attentionLine(n) * (keep ? heads * m : Math.min(m, ATTENDED_ROWS)))
  const withScratch = (work: (scratch: number) => void): void => {
    const mark = e.arena.mark()
    work(e.arena.take(attentionScratchBytes(n, headDim)))
    e.arena.release(mark)
  }
  withScratch(scratch => { e.kernels.attend(m, n, heads, kvHeads, headDim, scaled.at, k.at, v.at, scratch, p, y.at, keep) })
  return e.finish('attention', y, [v, k, q], (dy, wants) => {
    const parts = [v, k, q].map(({ rows, columns }, i) => wants[i] ? e.empty(rows, columns) : undefined)
    const [dv, dk, dq] = parts.map(part => part?.at ?? NONE)
    withScratch(scratch => { e.kernels.attendBack(m, n, heads, kvHeads, headDim, scaled.at, k.at, v.at, p, dy.at, scratch, dq, dk, dv) })
    for (const part of parts) {
      part == null || e.finish('attention', part, [], () => [])
    }
    return parts.map((part, i) => i === 2 && part != null ? scale(e, part, factor) : part)
  })
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
  if (e.directions === 0) {
    return fused(e, q, k, v, shape)
  }
  const scaled = scale(e, q, 1 / Math.sqrt(headDim))
  return mix(e, softmax(e, scores(e, scaled, k, shape), q.rows), v, shape)
}
