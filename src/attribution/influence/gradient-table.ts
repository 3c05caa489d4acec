import { domains, hash, utf8 } from '../../wire/index.ts'
import { GRADDOT_CHUNK, GRADIENTS_BYTES_MAX, GRADIENTS_STEP } from './constants.ts'
import { encodeFloats } from './state.ts'
import { checkLength } from './train.ts'
import { checkFinite } from './vectors.ts'
import type { Evaluator } from './interface.ts'
import type { AbortOptions, Hash } from '../../interface/index.ts'

/** The gradients of all examples at one set of weights, in the examples' order. */
export interface GradientTable {
  readonly parameters: number
  readonly examples: number
  /** one per 16 examples; complete after the first pass */
  readonly trace: Hash[]
  /** Hands out every gradient in order; it is valid during the call only. */
  each (visit: (example: number, gradient: Float32Array) => void, options?: AbortOptions): Promise<void>
}

/**
 * Keeps the gradients if they fit, else computes them again for each pass; the results are the same.
 *
 * @param examples - whoever computes them
 * @param theta - the weights
 * @param bytesMax - what may be kept; default 268435456
 */
export function gradientTable (examples: Evaluator, theta: Float64Array, bytesMax = GRADIENTS_BYTES_MAX): GradientTable {
  const { parameters } = examples
  const trace: Hash[] = []
  const traceLength = Math.ceil(examples.examples / GRADDOT_CHUNK)
  const keeps = examples.examples * parameters * 4 <= bytesMax
  let kept: Float32Array[] | undefined

  checkLength('theta', theta, parameters)

  const compute = async (visit: (example: number, gradient: Float32Array) => void, options?: AbortOptions): Promise<void> => {
    const hashes: Hash[] = []
    const isFirst = trace.length < traceLength

    for (let first = 0; first < examples.examples; first += GRADDOT_CHUNK) {
      const batch = Uint32Array.from({ length: Math.min(GRADDOT_CHUNK, examples.examples - first) }, (_, i) => first + i)
      const gradients: Float64Array[] = []

      await examples.gradients(theta, batch, (position, loss, gradient) => {
        checkFinite('the gradient of an example', first + position, gradient)
        gradients.push(Float64Array.from(gradient))
        visit(first + position, gradient)
      }, options)

      if (isFirst) {
        hashes.push(hash(domains.traceStep, utf8(GRADIENTS_STEP), encodeFloats(first, ...gradients)))
      }
    }

    // all or nothing: a pass that was aborted leaves no half of a trace
    trace.push(...hashes)
  }

  return {
    parameters,
    examples: examples.examples,
    trace,
    async each (visit, options) {
      if (kept === undefined && keeps) {
        const rows: Float32Array[] = []

        await compute((example, gradient) => { rows.push(gradient.slice()) }, options)
        kept = rows
      }

      if (kept === undefined) {
        await compute(visit, options)
      } else {
        kept.forEach((gradient, example) => { visit(example, gradient) })
      }
    }
  }
}
