import { listAdapters, listBases, readAdapter, readBase } from '../ledger/index.ts'
import { utf8 } from '../wire/index.ts'
import { LOOKUP_TIMEOUT_MS, OFFER_BYTES_MAX, OFFERS_MAX } from './constants.ts'
import { offersCodec } from './messages.ts'
import type { ModelLibrary, Offer } from './interface.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { CID } from 'multiformats/cid'

export interface OfferingComponents {
  chain: Pick<SettlementBackend, 'state' | 'height'>
  library: Pick<ModelLibrary, 'terms'>
}

/** What a gateway serves. An adapter whose record cannot be had now is left out: it cannot be served either. */
export interface Offering {
  /** The network's bases, then the newest adapters, as many as one message holds. */
  all (): Promise<Offer[]>
  /** The offer of one adapter or base, whether `all` lists it or not; none if it is not served. */
  of (adapter: CID): Promise<Offer[]>
}

export function offering ({ chain, library }: OfferingComponents): Offering {
  /** records never change */
  const known = new Map<string, Offer>()
  /** what is served changes with blocks alone: however many ask, the ledger is gone through once in each */
  let listed: { height: number, offers: Promise<Offer[]> } | undefined

  const offerOf = async (adapter: CID): Promise<Offer | undefined> => {
    const key = adapter.toString()
    const before = known.get(key)

    if (before != null) {
      return before
    }

    const { name, base, pricePerThousandTokens, promptPricePerThousandTokens } = await library.terms(adapter, { signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS / 2) })
    const offer = { adapter, name, base, pricePerThousandTokens, ...(promptPricePerThousandTokens == null ? {} : { promptPricePerThousandTokens }) }

    // as many as are listed at most
    if (known.size < OFFERS_MAX) {
      known.set(key, offer)
    }

    return offer
  }

  const list = async (state: LedgerState): Promise<Offer[]> => {
    const bases = [...listBases(state)].slice(0, OFFERS_MAX / 2)
    const admitted = [...listAdapters(state)]
      .filter(one => one.state.status === 'admitted')
      .sort((a, b) => b.state.height - a.state.height)
      .slice(0, OFFERS_MAX - bases.length)
      .map(({ adapter }) => adapter)

    return fitting(await Promise.all([...bases, ...admitted].map(async cid => offerOf(cid).catch(() => undefined))))
  }

  return {
    async all () {
      const { height } = chain

      if (listed?.height !== height) {
        listed = { height, offers: list(chain.state()) }
      }

      return listed.offers
    },
    async of (adapter) {
      const state = chain.state()

      if (readAdapter(state, adapter)?.status !== 'admitted' && readBase(state, adapter) == null) {
        return []
      }

      return fitting([await offerOf(adapter).catch(() => undefined)])
    }
  }
}

/** The first offers that fit into a message; names are their developers' to choose. */
function fitting (offers: ReadonlyArray<Offer | undefined>): Offer[] {
  let bytesLeft = offersCodec.bytesMax - OFFER_BYTES_MAX
  const taken: Offer[] = []

  for (const offer of offers.filter(one => one != null)) {
    bytesLeft -= OFFER_BYTES_MAX + utf8(offer.name).byteLength

    if (bytesLeft < 0) {
      break
    }

    taken.push(offer)
  }

  return taken
}
