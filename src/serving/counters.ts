import { setTimeout as delay } from 'node:timers/promises'
import { RemoteError } from '../gossip/index.ts'
import {
  ANSWER_BYTES_MAX, ASK_PROTOCOL, ASK_STREAM_PROTOCOL, ASK_TIMEOUT_MS, COSIGN_PROTOCOL, GATEWAYS_ASKED_MAX, LOOKUP_TIMEOUT_MS, OFFERS_PROTOCOL, OTHERS_PATIENCE_MS,
  STREAM_IDLE_TIMEOUT_MS, STREAM_TIMEOUT_MS
} from './constants.ts'
import { BadReceiptError, RefusedByGatewayError } from './errors.ts'
import { acknowledgementCodec, answerPartCodec, askCodec, cosignCodec, offersCodec, offersRequestCodec, proposedAnswerCodec } from './messages.ts'
import type { Gateway } from './gateway.ts'
import type { Offers, ProposedAnswer, StreamOptions } from './interface.ts'
import type { AskMessage, CosignMessage } from './messages.ts'
import type { Network, RequestOptions } from '../gossip/index.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

/** How a gateway is reached: over a stream, or on this node. */
export interface Counter {
  offers: Offers
  /** with `onTokens` the answer is sent while it is made */
  ask (message: AskMessage, options?: StreamOptions): Promise<ProposedAnswer>
  cosign (message: CosignMessage, options?: AbortOptions): Promise<void>
}

export interface ReachableOptions extends AbortOptions {
  /** for whoever needs one gateway with this adapter: that of this node alone if it has it, and nobody is waited for long once one has */
  serving?: CID
}

export const serves = ({ offers }: Counter, adapter: CID): boolean => offers.offers.some(offer => offer.adapter.equals(adapter))

/** Gateways that answer now; the one on this node first, then in the order in which they answer. */
export async function reachableCounters (network: Network, own: Gateway | undefined, { signal, serving }: ReachableOptions = {}): Promise<Counter[]> {
  const found = own == null ? [] : [await localCounter(own, serving)]
  const isEnough = (counter: Counter): boolean => serving != null && serves(counter, serving)

  if (found.some(isEnough)) {
    return found
  }

  const enough = Promise.withResolvers<void>()
  const left = new AbortController()
  const peers = await gatewayPeers(network)
  const all = Promise.all(peers.slice(0, GATEWAYS_ASKED_MAX).map(async peer => {
    // one that does not answer is not a gateway now
    const counter = await remoteCounter(network, peer, { serving, signal: signal == null ? left.signal : AbortSignal.any([signal, left.signal]) }).catch(() => undefined)

    if (counter != null) {
      found.push(counter)
    }

    if (counter != null && isEnough(counter)) {
      enough.resolve()
    }
  }))

  try {
    // a peer that says it is a gateway, and then nothing, holds up no question
    await Promise.race([all, enough.promise.then(async () => delay(OTHERS_PATIENCE_MS, undefined, { signal: left.signal, ref: false }))])
  } finally {
    left.abort()
  }

  signal?.throwIfAborted()

  return [...found]
}

async function localCounter (gateway: Gateway, adapter?: CID): Promise<Counter> {
  return {
    offers: { gateway: gateway.account, offers: await gateway.offers(adapter) },
    ask: async (message, options) => gateway.ask(message, options),
    cosign: async message => { await gateway.cosign(message) }
  }
}

async function remoteCounter (network: Network, peer: PeerId, { serving: adapter, signal }: ReachableOptions): Promise<Counter> {
  const lookup = { signal, timeoutMs: LOOKUP_TIMEOUT_MS, responseBytesMax: offersCodec.bytesMax }
  const patient = (own?: AbortOptions): RequestOptions => ({ ...own, timeoutMs: ASK_TIMEOUT_MS, responseBytesMax: ANSWER_BYTES_MAX })

  const refused = (err: unknown): unknown => err instanceof RemoteError ? new RefusedByGatewayError(err.remoteCode, err) : err

  const request = async (protocol: string, bytes: Uint8Array, how: RequestOptions): Promise<Uint8Array> => {
    try {
      return await network.request(peer, protocol, bytes, how)
    } catch (err) {
      throw refused(err)
    }
  }

  const offers = offersCodec.decode(await request(OFFERS_PROTOCOL, offersRequestCodec.encode({ type: 'offers-request', ...(adapter == null ? {} : { adapter }) }), lookup))

  return {
    offers,
    ask: async (message, own = {}) => own.onTokens == null
      ? proposedAnswerCodec.decode(await request(ASK_PROTOCOL, askCodec.encode(message), patient(own)))
      : askStream(network, peer, message, own).catch((err: unknown) => { throw refused(err) }),
    cosign: async (message, own) => {
      acknowledgementCodec.decode(await request(COSIGN_PROTOCOL, cosignCodec.encode(message), patient(own)))
    }
  }
}

/** Reads an answer while it is made. */
async function askStream (network: Network, peer: PeerId, message: AskMessage, { signal, onTokens }: StreamOptions): Promise<ProposedAnswer> {
  const idle = new AbortController()
  const silent = (): void => { idle.abort(new DOMException(`the gateway sent nothing for ${STREAM_IDLE_TIMEOUT_MS / 1_000} s`, 'TimeoutError')) }
  let timer = setTimeout(silent, STREAM_IDLE_TIMEOUT_MS)
  let count = 0

  try {
    const parts = network.requestMany(peer, ASK_STREAM_PROTOCOL, askCodec.encode(message), {
      signal: signal == null ? idle.signal : AbortSignal.any([signal, idle.signal]),
      responseBytesMax: ANSWER_BYTES_MAX,
      responsesMax: message.maxTokens + 1,
      timeoutMs: STREAM_TIMEOUT_MS
    })

    for await (const bytes of parts) {
      const part = answerPartCodec.decode(bytes)

      clearTimeout(timer)
      timer = setTimeout(silent, STREAM_IDLE_TIMEOUT_MS)

      if (part.type === 'proposed-answer') {
        return part
      }

      if (part.from !== count || count + part.tokens.length > message.maxTokens) {
        throw new BadReceiptError(`expected tokens from ${count} to at most ${message.maxTokens} but the gateway sent ${part.tokens.length} from ${part.from}`)
      }

      count += part.tokens.length
      onTokens?.(part.tokens)
    }
  } finally {
    clearTimeout(timer)
  }

  throw new BadReceiptError('the gateway ended the stream without a receipt')
}

async function gatewayPeers (network: Network): Promise<PeerId[]> {
  const peers = await Promise.all(network.peers().map(async ({ peer }) => {
    // a peer that left meanwhile is in no peer store
    const known = await network.libp2p.peerStore.get(peer).catch(() => undefined)

    return known?.protocols.includes(ASK_PROTOCOL) === true ? [peer] : []
  }))

  return peers.flat()
}
