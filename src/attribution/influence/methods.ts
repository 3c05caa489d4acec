import { domains, hash, utf8 } from '../../wire/index.ts'
import { COTANGENT_STEP, GRADDOT_CHUNK, GRADDOT_STEP } from './constants.ts'
import { reverseReplay } from './reverse.ts'
import { encodeFloats } from './state.ts'
import { checkLength } from './train.ts'
import { checkFinite, dot } from './vectors.ts'
import type { Evaluator, ExampleScores, InfluenceMethod } from './interface.ts'
import type { AbortOptions, Hash } from '../../interface/index.ts'
import type { TrainingPlan } from '../../models/index.ts'

/** The exact trajectory method by reverse replay. */
export function trajectory (examples: Evaluator, plan: TrainingPlan, theta0: Float64Array): InfluenceMethod {
  return {
    name: 'trajectory',
    async scores (cotangent, options) {
      return reverseReplay(examples, plan, { ...options, theta0, cotangent })
    }
  }
}

/** GradDot at the trained weights: cheap, and far less faithful. */
export function gradDotMethod (examples: Evaluator, theta: Float64Array): InfluenceMethod {
  return {
    name: 'graddot',
    async scores (cotangent, options) {
      return gradDot(examples, theta, cotangent, options)
    }
  }
}

/**
 * The score of example i is −∇ℓᵢ(θ)·cotangent: what one small step of gradient descent on it would
 * have done. Ignores optimiser, order and curvature.
 *
 * The trace has the hash of weights and cotangent, then one per 16 examples with their gradients.
 */
export async function gradDot (examples: Evaluator, theta: Float64Array, cotangent: Float64Array, options?: AbortOptions): Promise<ExampleScores> {
  checkLength('theta', theta, examples.parameters)
  checkLength('the cotangent', cotangent, examples.parameters)
  checkFinite('the cotangent', 0, cotangent)

  const exampleScores = new Float64Array(examples.examples)
  const trace: Hash[] = [hash(domains.traceStep, utf8(COTANGENT_STEP), encodeFloats(0, theta, cotangent))]

  for (let first = 0; first < examples.examples; first += GRADDOT_CHUNK) {
    const batch = Uint32Array.from({ length: Math.min(GRADDOT_CHUNK, examples.examples - first) }, (_, i) => first + i)
    const gradients: Float64Array[] = []

    await examples.gradients(theta, batch, (position, loss, gradient) => {
      exampleScores[batch[position]] = -dot(gradient, cotangent)
      gradients.push(Float64Array.from(gradient))
    }, options)
    trace.push(hash(domains.traceStep, utf8(GRADDOT_STEP), encodeFloats(first, ...gradients)))
  }

  return { exampleScores, trace }
}
