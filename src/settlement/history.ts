import { bagPeaks, pathNodes, readHistory } from '../ledger/index.ts'
import { headerCodec } from '../wire/index.ts'
import { UnknownHeightError } from './errors.ts'
import type { Hash, Header, PastHeader } from '../interface/index.ts'
import type { HistoryGrowth, LedgerState, RangeNode } from '../ledger/index.ts'

/** Which tree: of all headers, or of the last headers of epochs. */
export type HistoryTree = 'blocks' | 'epochs'

/** What is written with a block about those before it. */
export interface HistoryEntry extends Pick<HistoryGrowth, 'blocks' | 'epochs'> {
  /** the last header of an epoch, which is never pruned */
  end?: { epoch: number, header: Header }
}

const pad = (value: number, length = 15): string => value.toString().padStart(length, '0')

export const nodeKey = (tree: HistoryTree, { level, index }: RangeNode): string => `${tree}/${pad(level, 2)}/${pad(index)}`
export const endKey = (epoch: number): string => `ends/${pad(epoch)}`

/** The entries of the store's history table: about 100 bytes a block, and 300 an epoch, for ever. */
export function historyEntries ({ blocks, epochs, end }: HistoryEntry): Array<[string, Uint8Array]> {
  return [
    ...blocks.map((node): [string, Uint8Array] => [nodeKey('blocks', node), node.hash]),
    ...epochs.map((node): [string, Uint8Array] => [nodeKey('epochs', node), node.hash]),
    ...end === undefined ? [] : [[endKey(end.epoch), headerCodec.encode(end.header)] satisfies [string, Uint8Array]]
  ]
}

export interface HistoryInit {
  node (tree: HistoryTree, node: RangeNode): Promise<Hash | undefined>
  /** undefined if its block is not here */
  headerAt (height: number): Promise<Header | undefined>
  epochEnd (epoch: number): Promise<Header | undefined>
  /** the oldest height whose block is here */
  oldest (): Promise<number>
  /** the newest final state */
  state (): LedgerState
}

/** Headers of the past with their paths, for those who hold the root of a newer state. */
export interface History {
  /**
   * @param height - of the header
   * @param size - height of the newer header, which is the number of headers before it
   * @throws {UnknownHeightError} for what is not here, saying why
   */
  header (height: number, size: number): Promise<PastHeader>
  /**
   * The last header of an epoch.
   *
   * @param epoch - from 0
   * @param size - `epochs` of the newer state's history
   * @throws {UnknownHeightError}
   */
  epochEnd (epoch: number, size: number): Promise<PastHeader>
}

export function history (init: HistoryInit): History {
  const path = async (tree: HistoryTree, index: number, size: number): Promise<Hash[] | undefined> => {
    const path: Hash[] = []

    for (const nodes of pathNodes(index, size)) {
      const hashes = (await Promise.all(nodes.map(async node => init.node(tree, node)))).filter(hash => hash !== undefined)

      if (hashes.length < nodes.length) {
        return undefined
      }
      path.push(bagPeaks(hashes))
    }
    return path
  }

  const prove = async (tree: HistoryTree, index: number, size: number, known: number, header: () => Promise<Header | undefined>): Promise<PastHeader> => {
    const what = tree === 'blocks' ? 'header in the history' : 'end of an epoch in the history'

    // a size that no tree of ours has would cost as many reads as its peaks
    if (size > known || index >= size) {
      throw new UnknownHeightError(what, index, `${index} of ${size} was asked for, and the tree has ${known}`)
    }

    const [found, siblings] = await Promise.all([header(), path(tree, index, size)])

    if (found === undefined || siblings === undefined) {
      throw new UnknownHeightError(what, index, `this node has the blocks from height ${await init.oldest()} on, because it deleted older ones or began at a snapshot: ask one that keeps all`)
    }
    return { header: found, path: siblings }
  }

  return {
    header: async (height, size) => prove('blocks', height, size, init.state().height, async () => init.headerAt(height)),
    epochEnd: async (epoch, size) => prove('epochs', epoch, size, readHistory(init.state())?.epochs ?? 0, async () => init.epochEnd(epoch))
  }
}
