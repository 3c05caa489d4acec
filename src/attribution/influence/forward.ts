import { adamSettings, optimiserStep } from '../../models/index.ts'
import { zeroStateVector } from './adam-derivatives.ts'
import { COLUMNS_MAX } from './constants.ts'
import { AttributionInputError } from './errors.ts'
import { checkLength, start } from './train.ts'
import { stepTangent } from './update-derivatives.ts'
import { addScaled, checkFinite, dot, isZero, normalised, scaleInPlace } from './vectors.ts'
import type { StateVector } from './adam-derivatives.ts'
import type { AttributionEvent, Evaluator } from './interface.ts'
import type { TrainingState } from './state.ts'
import type { AbortOptions } from '../../interface/index.ts'
import type { TrainingPlan } from '../../models/index.ts'

export interface ForwardOptions extends AbortOptions {
  theta0: Float64Array
  /**
   * Which contributions' columns to compute.
   *
   * @default all
   */
  columns?: number[]
  onProgress? (event: AttributionEvent): void
}

export interface Jacobian {
  /** per asked contribution c: dθ_T/dw_c, `parameters` values */
  columns: Float64Array[]
  /** the end of the run, which the tangents went along with; equals the trained adapter's to the bit */
  theta: Float64Array
}

interface Column {
  group: number
  tangent: StateVector
  /** change of the batch gradient at this step */
  change: Float64Array
}

/**
 * The influence Jacobian by forward tangents: how the end of training moves with the weight of each
 * contribution's examples (MAGIC, arXiv 2504.16430, forward form). Columns do not influence each
 * other: computed together, apart or on other machines they have the same bytes.
 *
 * ġ_c = (1/B) ( Σᵢ Hᵢ·θ̇_c + Σ_{i in c} ∇ℓᵢ ), then θ̇_c goes through the derivative of Adam
 *
 * @param examples - whoever computes them
 * @param plan - of the run
 * @param groups - the contribution of each example
 * @param contributions - how many there are
 * @param options - the start, and which columns
 */
export async function forwardInfluence (examples: Evaluator, plan: TrainingPlan, groups: Uint32Array, contributions: number, options: ForwardOptions): Promise<Jacobian> {
  const state = start(examples, plan, { theta0: options.theta0 })
  const { parameters } = examples
  const wanted = options.columns ?? Array.from({ length: contributions }, (_, i) => i)

  checkLength('groups', groups, examples.examples)

  if (wanted.length > COLUMNS_MAX || wanted.some(column => !(column >= 0 && column < contributions))) {
    throw new AttributionInputError(`expected at most ${COLUMNS_MAX} columns below ${contributions} but got ${wanted.length} of them: split the work or use the reverse form`)
  }

  const columns = wanted.map(group => ({ group, tangent: zeroStateVector(parameters), change: new Float64Array(parameters) }))
  const steps = plan.batches.length

  while (state.step < steps) {
    await forwardStep(examples, plan, groups, columns, state, options)
    options.onProgress?.({ type: 'attribution:forward:step', step: state.step, steps })
  }

  return { columns: columns.map(({ tangent }) => tangent.theta), theta: state.theta }
}

async function forwardStep (examples: Evaluator, plan: TrainingPlan, groups: Uint32Array, columns: Column[], state: TrainingState, options: ForwardOptions): Promise<void> {
  const batch = plan.batches[state.step]
  const settings = adamSettings(plan, state.step)
  const gradient = new Float64Array(examples.parameters)
  // a contribution moves nothing before its first example was seen
  const moved = columns.filter(({ tangent }) => !isZero(tangent.theta))
  const directions = moved.map(({ tangent }) => normalised(tangent.theta))

  for (const { change } of columns) {
    change.fill(0)
  }

  await examples.duals(state.theta, batch, directions.map(({ direction }) => direction), (position, loss, exampleGradient, derivatives, hvps) => {
    addScaled(gradient, 1, exampleGradient)

    for (let k = 0; k < moved.length; k++) {
      addScaled(moved[k].change, directions[k].factor, hvps[k])
    }

    for (const { group, change } of columns) {
      if (group === groups[batch[position]]) {
        addScaled(change, 1, exampleGradient)
      }
    }
  }, options)

  scaleInPlace(gradient, 1 / batch.length)
  checkFinite('the gradient', state.step, gradient)
  optimiserStep(state, gradient, settings)

  for (const { tangent, change } of columns) {
    scaleInPlace(change, 1 / batch.length)
    stepTangent(tangent, state, gradient, change, settings)
    checkFinite('an influence column', state.step, tangent.theta)
  }
}

/**
 * What each contribution did for an answer.
 *
 * @param columns - of the Jacobian
 * @param answerGradient - gradient of the answer's log-likelihood over the trained parameters
 * @returns per column the derivative of the answer's log-likelihood by the contribution's weight;
 * positive: it helped
 */
export function influenceOfAnswer (columns: Float64Array[], answerGradient: Float64Array): number[] {
  return columns.map(column => {
    checkLength('the answer gradient', answerGradient, column.length)

    return dot(column, answerGradient)
  })
}
