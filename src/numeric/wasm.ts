import { PAGE_BYTES } from './constants.ts'
import { base64 } from './generated/kernels.ts'
import { packedBytes, weightsScratchBytes } from './weights.ts'
import type { Kernels, WeightType } from './interface.ts'

type Weighted = 'packedBytes' | 'packWeights' | 'weightsScratchBytes' | 'matmulWeights' | 'matmulWeightsBack' | 'gatherWeights'

/** What the compiled kernels export: booleans come back as 0 or 1, types of weights go in as numbers. */
interface Exported extends Omit<Kernels, 'buffer' | 'allFinite' | Weighted> {
  allFinite (n: number, x: number): number
  packWeights (type: number, rows: number, columns: number, from: number, packed: number): number
  multiplyWeights (type: number, m: number, rows: number, columns: number, x: number, xRow: number, packed: number, scratch: number, y: number, yRow: number, accumulate: boolean): void
  multiplyWeightsBack (type: number, m: number, rows: number, columns: number, x: number, xRow: number, packed: number, scratch: number, y: number, yRow: number, accumulate: boolean): void
  gatherWeights (type: number, columns: number, count: number, ids: number, packed: number, scratch: number, y: number): void
}

/** As in assembly/weights-layout.ts. */
const TYPES: Record<WeightType, number> = { f32: 0, bf16: 1, q8_0: 2, q4_0: 3 }

let compiled: WebAssembly.Module | undefined

/** Compiled once for all tapes; a few kilobytes, so it need not be asynchronous. */
function compile (): WebAssembly.Module {
  if (compiled == null) {
    const text = atob(base64)
    const bytes = new Uint8Array(text.length)
    for (let i = 0; i < text.length; i++) {
      bytes[i] = text.charCodeAt(i)
    }
    compiled = new WebAssembly.Module(bytes)
  }
  return compiled
}

/** The kernels in WebAssembly with SIMD. The memory never grows, so views of it stay valid. */
export function wasmKernels (bytes: number): Kernels {
  const pages = Math.ceil(bytes / PAGE_BYTES)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const instance = new WebAssembly.Instance(compile(), { env: { memory } })
  const exported = instance.exports as WebAssembly.Exports & Exported
  return {
    ...exported,
    buffer: memory.buffer,
    allFinite: (n, x) => exported.allFinite(n, x) !== 0,
    ...weighted(exported)
  }
}

function weighted (exported: Exported): Pick<Kernels, Weighted> {
  return {
    packedBytes,
    weightsScratchBytes,
    packWeights: (type, rows, columns, from, packed) => {
      if (type === 'f32' && exported.allFinite(rows * columns, from) === 0) {
        return false
      }
      return exported.packWeights(TYPES[type], rows, columns, from, packed) !== 0
    },
    matmulWeights (type, m, rows, columns, x, xRow, packed, scratch, y, yRow, accumulate) {
      if (type === 'f32') {
        exported.gemm(m, rows, columns, x, xRow, 1, packed, 1, columns, packed, scratch, y, yRow, accumulate)
      } else {
        exported.multiplyWeights(TYPES[type], m, rows, columns, x, xRow, packed, scratch, y, yRow, accumulate)
      }
    },
    matmulWeightsBack (type, m, rows, columns, x, xRow, packed, scratch, y, yRow, accumulate) {
      exported.multiplyWeightsBack(TYPES[type], m, rows, columns, x, xRow, packed, scratch, y, yRow, accumulate)
    },
    gatherWeights (type, rows, columns, count, ids, packed, scratch, y) {
      exported.gatherWeights(TYPES[type], columns, count, ids, packed, scratch, y)
    }
  }
}
