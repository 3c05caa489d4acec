import { attentionLine } from './attention-layout.ts'
import type { Kernels } from './interface.ts'

const round = Math.fround

type Attention = Pick<Kernels, 'attend' | 'attendBack'>

/** The oracle of assembly/attention.ts: one row after the other, over what it sees. */
export function referenceAttention (f: Float32Array, { gemm, softmax, allFinite, rowDot }: Pick<Kernels, 'gemm' | 'softmax' | 'allFinite' | 'rowDot'>): Attention {
  /** Runs `each` for the rows of P in order: row i of head h is at `row`, and sees `visible` columns of group g. */
  const eachRow = (m: number, n: number, heads: number, kvHeads: number, p: number, each: (h: number, g: number, i: number, visible: number, row: number) => void): void => {
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < m; i++) {
        each(h, Math.floor(h * kvHeads / heads), i, n - m + i + 1, p + (h * m + i) * attentionLine(n) * 4)
      }
    }
  }

  /** s = p·(s − p·s) */
  const slope = (visible: number, p: number, s: number): void => {
    rowDot(1, visible, p, s, s + visible * 4, false)
    const sum = f[(s >>> 2) + visible]
    for (let j = 0; j < visible; j++) {
      f[(s >>> 2) + j] = f[(p >>> 2) + j] * round(f[(s >>> 2) + j] - sum)
    }
  }

  return {
    attend (m, n, heads, kvHeads, headDim, q, k, v, scratch, p, y, keep) {
      eachRow(m, n, heads, kvHeads, p, (h, g, i, visible, at) => {
        const row = keep ? at : p
        const query = (i * heads + h) * headDim * 4
        gemm(1, visible, headDim, q + query, 0, 1, k + g * headDim * 4, 1, kvHeads * headDim, 0, scratch, row, 0, false)
        if (!allFinite(visible, row)) {
          f.fill(NaN, row >>> 2, (row >>> 2) + visible)
        }
        softmax(1, visible, 0, row, row)
        f.fill(0, (row >>> 2) + visible, (row >>> 2) + attentionLine(n))
        gemm(1, headDim, visible, row, 0, 1, v + g * headDim * 4, kvHeads * headDim, 1, 0, scratch, y + query, 0, false)
      })
    },
    attendBack (m, n, heads, kvHeads, headDim, q, k, v, p, dy, scratch, dq, dk, dv) {
      for (const sum of [dk, dv]) {
        if (sum !== 0) {
          f.fill(0, sum >>> 2, (sum >>> 2) + n * kvHeads * headDim)
        }
      }
      eachRow(m, n, heads, kvHeads, p, (h, g, i, visible, row) => {
        const at = (i * heads + h) * headDim * 4
        const from = g * headDim * 4
        gemm(1, visible, headDim, dy + at, 0, 1, v + from, 1, kvHeads * headDim, 0, scratch, scratch, 0, false)
        slope(visible, row, scratch)
        if (dv !== 0) {
          gemm(visible, headDim, 1, row, 1, 1, dy + at, 0, 1, 0, scratch, dv + from, kvHeads * headDim, true)
        }
        if (dk !== 0) {
          gemm(visible, headDim, 1, scratch, 1, 1, q + at, 0, 1, 0, scratch, dk + from, kvHeads * headDim, true)
        }
        if (dq !== 0) {
          gemm(1, headDim, visible, scratch, 0, 1, k + from, kvHeads * headDim, 1, 0, scratch, dq + at, 0, false)
        }
      })
    }
  }
}
