import { adamSettings, adamState, cloneAdamState, optimiserStep } from '../../models/index.ts'
import { STEPS_MAX } from '../../wire/index.ts'
import { STATE_PARAMETERS_MAX } from './constants.ts'
import { AttributionInputError } from './errors.ts'
import { addScaled, checkFinite, scaleInPlace } from './vectors.ts'
import type { Evaluator } from './interface.ts'
import type { TrainingState } from './state.ts'
import type { AbortOptions } from '../../interface/index.ts'
import type { TrainingPlan } from '../../models/index.ts'

export interface TrainOptions extends AbortOptions {
  /** the start; not needed with `from` */
  theta0?: Float64Array
  /** goes on after this state instead, to the same bytes */
  from?: TrainingState
  /**
   * Stops after this step.
   *
   * @default all steps of the plan
   */
  until?: number
  /**
   * Weight of each example's loss; for counterfactuals.
   *
   * @default 1 for all
   */
  weights?: ArrayLike<number>
}

export interface TrainingStep {
  /** after the step; valid until the next one, clone what you keep */
  state: TrainingState
  /** the batch gradient that made the step, before clipping; valid until the next one */
  gradient: Float64Array
  /** mean over the batch, nats per token */
  loss: number
}

/**
 * Trains, one step per turn. The gradient of step t is (1/B) Σᵢ wᵢ∇ℓᵢ(θₜ), summed in the batch's
 * order in f64. This is the one way to train: jobs, replays and spot checks all run it.
 *
 * @throws {DivergedError} when the gradient is not finite
 * @throws {AttributionInputError} when plan, start and objective do not fit together
 */
export async function * train (examples: Evaluator, plan: TrainingPlan, options: TrainOptions): AsyncGenerator<TrainingStep> {
  const state = start(examples, plan, options)
  const gradient = new Float64Array(examples.parameters)
  const until = Math.min(options.until ?? plan.batches.length, plan.batches.length)

  while (state.step < until) {
    const step = state.step
    const batch = plan.batches[step]
    let loss = 0

    gradient.fill(0)
    await examples.gradients(state.theta, batch, (position, exampleLoss, exampleGradient) => {
      loss += exampleLoss
      addScaled(gradient, options.weights?.[batch[position]] ?? 1, exampleGradient)
    }, options)
    scaleInPlace(gradient, 1 / batch.length)
    checkFinite('the gradient', step, gradient)
    optimiserStep(state, gradient, adamSettings(plan, step))

    yield { state, gradient, loss: loss / batch.length }
  }
}

/** The state from which a run begins, as a copy. */
export function start (examples: Evaluator, plan: TrainingPlan, options: Pick<TrainOptions, 'theta0' | 'from'>): TrainingState {
  checkPlan(examples, plan)

  if (options.from !== undefined) {
    checkLength('the training state', options.from.theta, examples.parameters)

    return cloneAdamState(options.from)
  }

  if (options.theta0 === undefined) {
    throw new AttributionInputError('training needs a start: pass theta0 or a state to go on from')
  }

  checkLength('theta0', options.theta0, examples.parameters)

  return adamState(options.theta0.slice())
}

export function checkLength (what: string, values: ArrayLike<number>, length: number): void {
  if (values.length !== length) {
    throw new AttributionInputError(`${what} must have ${length} values but has ${values.length}: it belongs to another recipe`)
  }
}

function checkPlan (examples: Evaluator, plan: TrainingPlan): void {
  if (examples.parameters > STATE_PARAMETERS_MAX || plan.batches.length > STEPS_MAX) {
    throw new AttributionInputError(`expected at most ${STATE_PARAMETERS_MAX} parameters and ${STEPS_MAX} steps but got ${examples.parameters} and ${plan.batches.length}`)
  }

  if (plan.learningRates.length !== plan.batches.length) {
    throw new AttributionInputError(`expected a learning rate for each of ${plan.batches.length} steps but got ${plan.learningRates.length}`)
  }

  for (const batch of plan.batches) {
    if (batch.length === 0 || batch.some(example => example >= examples.examples)) {
      throw new AttributionInputError(`expected batches of examples below ${examples.examples}, none of them empty: the plan was made for other data`)
    }
  }
}
