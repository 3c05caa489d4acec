import { accountToString } from '../identity/index.ts'
import { listAdapters, listTasks, readAdapter, readChannel, readContribution } from '../ledger/index.ts'
import { readAdapterRecord } from '../serving/index.ts'
import { recipeCodec, toHex } from '../wire/index.ts'
import { LOOKUP_TIMEOUT_MS } from './constants.ts'
import { NotFoundError } from './errors.ts'
import { ADAPTER_USES_SHOWN_MAX, REGISTRY_SHOWN_MAX } from './registry-constants.ts'
import { baseViews, datanetViews } from './views.ts'
import type { DatanetNode } from './node.ts'
import type { Adapter, AdapterDetailView, AdapterEntryView, AdapterState, AdapterUseView, BaseView, DatanetView } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** What is looked for among adapters; all that is given must fit. */
export interface AdapterFilter {
  /** part of the name, in any case of letters */
  name?: string
  /** CID or name of the base */
  base?: string
  /** CID or name of a Datanet that it was trained on */
  datanet?: string
  /** SPDX identifier of the base or of a Datanet, in any case of letters */
  licence?: string
  /** account, as text */
  developer?: string
  status?: AdapterState['status']
  /** only the newest admitted version of each developer and name */
  newest?: boolean
  /** @default REGISTRY_SHOWN_MAX */
  limit?: number
}

interface Entry {
  adapter: CID
  state: AdapterState
  record: Adapter
}

/**
 * The adapters of the chain that fit, the last published first. Those whose record nobody serves
 * now are left out: without it they have no name.
 */
export async function adapterRegistry (node: DatanetNode, filter: AdapterFilter = {}): Promise<AdapterEntryView[]> {
  const views = await registry(node)

  return views
    .filter(view => fits(view, filter))
    .slice(0, Math.min(filter.limit ?? REGISTRY_SHOWN_MAX, REGISTRY_SHOWN_MAX))
}

/**
 * One adapter with its recipe, its versions and who redeemed answers of it.
 *
 * @throws {NotFoundError} if it is not on the ledger, or nobody serves its record now
 */
export async function adapterDetail (node: DatanetNode, adapter: CID): Promise<AdapterDetailView> {
  const views = await registry(node)
  const view = views.find(one => one.adapter === adapter.toString())
  const state = readAdapter(node.chain.state(), adapter)

  if (view == null || state == null) {
    throw new NotFoundError('adapter', adapter.toString(), 'list them with `datanet adapter list`; one that is missing there has a record that nobody serves now')
  }

  const record = await readAdapterRecord(node.storage, adapter, lookup())
  const { engine, rank, alpha, targets, steps, batchSize, sequenceLength, seed } = recipeCodec.decode(await node.storage.get(record.recipe, lookup()))

  return {
    ...view,
    recipe: { recipe: record.recipe.toString(), engine, rank, alpha, targets, steps, batchSize, sequenceLength, seed },
    method: record.method,
    weights: record.weights.toString(),
    held: await node.storage.isPinned(record.weights, lookup()),
    trainedOn: state.contributions.map(String),
    versions: views
      .filter(({ developer, name }) => developer === view.developer && name === view.name)
      .map(({ adapter, version, status, height }) => ({ adapter, version, status, height })),
    uses: usesOf(node, adapter)
  }
}

async function registry (node: DatanetNode): Promise<AdapterEntryView[]> {
  const [bases, datanets, found] = await Promise.all([baseViews(node), datanetViews(node), Promise.all([...listAdapters(node.chain.state())].map(async entry => withRecord(node, entry)))])
  const entries = found.flat().toSorted((a, b) => a.state.height - b.state.height || (a.adapter.toString() < b.adapter.toString() ? -1 : 1))
  const versions = new Map<string, Entry[]>()

  for (const entry of entries.filter(({ state }) => state.status === 'admitted')) {
    const key = nameKey(entry)

    versions.set(key, [...versions.get(key) ?? [], entry])
  }

  return entries.map(entry => entryView(node, entry, versions.get(nameKey(entry)) ?? [], bases, datanets)).reverse()
}

async function withRecord (node: DatanetNode, { adapter, state }: Omit<Entry, 'record'>): Promise<Entry[]> {
  const record = await readAdapterRecord(node.storage, adapter, lookup()).catch(() => undefined)

  return record == null ? [] : [{ adapter, state, record }]
}

/** Nobody continues the versions of somebody else's name. */
function nameKey ({ state, record }: Entry): string {
  return `${toHex(state.developer)} ${record.name}`
}

function entryView (node: DatanetNode, entry: Entry, versions: Entry[], bases: BaseView[], datanets: DatanetView[]): AdapterEntryView {
  const { adapter, state, record } = entry
  const base = bases.find(one => one.base === state.base.toString())
  const used = new Set(state.contributions.map(contribution => readContribution(node.chain.state(), contribution)?.datanet.toString()))
  const trainedOn = datanets.filter(({ datanet }) => used.has(datanet))
  const index = versions.indexOf(entry)

  return {
    adapter: adapter.toString(),
    name: record.name,
    version: index < 0 ? null : index + 1,
    newest: index >= 0 && index === versions.length - 1,
    developer: accountToString(state.developer),
    base: state.base.toString(),
    baseName: base?.name ?? '',
    snapshot: state.snapshot?.toString() ?? '',
    datanets: trainedOn.map(({ datanet, name, licence }) => ({ datanet, name, licence })),
    licences: [...new Set([...base == null ? [] : [base.licence], ...trainedOn.map(({ licence }) => licence)])],
    contributions: state.contributions.length,
    status: state.status,
    height: state.height,
    losses: record.lossMicro.map(loss => loss / 1e6),
    influence: record.influence.form,
    pricePerThousandTokens: record.pricePerThousandTokens.toString(),
    earned: state.earned.toString()
  }
}

function fits (view: AdapterEntryView, { name, base, datanet, licence, developer, status, newest }: AdapterFilter): boolean {
  const lower = (text: string): string => text.toLowerCase()

  return (name == null || lower(view.name).includes(lower(name))) &&
    (base == null || view.base === base || view.baseName === base) &&
    (datanet == null || view.datanets.some(one => one.datanet === datanet || one.name === datanet)) &&
    (licence == null || view.licences.some(one => lower(one) === lower(licence))) &&
    (developer == null || view.developer === developer) &&
    (status == null || view.status === status) &&
    (newest !== true || view.newest)
}

/** What gateways redeemed for answers of an adapter, the newest epoch first. */
function usesOf (node: DatanetNode, adapter: CID): AdapterUseView[] {
  const state = node.chain.state()

  return [...listTasks(state)]
    .filter(({ state: task }) => task.adapter.equals(adapter))
    .toSorted((a, b) => b.state.epoch - a.state.epoch)
    .flatMap(({ task, state: { epoch, sources } }) => sources.map(({ gateway, channel, receipts, fees }) => {
      const payer = readChannel(state, channel)?.payer

      return {
        task: toHex(task),
        epoch,
        gateway: accountToString(gateway),
        payer: payer == null ? null : accountToString(payer),
        receipts,
        fees: fees.toString()
      }
    }))
    .slice(0, ADAPTER_USES_SHOWN_MAX)
}

const lookup = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS) })
