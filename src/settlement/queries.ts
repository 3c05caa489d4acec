import { certifiedHeaderCodec, eraChangeCodec, outcomeProofCodec, pastHeaderCodec, stateProofCodec } from '../wire/index.ts'
import { queryCodec } from './codecs.ts'
import { FETCH_TIMEOUT_MS, PEERS_TRIED_MAX, QUERIES_MAX, QUERY_BYTES_MAX } from './constants.ts'
import { NoSourceError } from './errors.ts'
import type { Query } from './codecs.ts'
import type { Chain, HeaderSource } from './interface.ts'
import type { Network } from '../gossip/index.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { PeerId } from '@libp2p/interface'

export const queryProtocol = (chain: string): string => `/datanet/${chain}/query/1`

const RESPONSE_BYTES_MAX = Math.max(certifiedHeaderCodec.bytesMax, eraChangeCodec.bytesMax, outcomeProofCodec.bytesMax, pastHeaderCodec.bytesMax, stateProofCodec.bytesMax)

type Answers = Pick<Chain, 'id' | 'certified' | 'prove' | 'eraChange' | 'past' | 'epochEnd' | 'outcome'>

async function answer (chain: Answers, query: Query): Promise<Uint8Array> {
  switch (query.type) {
    case 'latest':
      return certifiedHeaderCodec.encode(await chain.certified())
    case 'header':
      return certifiedHeaderCodec.encode(await chain.certified(query.height))
    case 'era':
      return eraChangeCodec.encode(await chain.eraChange(query.era))
    case 'past':
      return pastHeaderCodec.encode(await chain.past(query.height, query.size))
    case 'epoch':
      return pastHeaderCodec.encode(await chain.epochEnd(query.epoch, query.size))
    case 'outcome':
      return outcomeProofCodec.encode(await chain.outcome(query.id))
    default:
      return stateProofCodec.encode(chain.prove(query.key, query.height))
  }
}

/** Answers light clients. Register once. */
export function serveQueries (network: Network, chain: Answers): void {
  network.handle(queryProtocol(chain.id), {
    requestBytesMax: QUERY_BYTES_MAX, responseBytesMax: RESPONSE_BYTES_MAX, timeoutMs: FETCH_TIMEOUT_MS, concurrency: QUERIES_MAX
  }, async (request) => answer(chain, queryCodec.decode(request)))
}

/**
 * What a light client needs, from peers that `serveQueries`. Nothing is verified here: that is the
 * light client's task. Peers are asked in order until one
 * answers; by default all that are connected.
 */
export function querySource (init: { network: Network, chain: string, peers?(): PeerId[] }): HeaderSource {
  const { network } = init
  const peers = init.peers ?? (() => network.peers().map(({ peer }) => peer))

  const ask = async <T>(query: Query, decode: (bytes: Uint8Array) => T, options?: AbortOptions): Promise<T> => {
    const candidates = peers().slice(0, PEERS_TRIED_MAX * 2)
    let last: unknown

    for (const peer of candidates) {
      options?.signal?.throwIfAborted()
      try {
        return decode(await network.request(peer, queryProtocol(init.chain), queryCodec.encode(query), { ...options, responseBytesMax: RESPONSE_BYTES_MAX, timeoutMs: FETCH_TIMEOUT_MS }))
      } catch (error) {
        last = error
      }
    }
    throw new NoSourceError(`an answer to the ${query.type} query`, candidates.length, last)
  }

  return {
    latest: async (options) => ask({ type: 'latest' }, certifiedHeaderCodec.decode, options),
    header: async (height, options) => ask({ type: 'header', height }, certifiedHeaderCodec.decode, options),
    eraChange: async (era, options) => ask({ type: 'era', era }, eraChangeCodec.decode, options),
    past: async (height, size, options) => ask({ type: 'past', height, size }, pastHeaderCodec.decode, options),
    epochEnd: async (epoch, size, options) => ask({ type: 'epoch', epoch, size }, pastHeaderCodec.decode, options),
    outcome: async (id, options) => ask({ type: 'outcome', id }, outcomeProofCodec.decode, options),
    proof: async (key, height, options) => ask({ type: 'proof', key, height }, stateProofCodec.decode, options)
  }
}
