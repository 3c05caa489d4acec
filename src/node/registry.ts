import { readAdapter } from '../ledger/index.ts'
import { readAdapterRecord } from '../serving/index.ts'
import { recipeCodec } from '../wire/index.ts'
import { adapterEntries } from './adapter-entries.ts'
import { adapterUsage } from './adapters-usage.ts'
import { columnViews } from './column-views.ts'
import { LOOKUP_TIMEOUT_MS } from './constants.ts'
import { NotFoundError } from './errors.ts'
import { REGISTRY_SHOWN_MAX } from './registry-constants.ts'
import type { RegistryNode } from './adapter-entries.ts'
import type { DatanetNode } from './node.ts'
import type { AdapterDetailView, AdapterEntryView, AdapterState, PublishedAdapter } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** What is looked for among adapters; all that is given must fit. */
export interface AdapterFilter {
  /** words that begin like those of the name or the source, or nearly so; the best fit comes first */
  text?: string
  /** part of the name, in any case of letters */
  name?: string
  /** CID or name of the base */
  base?: string
  /** CID or name of a Datanet that it was trained on */
  datanet?: string
  /** SPDX identifier of the base, of a Datanet or of imported weights, in any case of letters */
  licence?: string
  /** account, as text */
  developer?: string
  status?: AdapterState['status']
  origin?: AdapterEntryView['origin']
  /** only the newest admitted version of each developer and name */
  newest?: boolean
  /** @default REGISTRY_SHOWN_MAX */
  limit?: number
}

/**
 * The adapters of the chain that fit, the last published first, or the best fit if a text is looked
 * for. Those whose record nobody serves now are left out: without it they have no name.
 */
export async function adapterRegistry (node: RegistryNode, filter: AdapterFilter = {}): Promise<AdapterEntryView[]> {
  const found = await (filter.text == null ? node.adapters.all() : node.adapters.search(filter.text))
  const entries = await adapterEntries(node)
  const shown: AdapterEntryView[] = []
  const limit = Math.min(filter.limit ?? REGISTRY_SHOWN_MAX, REGISTRY_SHOWN_MAX)

  for (const indexed of found) {
    const view = await entries.view(indexed)

    if (view != null && fits(view, filter)) {
      shown.push(view)
    }

    if (shown.length === limit) {
      break
    }
  }

  return shown
}

/**
 * One adapter with its recipe, its versions and who redeemed answers of it.
 *
 * @throws {NotFoundError} if it is not on the ledger, or nobody serves its record now
 */
export async function adapterDetail (node: DatanetNode, adapter: CID): Promise<AdapterDetailView> {
  const indexed = await node.adapters.get(adapter)
  const entries = await adapterEntries(node)
  const [view, state] = [indexed == null ? undefined : await entries.view(indexed), readAdapter(node.chain.state(), adapter)]

  if (indexed == null || view == null || state == null) {
    throw new NotFoundError('adapter', adapter.toString(), 'list them with `datanet adapter list`; one that is missing there has a record that nobody serves now')
  }

  const record = await readAdapterRecord(node.storage, adapter, lookup())

  return {
    ...view,
    ...await originView(node, record),
    ...await keptView(node, adapter, record),
    trainedOn: state.contributions.map(String),
    columns: await columnViews(node, adapter),
    versions: (await entries.versions(indexed.key)).toReversed(),
    ...adapterUsage(node.chain.state(), adapter)
  }
}

/** A merge has no weights: its record is what is kept. */
async function keptView ({ storage }: DatanetNode, adapter: CID, record: PublishedAdapter): Promise<Pick<AdapterDetailView, 'weights' | 'held'>> {
  return record.type === 'merged-adapter'
    ? { weights: null, held: await storage.isPinned(adapter, lookup()) }
    : { weights: record.weights.toString(), held: await storage.isPinned(record.weights, lookup()) }
}

/** What it came from: a recipe that anybody can run again, or what its importer says. */
async function originView (node: DatanetNode, record: PublishedAdapter): Promise<Pick<AdapterDetailView, 'recipe' | 'lora' | 'method' | 'source' | 'claims'>> {
  if (record.type === 'imported-adapter') {
    const { rank, alpha, targets, source = null, metrics } = record

    return { recipe: null, lora: { rank, alpha, targets }, method: 'none', source, claims: metrics.map(({ name, valueMicro }) => ({ name, value: valueMicro / 1e6 })) }
  }

  if (record.type === 'merged-adapter') {
    return { recipe: null, lora: null, method: 'merged', source: null, claims: [] }
  }

  const { engine, rank, alpha, targets, steps, batchSize, sequenceLength, seed } = recipeCodec.decode(await node.storage.get(record.recipe, lookup()))

  return {
    recipe: { recipe: record.recipe.toString(), engine, rank, alpha, targets, steps, batchSize, sequenceLength, seed },
    lora: { rank, alpha, targets },
    method: record.method,
    source: null,
    claims: []
  }
}

function fits (view: AdapterEntryView, { name, base, datanet, licence, developer, status, origin, newest }: AdapterFilter): boolean {
  const lower = (text: string): string => text.toLowerCase()

  return (name == null || lower(view.name).includes(lower(name))) &&
    (base == null || view.base === base || view.baseName === base) &&
    (datanet == null || view.datanets.some(one => one.datanet === datanet || one.name === datanet)) &&
    (licence == null || view.licences.some(one => lower(one) === lower(licence))) &&
    (developer == null || view.developer === developer) &&
    (status == null || view.status === status) &&
    (origin == null || view.origin === origin) &&
    (newest !== true || view.newest)
}

const lookup = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS) })
