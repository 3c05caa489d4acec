import MiniSearch from 'minisearch'
import { listAdapters, readContribution } from '../ledger/index.ts'
import { readAdapterRecord } from '../serving/index.ts'
import { toHex } from '../wire/index.ts'
import { LOOKUP_TIMEOUT_MS } from './constants.ts'
import { ADAPTER_RECORDS_READ_AT_ONCE, ADAPTER_RETRY_BLOCKS, ADAPTERS_INDEXED_MAX } from './registry-constants.ts'
import type { AdapterState, PublishedAdapter, Startable } from '../interface/index.ts'
import type { SettlementBackend, SettlementEvents } from '../settlement/index.ts'
import type { Storage } from '../storage/index.ts'
import type { CID } from 'multiformats/cid'

/** What never changes of an adapter, kept in memory; its record's lists of files are not. */
export interface IndexedAdapter {
  adapter: CID
  height: number
  name: string
  /** CIDs as text */
  base: string
  datanets: string[]
  /** name and developer: nobody continues the versions of somebody else's name */
  key: string
  influence: 'forward' | 'reverse' | 'none'
  lossMicro: number[]
  pricePerThousandTokens: bigint
  promptPricePerThousandTokens: bigint
  /** of imported weights, which have one of their own: an imported adapter's, or those of a merge's parents */
  licences: string[]
}

/** The adapters of the chain by what people look for, without reading a record twice. */
export interface AdapterIndex extends Startable {
  /** All adapters whose records could be had, the last published first. Waits for records that are new. */
  all (): Promise<IndexedAdapter[]>
  /** Those whose name or source has words that begin like, or nearly like, all words of the text; the best first. */
  search (text: string): Promise<IndexedAdapter[]>
}

export interface AdapterIndexComponents {
  chain: Pick<SettlementBackend, 'state' | 'height' | 'addEventListener' | 'removeEventListener'>
  storage: Pick<Storage, 'get'>
}

interface Document { id: string, name: string, source: string }

/**
 * Follows the ledger: a block that brings adapters, or a leap over blocks, makes it look for those
 * that it lacks. A record that nobody serves is asked for again after ADAPTER_RETRY_BLOCKS; above
 * ADAPTERS_INDEXED_MAX the first published are forgotten.
 */
export function adapterIndex ({ chain, storage }: AdapterIndexComponents): AdapterIndex {
  const entries = new Map<string, IndexedAdapter>()
  const texts = new MiniSearch<Document>({ fields: ['name', 'source'], searchOptions: { prefix: true, fuzzy: 0.2, combineWith: 'AND', boost: { name: 2 } } })
  /** records that could not be had, with the height at which they were asked for last */
  const missing = new Map<string, number>()
  let stale = true
  let reading: Promise<void> | undefined

  const onBlock = ({ detail: { events } }: SettlementEvents['block']): void => { stale ||= missing.size > 0 || events.some(({ type }) => type === 'adapter') }
  const onLeap = (): void => { stale = true }

  function add (adapter: CID, state: AdapterState, record: PublishedAdapter, licences: string[]): void {
    const id = adapter.toString()

    entries.set(id, entryOf(chain, adapter, state, record, licences))
    texts.add({ id, name: record.name, source: record.type === 'imported-adapter' ? record.source ?? '' : '' })
    missing.delete(id)

    if (entries.size > ADAPTERS_INDEXED_MAX) {
      const [oldest] = [...entries].reduce((a, b) => a[1].height <= b[1].height ? a : b)

      entries.delete(oldest)
      texts.discard(oldest)
    }
  }

  async function read (): Promise<void> {
    const { height } = chain
    const due = [...listAdapters(chain.state())].filter(({ adapter }) => {
      const id = adapter.toString()

      return !entries.has(id) && (missing.get(id) ?? -Infinity) + ADAPTER_RETRY_BLOCKS <= height
    }).sort((a, b) => b.state.height - a.state.height).slice(0, ADAPTERS_INDEXED_MAX)

    stale = false

    for (let i = 0; i < due.length; i += ADAPTER_RECORDS_READ_AT_ONCE) {
      const signal = AbortSignal.timeout(LOOKUP_TIMEOUT_MS)

      await Promise.all(due.slice(i, i + ADAPTER_RECORDS_READ_AT_ONCE).map(async ({ adapter, state }) => {
        const record = await readAdapterRecord(storage, adapter, { signal }).catch(() => undefined)

        const licences = record == null ? undefined : await licencesOf(storage, record, signal).catch(() => undefined)

        if (record == null || licences == null) {
          missing.set(adapter.toString(), height)
        } else if (!entries.has(adapter.toString())) {
          add(adapter, state, record, licences)
        }
      }))
    }
  }

  async function current (): Promise<void> {
    await reading

    if (stale) {
      reading ??= read().finally(() => { reading = undefined })
      await reading
    }
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

      return [...entries.values()].sort((a, b) => b.height - a.height || (a.adapter.toString() < b.adapter.toString() ? 1 : -1))
    },
    async search (text) {
      await current()

      return texts.search(text).flatMap(({ id }) => entries.get(String(id)) ?? [])
    }
  }
}

async function licencesOf (storage: AdapterIndexComponents['storage'], record: PublishedAdapter, signal: AbortSignal): Promise<string[]> {
  const records = record.type === 'merged-adapter' ? await Promise.all(record.parents.map(async ({ adapter }) => readAdapterRecord(storage, adapter, { signal }))) : [record]

  return records.flatMap(one => one.type === 'imported-adapter' ? [one.licence] : [])
}

function entryOf (chain: AdapterIndexComponents['chain'], adapter: CID, state: AdapterState, record: PublishedAdapter, licences: string[]): IndexedAdapter {
  const ledger = chain.state()

  return {
    adapter,
    height: state.height,
    name: record.name,
    base: record.base.toString(),
    datanets: [...new Set(state.contributions.flatMap(contribution => readContribution(ledger, contribution)?.datanet.toString() ?? []))],
    key: `${toHex(state.developer)} ${record.name}`,
    influence: record.type === 'adapter' ? record.influence.form : 'none',
    lossMicro: record.type === 'adapter' ? record.lossMicro : [],
    pricePerThousandTokens: record.pricePerThousandTokens,
    promptPricePerThousandTokens: record.promptPricePerThousandTokens ?? record.pricePerThousandTokens,
    licences
  }
}
