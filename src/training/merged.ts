import { addScaled, encodeFloats, feeWeights, taskCotangent } from '../attribution/index.ts'
import { ENGINE, loraShape, peftToTheta } from '../models/index.ts'
import { contributionScores, creditRetrieved, mergedScores, unitedSnapshot } from '../scoring/index.ts'
import { baseModelCodec, cidOf, compareBytes, cosignedReceiptCodec, domains, hash, publishedAdapterCodec, recipeCodec, signedCodec, snapshotCodec, utf8 } from '../wire/index.ts'
import { scoresOf, sortedLines } from './assess.ts'
import { FILE_BYTES_MAX, MERGED_GRADIENTS_BYTES_MAX, RECORD_BYTES_MAX } from './constants.ts'
import { AdapterMismatchError, TrainingInputError } from './errors.ts'
import { representativesOf } from './players.ts'
import { readRecipe, withPool, withRun } from './run.ts'
import { checkSources } from './sources.ts'
import { tableStep } from './trace.ts'
import type { Line } from './assess.ts'
import type { AssessOptions, Assessment, TrainingComponents } from './interface.ts'
import type { RunSettings } from './run.ts'
import type { CheckedSources } from './sources.ts'
import type { Adapter, BaseModel, Hash, ImportedAdapter, MergedAdapter, ReceiptOpening, ScoreEntry, Snapshot } from '../interface/index.ts'
import type { WeightedLora } from '../models/index.ts'
import type { ParentEffect } from '../scoring/index.ts'
import type { CID } from 'multiformats/cid'

/** What a receipt step of a merge hashes as: it has the parents' shares in it. */
const MERGED_RECEIPT_STEP = 'merged-receipt'

/** The adapters of a merge, ready to be added up. */
interface Parents {
  base: BaseModel
  records: Array<Adapter | ImportedAdapter>
  /** of each; empty if it was trained elsewhere */
  snapshots: Snapshot[]
  lora: WeightedLora[]
}

interface Replayed {
  /** per receipt and parent: millionths of the answer, 0 where it does not follow */
  sharesPpm: number[][]
  steps: Hash[]
  refused: CID[]
  /** per receipt: whether it follows and its prompt shows its rows */
  shown: boolean[]
}

/**
 * An assessor's work for several adapters at once. Each answer is divided among them by their measured
 * effect (see `mergedEffects`); what of it is a parent's goes back through that parent's own run, along
 * the gradient at the merged weights. So the work is that of all parents, and a contribution to several
 * has of each. Parents that did nothing, and those that were trained elsewhere, have no run to replay.
 *
 * The table has an entry for each contribution of any parent and one for each parent, see `mergedScores`.
 */
export async function assessMerged (components: TrainingComponents, settings: RunSettings, id: CID, merge: MergedAdapter, receipts: ReceiptOpening[], options: AssessOptions): Promise<Assessment> {
  const lines = sortedLines(receipts)
  const parents = await readParents(components, merge, options)
  const snapshot = unitedSnapshot(parents.snapshots)
  const sources = await checkSources(components, snapshot, lines.map(({ opening }) => opening), options)
  const { replayed, fees, cotangents } = await divided(components, settings, parents, lines, options, sources)
  const places = new Map(snapshot.contributions.map((contribution, place) => [contribution.toString(), place]))
  const effects: ParentEffect[] = []
  const trace = [...replayed.steps]

  for (const [parent, record] of parents.records.entries()) {
    const effect = fees[parent].reduce((sum, fee) => sum + fee, 0n)
    const run = record.type === 'adapter' && effect > 0n ? await scoresOfParent(components, settings, record, cotangents[parent], options) : { scores: [], trace: [] }

    trace.push(...run.trace)
    effects.push({ effect, scores: run.scores, places: run.scores.map((_, i) => places.get(parents.snapshots[parent].contributions[i].toString()) ?? 0) })
  }

  // where no receipt holds, seats report them, and nobody is paid by the table
  const held = effects.some(({ effect }) => effect > 0n)
  const { parents: shares, contributions: influence } = mergedScores(held ? effects : effects.map(one => ({ ...one, effect: 1n })), snapshot.contributions.length)
  const paid = lines.map(({ opening }, i) => replayed.sharesPpm[i].some(share => share > 0) ? opening.receipt.payload.fee : 0n)
  const answers = sources.flatMap((one, i) => one === undefined || !replayed.shown[i] ? [] : [{ fee: paid[i], contributions: one.contributions }])
  const scores = creditRetrieved(influence, answers, paid.reduce((sum, fee) => sum + fee, 0n))
  const entries: ScoreEntry[] = [
    ...snapshot.contributions.map((contribution, i) => ({ contribution, score: scores[i] })),
    ...merge.parents.map(({ adapter }, i) => ({ contribution: adapter, score: shares[i] }))
  ]

  return {
    table: { type: 'scores', version: 1, adapter: id, method: 'merged', engine: ENGINE, entries: entries.sort((a, b) => compareBytes(a.contribution.bytes, b.contribution.bytes)) },
    trace,
    // examples belong to runs, and there are several
    exampleScores: new Float64Array(0),
    groups: new Uint32Array(0),
    refused: replayed.refused
  }
}

/**
 * One step of the trace of `assessMerged`: a receipt alone, and everything for any other.
 *
 * @returns null if the trace has no step `index` and it is not the place of the result
 */
export async function stepMerged (components: TrainingComponents, settings: RunSettings, id: CID, merge: MergedAdapter, receipts: ReceiptOpening[], index: number, options: AssessOptions): Promise<Hash | null> {
  if (!Number.isSafeInteger(index) || index < 0) {
    throw new TrainingInputError(`expected the index of a step but got ${index}`)
  }

  const line = sortedLines(receipts).at(index)

  if (line !== undefined) {
    return (await replay(components, settings, await readParents(components, merge, options), [line], options, [])).steps[0]
  }

  const { table, trace } = await assessMerged(components, settings, id, merge, receipts, options)

  return index === trace.length ? tableStep(table) : trace.at(index) ?? null
}

async function scoresOfParent (components: TrainingComponents, settings: RunSettings, record: Adapter, cotangent: Float64Array, options: AssessOptions): Promise<{ scores: bigint[], trace: Hash[] }> {
  const recipe = await readRecipe(components, record.recipe, options)

  return withRun(components, settings, recipe, options, async run => {
    const { exampleScores, trace } = await scoresOf(components, run, record, cotangent, options)

    return { scores: contributionScores(exampleScores, run.groups, run.snapshot.contributions.length, await representativesOf(run, options)), trace }
  })
}

/**
 * What of the answers is each parent's: the fees times its shares, and the gradients weighed by them.
 * The weights are known when all answers are divided. Until then gradients are kept if they fit; else
 * they are computed again, to the same bits.
 */
async function divided (components: TrainingComponents, settings: RunSettings, parents: Parents, lines: Line[], options: AssessOptions, sources: ReadonlyArray<CheckedSources | undefined>): Promise<{ replayed: Replayed, fees: bigint[][], cotangents: Float64Array[] }> {
  const sizes = parents.lora.map(({ lora: { shape } }) => shape.parameters)
  const bytes = 8 * lines.length * sizes.reduce((sum, size) => sum + size, 0)
  const kept: Float64Array[][] | undefined = bytes <= (settings.gradientsBytesMax ?? MERGED_GRADIENTS_BYTES_MAX) ? [] : undefined
  const replayed = await replay(components, settings, parents, lines, options, sources, (_, gradients) => { kept?.push(gradients) })
  const fees = sizes.map((_, parent) => lines.map(({ opening }, i) => opening.receipt.payload.fee * BigInt(replayed.sharesPpm[i][parent])))

  if (kept !== undefined) {
    return { replayed, fees, cotangents: await Promise.all(sizes.map(async (size, parent) => taskCotangent(size, fees[parent], i => kept[i][parent]))) }
  }

  const cotangents = sizes.map(size => new Float64Array(size))
  const weights = fees.map(feeWeights)

  await replay(components, settings, parents, lines, options, sources, (i, gradients) => {
    gradients.forEach((gradient, parent) => { addScaled(cotangents[parent], weights[parent][i], gradient) })
  })

  return { replayed, fees, cotangents }
}

/** Teacher-forced replay of each answer with all parents, its division among them and its gradients. */
async function replay (components: TrainingComponents, settings: RunSettings, { base, lora }: Parents, lines: Line[], options: AssessOptions, sources: ReadonlyArray<CheckedSources | undefined>, visit?: (i: number, gradients: Float64Array[]) => void): Promise<Replayed> {
  const replayed: Replayed = { sharesPpm: [], steps: [], refused: [], shown: [] }
  const requests = lines.map(({ opening: { prompt, output, receipt, conditions } }, i) => ({ prompt, output, sampler: receipt.payload.sampler, schema: conditions?.schema, shows: sources[i]?.shows }))

  await withPool(components, settings, { base, shape: lora[0].lora.shape }, options, async pool => pool.mergedAnswers(lora, requests, (i, { follows, shows, sharesPpm, gradients }) => {
    if (!follows) {
      replayed.refused.push(cidOf(cosignedReceiptCodec.encode(lines[i].opening.receipt)))
    }

    replayed.sharesPpm.push(sharesPpm)
    replayed.shown.push(shows)
    replayed.steps.push(hash(domains.traceStep, utf8(MERGED_RECEIPT_STEP), lines[i].key, Uint8Array.of(follows ? 1 : 0), utf8(sharesPpm.join(' ')), ...gradients.map(gradient => encodeFloats(0, gradient))))
    visit?.(i, gradients)
    options.onProgress?.({ type: 'training:receipt', done: i + 1, total: lines.length })
  }, options))

  return replayed
}

async function readParents (components: TrainingComponents, merge: MergedAdapter, { signal }: AssessOptions): Promise<Parents> {
  const { storage } = components
  const read = async (cid: CID): Promise<Uint8Array> => storage.get(cid, { signal, bytesMax: RECORD_BYTES_MAX })
  const base = baseModelCodec.decode(await read(merge.base))
  const parents: Parents = { base, records: [], snapshots: [], lora: [] }

  for (const { adapter, weightMilli } of merge.parents) {
    const record = signedPublished.decode(await storage.get(adapter, { signal, bytesMax: signedPublished.bytesMax })).payload

    if (record.type === 'merged-adapter' || !record.base.equals(merge.base)) {
      throw new AdapterMismatchError(`its parent ${adapter.toString()} is merged itself, or of another base`)
    }

    const shape = loraShape(base.config, record.type === 'adapter' ? recipeCodec.decode(await read(record.recipe)) : record)
    const theta = peftToTheta(shape, await storage.getFile(record.weights, { signal, bytesMax: FILE_BYTES_MAX }))

    parents.records.push(record)
    parents.snapshots.push(record.type === 'adapter' ? snapshotCodec.decode(await read(record.snapshot)) : { type: 'snapshot', version: 1, datanets: [], contributions: [] })
    parents.lora.push({ lora: { shape, theta }, weightMilli })
  }

  return parents
}

const signedPublished = signedCodec(publishedAdapterCodec)
