import { addScaled, decodeState, encodeFloats, feeWeights, hashState, influenceMethod, loraBlocks, methodCosts, reverseReplay } from '../attribution/index.ts'
import { ENGINE, peftToTheta, samplerText } from '../models/index.ts'
import { contributionScores, creditRetrieved } from '../scoring/index.ts'
import { answerConditionsCodec, cidOf, compareBytes, cosignedReceiptCodec, domains, hash, utf8 } from '../wire/index.ts'
import { FILE_BYTES_MAX, RECEIPTS_MAX } from './constants.ts'
import { AdapterMismatchError, TrainingInputError } from './errors.ts'
import { secondsLeft } from './pace.ts'
import { representativesOf } from './players.ts'
import { readRecipe, withRun } from './run.ts'
import { checkSources } from './sources.ts'
import { sumStep } from './trace.ts'
import type { AssessOptions, Assessment, TrainingComponents, TrainingEvent } from './interface.ts'
import type { Run, RunSettings } from './run.ts'
import type { CheckedSources } from './sources.ts'
import type { CheckpointWeights, ExampleScores, MethodShape, TrainingState } from '../attribution/index.ts'
import type { AbortOptions, Adapter, Hash, ProgressOptions, ReceiptOpening, ScoreTable } from '../interface/index.ts'
import type { RetrievedAnswer } from '../scoring/index.ts'
import type { CID } from 'multiformats/cid'

/** What a receipt step hashes as, beside the steps of the replay. */
const RECEIPT_STEP = 'receipt'

/** A receipt in its place. */
export interface Line {
  opening: ReceiptOpening
  key: Hash
}

/** The scores for a cotangent by the adapter's own method, on the threads of the run. */
export async function scoresOf (components: TrainingComponents, run: Run, adapter: Adapter, cotangent: Float64Array, options: ProgressOptions<TrainingEvent>): Promise<ExampleScores> {
  if (adapter.method === 'trajectory') {
    return replayScores(components, run, adapter, cotangent, options)
  }

  const { exampleScores, trace } = await methodScores(components, run, adapter, cotangent, options)

  return { exampleScores: withoutDropped(run, exampleScores), trace }
}

/** By a method without a run: of all examples, also those that no batch has. */
export async function methodScores ({ storage }: TrainingComponents, run: Run, adapter: Adapter, cotangent: Float64Array, options: ProgressOptions<TrainingEvent>): Promise<ExampleScores> {
  const { pool, plan, theta0 } = run
  const { signal } = options
  const { theta } = await endOf({ storage }, run, adapter, options)

  // these two are dot products, and their gradients are computed on all threads
  if (adapter.method === 'graddot' || adapter.method === 'tracin') {
    const checkpoints = adapter.method === 'tracin' ? await checkpointWeights(storage, adapter, signal) : undefined

    return influenceMethod(adapter.method, { examples: pool, plan, theta0, theta, checkpoints }).scores(cotangent, { signal })
  }

  const { flops } = methodCosts(methodShapeOf(run, { checkpoints: adapter.checkpoints.length }))[adapter.method]

  return pool.scores({ method: adapter.method, cotangent, plan, theta0, theta, seed: run.recipe.seed }, flops, { signal })
}

async function replayScores ({ storage }: TrainingComponents, run: Run, adapter: Adapter, cotangent: Float64Array, options: ProgressOptions<TrainingEvent>): Promise<ExampleScores> {
  const { pool, plan, theta0 } = run
  const { signal } = options
  const end = await endOf({ storage }, run, adapter, options)
  const started = performance.now()
  const scores = await reverseReplay(pool, plan, {
    theta0,
    cotangent,
    signal,
    onProgress ({ type, step, steps }) {
      // a step back costs about two and a half steps forward
      const share = (type === 'attribution:forward:step' ? step : steps + 2.5 * step) / (3.5 * steps)

      options.onProgress?.({ type: 'training:replay:progress', done: share, total: 1, secondsLeft: secondsLeft(started, share) })
    }
  })

  if (compareBytes(scores.trace[plan.batches.length - 1], hashState(end)) !== 0) {
    throw new AdapterMismatchError('the replay ends in other weights than its last checkpoint')
  }

  return scores
}

/** The state that an adapter's run ended in, by its last checkpoint. */
export async function endOf ({ storage }: Pick<TrainingComponents, 'storage'>, { pool, plan }: Pick<Run, 'pool' | 'plan'>, adapter: Pick<Adapter, 'checkpoints'>, { signal }: AbortOptions): Promise<TrainingState> {
  const last = adapter.checkpoints.at(-1)
  const end = last === undefined ? undefined : decodeState(await storage.getFile(last, { signal, bytesMax: FILE_BYTES_MAX }))

  if (end === undefined || end.step !== plan.batches.length || end.theta.length !== pool.parameters) {
    throw new AdapterMismatchError('its last checkpoint is not the end of the run')
  }

  return end
}

/** Curvature and dot products know nothing of batches, so examples that no batch has would score too. */
export function withoutDropped ({ dropped }: Pick<Run, 'dropped'>, exampleScores: Float64Array): Float64Array {
  return exampleScores.map((score, example) => dropped.has(example) ? 0 : score)
}

/** A run, and how many checkpoints it has, as far as the cost of a method goes. */
export function methodShapeOf ({ pool, plan, shape }: Pick<Run, 'pool' | 'plan' | 'shape'>, { checkpoints }: { checkpoints: number }): MethodShape {
  const { batches } = plan

  return { parameters: pool.parameters, examples: pool.examples, steps: batches.length, seen: batches.reduce((sum, batch) => sum + batch.length, 0), blocks: loraBlocks(shape), checkpoints }
}

export async function checkpointWeights (storage: TrainingComponents['storage'], adapter: Pick<Adapter, 'checkpoints'>, signal?: AbortSignal): Promise<CheckpointWeights[]> {
  const weights: CheckpointWeights[] = []

  for (const cid of adapter.checkpoints) {
    const { step, theta } = decodeState(await storage.getFile(cid, { signal, bytesMax: FILE_BYTES_MAX }))

    weights.push({ step, theta })
  }

  return weights
}

/**
 * The whole of an assessor's recomputation. Receipts are taken in the order of a hash of what was
 * asked and answered, so that neither channels nor salts nor time change a single bit of the sum.
 */
export async function runAssessment (components: TrainingComponents, settings: RunSettings, id: CID, adapter: Adapter, receipts: ReceiptOpening[], options: AssessOptions): Promise<Assessment> {
  const { signal } = options
  const lines = sortedLines(receipts)
  const recipe = await readRecipe(components, adapter.recipe, options)

  return withRun(components, settings, recipe, options, async run => {
    const theta = peftToTheta(run.shape, await components.storage.getFile(adapter.weights, { signal, bytesMax: FILE_BYTES_MAX }))
    const sources = await checkSources(components, run.snapshot, lines.map(({ opening }) => opening), options)
    let fees = feesOf(lines)
    let replayed = await sumReceipts(run, theta, lines, fees, options, sources)

    // what does not follow weighs nothing, which is known once all are replayed
    if (replayed.refused.length > 0) {
      fees = fees.map((fee, i) => replayed.follows[i] ? fee : 0n)
      replayed = await sumReceipts(run, theta, lines, fees, options, sources)
    }

    const { sum, sums, shown, refused } = replayed
    const { exampleScores, trace } = await scoresOf(components, run, adapter, sum, options)

    return {
      table: await tableOf(run, id, adapter, exampleScores, { sources, shown, fees }, options),
      trace: [...sums, ...trace],
      exampleScores,
      groups: run.groups,
      refused
    }
  })
}

/** Replays receipts and sums their gradients by weight as they come: they are never held together. */
export async function sumReceipts (run: Run, theta: Float64Array, lines: Line[], fees: bigint[], options: AssessOptions, sources?: ReadonlyArray<CheckedSources | undefined>): Promise<Replayed & SummedReceipts> {
  const summed: SummedReceipts = { sum: new Float64Array(run.shape.parameters), sums: [] }
  const weights = feeWeights(fees)
  const replayed = await replayReceipts(run, theta, lines, options, sources, (i, step, gradient) => {
    if (gradient !== undefined) {
      addScaled(summed.sum, weights[i], gradient)
    }

    summed.sums.push(sumStep(step, encodeFloats(i, summed.sum)))
  })

  return { ...replayed, ...summed }
}

/** Of all receipts: an honest seat commits only if all of them hold. */
export function feesOf (lines: Line[]): bigint[] {
  return lines.map(({ opening }) => opening.receipt.payload.fee)
}

/** What of the receipts goes into the table besides the influence of examples. */
export interface ShownRows {
  sources: ReadonlyArray<CheckedSources | undefined>
  shown: readonly boolean[]
  /** of the receipts that hold; 0 of others */
  fees: readonly bigint[]
}

/** The scores of contributions that follow from those of examples. */
export async function tableOf (run: Run, id: CID, { method }: Pick<Adapter, 'method'>, exampleScores: Float64Array, { sources, shown, fees }: ShownRows, options: AssessOptions): Promise<ScoreTable> {
  const { contributions } = run.snapshot
  const influence = contributionScores(exampleScores, run.groups, contributions.length, options.representatives ?? await representativesOf(run, options))
  const scores = creditRetrieved(influence, answersWithRows(sources, shown, fees), fees.reduce((sum, fee) => sum + fee, 0n))

  return { type: 'scores', version: 1, adapter: id, method, engine: ENGINE, entries: contributions.map((contribution, i) => ({ contribution, score: scores[i] })) }
}

/** Answers that showed the rows that they were to show, and follow from them. */
export function answersWithRows (sources: ReadonlyArray<CheckedSources | undefined>, shown: readonly boolean[], fees: readonly bigint[]): RetrievedAnswer[] {
  return sources.flatMap((one, i) => one === undefined || !shown[i] ? [] : [{ fee: fees[i], contributions: one.contributions }])
}

/** Receipts in the order in which they are summed and traced. */
export function sortedLines (receipts: ReceiptOpening[]): Line[] {
  if (receipts.length > RECEIPTS_MAX) {
    throw new TrainingInputError(`one task has at most ${RECEIPTS_MAX} receipts but came with ${receipts.length}`)
  }

  return receipts.map(opening => ({ opening, key: contentKey(opening) })).sort((a, b) => compareBytes(a.key, b.key))
}

/** What came of receipts, in their order. */
export interface Replayed {
  follows: boolean[]
  steps: Hash[]
  refused: CID[]
  /** whether the answer follows and its prompt shows its rows */
  shown: boolean[]
}

export interface SummedReceipts {
  /** of the gradients times their weights */
  sum: Float64Array
  /** the step of the trace that the sum up to each receipt makes */
  sums: Hash[]
}

/**
 * Teacher-forced replay of each receipt and, where it holds, the gradient of its answer. Gradients are
 * handed out one by one and not kept: a task has up to RECEIPTS_MAX, each as large as the adapter.
 */
export async function replayReceipts ({ pool }: Pick<Run, 'pool'>, theta: Float64Array, lines: Line[], options: AssessOptions, sources: ReadonlyArray<CheckedSources | undefined> = [], visit?: (i: number, step: Hash, gradient?: Float64Array) => void): Promise<Replayed> {
  const replayed: Replayed = { follows: [], steps: [], refused: [], shown: [] }
  const requests = lines.map(({ opening: { prompt, output, receipt, conditions } }, i) => ({ prompt, output, sampler: receipt.payload.sampler, schema: conditions?.schema, shows: sources[i]?.shows }))

  await pool.answers(theta, requests, (i, { follows, shows, gradient }) => {
    const step = hash(domains.traceStep, utf8(RECEIPT_STEP), lines[i].key, Uint8Array.of(follows ? 1 : 0), floats(gradient))

    if (!follows) {
      replayed.refused.push(cidOf(cosignedReceiptCodec.encode(lines[i].opening.receipt)))
    }

    replayed.follows.push(follows)
    replayed.shown.push(shows)
    replayed.steps.push(step)
    visit?.(i, step, follows ? gradient : undefined)
    options.onProgress?.({ type: 'training:receipt', done: i + 1, total: lines.length })
  }, options)

  return replayed
}

/** What was asked and answered at which price: equal content is interchangeable in any sum. */
function contentKey ({ prompt, output, receipt, conditions }: ReceiptOpening): Hash {
  const { sampler, fee } = receipt.payload

  return hash(domains.traceStep, utf8(RECEIPT_STEP), integers(prompt), integers(output), utf8(`${samplerText(sampler)} ${fee}`), ...(conditions == null ? [] : [answerConditionsCodec.encode(conditions)]))
}

function integers (values: number[]): Uint8Array {
  const out = new Uint8Array(values.length * 4)
  const view = new DataView(out.buffer)

  values.forEach((value, i) => { view.setUint32(i * 4, value) })

  return out
}

function floats (values: Float64Array): Uint8Array {
  const out = new Uint8Array(values.length * 8)
  const view = new DataView(out.buffer)

  values.forEach((value, i) => { view.setFloat64(i * 8, value, true) })

  return out
}
