import { PAGE_TOKENS, TILE_COLUMNS } from './constants.ts'
import type { Kernels } from './interface.ts'

type Paged = Pick<Kernels, 'gemmMany' | 'writePages' | 'attendPages'>

const round = Math.fround

/** The oracle of assembly/paged.ts, over the same layout of pages. */
export function referencePaged (f: Float32Array, integers: Int32Array, { gemm, softmax, allFinite }: Pick<Kernels, 'gemm' | 'softmax' | 'allFinite'>): Paged {
  const unsigned = new Uint32Array(f.buffer)

  /** Where element j of a head's key lies for a slot of the page. */
  const keyAt = (page: number, headDim: number, head: number, slot: number, j: number): number => {
    const panel = head * (PAGE_TOKENS / TILE_COLUMNS) + Math.floor(slot / TILE_COLUMNS)
    return (page >>> 2) + (panel * headDim + j) * TILE_COLUMNS + slot % TILE_COLUMNS
  }
  const valueAt = (page: number, headDim: number, kvHeads: number, head: number, slot: number): number => {
    return (page >>> 2) + (PAGE_TOKENS + slot) * kvHeads * headDim + head * headDim
  }

  return {
    gemmMany (count, table, scratch) {
      for (let i = 0; i < count; i++) {
        const at = (table >>> 2) + i * 8
        const [m, n, k, , aRow] = integers.subarray(at, at + 5)
        gemm(m, n, k, unsigned[at + 3], aRow, 1, unsigned[at + 5], 1, k, unsigned[at + 5], scratch, unsigned[at + 6], integers[at + 7], false)
      }
    },
    writePages (rows, kvHeads, headDim, table, offset, k, v) {
      for (let i = 0; i < rows; i++) {
        const page = unsigned[(table >>> 2) + 2 * i] + offset
        const slot = integers[(table >>> 2) + 2 * i + 1]
        for (let h = 0; h < kvHeads; h++) {
          for (let j = 0; j < headDim; j++) {
            const from = (i * kvHeads + h) * headDim + j
            f[keyAt(page, headDim, h, slot, j)] = f[(k >>> 2) + from]
            f[valueAt(page, headDim, kvHeads, h, slot) + j] = f[(v >>> 2) + from]
          }
        }
      }
    },
    attendPages (rows, heads, kvHeads, headDim, table, offset, q, scores, y) {
      for (let i = 0; i < rows * heads; i++) {
        const at = (table >>> 2) + 2 * Math.floor(i / heads)
        const n = integers[at]
        const group = Math.floor(i % heads * kvHeads / heads)
        const page = (t: number): number => unsigned[(unsigned[at + 1] >>> 2) + Math.floor(t / PAGE_TOKENS)] + offset
        for (let t = 0; t < n; t++) {
          let sum = 0
          for (let j = 0; j < headDim; j++) {
            sum = round(sum + round(f[(q >>> 2) + i * headDim + j] * f[keyAt(page(t), headDim, group, t % PAGE_TOKENS, j)]))
          }
          f[(scores >>> 2) + t] = sum
        }
        const finite = allFinite(n, scores)
        softmax(1, n, 0, scores, scores)
        for (let j = 0; j < headDim; j++) {
          let sum = finite ? 0 : NaN
          for (let t = 0; t < n; t++) {
            sum = round(sum + round(f[(scores >>> 2) + t] * f[valueAt(page(t), headDim, kvHeads, group, t % PAGE_TOKENS) + j]))
          }
          f[(y >>> 2) + i * headDim + j] = sum
        }
      }
    }
  }
}
