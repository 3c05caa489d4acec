import type { Evaluator } from './interface.ts'
import type { Objective } from '../../interface/index.ts'

/**
 * An evaluator on this thread.
 *
 * @param objective - what is computed
 * @param pause - awaited after each example so that others get a turn; pure code has no timers, so
 * the host passes e.g. `setImmediate` of `node:timers/promises`
 */
export function evaluator (objective: Objective, pause?: () => Promise<void>): Evaluator {
  const { parameters, examples } = objective

  return {
    parameters,
    examples,
    async gradients (theta, batch, visit, options) {
      const gradient = new Float32Array(parameters)

      for (let i = 0; i < batch.length; i++) {
        options?.signal?.throwIfAborted()
        visit(i, objective.gradient(theta, batch[i], gradient), gradient)
        await pause?.()
      }
    },
    async duals (theta, batch, tangents, visit, options) {
      const gradient = new Float32Array(parameters)
      const hvps = tangents.map(() => new Float32Array(parameters))

      for (let i = 0; i < batch.length; i++) {
        options?.signal?.throwIfAborted()

        const { loss, derivatives } = objective.dual(theta, batch[i], tangents, gradient, hvps)

        visit(i, loss, gradient, derivatives, hvps)
        await pause?.()
      }
    }
  }
}
