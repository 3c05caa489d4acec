import { ShapeError } from './errors.ts'
import type { CaptureInput, Kernels } from './interface.ts'

/** What a pass did to memory, step by step, so that it can be done again. */
export interface Recorder {
  readonly steps: Array<() => void>
  /** The same kernels, whose calls are noted. */
  readonly kernels: Kernels
  /** Notes that `write` put these numbers into memory: those of an input, or of a view of it, or else always the same. */
  leaf (data: ArrayLike<number>, write: (data: ArrayLike<number>) => void): void
  /** @throws {ShapeError} unless the inputs are as many and as long as the first ones */
  replay (inputs: readonly CaptureInput[]): void
}

/** Which element of `input` is the first of `data`, or −1 if that is no view of it. */
function offsetIn (input: CaptureInput, data: ArrayLike<number>): number {
  if (!(data instanceof Float32Array || data instanceof Uint32Array) || data.buffer !== input.buffer || data.constructor !== input.constructor) {
    return -1
  }
  const from = (data.byteOffset - input.byteOffset) / input.BYTES_PER_ELEMENT
  return from >= 0 && from + data.length <= input.length ? from : -1
}

/** Calls that give nothing back write to memory and are noted; what gives something back only looks. */
function noted (kernels: Kernels, steps: Array<() => void>): Kernels {
  const calls = Object.entries(kernels).filter(([, value]) => typeof value === 'function').map(([name, call]: [string, (...args: unknown[]) => unknown]) => [name, (...args: unknown[]) => {
    const result = call(...args)
    if (result === undefined) {
      steps.push(() => { call(...args) })
    }
    return result
  }])
  return Object.assign({}, kernels, Object.fromEntries(calls))
}

export function recorder (kernels: Kernels, inputs: readonly CaptureInput[]): Recorder {
  const steps: Array<() => void> = []
  const lengths = inputs.map(({ length }) => length)
  let given = inputs
  return {
    steps,
    kernels: noted(kernels, steps),
    leaf (data, write) {
      const offsets = inputs.map(input => offsetIn(input, data))
      const index = offsets.findIndex(offset => offset >= 0)
      if (index === -1) {
        const same = Array.from(data)
        steps.push(() => { write(same) })
        return
      }
      const [from, end] = [offsets[index], offsets[index] + data.length]
      steps.push(() => { write(given[index].subarray(from, end)) })
    },
    replay (now) {
      if (now.length !== lengths.length || now.some(({ length }, i) => length !== lengths[i])) {
        throw new ShapeError('replay', `inputs of ${lengths.join(', ')} numbers`, now.map(({ length }) => length).join(', '))
      }
      given = now
      for (const step of steps) {
        step()
      }
    }
  }
}
