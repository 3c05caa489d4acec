import { readHistory } from '../ledger/index.ts'
import { headerHash, verifyMerkleProof, verifyOutcome } from '../wire/index.ts'
import { PASSED_OVER_ATTEMPTS_MAX, PEERS_TRIED_MAX } from './constants.ts'
import { InvalidSyncError } from './errors.ts'
import { querySource } from './queries.ts'
import type { FinalisedTransaction } from './interface.ts'
import type { Network } from '../gossip/index.ts'
import type { AbortOptions, Header, OutcomeProof } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

export interface LookUpInit {
  chain: string
  network: Network
  peers (): PeerId[]
  /** the newest final block with the state after it */
  final (): { header: Header, state: LedgerState }
}

/**
 * What became of a transaction in a block that is not here: a peer says it, and the history in our
 * own state proves the header that its proof leads to. A peer whose proof does not hold is penalised.
 *
 * @returns looks a transaction up; undefined if no peer has it
 */
export function lookUp ({ chain, network, peers, final }: LookUpInit): (id: CID, options?: AbortOptions) => Promise<FinalisedTransaction | undefined> {
  const headerOf = async ({ height }: OutcomeProof, peer: PeerId, options?: AbortOptions): Promise<Header> => {
    const { header: newest, state } = final()
    const history = readHistory(state)

    if (height === newest.height) {
      return newest
    }
    if (height > newest.height || history === undefined) {
      throw new InvalidSyncError(`its transaction is at height ${height}, which is no past of ours`)
    }

    const { header, path } = await querySource({ network, chain, peers: () => [peer] }).past(height, newest.height, options)

    if (!verifyMerkleProof(history.blocks, headerHash(header), height, newest.height, path)) {
      throw new InvalidSyncError(`its header at height ${height} is not in our history`)
    }
    return header
  }

  const ask = async (id: CID, peer: PeerId, options?: AbortOptions): Promise<FinalisedTransaction> => {
    const proof = await querySource({ network, chain, peers: () => [peer] }).outcome(id, options)
    const header = await headerOf(proof, peer, options)
    const { outcome: { ok, code, fee }, height } = proof

    if (!proof.outcome.id.equals(id) || !verifyOutcome(header.outcomesRoot, proof)) {
      throw new InvalidSyncError('what it says of a transaction is not what the header says')
    }
    return { id, ok, fee, height, ...code === null ? {} : { code } }
  }

  return async (id, options) => {
    for (const peer of peers().slice(0, PEERS_TRIED_MAX)) {
      options?.signal?.throwIfAborted()
      try {
        return await ask(id, peer, options)
      } catch (error) {
        if (error instanceof InvalidSyncError) {
          network.penalise(peer, error)
        }
      }
    }
  }
}

export interface PassedOverInit<T extends { id: CID }> {
  lookUp (id: CID): Promise<FinalisedTransaction | undefined>
  onFound (one: T, result: FinalisedTransaction): Promise<void>
  /** nobody who was asked knows: it may have been executed, or another with its nonce */
  onGivenUp (one: T): void
}

/** Own transactions whose nonces were used in blocks that were never here. */
export interface PassedOver<T> {
  add (ones: T[]): void
  /** Asks again for those that are not known yet: with each block, a bounded number of times. */
  retry (): void
  clear (): void
}

export function passedOver<T extends { id: CID }> (init: PassedOverInit<T>): PassedOver<T> {
  const open = new Map<string, { one: T, attempts: number }>()
  let asking = false

  const askAll = async (): Promise<void> => {
    for (const [key, entry] of [...open]) {
      const result = await init.lookUp(entry.one.id)

      // the chain may have stopped meanwhile
      if (!open.has(key)) {
        continue
      }
      if (result !== undefined) {
        open.delete(key)
        await init.onFound(entry.one, result)
      } else if (++entry.attempts === PASSED_OVER_ATTEMPTS_MAX) {
        open.delete(key)
        init.onGivenUp(entry.one)
      }
    }
  }

  const retry = (): void => {
    if (!asking && open.size > 0) {
      asking = true
      askAll().catch(() => {}).finally(() => { asking = false })
    }
  }

  return {
    add: (ones) => {
      ones.forEach(one => { open.set(one.id.toString(), { one, attempts: 0 }) })
      retry()
    },
    retry,
    clear: () => { open.clear() }
  }
}
