import { roundedProduct } from './reference-rounded.ts'
import { dequantise, packedBytes, weightBytes, weightsScratchBytes } from './weights.ts'
import type { Kernels, WeightType } from './interface.ts'

const round = Math.fround

type Weights = Pick<Kernels, 'packedBytes' | 'packWeights' | 'weightsScratchBytes' | 'matmulWeights' | 'matmulRounded' | 'matmulWeightsBack' | 'gatherWeights'>

/** Products with frozen weights: the oracle packs nothing and dequantises all. */
export function referenceWeights (f: Float32Array, ids: Int32Array): Weights {
  const memory = new Uint8Array(f.buffer)
  const matrix = (type: WeightType, rows: number, columns: number, at: number): Float32Array => {
    return dequantise({ type, shape: [rows, columns], bytes: memory.slice(at, at + weightBytes(type, rows, columns)) })
  }
  /** y[i,j] (+)= Σ_p x[i,p]·b[p·bRow + j·bColumn] */
  const product = (m: number, n: number, k: number, x: number, xRow: number, b: Float32Array, bRow: number, bColumn: number, y: number, yRow: number, accumulate: boolean): void => {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = accumulate ? f[(y >>> 2) + i * yRow + j] : 0
        for (let p = 0; p < k; p++) {
          sum = round(sum + round(f[(x >>> 2) + i * xRow + p] * b[p * bRow + j * bColumn]))
        }
        f[(y >>> 2) + i * yRow + j] = sum
      }
    }
  }
  return {
    packedBytes,
    weightsScratchBytes,
    packWeights (type, rows, columns, from, packed) {
      memory.copyWithin(packed, from, from + weightBytes(type, rows, columns))
      return matrix(type, rows, columns, packed).every(Number.isFinite)
    },
    matmulWeights (type, m, rows, columns, x, xRow, packed, scratch, y, yRow, accumulate) {
      product(m, rows, columns, x, xRow, matrix(type, rows, columns, packed), 1, columns, y, yRow, accumulate)
    },
    matmulRounded (type, m, rows, columns, x, xRow, packed, scratch, y, yRow, accumulate) {
      const w = { type, shape: [rows, columns] as const, bytes: memory.slice(packed, packed + weightBytes(type, rows, columns)) }
      for (let i = 0; i < m; i++) {
        const from = (x >>> 2) + i * xRow
        const to = (y >>> 2) + i * yRow
        roundedProduct(w, f.subarray(from, from + columns), f.subarray(to, to + rows), accumulate)
      }
    },
    matmulWeightsBack (type, m, rows, columns, x, xRow, packed, scratch, y, yRow, accumulate) {
      product(m, columns, rows, x, xRow, matrix(type, rows, columns, packed), columns, 1, y, yRow, accumulate)
    },
    gatherWeights (type, rows, columns, count, id, packed, scratch, y) {
      const w = matrix(type, rows, columns, packed)
      for (let i = 0; i < count; i++) {
        const row = ids[(id >>> 2) + i]
        f.set(w.subarray(row * columns, (row + 1) * columns), (y >>> 2) + i * columns)
      }
    }
  }
}
