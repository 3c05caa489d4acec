import MiniSearch from 'minisearch'
import { listAdapters, readAdapter } from '../ledger/index.ts'
import { readAdapterRecord } from '../serving/index.ts'
import { LOOKUP_TIMEOUT_MS } from './constants.ts'
import { entryOf, licencesOf } from './indexed-adapter.ts'
import { ADAPTER_RECORDS_READ_AT_ONCE, ADAPTER_RETRY_BLOCKS, ADAPTERS_INDEXED_MAX } from './registry-constants.ts'
import type { IndexedAdapter } from './indexed-adapter.ts'
import type { AdapterState, PublishedAdapter, Startable } from '../interface/index.ts'
import type { SettlementBackend, SettlementEvents } from '../settlement/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

/** The adapters of the chain by what people look for, without reading a record twice. */
export interface AdapterIndex extends Startable {
  /** All adapters whose records could be had, the last published first. Waits for records that are new. */
  all (): Promise<IndexedAdapter[]>
  /** Those whose name or source has words that begin like, or nearly like, all words of the text; the best first. */
  search (text: string): Promise<IndexedAdapter[]>
  /** Undefined for one that is not on the ledger, or whose record could not be had. */
  get (adapter: CID): Promise<IndexedAdapter | undefined>
  /** All of one developer and name (`key`), the first published first. */
  versions (key: string): Promise<IndexedAdapter[]>
}

export interface AdapterIndexComponents {
  chain: Pick<SettlementBackend, 'state' | 'height' | 'addEventListener' | 'removeEventListener'>
  storage: Pick<Storage, 'get'>
}

interface Document { id: string, name: string, source: string }

/** The last published first. */
const byAge = (a: IndexedAdapter, b: IndexedAdapter): number => b.height - a.height || (a.adapter.toString() < b.adapter.toString() ? 1 : -1)

/**
 * Follows the ledger: an adapter that a block brings is read when somebody next asks, and a start or a
 * leap over blocks makes it look at all. So a block costs what it brings, however many adapters there
 * are. A record that nobody serves is asked for again after ADAPTER_RETRY_BLOCKS; above
 * ADAPTERS_INDEXED_MAX the first published are forgotten.
 */
export function adapterIndex ({ chain, storage }: AdapterIndexComponents): AdapterIndex {
  const entries = new Map<string, IndexedAdapter>()
  const byKey = new Map<string, Set<IndexedAdapter>>()
  const texts = new MiniSearch<Document>({ fields: ['name', 'source'], searchOptions: { prefix: true, fuzzy: 0.2, combineWith: 'AND', boost: { name: 2 } } })
  /** records that could not be had, with the height at which they were asked for last */
  const missing = new Map<string, { adapter: CID, height: number }>()
  /** what blocks brought and nobody asked for yet */
  const announced = new Map<string, CID>()
  /** entries by age, until there are others */
  let sorted: IndexedAdapter[] | undefined
  let lookAtAll = true
  let reading: Promise<void> | undefined

  const onLeap = (): void => {
    lookAtAll = true
    announced.clear()
  }
  const onBlock = ({ detail: { events } }: SettlementEvents['block']): void => {
    for (const event of events) {
      // a pending one may have come in the place of a rejected one
      if (event.type === 'adapter' && (event.status === 'pending' || !entries.has(event.adapter.toString()))) {
        announced.set(event.adapter.toString(), event.adapter)
      }
    }

    if (announced.size > ADAPTERS_INDEXED_MAX) {
      onLeap()
    }
  }

  function add (entry: IndexedAdapter, record: PublishedAdapter): void {
    const id = entry.adapter.toString()

    entries.set(id, entry)
    byKey.set(entry.key, (byKey.get(entry.key) ?? new Set()).add(entry))
    texts.add({ id, name: record.name, source: record.type === 'imported-adapter' ? record.source ?? '' : '' })
    missing.delete(id)
    sorted = undefined
  }

  function forget (entry: IndexedAdapter): void {
    const id = entry.adapter.toString()
    const versions = byKey.get(entry.key)

    entries.delete(id)
    texts.discard(id)
    versions?.delete(entry)
    sorted = undefined

    if (versions?.size === 0) {
      byKey.delete(entry.key)
    }
  }

  /** Adapters whose records are to be read now, the last published first. */
  function due (): Array<{ adapter: CID, state: AdapterState }> {
    const ledger = chain.state()
    const retried = [...missing.values()].filter(({ height }) => height + ADAPTER_RETRY_BLOCKS <= chain.height).map(({ adapter }) => adapter)
    const found = lookAtAll
      ? [...listAdapters(ledger)]
      : [...announced.values(), ...retried].flatMap(adapter => {
          const state = readAdapter(ledger, adapter)

          return state == null ? [] : [{ adapter, state }]
        })

    lookAtAll = false
    announced.clear()

    return found.filter(({ adapter, state: { height } }) => {
      const id = adapter.toString()
      const known = entries.get(id)

      if (known !== undefined && known.height !== height) {
        forget(known)
      }

      return !entries.has(id) && (missing.get(id)?.height ?? -Infinity) + ADAPTER_RETRY_BLOCKS <= chain.height
    }).sort((a, b) => b.state.height - a.state.height).slice(0, ADAPTERS_INDEXED_MAX)
  }

  async function read (adapters: ReturnType<typeof due>): Promise<void> {
    const { height } = chain

    for (let i = 0; i < adapters.length; i += ADAPTER_RECORDS_READ_AT_ONCE) {
      const signal = AbortSignal.timeout(LOOKUP_TIMEOUT_MS)

      await Promise.all(adapters.slice(i, i + ADAPTER_RECORDS_READ_AT_ONCE).map(async ({ adapter, state }) => {
        const record = await readAdapterRecord(storage, adapter, { signal }).catch(() => undefined)
        const licences = record == null ? undefined : await licencesOf(storage, record, signal).catch(() => undefined)

        if (record == null || licences == null) {
          missing.set(adapter.toString(), { adapter, height })
        } else if (!entries.has(adapter.toString())) {
          add(entryOf(chain, adapter, state, record, licences), record)
        }
      }))
    }

    if (entries.size > ADAPTERS_INDEXED_MAX) {
      ordered().slice(ADAPTERS_INDEXED_MAX).forEach(forget)
      sorted = undefined
    }
  }

  function ordered (): IndexedAdapter[] {
    sorted ??= [...entries.values()].sort(byAge)

    return sorted
  }

  async function current (): Promise<void> {
    await reading

    if (lookAtAll || announced.size > 0 || missing.size > 0) {
      reading ??= read(due()).finally(() => { reading = undefined })
    }

    // whoever comes while another one reads has nothing to begin, and all the same to wait for
    await reading
  }

  return {
    async start () {
      chain.addEventListener('block', onBlock)
      chain.addEventListener('leap', onLeap)
    },
    async stop () {
      chain.removeEventListener('block', onBlock)
      chain.removeEventListener('leap', onLeap)
    },
    async all () {
      await current()

      return [...ordered()]
    },
    async search (text) {
      await current()

      return texts.search(text).flatMap(({ id }) => entries.get(String(id)) ?? [])
    },
    async get (adapter) {
      await current()

      return entries.get(adapter.toString())
    },
    async versions (key) {
      await current()

      return [...byKey.get(key) ?? []].sort(byAge).toReversed()
    }
  }
}
