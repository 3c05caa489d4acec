import { adamSettings, cloneAdamState } from '../../models/index.ts'
import { adjointStep, cotangentStep } from './adjoint.ts'
import { segmentLength } from './memory.ts'
import { hashState } from './state.ts'
import { checkLength, start, train } from './train.ts'
import { stepAdjoint } from './update-derivatives.ts'
import { addScaled, checkFinite, normalised } from './vectors.ts'
import type { StateVector } from './adam-derivatives.ts'
import type { AttributionEvent, Evaluator, ExampleScores } from './interface.ts'
import type { TrainingState } from './state.ts'
import type { TrainingStep } from './train.ts'
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

/** A step of a replay, with its hash in the trace. What it holds is valid until the next one. */
export type ReplayStep =
  /** `state`: after the step */
  | { kind: 'forward', hash: Hash, state: TrainingState }
  | { kind: 'cotangent', hash: Hash }
  /** `step`: the training step that was gone back over, from 0; `adjoint`: before it; `scores`: of its batch */
  | { kind: 'adjoint', hash: Hash, step: number, adjoint: StateVector, scores: Float64Array }

/** What the way back through one step needs. */
export interface StepRecord {
  /** before the step */
  theta: Float64Array
  gradient: Float64Array
  /** after the step; theta is not read */
  after: TrainingState
}

interface Segment {
  state: TrainingState
  /** of the last segment, which is gone back over first */
  records?: StepRecord[]
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
  const exampleScores = new Float64Array(examples.examples)
  const trace: Hash[] = []

  for await (const done of replaySteps(examples, plan, options)) {
    trace.push(done.hash)

    if (done.kind === 'adjoint') {
      addScores(exampleScores, plan.batches[done.step], done.scores)
    }
  }

  return { exampleScores, trace }
}

/** Adds what one step gave its batch, in the batch's order. */
export function addScores (exampleScores: Float64Array, batch: Uint32Array, scores: Float64Array): void {
  batch.forEach((example, position) => { exampleScores[example] += scores[position] })
}

/**
 * The same replay, step by step, for who needs what lies between.
 *
 * @throws {DivergedError} when the run or its adjoint is not finite
 */
export async function * replaySteps (examples: Evaluator, plan: TrainingPlan, options: ReplayOptions): AsyncGenerator<ReplayStep> {
  const { parameters } = examples
  const steps = plan.batches.length

  checkLength('the cotangent', options.cotangent, parameters)
  checkFinite('the cotangent', steps, options.cotangent)

  const length = segmentLength(steps, parameters, options.bytesMax)
  const segments: Segment[] = []

  yield * forwardPass(examples, plan, length, options, segments)

  const adjoint = { theta: options.cotangent.slice(), m: new Float64Array(parameters), v: new Float64Array(parameters) }

  yield { kind: 'cotangent', hash: cotangentStep(steps, options.cotangent) }

  // whatever was gone back over is let go: one segment's records at a time
  for (let last = segments.pop(); last !== undefined; last = segments.pop()) {
    const { state } = last
    const records = last.records ?? await record(examples, plan, state, Math.min(state.step + length, steps), options)

    for (let done = records.pop(); done !== undefined; done = records.pop()) {
      const step = state.step + records.length
      const scores = await stepBack(examples, plan, step, done, adjoint, options)

      yield { kind: 'adjoint', hash: adjointStep(step, adjoint, scores), step, adjoint, scores }
      options.onProgress?.({ type: 'attribution:backward:step', step: steps - step, steps })
    }
  }
}

/** Runs forward once; keeps the segments' starts and the last segment's records. */
async function * forwardPass (examples: Evaluator, plan: TrainingPlan, length: number, options: ReplayOptions, segments: Segment[]): AsyncGenerator<ReplayStep> {
  const steps = plan.batches.length
  let state = start(examples, plan, options)

  while (state.step < steps) {
    const until = Math.min(state.step + length, steps)
    const records: StepRecord[] | undefined = until === steps ? [] : undefined
    let { theta } = state
    let last = state

    segments.push({ state, records })

    for await (const done of train(examples, plan, { from: state, until, signal: options.signal })) {
      yield { kind: 'forward', hash: hashState(done.state), state: done.state }
      options.onProgress?.({ type: 'attribution:forward:step', step: done.state.step, steps })

      if (records !== undefined) {
        records.push(recordOf(theta, done))
        theta = records[records.length - 1].after.theta
      }

      last = done.state
    }

    state = cloneAdamState(last)
  }
}

async function record (examples: Evaluator, plan: TrainingPlan, from: TrainingState, until: number, options: AbortOptions): Promise<StepRecord[]> {
  const records: StepRecord[] = []
  let { theta } = from

  for await (const done of train(examples, plan, { from, until, signal: options.signal })) {
    records.push(recordOf(theta, done))
    theta = records[records.length - 1].after.theta
  }

  return records
}

/** What is kept of a step, `theta` being the weights before it. */
export function recordOf (theta: Float64Array, { state, gradient }: TrainingStep): StepRecord {
  return { theta, gradient: gradient.slice(), after: cloneAdamState(state) }
}

/**
 * Goes back over one step. `adjoint`, of the state after it, becomes that of the state before it.
 *
 * @returns the scores of the step's batch, in its order
 */
export async function stepBack (examples: Evaluator, plan: TrainingPlan, step: number, { theta, gradient, after }: StepRecord, adjoint: StateVector, options: AbortOptions): Promise<Float64Array> {
  const batch = plan.batches[step]
  const pull = new Float64Array(examples.parameters)
  const scores = new Float64Array(batch.length)

  stepAdjoint(adjoint, after, gradient, adamSettings(plan, step), pull)
  checkFinite('the adjoint', step, pull)

  const { direction, factor } = normalised(pull)
  const share = factor / batch.length

  await examples.duals(theta, batch, [direction], (position, loss, exampleGradient, derivatives, hvps) => {
    scores[position] = share * derivatives[0]
    addScaled(adjoint.theta, share, hvps[0])
  }, options)

  return scores
}
