import { listAdapters } from '../ledger/index.ts'
import { LOAD_TIMEOUT_MS, PREFETCH_ADAPTERS_MAX, PREFETCH_BYTES_MAX } from './constants.ts'
import type { ModelLibrary } from './interface.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { CID } from 'multiformats/cid'

export interface PrefetchingComponents {
  chain: Pick<SettlementBackend, 'state'>
  library: Pick<ModelLibrary, 'adapter' | 'loaded'>
}

/** Fetches adapters before somebody asks for them. */
export interface Prefetching {
  /** Looks what is worth fetching, and fetches it one after the other; while it does, nothing more happens. */
  look (): Promise<void>
  /** What is being fetched is left; resolves when nothing happens any more. */
  stop (): Promise<void>
}

/**
 * Adapters that are likely to be asked for: those that earned most, then the newest. What an adapter
 * earned is on the ledger, so a gateway that has just started knows what is popular.
 */
export function worthFetching (state: LedgerState, count: number): CID[] {
  return [...listAdapters(state)]
    .filter(({ state: { status, deprecated } }) => status === 'admitted' && deprecated == null)
    .sort(({ state: a }, { state: b }) => Number(b.earned - a.earned) || b.height - a.height)
    .slice(0, count)
    .map(({ adapter }) => adapter)
}

/**
 * Keeps the likeliest adapters in the library, as long as they take at most half of its room: the
 * other half is for what is really asked. What cannot be had now is tried again at the next look.
 */
export function prefetching ({ chain, library }: PrefetchingComponents): Prefetching {
  let stopped = new AbortController()
  let looking: Promise<void> | undefined

  const fetchAll = async (signal: AbortSignal): Promise<void> => {
    const loaded = new Set(library.loaded().map(({ cid }) => cid.toString()))

    for (const cid of worthFetching(chain.state(), PREFETCH_ADAPTERS_MAX)) {
      if (signal.aborted || library.loaded().reduce((sum, { bytes }) => sum + bytes, 0) >= PREFETCH_BYTES_MAX) {
        return
      }

      if (!loaded.has(cid.toString())) {
        await library.adapter(cid, { signal: AbortSignal.any([signal, AbortSignal.timeout(LOAD_TIMEOUT_MS)]) }).catch(() => {})
      }
    }
  }

  return {
    async look () {
      if (looking == null) {
        stopped = new AbortController()
        looking = fetchAll(stopped.signal).finally(() => { looking = undefined })
      }

      return looking
    },
    async stop () {
      stopped.abort()
      await looking
    }
  }
}
