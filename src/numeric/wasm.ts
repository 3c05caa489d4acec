import { PAGE_BYTES, STATICS_AT, THREADS_MAX } from './constants.ts'
import { moduleBytes } from './embedded.ts'
import { NumericRangeError } from './errors.ts'
import { base64 } from './generated/kernels.ts'
import { helperBytes, overSharedMemory, pool } from './threads.ts'
import { packedBytes, roundedBytes, weightsScratchBytes } from './weights.ts'
import type { Kernels, Threads, WeightType } from './interface.ts'
import type { Pool } from './threads.ts'

type Weighted = 'packedBytes' | 'packWeights' | 'weightsScratchBytes' | 'matmulWeights' | 'matmulRounded' | 'matmulWeightsBack' | 'gatherWeights'

/** What the compiled kernels export: booleans come back as 0 or 1, types of weights go in as numbers. */
interface Exported extends Omit<Kernels, 'buffer' | 'memoryBytes' | 'allFinite' | Weighted> {
  allFinite (n: number, x: number): number
  packWeights (type: number, rows: number, columns: number, from: number, packed: number): number
  multiplyWeights (type: number, m: number, rows: number, columns: number, x: number, xRow: number, packed: number, scratch: number, y: number, yRow: number, accumulate: boolean): void
  multiplyWeightsBack (
    type: number, m: number, rows: number, columns: number, x: number, xRow: number, packed: number, scratch: number,
    y: number, yRow: number, accumulate: boolean, from: number, to: number
  ): void
  roundRows (m: number, columns: number, x: number, xRow: number, to: number): void
  multiplyRounded (type: number, m: number, rows: number, columns: number, x: number, packed: number, scratch: number, y: number, yRow: number, accumulate: boolean): void
  gatherWeights (type: number, columns: number, count: number, ids: number, packed: number, scratch: number, y: number): void
  useStatics (at: number): void
  share (task: number, chunk: number, scratch: number): void
}

/** As in assembly/weights-layout.ts. */
const TYPES: Record<WeightType, number> = { f32: 0, bf16: 1, q8_0: 2, q4_0: 3 }

const compiled: { alone?: WebAssembly.Module, shared?: WebAssembly.Module } = {}

/** Compiled once for all tapes; a few kilobytes, so it need not be asynchronous. */
function compile (kind: 'alone' | 'shared'): WebAssembly.Module {
  let module = compiled[kind]
  if (module == null) {
    const bytes = moduleBytes(base64)
    module = new WebAssembly.Module(kind === 'shared' ? overSharedMemory(bytes) : bytes)
    compiled[kind] = module
  }
  return module
}

/** The kernels in WebAssembly with SIMD. The memory never grows, so views of it stay valid. */
export function wasmKernels (bytes: number, threads?: Threads): Kernels {
  const count = threads?.count ?? 1
  if (!Number.isInteger(count) || count < 1 || count > THREADS_MAX) {
    throw new NumericRangeError('the count of threads', `an integer from 1 to ${THREADS_MAX}`, count)
  }
  const shared = threads != null && count > 1
  const pages = Math.ceil((bytes + helperBytes(count)) / PAGE_BYTES)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared })
  const module = compile(shared ? 'shared' : 'alone')
  const exported = new WebAssembly.Instance(module, { env: { memory } }).exports as WebAssembly.Exports & Exported
  const kernels = {
    ...exported,
    buffer: memory.buffer,
    memoryBytes: bytes,
    allFinite: (n: number, x: number) => exported.allFinite(n, x) !== 0
  }
  if (!shared) {
    return { ...kernels, ...weighted(exported, exported.gemm) }
  }
  // every instance writes the static bytes of the module when it starts: nobody uses those
  exported.useStatics(STATICS_AT)
  const helpers = pool(threads, module, memory, bytes, exported.share)
  const gemm = sharedGemm(exported, helpers)
  return { ...kernels, gemm, ...weighted(exported, gemm, helpers) }
}

function sharedGemm (exported: Exported, helpers: Pool): Kernels['gemm'] {
  return (m, n, k, a, aRow, aColumn, b, bRow, bColumn, packed, scratch, c, cRow, accumulate) => {
    if (!helpers.wants(m, n, k, weightsScratchBytes(m, 1, k) + (packed === 0 ? packedBytes('f32', n, k) : 0))) {
      exported.gemm(m, n, k, a, aRow, aColumn, b, bRow, bColumn, packed, scratch, c, cRow, accumulate)
    } else {
      helpers.run(0, n, [m, k, a, aRow, aColumn, b, bRow, bColumn, packed, c, cRow, accumulate ? 1 : 0], scratch)
    }
  }
}

function weighted (exported: Exported, gemm: Kernels['gemm'], helpers?: Pool): Pick<Kernels, Weighted> {
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
        gemm(m, rows, columns, x, xRow, 1, packed, 1, columns, packed, scratch, y, yRow, accumulate)
      } else if (helpers?.wants(m, rows, columns, weightsScratchBytes(m, rows, columns)) === true) {
        helpers.run(1, rows, [TYPES[type], m, columns, x, xRow, packed, y, yRow, accumulate ? 1 : 0], scratch)
      } else {
        exported.multiplyWeights(TYPES[type], m, rows, columns, x, xRow, packed, scratch, y, yRow, accumulate)
      }
    },
    matmulRounded (type, m, rows, columns, x, xRow, packed, scratch, y, yRow, accumulate, again = false) {
      // behind the rounded rows, which all threads read
      const wide = scratch + roundedBytes(m, columns)
      if (!again) {
        exported.roundRows(m, columns, x, xRow, scratch)
      }
      if (helpers?.wants(m, rows, columns, 0) === true) {
        helpers.run(3, rows, [TYPES[type], m, columns, scratch, packed, y, yRow, accumulate ? 1 : 0], wide)
      } else {
        exported.multiplyRounded(TYPES[type], m, rows, columns, scratch, packed, wide, y, yRow, accumulate)
      }
    },
    matmulWeightsBack (type, m, rows, columns, x, xRow, packed, scratch, y, yRow, accumulate) {
      if (helpers?.wants(m, columns, rows, weightsScratchBytes(m, rows, columns)) === true) {
        helpers.run(2, columns, [TYPES[type], m, rows, x, xRow, packed, y, yRow, accumulate ? 1 : 0], scratch)
      } else {
        exported.multiplyWeightsBack(TYPES[type], m, rows, columns, x, xRow, packed, scratch, y, yRow, accumulate, 0, columns)
      }
    },
    gatherWeights (type, rows, columns, count, ids, packed, scratch, y) {
      exported.gatherWeights(TYPES[type], columns, count, ids, packed, scratch, y)
    }
  }
}
