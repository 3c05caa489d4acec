import { readAdapter } from '../ledger/index.ts'
import { readAdapterRecord } from '../serving/index.ts'
import { recipeCodec } from '../wire/index.ts'
import { adapterUsage } from './adapters-usage.ts'
import { adapterView } from './adapters-view.ts'
import { columnViews } from './column-views.ts'
import { LOOKUP_TIMEOUT_MS } from './constants.ts'
import { NotFoundError } from './errors.ts'
import { REGISTRY_SHOWN_MAX } from './registry-constants.ts'
import { baseViews, datanetViews } from './views.ts'
import type { IndexedAdapter } from './adapters-index.ts'
import type { DatanetNode } from './node.ts'
import type { AdapterDetailView, AdapterEntryView, AdapterState, BaseView, DatanetView, PublishedAdapter } from '../interface/index.ts'
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

interface Entry {
  indexed: IndexedAdapter
  state: AdapterState
}

interface Names {
  bases: BaseView[]
  datanets: DatanetView[]
  /** admitted versions by name and developer, the first one first */
  versions: Map<string, Entry[]>
}

/**
 * The adapters of the chain that fit, the last published first, or the best fit if a text is looked
 * for. Those whose record nobody serves now are left out: without it they have no name.
 */
export async function adapterRegistry (node: DatanetNode, filter: AdapterFilter = {}): Promise<AdapterEntryView[]> {
  const { entries, names } = await registry(node)
  const found = filter.text == null ? entries : await ranked(node, filter.text, entries)
  const shown: AdapterEntryView[] = []
  const limit = Math.min(filter.limit ?? REGISTRY_SHOWN_MAX, REGISTRY_SHOWN_MAX)

  for (const entry of found) {
    const view = entryView(entry, names)

    if (fits(view, filter)) {
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
  const { entries, names } = await registry(node)
  const entry = entries.find(({ indexed }) => indexed.adapter.equals(adapter))

  if (entry == null) {
    throw new NotFoundError('adapter', adapter.toString(), 'list them with `datanet adapter list`; one that is missing there has a record that nobody serves now')
  }

  const record = await readAdapterRecord(node.storage, adapter, lookup())

  return {
    ...entryView(entry, names),
    ...await originView(node, record),
    ...await keptView(node, adapter, record),
    trainedOn: entry.state.contributions.map(String),
    columns: await columnViews(node, adapter),
    versions: entries.filter(({ indexed: { key } }) => key === entry.indexed.key).map(one => {
      const { adapter, version, status, height } = entryView(one, names)

      return { adapter, version, status, height }
    }),
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

async function registry (node: DatanetNode): Promise<{ entries: Entry[], names: Names }> {
  const [bases, datanets, all] = await Promise.all([baseViews(node), datanetViews(node), node.adapters.all()])
  const ledger = node.chain.state()
  const versions = new Map<string, Entry[]>()
  const entries = all.flatMap(indexed => {
    const state = readAdapter(ledger, indexed.adapter)

    return state == null ? [] : [{ indexed, state }]
  })

  for (const entry of entries.toReversed().filter(({ state }) => state.status === 'admitted')) {
    versions.set(entry.indexed.key, [...versions.get(entry.indexed.key) ?? [], entry])
  }

  return { entries, names: { bases, datanets, versions } }
}

async function ranked (node: DatanetNode, text: string, entries: Entry[]): Promise<Entry[]> {
  const byCid = new Map(entries.map(entry => [entry.indexed.adapter.toString(), entry]))

  return (await node.adapters.search(text)).flatMap(({ adapter }) => byCid.get(adapter.toString()) ?? [])
}

function entryView (entry: Entry, { bases, datanets, versions }: Names): AdapterEntryView {
  const { indexed, state } = entry
  const base = bases.find(one => one.base === indexed.base)
  const trainedOn = datanets.filter(({ datanet }) => indexed.datanets.includes(datanet))
  const admitted = versions.get(indexed.key) ?? []
  const index = admitted.indexOf(entry)

  return {
    ...adapterView(indexed, state),
    version: index < 0 ? null : index + 1,
    newest: index >= 0 && index === admitted.length - 1,
    baseName: base?.name ?? '',
    snapshot: state.snapshot?.toString() ?? null,
    datanets: trainedOn.map(({ datanet, name, licence }) => ({ datanet, name, licence })),
    licences: [...new Set([...base == null ? [] : [base.licence], ...trainedOn.map(({ licence }) => licence), ...indexed.licences])],
    height: state.height
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
