import { Draft } from './draft.ts'
import { stateKeys } from './keys.ts'
import { bagPeaks, appendLeaf, peaksOf } from './mountain-range.ts'
import { getChain } from './records.ts'
import { stateCodecs } from './values.ts'
import type { HistoryGrowth, HistoryPeaks, HistoryState, LedgerState } from './interface.ts'
import type { HashedNode } from './mountain-range.ts'
import type { Hash } from '../interface/index.ts'

/**
 * The history of the chain, in its own state: a tree of the hashes of all headers, whose leaf *h* is
 * the header at height *h*, and one of the last headers of epochs, whose leaf *e* is epoch *e*'s. One
 * certified header so proves every header before it, whoever certified those. A block cannot hold
 * its own hash: the state after it has the headers up to its parent's.
 */
interface Grown {
  history: HistoryState
  peaks: HistoryPeaks
  growth: HistoryGrowth
}

const NOTHING: HistoryPeaks = { blocks: [], epochs: [] }

const peaksIn = (draft: Draft): HistoryPeaks => draft.get(stateCodecs.historyPeaks, stateKeys.historyPeaks) ?? NOTHING
const endedIn = (draft: Draft): number => draft.get(stateCodecs.history, stateKeys.history)?.epochs ?? 0

/** @param draft - the state after the block with this height and hash */
function grow (draft: Draft, height: number, hash: Hash): Grown {
  const before = peaksIn(draft)
  const ended = endedIn(draft)
  // the block ended an epoch if that one is not in the tree yet
  const ends = getChain(draft).epoch > ended
  const blocks = appendLeaf(height, before.blocks, hash)
  const epochs = ends ? appendLeaf(ended, before.epochs, hash) : { peaks: before.epochs, made: [] }

  return {
    history: { blocks: bagPeaks(blocks.peaks), epochs: ends ? ended + 1 : ended, epochEnds: bagPeaks(epochs.peaks) },
    peaks: { blocks: blocks.peaks, epochs: epochs.peaks },
    growth: { blocks: blocks.made, epochs: epochs.made, ended: ends ? ended : null }
  }
}

/** Adds the parent of the block that `draft` executes, before that block ends an epoch. */
export function extendHistory (draft: Draft, parent: Hash): void {
  const { history, peaks } = grow(draft, draft.height - 1, parent)

  draft.put(stateCodecs.history, stateKeys.history, history)
  draft.put(stateCodecs.historyPeaks, stateKeys.historyPeaks, peaks)
}

/**
 * What a block adds to the trees that the states after it commit to, for those who keep the trees
 * to serve paths.
 *
 * @param state - after the block
 * @param hash - of the block's header
 */
export function historyGrowth (state: LedgerState, hash: Hash): HistoryGrowth {
  return grow(new Draft(state.map, state.height), state.height, hash).growth
}

/** The peaks of the trees that a state commits to: they suffice for paths of all headers from its own on. */
export function historyNodes (state: LedgerState): Pick<HistoryGrowth, 'blocks' | 'epochs'> {
  const draft = new Draft(state.map, state.height)
  const { blocks, epochs } = peaksIn(draft)
  const placed = (size: number, hashes: Hash[]): HashedNode[] => peaksOf(size).map((node, i) => ({ ...node, hash: hashes[i] }))

  return { blocks: placed(state.height, blocks), epochs: placed(endedIn(draft), epochs) }
}
