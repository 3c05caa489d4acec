import { pathNodes, readHistory } from '../ledger/index.ts'
import { headerHash, merkleLeaf, merkleNode, verifyMerkleProof } from '../wire/index.ts'
import { EPOCH_ENDS_FETCHED_MAX } from './constants.ts'
import { querySource } from './queries.ts'
import type { HistoryEntry } from './history.ts'
import type { ChainStore } from './store.ts'
import type { Network } from '../gossip/index.ts'
import type { AbortOptions, PastHeader } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'

export interface EpochEndsInit {
  chain: string
  network: Network
  store: Pick<ChainStore, 'missingEnd' | 'putHistory'>
}

/**
 * Fetches what a node that leapt to a snapshot lacks of the tree of epochs: the last header of each
 * one before that is not here, newest first, verified against the history in its own state. Each path
 * brings the nodes beside it, so that in the end every path can be given. Ends early when no peer has the next one.
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
  let epoch = await store.missingEnd(size)

  while (epoch !== undefined && fetched < EPOCH_ENDS_FETCHED_MAX) {
    options?.signal?.throwIfAborted()

    const entry = await fetchOne({ chain, network }, epoch, size, root, options)

    if (entry === undefined) {
      break
    }
    await store.putHistory(entry)
    fetched++
    epoch = await store.missingEnd(epoch)
  }

  return fetched
}

/** From the first peer whose answer holds. */
async function fetchOne ({ chain, network }: Omit<EpochEndsInit, 'store'>, epoch: number, size: number, root: Uint8Array, options?: AbortOptions): Promise<HistoryEntry | undefined> {
  for (const { peer } of network.peers()) {
    const found = await querySource({ network, chain, peers: () => [peer] }).epochEnd(epoch, size, options).catch(() => undefined)

    if (found !== undefined && verifyMerkleProof(root, headerHash(found.header), epoch, size, found.path)) {
      return { blocks: [], epochs: nodesOf(found, epoch, size), end: { epoch, header: found.header } }
    }
  }
}

/** What a path that holds tells of the tree: the leaf, what stands beside it, and their common parents. */
function nodesOf ({ header, path }: PastHeader, epoch: number, size: number): HistoryEntry['epochs'] {
  let node = { level: 0, index: epoch, hash: merkleLeaf(headerHash(header)) }
  const nodes = [node]

  for (const [i, siblings] of pathNodes(epoch, size).entries()) {
    const [sibling] = siblings.map(one => ({ ...one, hash: path[i] }))

    if (siblings.length > 1) {
      continue
    }

    nodes.push(sibling)

    // a parent of two peaks is none of the nodes that are kept
    if (sibling.level === node.level) {
      const [left, right] = sibling.index < node.index ? [sibling, node] : [node, sibling]

      node = { level: node.level + 1, index: left.index / 2, hash: merkleNode(left.hash, right.hash) }
      nodes.push(node)
    }
  }

  return nodes
}
