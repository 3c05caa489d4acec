import { log } from './math.ts'
import { weightFloat } from './reference-scalar.ts'
import type { Kernels } from './interface.ts'

const round = Math.fround

type Rows = Pick<Kernels, 'rowDot' | 'rowScale' | 'rowSubtract' | 'columnScale' | 'columnDot' | 'centre' | 'addRow' | 'columnSum' | 'inverseRms' | 'softmax' | 'crossEntropy' |
  'gemm' | 'packColumns'>

/** Four interleaved sums, joined as every row reduction joins them. */
function joined (length: number, term: (j: number) => number): number {
  const s = new Float32Array(4)
  for (let j = 0; j < length; j++) {
    s[j & 3] += term(j)
  }
  return round(round(s[0] + s[1]) + round(s[2] + s[3]))
}

/** Products and reductions, as plainly as can be. `f` and `ids` view one memory. */
export function referenceRows (f: Float32Array, ids: Int32Array): Rows {
  /** Numerators of row x's softmax into y and their sum, over `visible` columns. */
  function exponentials (visible: number, x: number, y: number): { max: number, sum: number } {
    let max = -Infinity
    for (let j = 0; j < visible; j++) {
      max = Math.max(max, f[x + j])
    }
    const sum = joined(visible, j => {
      f[y + j] = weightFloat(round(f[x + j] - max))
      return f[y + j]
    })
    return { max, sum }
  }

  function each (m: number, d: number, y: number, accumulate: boolean, term: (i: number, j: number) => number): void {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < d; j++) {
        const at = (y >>> 2) + i * d + j
        f[at] = accumulate ? f[at] + round(term(i, j)) : term(i, j)
      }
    }
  }

  return {
    // row-major Bᵀ, which is what products with frozen weights read; gemm reads B where it lies
    packColumns (n, k, b, bRow, bColumn, packed) {
      for (let j = 0; j < n; j++) {
        for (let p = 0; p < k; p++) {
          f[(packed >>> 2) + j * k + p] = f[(b >>> 2) + p * bRow + j * bColumn]
        }
      }
    },
    gemm (m, n, k, a, aRow, aColumn, b, bRow, bColumn, packed, scratch, c, cRow, accumulate) {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = accumulate ? f[(c >>> 2) + i * cRow + j] : 0
          for (let p = 0; p < k; p++) {
            sum = round(sum + round(f[(a >>> 2) + i * aRow + p * aColumn] * f[(b >>> 2) + p * bRow + j * bColumn]))
          }
          f[(c >>> 2) + i * cRow + j] = sum
        }
      }
    },
    rowDot (m, d, a, b, y, accumulate) {
      for (let i = 0; i < m; i++) {
        const sum = joined(d, j => round(f[(a >>> 2) + i * d + j] * f[(b >>> 2) + i * d + j]))
        f[(y >>> 2) + i] = accumulate ? f[(y >>> 2) + i] + sum : sum
      }
    },
    rowScale (m, d, x, r, y, accumulate) {
      each(m, d, y, accumulate, (i, j) => f[(x >>> 2) + i * d + j] * f[(r >>> 2) + i])
    },
    rowSubtract (m, d, x, r, y) {
      each(m, d, y, false, (i, j) => f[(x >>> 2) + i * d + j] - f[(r >>> 2) + i])
    },
    centre (m, d, x, y) {
      for (let i = 0; i < m; i++) {
        const mean = round(joined(d, j => f[(x >>> 2) + i * d + j]) / d)
        for (let j = 0; j < d; j++) {
          f[(y >>> 2) + i * d + j] = f[(x >>> 2) + i * d + j] - mean
        }
      }
    },
    addRow (m, d, x, b, y) {
      each(m, d, y, false, (i, j) => f[(x >>> 2) + i * d + j] + f[(b >>> 2) + j])
    },
    columnSum (m, d, x, y) {
      for (let j = 0; j < d; j++) {
        let sum = 0
        for (let i = 0; i < m; i++) {
          sum = round(sum + f[(x >>> 2) + i * d + j])
        }
        f[(y >>> 2) + j] = sum
      }
    },
    columnScale (m, d, x, g, y, accumulate) {
      each(m, d, y, accumulate, (i, j) => f[(x >>> 2) + i * d + j] * f[(g >>> 2) + j])
    },
    columnDot (m, d, a, b, y, accumulate) {
      for (let j = 0; j < d; j++) {
        let sum = accumulate ? f[(y >>> 2) + j] : 0
        for (let i = 0; i < m; i++) {
          sum = round(sum + round(f[(a >>> 2) + i * d + j] * f[(b >>> 2) + i * d + j]))
        }
        f[(y >>> 2) + j] = sum
      }
    },
    inverseRms (m, d, x, eps, y) {
      for (let i = 0; i < m; i++) {
        const sum = joined(d, j => round(f[(x >>> 2) + i * d + j] * f[(x >>> 2) + i * d + j]))
        const root = round(Math.sqrt(round(round(sum / d) + round(eps))))
        // sum − sum is 0, or NaN where the squares overflowed: an error instead of a silent zero
        f[(y >>> 2) + i] = round(1 / root) + round(sum - sum)
      }
    },
    softmax (rows, n, period, x, y) {
      for (let i = 0; i < rows; i++) {
        const visible = period > 0 ? n - period + i % period + 1 : n
        const at = (y >>> 2) + i * n
        const { sum } = exponentials(visible, (x >>> 2) + i * n, at)
        const inverse = round(1 / sum)
        for (let j = 0; j < n; j++) {
          f[at + j] = j < visible ? f[at + j] * inverse : 0
        }
      }
    },
    crossEntropy (m, v, logits, targets, weights, p) {
      let loss = 0
      for (let i = 0; i < m; i++) {
        const at = (p >>> 2) + i * v
        const weight = f[(weights >>> 2) + i]
        if (weight === 0) {
          f.fill(0, at, at + v)
          continue
        }
        const target = f[(logits >>> 2) + i * v + ids[(targets >>> 2) + i]]
        const { max, sum } = exponentials(v, (logits >>> 2) + i * v, at)
        const inverse = round(1 / sum)
        for (let j = 0; j < v; j++) {
          f[at + j] *= inverse
        }
        loss += weight * (log(sum) + (max - target))
      }
      return round(loss)
    }
  }
}
