import { pathNodes, readHistory } from '../ledger/index.ts'
import { headerHash, merkleLeaf, verifyMerkleProof } from '../wire/index.ts'
import { EPOCH_ENDS_FETCHED_MAX } from './constants.ts'
import { querySource } from './queries.ts'
import type { HistoryEntry } from './history.ts'
import type { Network } from '../gossip/index.ts'
import type { AbortOptions, Header } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'

export interface EpochEndsInit {
  chain: string
  network: Network
  store: { epochEnd (epoch: number): Promise<Header | undefined>, putHistory (entry: HistoryEntry): Promise<void> }
}

/**
 * Fetches what a node that began at a snapshot lacks of the tree of epochs: the last header of each
 * one before, newest first, verified against the history in its own state. Each path brings the
 * nodes beside it, so that in the end every path can be given. Ends early when no peer has the next one.
 *
 * @param init - the chain's own parts
 * @param init.chain - its identifier
 * @param init.network - whose peers are asked
 * @param init.store - which keeps them
 * @param state - whose history is believed: a final one
 * @param options - the signal ends the search
 * @returns how many were fetched
 * @throws {AbortError} if the signal fires
 */
export async function fetchEpochEnds ({ chain, network, store }: EpochEndsInit, state: LedgerState, options?: AbortOptions): Promise<number> {
  const { epochs: size, epochEnds: root } = readHistory(state) ?? { epochs: 0, epochEnds: new Uint8Array() }
  let fetched = 0

  // newest first: whoever has the oldest has all
  if (size === 0 || await store.epochEnd(0) !== undefined) {
    return fetched
  }

  for (let epoch = size - 1; epoch >= 0 && fetched < EPOCH_ENDS_FETCHED_MAX; epoch--) {
    options?.signal?.throwIfAborted()

    if (await store.epochEnd(epoch) !== undefined) {
      continue
    }

    const entry = await fetchOne({ chain, network }, epoch, size, root, options)

    if (entry === undefined) {
      break
    }
    await store.putHistory(entry)
    fetched++
  }

  return fetched
}

/** From the first peer whose answer holds. */
async function fetchOne ({ chain, network }: Omit<EpochEndsInit, 'store'>, epoch: number, size: number, root: Uint8Array, options?: AbortOptions): Promise<HistoryEntry | undefined> {
  for (const { peer } of network.peers()) {
    const found = await querySource({ network, chain, peers: () => [peer] }).epochEnd(epoch, size, options).catch(() => undefined)

    if (found !== undefined && verifyMerkleProof(root, headerHash(found.header), epoch, size, found.path)) {
      const beside = pathNodes(epoch, size).flatMap((nodes, i) => nodes.length === 1 ? [{ ...nodes[0], hash: found.path[i] }] : [])

      return { blocks: [], epochs: [{ level: 0, index: epoch, hash: merkleLeaf(headerHash(found.header)) }, ...beside], end: { epoch, header: found.header } }
    }
  }
}
