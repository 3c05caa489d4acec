import { RemoteError } from '../gossip/index.ts'
import { ANSWER_BYTES_MAX, ASK_PROTOCOL, ASK_TIMEOUT_MS, COSIGN_PROTOCOL, GATEWAYS_ASKED_MAX, LOOKUP_TIMEOUT_MS, OFFERS_PROTOCOL } from './constants.ts'
import { RefusedByGatewayError } from './errors.ts'
import { acknowledgementCodec, askCodec, cosignCodec, offersCodec, offersRequestCodec, proposedAnswerCodec } from './messages.ts'
import type { Gateway } from './gateway.ts'
import type { Offers, ProposedAnswer } from './interface.ts'
import type { AskMessage, CosignMessage } from './messages.ts'
import type { Network, RequestOptions } from '../gossip/index.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { PeerId } from '@libp2p/interface'

/** How a gateway is reached: over a stream, or on this node. */
export interface Counter {
  offers: Offers
  ask (message: AskMessage, options?: AbortOptions): Promise<ProposedAnswer>
  cosign (message: CosignMessage, options?: AbortOptions): Promise<void>
}

/** Gateways that answer now; the one on this node first. */
export async function reachableCounters (network: Network, own: Gateway | undefined, options?: AbortOptions): Promise<Counter[]> {
  const peers = await gatewayPeers(network)
  const remote = await Promise.all(peers.slice(0, GATEWAYS_ASKED_MAX).map(async peer => {
    // one that does not answer is not a gateway now
    return remoteCounter(network, peer, options).catch(() => undefined)
  }))

  options?.signal?.throwIfAborted()

  const local = own == null ? [] : [await localCounter(own)]

  return [...local, ...remote.filter(counter => counter != null)]
}

async function localCounter (gateway: Gateway): Promise<Counter> {
  return {
    offers: { gateway: gateway.account, offers: await gateway.offers() },
    ask: async (message, options) => gateway.ask(message, options),
    cosign: async message => { await gateway.cosign(message) }
  }
}

async function remoteCounter (network: Network, peer: PeerId, options?: AbortOptions): Promise<Counter> {
  const lookup = { ...options, timeoutMs: LOOKUP_TIMEOUT_MS, responseBytesMax: offersCodec.bytesMax }
  const patient = (own?: AbortOptions): RequestOptions => ({ ...own, timeoutMs: ASK_TIMEOUT_MS, responseBytesMax: ANSWER_BYTES_MAX })

  const request = async (protocol: string, bytes: Uint8Array, how: RequestOptions): Promise<Uint8Array> => {
    try {
      return await network.request(peer, protocol, bytes, how)
    } catch (err) {
      throw err instanceof RemoteError ? new RefusedByGatewayError(err.remoteCode, err) : err
    }
  }

  const offers = offersCodec.decode(await request(OFFERS_PROTOCOL, offersRequestCodec.encode({ type: 'offers-request' }), lookup))

  return {
    offers,
    ask: async (message, own) => proposedAnswerCodec.decode(await request(ASK_PROTOCOL, askCodec.encode(message), patient(own))),
    cosign: async (message, own) => {
      acknowledgementCodec.decode(await request(COSIGN_PROTOCOL, cosignCodec.encode(message), patient(own)))
    }
  }
}

async function gatewayPeers (network: Network): Promise<PeerId[]> {
  const peers = await Promise.all(network.peers().map(async ({ peer }) => {
    // a peer that left meanwhile is in no peer store
    const known = await network.libp2p.peerStore.get(peer).catch(() => undefined)

    return known?.protocols.includes(ASK_PROTOCOL) === true ? [peer] : []
  }))

  return peers.flat()
}
