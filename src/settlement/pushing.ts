import { DatanetError } from '../utils/index.ts'
import { signedTransactionCodec } from '../wire/index.ts'
import { FETCH_TIMEOUT_MS, PUSH_VALIDATORS_MAX } from './constants.ts'
import { KnownTransactionError } from './errors.ts'
import type { ValidatorPeers } from './validators.ts'
import type { Network, Verdict } from '../gossip/index.ts'
import type { AbortOptions, Signed, Transaction } from '../interface/index.ts'
import type { PeerId } from '@libp2p/interface'

export interface PushingInit {
  protocol: string
  validators: Pick<ValidatorPeers, 'connected'>
  /** the same verdict as on what is gossiped */
  receive (signed: Signed<Transaction>): Promise<Verdict>
}

/**
 * Transactions from peer to peer, for whoever gossip does not hear: a node whose streams of gossip are
 * lost, or whose score is low for what it forwarded.
 *
 * @returns hands a transaction to a few validators, others with each call
 */
export function pushing ({ protocol, validators, receive }: PushingInit, network: Network): (signed: Signed<Transaction>, options?: AbortOptions) => Promise<void> {
  let calls = 0

  /** What is wrong whatever the state costs as much as in gossip: signatures are dear to look at. */
  const judge = async (request: Uint8Array, peer: PeerId): Promise<Verdict> => {
    try {
      return await receive(signedTransactionCodec.decode(request))
    } catch (error) {
      if (error instanceof DatanetError) {
        network.penalise(peer, error)
      }
      throw error
    }
  }

  network.handle(protocol, { requestBytesMax: signedTransactionCodec.bytesMax, responseBytesMax: 1, timeoutMs: FETCH_TIMEOUT_MS, concurrency: 16 }, async (request, { peer }) => {
    const verdict = await judge(request, peer)

    // the error is the answer: it says why
    if (typeof verdict !== 'string' && !(verdict.reason instanceof KnownTransactionError)) {
      throw verdict.reason
    }
    return new Uint8Array(0)
  })

  return async (signed, options) => {
    const bytes = signedTransactionCodec.encode(signed)
    const connected = validators.connected()
    const first = calls++ * PUSH_VALIDATORS_MAX
    const chosen = connected.map((_, i) => connected[(first + i) % connected.length]).slice(0, PUSH_VALIDATORS_MAX)

    await Promise.allSettled(chosen.map(async ({ peer }) => network.request(peer, protocol, bytes, { ...options, responseBytesMax: 1, timeoutMs: FETCH_TIMEOUT_MS })))
  }
}
