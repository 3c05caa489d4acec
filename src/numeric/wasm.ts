import { PAGE_BYTES } from './constants.ts'
import { base64 } from './generated/kernels.ts'
import type { Kernels } from './interface.ts'

/** What the compiled kernels export: booleans come back as 0 or 1. */
type Exported = Omit<Kernels, 'buffer' | 'allFinite'> & { allFinite (n: number, x: number): number }

let compiled: WebAssembly.Module | undefined

/** Compiled once for all tapes; a few kilobytes, so it need not be asynchronous. */
function compile (): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(base64), character => character.charCodeAt(0)))
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
    allFinite: (n, x) => exported.allFinite(n, x) !== 0
  }
}
