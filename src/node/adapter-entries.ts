import { CID } from 'multiformats/cid'
import { readAdapter, readDatanet } from '../ledger/index.ts'
import { adapterView } from './adapters-view.ts'
import { LISTED_LOOKUP_TIMEOUT_MS } from './constants.ts'
import { baseViews } from './views.ts'
import type { AdapterIndex } from './adapters-index.ts'
import type { IndexedAdapter } from './indexed-adapter.ts'
import type { Datanets } from '../datanets/index.ts'
import type { AdapterDetailView, AdapterEntryView, DatanetView, Genesis } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { Storage } from '../storage/index.ts'

/** What the registry needs of a node. */
export interface RegistryNode {
  chain: Pick<SettlementBackend, 'state'>
  storage: Pick<Storage, 'get'>
  genesis: Pick<Genesis, 'bases'>
  adapters: Omit<AdapterIndex, 'start' | 'stop'>
  datanets: Pick<Datanets, 'manifest'>
}

type Version = AdapterDetailView['versions'][number]
type Origin = Pick<DatanetView, 'datanet' | 'name' | 'licence'>

/** Views of adapters for one query: what several of them need is looked up once, and only for those that are looked at. */
export interface AdapterEntries {
  /** undefined if the ledger does not have it */
  view (indexed: IndexedAdapter): Promise<AdapterEntryView | undefined>
  /** all of one developer and name, the first published first; admitted ones are numbered */
  versions (key: string): Promise<Version[]>
}

export async function adapterEntries (node: RegistryNode): Promise<AdapterEntries> {
  const ledger = node.chain.state()
  const bases = new Map((await baseViews(node)).map(view => [view.base, view]))
  const origin = once(async (datanet: string) => originOf(node, datanet))
  const versions = once(async (key: string) => versionsOf(node, key))
  const numbered = once(async (key: string) => {
    const admitted = (await versions(key)).filter(({ version }) => version != null)

    return { numbers: new Map(admitted.map(({ adapter, version }) => [adapter, version])), newest: admitted.at(-1)?.adapter }
  })

  return {
    versions,
    async view (indexed) {
      const state = readAdapter(ledger, indexed.adapter)

      if (state == null) {
        return undefined
      }

      const view = adapterView(indexed, state)
      const base = bases.get(indexed.base)
      const { numbers, newest } = await numbered(indexed.key)
      // in the ledger's order
      const datanets = (await Promise.all(indexed.datanets.toSorted().map(origin))).filter(one => one != null)

      return {
        ...view,
        version: numbers.get(view.adapter) ?? null,
        newest: newest === view.adapter,
        baseName: base?.name ?? '',
        snapshot: state.snapshot?.toString() ?? null,
        datanets,
        licences: [...new Set([...base == null ? [] : [base.licence], ...datanets.map(({ licence }) => licence), ...indexed.licences])].filter(licence => licence !== ''),
        height: state.height
      }
    }
  }
}

async function originOf ({ chain, datanets }: RegistryNode, datanet: string): Promise<Origin | undefined> {
  const cid = CID.parse(datanet)
  const state = readDatanet(chain.state(), cid)

  if (state == null) {
    return undefined
  }

  const manifest = await datanets.manifest(cid, { signal: AbortSignal.timeout(LISTED_LOOKUP_TIMEOUT_MS) }).catch(() => undefined)

  return { datanet, name: state.name, licence: manifest?.licence ?? '' }
}

async function versionsOf ({ chain, adapters }: RegistryNode, key: string): Promise<Version[]> {
  const ledger = chain.state()
  let count = 0

  return (await adapters.versions(key)).flatMap(({ adapter }): Version[] => {
    const state = readAdapter(ledger, adapter)

    return state == null ? [] : [{ adapter: adapter.toString(), version: state.status === 'admitted' ? ++count : null, status: state.status, height: state.height }]
  })
}

/** Computes each once. */
function once<T> (compute: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const known = new Map<string, Promise<T>>()

  return async key => {
    const value = known.get(key) ?? compute(key)

    known.set(key, value)

    return value
  }
}
