import { accountToString, signRecord } from '../identity/index.ts'
import { readChain, readChannel } from '../ledger/index.ts'
import { checkOpening, isOpened, OPENINGS_BYTES_MAX, openingsCodec, RECEIPTS_PROTOCOL, receiptsRequestCodec, receiptsRoot } from '../serving/index.ts'
import { domains, equalBytes, signedCodec, toHex } from '../wire/index.ts'
import { FETCH_TIMEOUT_MS } from './constants.ts'
import { FalseReceiptError, ReceiptsUnavailableError } from './errors.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Hash, ReceiptOpening, Signed, TaskState } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { Gateway, ReceiptsRequest } from '../serving/index.ts'
import type { PeerId } from '@libp2p/interface'

type Source = TaskState['sources'][number]

/** A receipt, and which of the task's redemptions it came with. */
export interface PlacedOpening {
  place: number
  opening: ReceiptOpening
}

const requestCodec = signedCodec(receiptsRequestCodec)

export interface ReceiptComponents {
  network: Network
  /** the gateway of this node, if it is one: it is asked without a stream */
  gateway?: Pick<Gateway, 'account' | 'openings'>
}

/**
 * The receipts of a task from the gateways that redeemed them, checked against what the ledger
 * knows: the same answer for every assessor, however long ago the task was made.
 *
 * @throws {ReceiptsUnavailableError} if no connected peer has them, to be tried again
 * @throws {FalseReceiptError} if they are not what was redeemed
 */
export async function fetchReceipts (components: ReceiptComponents, ledger: LedgerState, task: Hash, state: TaskState, signer: Signer, options?: AbortOptions): Promise<PlacedOpening[]> {
  const { chain } = readChain(ledger)
  const seen = new Set<string>()
  const openings: PlacedOpening[] = []

  for (const [place, source] of state.sources.entries()) {
    // its fees went back, so its receipts count no more
    if (source.fault !== null) {
      continue
    }

    const payload: ReceiptsRequest = {
      type: 'receipts-request', chain, task, receiptsRoot: source.receiptsRoot, assessor: signer.account, peer: components.network.peerId.toString()
    }
    const request = signRecord(domains.receiptsRequest, receiptsRequestCodec, payload, signer)
    const found = await fetchSource(components, place, source, request, options)

    checkSource(ledger, state, place, found)

    for (const opening of found) {
      const { channel, sequence } = opening.receipt.payload
      const name = `${toHex(channel)}/${sequence}`

      if (seen.has(name)) {
        throw new FalseReceiptError(place, `receipt ${sequence} of channel ${toHex(channel)} was redeemed twice`)
      }

      seen.add(name)
      openings.push({ place, opening })
    }
  }

  return openings
}

async function fetchSource (components: ReceiptComponents, place: number, source: Source, request: Signed<ReceiptsRequest>, options?: AbortOptions): Promise<ReceiptOpening[]> {
  const { network, gateway } = components
  const causes: unknown[] = []
  // tokens that do not open the receipts say something of whoever sent them, who may send others to another seat
  const isHere = (openings: ReceiptOpening[]): boolean =>
    openings.length > 0 && equalBytes(receiptsRoot(openings.map(({ receipt }) => receipt)), source.receiptsRoot) && openings.every(isOpened)

  if (gateway != null && equalBytes(gateway.account, source.gateway)) {
    const openings = await gateway.openings(request, network.peerId.toString())

    if (isHere(openings)) {
      return openings
    }
  }

  for (const peer of await peersWith(network, RECEIPTS_PROTOCOL)) {
    try {
      const bytes = await network.request(peer, RECEIPTS_PROTOCOL, requestCodec.encode(request), { ...options, timeoutMs: FETCH_TIMEOUT_MS, responseBytesMax: OPENINGS_BYTES_MAX })
      const { openings } = openingsCodec.decode(bytes)

      if (isHere(openings)) {
        return openings
      }

      causes.push(new FalseReceiptError(place, `${peer.toString()} sent ${openings.length} receipts that do not hash to the root on the ledger, or tokens that do not hash to the receipts`))
    } catch (err) {
      options?.signal?.throwIfAborted()
      causes.push(err)
    }
  }

  throw new ReceiptsUnavailableError(place, `no connected peer opens the receipts ${toHex(source.receiptsRoot)} of gateway ${accountToString(source.gateway)}`, {
    cause: new AggregateError(causes)
  })
}

/** Connected peers that speak a protocol, as identify told. */
export async function peersWith (network: Network, protocol: string): Promise<PeerId[]> {
  const peers = await Promise.all(network.peers().map(async ({ peer }) => {
    // a peer that left meanwhile is in no peer store
    const known = await network.libp2p.peerStore.get(peer).catch(() => undefined)

    return known?.protocols.includes(protocol) === true ? [peer] : []
  }))

  return peers.flat()
}

/**
 * Whether receipts are those of one redemption, as far as signatures, hashes and sums go. A receipt
 * of another channel or payer would weigh in the scores without having been paid.
 *
 * @throws {FalseReceiptError}
 */
export function checkSource (ledger: LedgerState, state: TaskState, place: number, openings: ReceiptOpening[]): void {
  const source = state.sources[place]
  const { chain } = readChain(ledger)
  const channel = readChannel(ledger, source.channel)
  const fees = openings.reduce((sum, { receipt }) => sum + receipt.payload.fee, 0n)

  if (fees !== source.fees || openings.length !== source.receipts) {
    throw new FalseReceiptError(place, `the ledger knows ${source.receipts} receipts over ${source.fees} base units of channel ${toHex(source.channel)}, but they are ${openings.length} over ${fees}`)
  }

  for (const opening of openings) {
    const { payload } = opening.receipt

    // older ones of the same count and fees were paid in another epoch
    if (payload.cumulative - payload.fee < source.from || payload.cumulative > source.until) {
      throw new FalseReceiptError(place, `receipt ${payload.sequence} of channel ${toHex(payload.channel)} is not among those that this redemption paid`)
    }

    if (payload.chain !== chain || !payload.adapter.equals(state.adapter)) {
      throw new FalseReceiptError(place, 'a receipt is of another chain or another adapter than its task')
    }

    if (!equalBytes(payload.channel, source.channel) || !equalBytes(payload.gateway, source.gateway) || channel == null || !equalBytes(payload.payer, channel.payer)) {
      throw new FalseReceiptError(place, 'a receipt is of another channel, gateway or payer than the redemption that it came with')
    }

    try {
      checkOpening(opening)
    } catch (cause) {
      throw new FalseReceiptError(place, `receipt ${payload.sequence} of channel ${toHex(payload.channel)} does not hold`, { cause })
    }
  }
}
