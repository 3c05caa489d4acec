import type { Evaluator } from '../attribution/index.ts'

/** Passes of a model that judging one step took: of answers, of examples, and of examples with a tangent. */
export interface StepWork {
  receipts: number
  gradients: number
  duals: number
}

/** The same evaluator; what it computes is counted. */
export function counted (examples: Evaluator, work: StepWork): Evaluator {
  return {
    parameters: examples.parameters,
    examples: examples.examples,
    async gradients (theta, batch, visit, options) {
      work.gradients += batch.length
      await examples.gradients(theta, batch, visit, options)
    },
    async duals (theta, batch, tangents, visit, options) {
      work.duals += batch.length * tangents.length
      await examples.duals(theta, batch, tangents, visit, options)
    }
  }
}
