import { DOUBLES_BLOCK, PAGE_BYTES } from './constants.ts'
import { moduleBytes } from './embedded.ts'
import { MemoryUnavailableError } from './errors.ts'
import { base64 } from './generated/doubles.ts'
import type { DoubleOperand } from './interface.ts'

/** What becomes of C, as in assembly/doubles.ts. */
export const ADD = 0
export const SUBTRACT = 1
export const ADD_SUM = 2

/** What the compiled module exports; addresses in bytes, strides in elements. */
interface Exported {
  multiply (
    mode: number, m: number, n: number, k: number, a: number, aLine: number, aStep: number, b: number, bLine: number, bStep: number,
    scratch: number, c: number, cLine: number, shift: number
  ): void
  solveRows (m: number, size: number, l: number, lLine: number, b: number, bLine: number, scratch: number): void
  cholesky (size: number, a: number, line: number, scratch: number): number
  jacobi (size: number, line: number, a: number, vectors: number, share: number, sweeps: number): number
}

export interface Instance {
  run: Exported
  values: Float64Array
}

/** Where the blocks of a product lie, in elements. */
export interface Places {
  c: number
  a: number
  b: number
  scratch: number
}

export interface Workspace extends Instance {
  at: Places
}

let compiled: WebAssembly.Module | undefined

/** A memory of its own for so many elements, behind the page that holds the module's own data. */
export function instance (elements: number): Instance {
  compiled ??= new WebAssembly.Module(moduleBytes(base64))

  const pages = 1 + Math.ceil(elements * 8 / PAGE_BYTES)

  try {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory } })

    return { run: exports as WebAssembly.Exports & Exported, values: new Float64Array(memory.buffer) }
  } catch (err) {
    throw err instanceof RangeError ? new MemoryUnavailableError(pages * PAGE_BYTES, err) : err
  }
}

export const address = (element: number): number => element * 8
export const padded = (lines: number): number => (lines + 3) & ~3

/** Gives the memory of products: C, two operands of so many steps, a third for Cholesky, and two for packing. */
export function workspaces (): (steps: number) => Workspace {
  let kept: Instance | undefined

  return steps => {
    const side = DOUBLES_BLOCK * steps
    const c = PAGE_BYTES / 8
    const a = c + DOUBLES_BLOCK * DOUBLES_BLOCK
    const b = a + side
    const scratch = b + side
    const end = scratch + 3 * side

    if (kept == null || kept.values.length < end) {
      kept = instance(end - c)
    }

    return { ...kept, at: { c, a, b, scratch } }
  }
}

/** Lines `from` to `to`, steps `first` to `last` of an operand to an address, lines padded with zeros; and the strides there. */
export function stage (operand: DoubleOperand, from: number, to: number, first: number, last: number, values: Float64Array, at: number): [line: number, step: number] {
  const lines = padded(to - from)
  const steps = last - first

  if (lines > to - from) {
    values.fill(0, at, at + lines * steps)
  }
  if (operand.byDepth === true) {
    for (let step = first; step < last; step++) {
      operand.copy(step, from, to, values, at + (step - first) * lines)
    }

    return [1, lines]
  }
  for (let line = from; line < to; line++) {
    operand.copy(line, first, last, values, at + (line - from) * steps)
  }

  return [steps, 1]
}
