import { adamSettings, cloneAdamState } from '../../models/index.ts'
import { domains, hash, utf8 } from '../../wire/index.ts'
import { ADJOINT_STEP, COTANGENT_STEP } from './constants.ts'
import { segmentLength } from './memory.ts'
import { encodeFloats, hashState } from './state.ts'
import { checkLength, start, train } from './train.ts'
import { stepAdjoint } from './update-derivatives.ts'
import { addScaled, checkFinite, normalised } from './vectors.ts'
import type { StateVector } from './adam-derivatives.ts'
import type { AttributionEvent, Evaluator, ExampleScores } from './interface.ts'
import type { TrainingState } from './state.ts'
import type { AbortOptions, Hash } from '../../interface/index.ts'
import type { TrainingPlan } from '../../models/index.ts'

export interface ReplayOptions extends AbortOptions {
  theta0: Float64Array
  /** gradient, over the trained parameters at the end of the run, of what is attributed */
  cotangent: Float64Array
  /**
   * What may be kept of the forward pass; a longer run is cut into segments that are computed
   * twice. See `replayBytes` for the bound. Does not change any result.
   *
   * @default 268435456
   */
  bytesMax?: number
  onProgress? (event: AttributionEvent): void
}

/** What the way back through one step needs. */
interface StepRecord {
  /** before the step */
  theta: Float64Array
  gradient: Float64Array
  /** after the step; theta is not read */
  after: TrainingState
}

/**
 * Exact example-level scores by one replay of the run backwards (MAGIC, arXiv 2504.16430): forward
 * from theta0, then the adjoint of every Adam step with one Hessian-vector product per example.
 * Costs two to three trainings, however many contributions there are.
 *
 * The trace has a hash for each of: the states after each step; the cotangent; going back, the
 * adjoint before each step together with the scores that the step gave. 2T + 1 in all.
 *
 * @throws {DivergedError} when the run or its adjoint is not finite
 */
export async function reverseReplay (examples: Evaluator, plan: TrainingPlan, options: ReplayOptions): Promise<ExampleScores> {
  const { parameters } = examples
  const steps = plan.batches.length

  checkLength('the cotangent', options.cotangent, parameters)
  checkFinite('the cotangent', steps, options.cotangent)

  const length = segmentLength(steps, parameters, options.bytesMax)
  const trace: Hash[] = []
  const starts = await forwardPass(examples, plan, length, options, trace)
  const adjoint = { theta: options.cotangent.slice(), m: new Float64Array(parameters), v: new Float64Array(parameters) }
  const exampleScores = new Float64Array(examples.examples)

  trace.push(hash(domains.traceStep, utf8(COTANGENT_STEP), encodeFloats(steps, options.cotangent)))

  // whatever was gone back over is let go: one segment's records at a time
  for (let last = starts.pop(); last !== undefined; last = starts.pop()) {
    const { state } = last
    const records = last.records ?? await record(examples, plan, state, Math.min(state.step + length, steps), options)

    for (let done = records.pop(); done !== undefined; done = records.pop()) {
      const step = state.step + records.length

      trace.push(await stepBack(examples, plan, step, done, adjoint, exampleScores, options))
      options.onProgress?.({ type: 'attribution:backward:step', step: steps - step, steps })
    }
  }

  return { exampleScores, trace }
}

/** Runs forward once, hashing each state; keeps the segments' starts and the last segment's records. */
async function forwardPass (examples: Evaluator, plan: TrainingPlan, length: number, options: ReplayOptions, trace: Hash[]): Promise<Array<{ state: TrainingState, records?: StepRecord[] }>> {
  const steps = plan.batches.length
  const starts: Array<{ state: TrainingState, records?: StepRecord[] }> = []
  let state = start(examples, plan, options)

  while (state.step < steps) {
    const until = Math.min(state.step + length, steps)
    const onStep = (after: TrainingState): void => {
      trace.push(hashState(after))
      options.onProgress?.({ type: 'attribution:forward:step', step: after.step, steps })
    }

    if (until === steps) {
      starts.push({ state, records: await record(examples, plan, state, until, options, onStep) })
      break
    }

    starts.push({ state })

    let last = state

    for await (const step of train(examples, plan, { from: state, until, signal: options.signal })) {
      onStep(step.state)
      last = step.state
    }

    state = cloneAdamState(last)
  }

  return starts
}

async function record (examples: Evaluator, plan: TrainingPlan, from: TrainingState, until: number, options: AbortOptions, onStep?: (after: TrainingState) => void): Promise<StepRecord[]> {
  const records: StepRecord[] = []
  let theta: Float64Array = from.theta.slice()

  for await (const { state, gradient } of train(examples, plan, { from, until, signal: options.signal })) {
    onStep?.(state)

    const after = cloneAdamState(state)

    records.push({ theta, gradient: gradient.slice(), after })
    theta = after.theta
  }

  return records
}

async function stepBack (examples: Evaluator, plan: TrainingPlan, step: number, { theta, gradient, after }: StepRecord, adjoint: StateVector, exampleScores: Float64Array, options: AbortOptions): Promise<Hash> {
  const batch = plan.batches[step]
  const pull = new Float64Array(examples.parameters)
  const scores = new Float64Array(batch.length)

  stepAdjoint(adjoint, after, gradient, adamSettings(plan, step), pull)
  checkFinite('the adjoint', step, pull)

  const { direction, factor } = normalised(pull)
  const share = factor / batch.length

  await examples.duals(theta, batch, [direction], (position, loss, exampleGradient, derivatives, hvps) => {
    scores[position] = share * derivatives[0]
    exampleScores[batch[position]] += scores[position]
    addScaled(adjoint.theta, share, hvps[0])
  }, options)

  return hash(domains.traceStep, utf8(ADJOINT_STEP), encodeFloats(step, adjoint.theta, adjoint.m, adjoint.v, scores))
}
