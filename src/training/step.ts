import { addScaled, addScores, adjointStep, cotangentStep, encodeFloats, feeWeights, forwardStep, gradDotChunk, hashState, reverseStep } from '../attribution/index.ts'
import { adamState, peftToTheta } from '../models/index.ts'
import { endOf, feesOf, methodScores, replayReceipts, sortedLines, tableOf, withoutDropped } from './assess.ts'
import { FILE_BYTES_MAX } from './constants.ts'
import { AdapterMismatchError, TrainingInputError } from './errors.ts'
import { readRecipe, withRun } from './run.ts'
import { checkSources, showsRows } from './sources.ts'
import { readStart, startShapeOf } from './step-start.ts'
import { computeStart, cotangentOf } from './step-state.ts'
import { counted } from './step-work.ts'
import { placeOf, sumStep, tableStep } from './trace.ts'
import type { StepOptions, TrainingComponents } from './interface.ts'
import type { RunSettings } from './run.ts'
import type { StepStart } from './step-start.ts'
import type { FromStart } from './step-state.ts'
import type { Place } from './trace.ts'
import type { Adapter, Hash, ReceiptOpening } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** All that a step is computed from. */
interface Judged extends FromStart {
  id: CID
  start: StepStart
}

/**
 * One step of the trace of `runAssessment`, or at its end the step that the table makes.
 *
 * With the state that it starts from (`from`) it is that step alone: one receipt, one step of
 * training, one step back, some examples. Without it, everything before it as well: from the recipe's
 * start and never from a checkpoint, since those are the developer's word, and a false one must not
 * make an honest assessor lose.
 *
 * @returns null if the trace has no step `index`
 * @throws {StepStateError | StateEncodingError} when `from` is not the state before the step
 */
export async function runStep (components: TrainingComponents, settings: RunSettings, id: CID, adapter: Adapter, receipts: ReceiptOpening[], index: number, options: StepOptions): Promise<Hash | null> {
  const lines = sortedLines(receipts)
  const recipe = await readRecipe(components, adapter.recipe, options)
  const { from } = options

  if (!Number.isSafeInteger(index) || index < 0) {
    throw new TrainingInputError(`expected the index of a step but got ${index}`)
  }

  return withRun(components, settings, recipe, options, async run => {
    const shape = startShapeOf(run, adapter, lines.length)
    const place = placeOf(shape, index)

    if (place === null) {
      return null
    }

    const task: FromStart = { components, run, adapter, lines, work: { receipts: 0, gradients: 0, duals: 0 }, options }
    const start = from === undefined ? (await computeStart(task, place)).start : readStart(shape, place, index, from)
    const step = await stepAt({ ...task, id, start }, place)

    options.onProgress?.({ type: 'training:judged', ...task.work })

    return step
  })
}

async function stepAt (task: Judged, place: Place): Promise<Hash> {
  switch (place.kind) {
    case 'receipt': return receipt(task, place.receipt)
    case 'forward': return forward(task)
    case 'cotangent': return cotangentStep(task.run.plan.batches.length, cotangentOf(task.run, task.start))
    case 'adjoint': return adjoint(task)
    case 'chunk': return chunk(task, place.first)
    case 'method': return method(task, place.at)
    default: return result(task)
  }
}

async function receipt ({ components, run, adapter, lines, start, work, options }: Judged, index: number): Promise<Hash> {
  const theta = peftToTheta(run.shape, await components.storage.getFile(adapter.weights, { signal: options.signal, bytesMax: FILE_BYTES_MAX }))
  const sum = cotangentOf(run, start)
  const weight = feeWeights(feesOf(lines))[index]
  const { steps: [step] } = await replayReceipts(run, theta, [lines[index]], options, [], (_, step, gradient) => {
    // an honest seat commits only if all receipts hold, so all weigh
    addScaled(sum, weight, gradient ?? new Float64Array(run.shape.parameters))
  })

  work.receipts++

  return sumStep(step, encodeFloats(index, sum))
}

async function forward ({ run, start, work, options }: Judged): Promise<Hash> {
  const { state } = await forwardStep(counted(run.pool, work), run.plan, start.before ?? adamState(run.theta0), options)

  return hashState(state)
}

async function adjoint ({ run, start, work, options }: Judged): Promise<Hash> {
  const { parameters } = run.pool
  const before = start.before ?? adamState(run.theta0)
  const state = start.adjoint ?? { theta: cotangentOf(run, start), m: new Float64Array(parameters), v: new Float64Array(parameters) }
  const scores = await reverseStep(counted(run.pool, work), run.plan, before, state, options)

  return adjointStep(before.step, state, scores)
}

async function chunk ({ components, run, adapter, start, work, options }: Judged, first: number): Promise<Hash> {
  const { theta } = await endOf(components, run, adapter, options)
  const { hash } = await gradDotChunk(counted(run.pool, work), theta, cotangentOf(run, start), first, options)

  return hash
}

/** Methods without a run have nothing smaller than themselves; the receipts at least are spared. */
async function method ({ components, run, adapter, start, work, options }: Judged, at: number): Promise<Hash> {
  const { trace } = await methodScores(components, run, adapter, cotangentOf(run, start), options)
  const step = trace.at(at)

  work.gradients += run.pool.examples

  if (step === undefined) {
    throw new AdapterMismatchError(`its method ${adapter.method} has no step ${at}`)
  }

  return step
}

/** From the scores of examples to the table: no pass of a model, but all texts, to tell near duplicates. */
async function result ({ components, run, id, adapter, lines, start, options }: Judged): Promise<Hash> {
  const openings = lines.map(({ opening }) => opening)
  const sources = await checkSources(components, run.snapshot, openings, options)
  const shown = await showsRows(components, run.base, openings, sources, options)

  return tableStep(await tableOf(run, id, adapter, exampleScoresOf(run, adapter, start.scores ?? []), { sources, shown, fees: feesOf(lines) }, options))
}

function exampleScoresOf (run: Judged['run'], { method }: Adapter, scores: Float64Array[]): Float64Array {
  const { plan: { batches }, pool: { examples } } = run
  const exampleScores = new Float64Array(examples)

  if (method === 'trajectory') {
    scores.forEach((one, back) => { addScores(exampleScores, batches[batches.length - 1 - back], one) })

    return exampleScores
  }

  scores.reduce((offset, one) => {
    exampleScores.set(one, offset)

    return offset + one.length
  }, 0)

  return withoutDropped(run, exampleScores)
}
