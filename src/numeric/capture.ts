import { CaptureError, ShapeError } from './errors.ts'
import type { CaptureInput, Kernels } from './interface.ts'

/** What a pass did to memory, step by step, so that it can be done again. */
export interface Recorder {
  readonly steps: Array<() => void>
  /** The same kernels, whose calls are noted. */
  readonly kernels: Kernels
  /**
   * Notes that `write` put these numbers into memory: those of an input, or of a view of it, or else always the same.
   *
   * @throws {CaptureError} if they are some of an input and others, or of two
   */
  leaf (data: ArrayLike<number>, write: (data: ArrayLike<number>) => void): void
  /** @throws {ShapeError} unless the inputs are as many, as long and of the types of the first ones */
  replay (inputs: readonly CaptureInput[]): void
}

/** Whether two arrays have bytes in common. */
function overlap (input: CaptureInput, data: ArrayLike<number>): boolean {
  return ArrayBuffer.isView(data) && data.buffer === input.buffer &&
    data.byteOffset < input.byteOffset + input.byteLength && input.byteOffset < data.byteOffset + data.byteLength
}

/** Of which input `data` is a view, and from which element on; undefined for numbers of their own. */
function sourceOf (inputs: readonly CaptureInput[], data: ArrayLike<number>): { index: number, from: number } | undefined {
  const indices = [...inputs.keys()].filter(index => overlap(inputs[index], data))
  if (indices.length === 0) {
    return undefined
  }
  const [index] = indices
  const input = inputs[index]
  if (indices.length > 1 || !(data instanceof Float32Array || data instanceof Uint32Array) || data.constructor !== input.constructor) {
    throw new CaptureError('leaves that are views of one input each', indices.length > 1 ? `one of two, inputs ${indices.join(' and ')}` : `a part of input ${index} as another type`)
  }
  const from = (data.byteOffset - input.byteOffset) / input.BYTES_PER_ELEMENT
  if (from < 0 || from + data.length > input.length) {
    throw new CaptureError('leaves that are views of one input each', `one of which only a part is of input ${index}`)
  }
  return { index, from }
}

/** How messages call inputs. */
function describe (inputs: readonly CaptureInput[]): string {
  return inputs.map(input => `${input.length} ${input instanceof Float32Array ? 'f32' : 'u32'}`).join(', ')
}

/**
 * Calls that give nothing back write to memory and are noted. What gives something back only looks, but for two that do both:
 * `crossEntropy` is a step of its own (see loss.ts), `packWeights` makes constants, which stay.
 */
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
  const expected = describe(inputs)
  let given = inputs
  return {
    steps,
    kernels: noted(kernels, steps),
    leaf (data, write) {
      const source = sourceOf(inputs, data)
      if (source == null) {
        const same = new Float64Array(data)
        steps.push(() => { write(same) })
        return
      }
      const { index, from } = source
      const end = from + data.length
      steps.push(() => { write(given[index].subarray(from, end)) })
    },
    replay (now) {
      const came = describe(now)
      if (came !== expected) {
        throw new ShapeError('replay', `inputs of ${expected} numbers`, came)
      }
      given = now
      for (const step of steps) {
        step()
      }
    }
  }
}
