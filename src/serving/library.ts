import { verifyRecord } from '../identity/index.ts'
import { loadChat, loadTokenizer, loraShape, openModel, peftToTheta } from '../models/index.ts'
import { unitedSnapshot } from '../scoring/index.ts'
import { DatanetError } from '../utils/index.ts'
import { baseModelCodec, domains, publishedAdapterCodec, recipeCodec, signedCodec, snapshotCodec } from '../wire/index.ts'
import { COLUMN_BYTES_MAX, COLUMNS_BYTES_MAX, WEIGHTS_BYTES_MAX } from './constants.ts'
import { BadColumnError, BadMergeError } from './errors.ts'
import { recent } from './recent.ts'
import type { BaseAlone, LoadedAdapter, LoadedBase, LoadedParent, ModelLibrary } from './interface.ts'
import type { AbortOptions, Adapter, BaseModel, ImportedAdapter, MergedAdapter, PublishedAdapter, Recipe, Snapshot } from '../interface/index.ts'
import type { Lora } from '../models/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

export interface ModelLibraryComponents {
  storage: Pick<Storage, 'get' | 'getFile' | 'openFile'>
}

const signedAdapter = signedCodec(publishedAdapterCodec)

/** What stands on no data of the network. */
const emptySnapshot: Snapshot = { type: 'snapshot', version: 1, datanets: [], contributions: [] }

/**
 * Loads models by CID from the swarm, once each, and forgets the least recently used when they
 * hold more than WEIGHTS_BYTES_MAX.
 *
 * @example
 * ```ts
 * const library = modelLibrary()({ storage })
 * const adapter = await library.adapter(cid, { signal: AbortSignal.timeout(10_000) })
 * ```
 */
export function modelLibrary (init: { bytesMax?: number } = {}): (components: ModelLibraryComponents) => ModelLibrary {
  const bytesMax = init.bytesMax ?? WEIGHTS_BYTES_MAX

  return ({ storage }) => {
    const bases = recent<LoadedBase>(bytesMax, ({ model }) => bytesOf(model.weights))
    const adapters = recent<LoadedAdapter>(bytesMax, bytesOfAdapter)

    const base: ModelLibrary['base'] = async (cid, caller) => bases.get(cid, async options => {
      const record = baseModelCodec.decode(await storage.get(cid, options))
      const tokenizer = loadTokenizer(record, await storage.getFile(record.tokenizer, options))
      const chat = loadChat(record.chatTemplate == null ? undefined : await storage.getFile(record.chatTemplate, options))
      // tensor by tensor: the file is never in memory as a whole beside the model
      const model = await openModel(record, await storage.openFile(record.weights, options), options)

      return { record, model, tokenizer, chat, cid }
    }, caller)

    const adapter: ModelLibrary['adapter'] = async (cid, caller) => adapters.get(cid, async options => {
      if (readBaseRecord(await storage.get(cid, options)) != null) {
        return withoutAdapter(await base(cid, options))
      }

      const record = await readAdapterRecord(storage, cid, options)

      if (record.type === 'merged-adapter') {
        await checkParents(storage, record, options)

        return merged(cid, record, await base(record.base, options), await Promise.all(record.parents.map(async parent => ({ adapter: await adapter(parent.adapter, options), weightMilli: parent.weightMilli }))))
      }

      const { recipe, snapshot, lora } = await readOrigin(storage, record, options)
      const loadedBase = await base(record.base, options)
      const shape = loraShape(loadedBase.record.config, lora)
      const theta = peftToTheta(shape, await storage.getFile(record.weights, options))
      const columns = record.type === 'adapter' && record.influence.form === 'forward'
        ? await readColumns(storage, record.influence.columns, snapshot.contributions.length, shape.parameters, options)
        : null

      return { cid, record, recipe, snapshot, base: loadedBase, lora: { shape, theta }, columns }
    }, caller)

    return {
      record: async (cid, options) => readAdapterRecord(storage, cid, options),
      async terms (cid, options) {
        const alone = readBaseRecord(await storage.get(cid, options))

        return alone == null ? readAdapterRecord(storage, cid, options) : baseAlone(cid, alone)
      },
      base,
      adapter,
      loaded: () => adapters.list(),
      async pin (cid, options) {
        const loaded = await adapter(cid, options)

        adapters.pin(cid)

        return loaded
      },
      evict: cid => adapters.evict(cid)
    }
  }
}

/** A base's record, if these bytes are one. */
function readBaseRecord (bytes: Uint8Array): BaseModel | undefined {
  try {
    return baseModelCodec.decode(bytes)
  } catch (err) {
    if (err instanceof DatanetError) {
      return undefined
    }

    throw err
  }
}

function baseAlone (cid: CID, { name }: BaseModel): BaseAlone {
  return { type: 'base-alone', name, base: cid, pricePerThousandTokens: 0n }
}

/** A base as an adapter that changes nothing. */
function withoutAdapter (base: LoadedBase): LoadedAdapter {
  return { cid: base.cid, record: baseAlone(base.cid, base.record), recipe: null, snapshot: emptySnapshot, base, lora: noLora(), columns: null }
}

/**
 * The ledger admits no other parents than those of one base that are not merged themselves; whoever
 * reads what is not on it finds out here, before any of them is fetched: merges of merges could go on
 * for ever.
 *
 * @returns the parents' records, in their order
 * @throws {BadMergeError}
 */
export async function checkParents (storage: Pick<Storage, 'get'>, { base, parents }: MergedAdapter, options?: AbortOptions): Promise<Array<Adapter | ImportedAdapter>> {
  const records: Array<Adapter | ImportedAdapter> = []

  for (const { adapter } of parents) {
    const record = await readAdapterRecord(storage, adapter, options)

    if (record.type === 'merged-adapter' || !record.base.equals(base)) {
      throw new BadMergeError(`expected adapters of the base ${base.toString()} that are not merged themselves, but ${adapter.toString()} is none`)
    }

    records.push(record)
  }

  return records
}

/** Adapters that are added up. */
function merged (cid: CID, record: MergedAdapter, base: LoadedBase, parents: LoadedParent[]): LoadedAdapter {
  return { cid, record, recipe: null, snapshot: unitedSnapshot(parents.map(({ adapter }) => adapter.snapshot)), base, lora: noLora(), parents, columns: null }
}

const noLora = (): Lora => ({ shape: { rank: 1, alpha: 1, targets: [], factors: [], parameters: 0 }, theta: new Float64Array() })

/** Weights and columns; those of a merge's parents stay as long as it does. */
function bytesOfAdapter ({ lora, columns, parents = [] }: LoadedAdapter): number {
  return lora.theta.byteLength * (1 + (columns?.length ?? 0)) + parents.reduce((sum, { adapter }) => sum + bytesOfAdapter(adapter), 0)
}

/**
 * An adapter's record, signed by its developer; `type` says whether it was trained here.
 *
 * @throws {SignatureError | MalformedRecordError}
 */
export async function readAdapterRecord (storage: Pick<Storage, 'get'>, cid: CID, options?: AbortOptions): Promise<PublishedAdapter> {
  const signed = signedAdapter.decode(await storage.get(cid, options))

  verifyRecord(domains.adapter, publishedAdapterCodec, signed, signed.payload.developer)

  return signed.payload
}

/** What an adapter came from, and the shape of its weights: its recipe's, or its own if it was trained elsewhere. */
async function readOrigin (storage: Pick<Storage, 'get'>, record: Adapter | ImportedAdapter, options?: AbortOptions): Promise<Pick<LoadedAdapter, 'recipe' | 'snapshot'> & { lora: Pick<Recipe, 'rank' | 'alpha' | 'targets'> }> {
  if (record.type === 'imported-adapter') {
    return { recipe: null, snapshot: emptySnapshot, lora: record }
  }

  const recipe = recipeCodec.decode(await storage.get(record.recipe, options))

  return { recipe, snapshot: snapshotCodec.decode(await storage.get(record.snapshot, options)), lora: recipe }
}

/**
 * The columns of an influence Jacobian, from their files; null, and no file is read, where they would
 * take more than COLUMNS_BYTES_MAX: such an adapter's answers have no preview.
 *
 * @throws {BadColumnError} for one of another length, or with values that are not finite
 */
export async function readColumns (storage: Pick<Storage, 'getFile'>, cids: CID[], contributions: number, parameters: number, options?: AbortOptions): Promise<Float64Array[] | null> {
  if (cids.length !== contributions) {
    throw new BadColumnError(`expected one influence column for each of ${contributions} contributions but there are ${cids.length}`)
  }

  if (contributions * parameters * 8 > COLUMNS_BYTES_MAX) {
    return null
  }

  return Promise.all(cids.map(async cid => {
    const bytes = await storage.getFile(cid, { ...options, bytesMax: COLUMN_BYTES_MAX })

    if (bytes.byteLength !== parameters * 8) {
      throw new BadColumnError(`expected an influence column of ${parameters} values in ${parameters * 8} bytes, but ${cid.toString()} has ${bytes.byteLength}`)
    }

    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const column = Float64Array.from({ length: parameters }, (_, i) => view.getFloat64(i * 8, true))

    if (!column.every(Number.isFinite)) {
      throw new BadColumnError(`the influence column ${cid.toString()} has values that are not finite`)
    }

    return column
  }))
}

function bytesOf (weights: LoadedBase['model']['weights']): number {
  return [...weights.values()].reduce((sum, weight) => sum + ('data' in weight ? weight.data : weight.bytes).byteLength, 0)
}
