import { accountToString, signRecord } from '../identity/index.ts'
import { checkOpening, OPENINGS_BYTES_MAX, openingsCodec, RECEIPTS_PROTOCOL, receiptsRequestCodec, receiptsRoot } from '../serving/index.ts'
import { domains, equalBytes, signedCodec, toHex } from '../wire/index.ts'
import { FETCH_TIMEOUT_MS } from './constants.ts'
import { FalseReceiptError, ReceiptsUnavailableError } from './errors.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Hash, ReceiptOpening, TaskState } from '../interface/index.ts'
import type { PeerId } from '@libp2p/interface'

type Source = TaskState['sources'][number]

const requestCodec = signedCodec(receiptsRequestCodec)

/**
 * The receipts of a task from the gateways that redeemed them, each source checked against what
 * the ledger knows of it.
 *
 * @throws ReceiptsUnavailableError if no connected peer has them, to be tried again
 * @throws FalseReceiptError if they are not what was redeemed
 */
export async function fetchReceipts (network: Network, chain: string, task: Hash, state: TaskState, signer: Signer, options?: AbortOptions): Promise<ReceiptOpening[]> {
  const openings: ReceiptOpening[] = []

  for (const source of state.sources) {
    const request = requestCodec.encode(signRecord(domains.receiptsRequest, receiptsRequestCodec, {
      type: 'receipts-request', chain, task, receiptsRoot: source.receiptsRoot, assessor: signer.account
    }, signer))

    openings.push(...await fetchSource(network, source, request, options))
  }

  return openings
}

async function fetchSource (network: Network, source: Source, request: Uint8Array, options?: AbortOptions): Promise<ReceiptOpening[]> {
  const causes: unknown[] = []

  for (const peer of await peersWith(network, RECEIPTS_PROTOCOL)) {
    try {
      const bytes = await network.request(peer, RECEIPTS_PROTOCOL, request, { ...options, timeoutMs: FETCH_TIMEOUT_MS, responseBytesMax: OPENINGS_BYTES_MAX })
      const { openings } = openingsCodec.decode(bytes)

      if (openings.length > 0 && equalBytes(receiptsRoot(openings.map(({ receipt }) => receipt)), source.receiptsRoot)) {
        return openings
      }

      causes.push(new FalseReceiptError(`${peer.toString()} sent ${openings.length} receipts that do not hash to the root on the ledger`))
    } catch (err) {
      options?.signal?.throwIfAborted()
      causes.push(err)
    }
  }

  throw new ReceiptsUnavailableError(`no connected peer opens the receipts ${toHex(source.receiptsRoot)} of gateway ${accountToString(source.gateway)}`, {
    cause: new AggregateError(causes)
  })
}

/** Connected peers that speak a protocol, as identify told. */
export async function peersWith (network: Network, protocol: string): Promise<PeerId[]> {
  const found: PeerId[] = []

  for (const { peer } of network.peers()) {
    const { protocols } = await network.libp2p.peerStore.get(peer)

    if (protocols.includes(protocol)) {
      found.push(peer)
    }
  }

  return found
}

/**
 * Checks a task's receipts as far as signatures, hashes and sums go.
 *
 * @throws FalseReceiptError
 */
export function checkReceipts (chain: string, state: TaskState, openings: ReceiptOpening[]): void {
  for (const source of state.sources) {
    const mine = openings.filter(({ receipt: { payload } }) => equalBytes(payload.channel, source.channel) && equalBytes(payload.gateway, source.gateway))
    const fees = mine.reduce((sum, { receipt }) => sum + receipt.payload.fee, 0n)
    const inSources = state.sources.filter(other => equalBytes(other.channel, source.channel))

    // one channel may be redeemed several times in an epoch: their sums count together
    const expected = inSources.reduce((sum, other) => ({ fees: sum.fees + other.fees, receipts: sum.receipts + other.receipts }), { fees: 0n, receipts: 0 })

    if (fees !== expected.fees || mine.length !== expected.receipts) {
      throw new FalseReceiptError(`the ledger knows ${expected.receipts} receipts over ${expected.fees} base units of channel ${toHex(source.channel)}, but they are ${mine.length} over ${fees}`)
    }
  }

  for (const opening of openings) {
    const { payload } = opening.receipt

    if (payload.chain !== chain || !payload.adapter.equals(state.adapter)) {
      throw new FalseReceiptError('a receipt is of another chain or another adapter than its task')
    }

    checkOpening(opening)
  }
}
