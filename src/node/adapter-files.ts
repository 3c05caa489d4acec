import { exportPeft, joinedLora, loraShape, peftToTheta } from '../models/index.ts'
import { checkParents, readAdapterRecord } from '../serving/index.ts'
import { baseModelCodec, RECORD_BYTES_MAX, recipeCodec } from '../wire/index.ts'
import { PEFT_BYTES_PER_TENSOR } from './registry-constants.ts'
import type { AbortOptions, BaseModel, MergedAdapter, PublishedAdapter, PulledAdapterView } from '../interface/index.ts'
import type { Lora, PeftFiles, WeightedLora } from '../models/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

export interface PullOptions extends AbortOptions {
  /** checkpoints and influence columns too: what the committee that settles its answers asks for */
  all?: boolean
}

interface AdapterWeights {
  record: Exclude<PublishedAdapter, MergedAdapter>
  base: BaseModel
  lora: Lora
  bytes: number
}

/**
 * Fetches an adapter from the swarm and keeps it: this node serves it from then on, whoever else
 * goes away. Weights are checked against recipe and base before they are kept; those of the base
 * are not fetched. Of a merged adapter its parents are kept.
 *
 * @param storage - of a running node
 * @param adapter - CID of its signed record
 * @throws {BadMergeError} for a merge of merges, or of other bases
 * @throws {SignatureError | LoraShapeError | SafetensorsError} and what `Storage.getFile` throws
 */
export async function pullAdapter (storage: Pick<Storage, 'get' | 'getFile' | 'pin'>, adapter: CID, { all = false, signal }: PullOptions = {}): Promise<PulledAdapterView> {
  const published = await readAdapterRecord(storage, adapter, { signal })

  if (published.type === 'merged-adapter') {
    return pullParents(storage, adapter, published, { all, signal })
  }

  const { record, lora, bytes } = await readWeights(storage, published, { signal })
  const rest = all && record.type === 'adapter' ? [...record.checkpoints, ...(record.influence.form === 'forward' ? record.influence.columns : [])] : []
  let total = bytes

  for (const file of rest) {
    total += (await storage.getFile(file, { signal })).byteLength
  }

  // a file that was read whole links to its own leaves alone, and they are here
  for (const file of [record.weights, ...rest]) {
    await storage.pin(file, { signal })
  }

  // the record last: it says that the rest is here
  for (const cid of [record.base, ...record.type === 'adapter' ? [record.snapshot, record.recipe] : [], adapter]) {
    await storage.pin(cid, { depth: 0, signal })
  }

  return { adapter: adapter.toString(), name: record.name, files: 1 + rest.length, bytes: total, parameters: lora.shape.parameters }
}

async function pullParents (storage: Parameters<typeof pullAdapter>[0], adapter: CID, record: MergedAdapter, options: PullOptions): Promise<PulledAdapterView> {
  await checkParents(storage, record, options)

  const { name, parents } = record
  const pulled: PulledAdapterView[] = []

  for (const parent of parents) {
    pulled.push(await pullAdapter(storage, parent.adapter, options))
  }

  await storage.pin(adapter, { depth: 0, signal: options.signal })

  const sum = (of: (view: PulledAdapterView) => number): number => pulled.reduce((sum, view) => sum + of(view), 0)

  return { adapter: adapter.toString(), name, files: sum(({ files }) => files), bytes: sum(({ bytes }) => bytes), parameters: sum(({ parameters }) => parameters) }
}

/**
 * An adapter as Hugging Face's PEFT reads it, for its base in Hugging Face's order of rows. A merge is
 * one adapter of its parents' ranks together, with the weights in it; it sums in another order, so
 * its logits differ by rounding: see `joinedLora`.
 *
 * @param storage - of a running node
 * @param adapter - CID of its signed record
 * @throws {BadMergeError} for a merge of merges, or of other bases
 * @throws {SignatureError | LoraShapeError | SafetensorsError} and what `Storage.getFile` throws
 */
export async function exportAdapter (storage: Pick<Storage, 'get' | 'getFile'>, adapter: CID, options: AbortOptions = {}): Promise<PeftFiles> {
  const record = await readAdapterRecord(storage, adapter, options)

  const { base, lora } = record.type === 'merged-adapter' ? await readMerge(storage, record, options) : await readWeights(storage, record, options)

  return exportPeft(base.config, lora, { base: base.name })
}

async function readMerge (storage: Pick<Storage, 'get' | 'getFile'>, merge: MergedAdapter, options: AbortOptions): Promise<Pick<AdapterWeights, 'base' | 'lora'>> {
  const parents: WeightedLora[] = []
  const base = await readBase(storage, merge, options)

  for (const [i, record] of (await checkParents(storage, merge, options)).entries()) {
    parents.push({ lora: (await readWeights(storage, record, options)).lora, weightMilli: merge.parents[i].weightMilli })
  }

  return { base, lora: joinedLora(base.config, parents) }
}

async function readBase (storage: Pick<Storage, 'get'>, { base }: Pick<PublishedAdapter, 'base'>, { signal }: AbortOptions): Promise<BaseModel> {
  return baseModelCodec.decode(await storage.get(base, { signal, bytesMax: RECORD_BYTES_MAX }))
}

async function readWeights (storage: Pick<Storage, 'get' | 'getFile'>, record: AdapterWeights['record'], { signal }: AbortOptions): Promise<AdapterWeights> {
  const run = record.type === 'adapter' ? recipeCodec.decode(await storage.get(record.recipe, { signal, bytesMax: RECORD_BYTES_MAX })) : record
  const base = await readBase(storage, record, { signal })
  const shape = loraShape(base.config, run)
  const weights = await storage.getFile(record.weights, { signal, bytesMax: 4 * shape.parameters + PEFT_BYTES_PER_TENSOR * (2 * shape.factors.length + 2) })

  return { record, base, lora: { shape, theta: peftToTheta(shape, weights) }, bytes: weights.byteLength }
}
