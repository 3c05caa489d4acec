import { AttributionInputError } from './errors.ts'
import { recordOf, stepBack } from './reverse.ts'
import { train } from './train.ts'
import type { StateVector } from './adam-derivatives.ts'
import type { Evaluator } from './interface.ts'
import type { TrainingState } from './state.ts'
import type { TrainingStep } from './train.ts'
import type { AbortOptions } from '../../interface/index.ts'
import type { TrainingPlan } from '../../models/index.ts'

/**
 * One step of training, to the bits of the whole run, from the state after `before.step` steps,
 * which is not changed.
 *
 * @throws {AttributionInputError} when the run has no step after it
 * @throws {DivergedError}
 */
export async function forwardStep (examples: Evaluator, plan: TrainingPlan, before: TrainingState, options: AbortOptions = {}): Promise<TrainingStep> {
  const { value, done } = await train(examples, plan, { from: before, until: before.step + 1, signal: options.signal }).next()

  if (done === true) {
    throw new AttributionInputError(`the run has ${plan.batches.length} steps, so there is none after ${before.step}`)
  }

  return value
}

/**
 * One step of the way back, to the bits of the whole replay: the step forward from the state
 * `before` it, then its adjoint. `after`, the adjoint of the state after the step, becomes that of
 * the state before it.
 *
 * @returns the scores of the step's batch, in its order
 * @throws {AttributionInputError} when the run has no step after `before`
 * @throws {DivergedError}
 */
export async function reverseStep (examples: Evaluator, plan: TrainingPlan, before: TrainingState, after: StateVector, options: AbortOptions = {}): Promise<Float64Array> {
  const record = recordOf(before.theta, await forwardStep(examples, plan, before, options))

  return stepBack(examples, plan, before.step, record, after, options)
}
