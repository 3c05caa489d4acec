import { encodeFloats, hashState, taskCotangent, train } from '../attribution/index.ts'
import { peftToTheta } from '../models/index.ts'
import { domains, hash, utf8 } from '../wire/index.ts'
import { replayReceipts, runAssessment, sortedLines } from './assess.ts'
import { FILE_BYTES_MAX } from './constants.ts'
import { AdapterMismatchError, TrainingInputError } from './errors.ts'
import { readRecipe, withRun } from './run.ts'
import type { Line } from './assess.ts'
import type { AssessOptions, TrainingComponents } from './interface.ts'
import type { Run, RunSettings } from './run.ts'
import type { Adapter, Hash, ReceiptOpening } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

const COTANGENT_STEP = 'cotangent'

/**
 * One step of the trace of `runAssessment`, with as little of the rest as it follows from: a receipt
 * is one pass over one answer, a training step the run up to it without the way back, the cotangent
 * all receipts without the run. An adjoint follows from everything before it, so it takes all.
 *
 * Always from the recipe's start and never from a checkpoint: those are the developer's word, and a
 * false one must not make an honest assessor lose.
 *
 * @returns null if the trace has no step `index`
 */
export async function runStep (components: TrainingComponents, settings: RunSettings, id: CID, adapter: Adapter, receipts: ReceiptOpening[], index: number, options: AssessOptions): Promise<Hash | null> {
  const lines = sortedLines(receipts)
  const recipe = await readRecipe(components, adapter.recipe, options)
  const trained = index - lines.length

  if (!Number.isSafeInteger(index) || index < 0) {
    throw new TrainingInputError(`expected the index of a step but got ${index}`)
  }

  if (trained > recipe.steps || (trained >= 0 && adapter.method !== 'trajectory')) {
    const { trace } = await runAssessment(components, settings, id, adapter, receipts, options)

    return trace.at(index) ?? null
  }

  return withRun(components, settings, recipe, options, async run => {
    if (trained >= 0 && trained < recipe.steps) {
      return trainingStep(run, trained, options)
    }

    const theta = peftToTheta(run.shape, await components.storage.getFile(adapter.weights, { signal: options.signal, bytesMax: FILE_BYTES_MAX }))

    return trained < 0 ? (await replayReceipts(run, theta, [lines[index]], options)).steps[0] : cotangentStep(run, theta, lines, options)
  })
}

async function trainingStep (run: Run, step: number, options: AssessOptions): Promise<Hash> {
  for await (const { state } of train(run.pool, run.plan, { theta0: run.theta0, until: step + 1, signal: options.signal })) {
    if (state.step === step + 1) {
      return hashState(state)
    }
  }

  throw new AdapterMismatchError(`its run has no step ${step + 1}`)
}

async function cotangentStep (run: Run, theta: Float64Array, lines: Line[], options: AssessOptions): Promise<Hash> {
  const { parameters } = run.shape
  const { gradients } = await replayReceipts(run, theta, lines, options)
  const fees = lines.map(({ opening }, i) => gradients[i] === undefined ? 0n : opening.receipt.payload.fee)
  const cotangent = await taskCotangent(parameters, fees, i => gradients[i] ?? new Float64Array(parameters))

  return hash(domains.traceStep, utf8(COTANGENT_STEP), encodeFloats(run.plan.batches.length, cotangent))
}
