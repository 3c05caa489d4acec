import { adjointDigest, encodeAdjoint, encodeFloats, encodeState, GRADDOT_CHUNK, gradDotChunk, replaySteps, train } from '../attribution/index.ts'
import { adamState, cloneAdamState, peftToTheta } from '../models/index.ts'
import { concatBytes } from '../wire/index.ts'
import { endOf, feesOf, methodScores, sortedLines, sumReceipts } from './assess.ts'
import { EXAMPLES_MAX, FILE_BYTES_MAX } from './constants.ts'
import { AdapterMismatchError, StepStateError } from './errors.ts'
import { readRecipe, readRecords, withRun } from './run.ts'
import { readStart, startBytesMax, startShapeOf } from './step-start.ts'
import { counted } from './step-work.ts'
import { placeOf, shapeOf } from './trace.ts'
import type { Line } from './assess.ts'
import type { AssessOptions, TrainingComponents } from './interface.ts'
import type { Run, RunSettings } from './run.ts'
import type { StepStart } from './step-start.ts'
import type { StepWork } from './step-work.ts'
import type { Place } from './trace.ts'
import type { TrainingState } from '../attribution/index.ts'
import type { AbortOptions, Adapter, Hash, ReceiptOpening } from '../interface/index.ts'

/** A task as far as it is computed from its beginning. */
export interface FromStart {
  components: TrainingComponents
  run: Run
  adapter: Adapter
  lines: Line[]
  work: StepWork
  options: AssessOptions
}

/** What a step starts from, and the bytes that show it: see `readStart`. */
interface Computed {
  start: StepStart
  parts: Uint8Array[]
}

/**
 * What a seat publishes of a step in dispute, for the validators to compute that step alone: computed
 * again up to there, since nobody keeps the states of a whole run. `steps` are those of the seat's own
 * trace before it.
 *
 * @throws {StepStateError} when the steps are not what this computation gives
 */
export async function runStepState (components: TrainingComponents, settings: RunSettings, adapter: Adapter, receipts: ReceiptOpening[], steps: Hash[], options: AssessOptions): Promise<Uint8Array> {
  const lines = sortedLines(receipts)
  const recipe = await readRecipe(components, adapter.recipe, options)

  return withRun(components, settings, recipe, options, async run => {
    const shape = startShapeOf(run, adapter, lines.length)
    const place = placeOf(shape, steps.length)

    if (place === null) {
      throw new StepStateError(`the trace has no step ${steps.length}`)
    }

    const { parts } = await computeStart({ components, run, adapter, lines, work: { receipts: 0, gradients: 0, duals: 0 }, options }, place)
    const bytes = concatBytes(...steps, ...parts)

    readStart(shape, place, steps.length, bytes)

    return bytes
  })
}

/**
 * The bytes of a state at most, from the records of a run alone: batches may be smaller, and a run
 * may have fewer examples.
 *
 * @returns 0 where the trace has no such step, or it starts from nothing
 */
export async function stepStateBytesMax (components: TrainingComponents, adapter: Adapter, receipts: number, index: number, options: AbortOptions): Promise<number> {
  const { recipe, shape: { parameters } } = await readRecords(components, await readRecipe(components, adapter.recipe, options), options)
  const shape = { ...shapeOf(adapter, receipts, recipe.steps, EXAMPLES_MAX), parameters, batchOf: () => recipe.batchSize }
  const place = placeOf(shape, index)

  if (place === null) {
    return 0
  }

  // where a trace without a run ends depends on how many examples there are
  const bytes = adapter.method === 'trajectory' || place.kind === 'receipt' ? 0 : startBytesMax(shape, { kind: 'result' }, index)

  return Math.max(bytes, startBytesMax(shape, place, index))
}

/** Everything up to a step. */
export async function computeStart (task: FromStart, place: Place): Promise<Computed> {
  switch (place.kind) {
    case 'receipt': return sumBefore(task, place.receipt)
    case 'forward': return stateBefore(task, place.step)
    case 'adjoint': return adjointAfter(task, place.step)
    case 'result': return task.adapter.method === 'trajectory' ? replayed(task) : scored(task)
    default: return sumBefore(task, task.lines.length)
  }
}

async function sumBefore ({ components, run, adapter, lines, work, options }: FromStart, receipts: number): Promise<Computed> {
  if (receipts === 0) {
    return { start: {}, parts: [] }
  }

  const theta = peftToTheta(run.shape, await components.storage.getFile(adapter.weights, { signal: options.signal, bytesMax: FILE_BYTES_MAX }))
  const { steps, sum } = await sumReceipts(run, theta, lines.slice(0, receipts), feesOf(lines), options)

  work.receipts += receipts

  return { start: { sum }, parts: [steps[receipts - 1], encodeFloats(receipts, sum)] }
}

async function stateBefore ({ run, work, options }: FromStart, step: number): Promise<Computed> {
  let before = adamState(run.theta0)

  for await (const { state } of train(counted(run.pool, work), run.plan, { theta0: run.theta0, until: step, signal: options.signal })) {
    before = state
  }

  return { start: { before }, parts: step === 0 ? [] : [encodeState(before)] }
}

/** The adjoint of the state after a training step, and the state before it. */
async function adjointAfter (task: FromStart, step: number): Promise<Computed> {
  const { run, work, options } = task
  const sum = await sumBefore(task, task.lines.length)

  if (step === run.plan.batches.length - 1) {
    const state = await stateBefore(task, step)

    return { start: { ...sum.start, ...state.start }, parts: [...sum.parts, ...state.parts] }
  }

  let before: TrainingState = adamState(run.theta0)

  for await (const done of replaySteps(counted(run.pool, work), run.plan, { theta0: run.theta0, cotangent: cotangentOf(run, sum.start), signal: options.signal })) {
    if (done.kind === 'forward' && done.state.step === step) {
      before = cloneAdamState(done.state)
    }

    if (done.kind === 'adjoint' && done.step === step + 1) {
      const { adjoint, scores } = done

      return { start: { before, adjoint }, parts: [encodeAdjoint(step, adjoint), encodeFloats(step, scores), ...step === 0 ? [] : [encodeState(before)]] }
    }
  }

  throw new AdapterMismatchError(`its run has no step ${step + 1}`)
}

/** The scores of each batch on the whole way back. */
async function replayed (task: FromStart): Promise<Computed> {
  const { run, work, options } = task
  const { start: { sum } } = await sumBefore(task, task.lines.length)
  const found: Computed = { start: { scores: [] }, parts: [] }

  for await (const done of replaySteps(counted(run.pool, work), run.plan, { theta0: run.theta0, cotangent: cotangentOf(run, { sum }), signal: options.signal })) {
    if (done.kind === 'adjoint') {
      found.start.scores?.push(done.scores)
      found.parts.push(adjointDigest(encodeAdjoint(done.step, done.adjoint)), encodeFloats(done.step, done.scores))
    }
  }

  return found
}

/** The scores of a method without a run. */
async function scored (task: FromStart): Promise<Computed> {
  const { components, run, adapter, work, options } = task
  const cotangent = cotangentOf(run, (await sumBefore(task, task.lines.length)).start)

  if (adapter.method !== 'graddot') {
    const { exampleScores } = await methodScores(components, run, adapter, cotangent, options)

    work.gradients += run.pool.examples

    return { start: { scores: [exampleScores] }, parts: [encodeFloats(0, exampleScores)] }
  }

  const { theta } = await endOf(components, run, adapter, options)
  const found: Computed = { start: { scores: [] }, parts: [] }

  for (let first = 0; first < run.pool.examples; first += GRADDOT_CHUNK) {
    const { digest, scores } = await gradDotChunk(counted(run.pool, work), theta, cotangent, first, options)

    found.start.scores?.push(scores)
    found.parts.push(digest, encodeFloats(first, scores))
  }

  return found
}

/** The weighted sum of the answers' gradients; zero without receipts. */
export function cotangentOf ({ shape }: Run, { sum }: StepStart): Float64Array {
  return sum ?? new Float64Array(shape.parameters)
}
