import type { Amount } from '../interface/index.ts'

/** The votes of an account from a height on. */
export interface VotesCheckpoint {
  height: number
  votes: Amount
}

/**
 * The history after a change at `height`, oldest first, as ERC20Votes keeps it: one checkpoint per
 * block, the last change in a block counts. Unlike there, what no vote can ask for any more is
 * dropped, so that a history is never longer than the live votes and one.
 *
 * @param history - before the change
 * @param height - of the block that changes it, not below the last checkpoint's
 * @param votes - after the change
 * @param snapshots - heights at which the votes of live proposals were or will be read
 */
export function pushCheckpoint (history: VotesCheckpoint[], height: number, votes: Amount, snapshots: number[]): VotesCheckpoint[] {
  const kept = new Set<VotesCheckpoint>()

  for (const snapshot of snapshots) {
    const read = snapshot < height ? lastUntil(history, snapshot) : undefined

    if (read !== undefined) {
      kept.add(read)
    }
  }

  return [...history.filter(checkpoint => kept.has(checkpoint)), { height, votes }]
}

/** The votes at the end of the block at `height`; 0 before the first checkpoint. */
export function votesAt (history: VotesCheckpoint[], height: number): Amount {
  return lastUntil(history, height)?.votes ?? 0n
}

function lastUntil (history: VotesCheckpoint[], height: number): VotesCheckpoint | undefined {
  return history.findLast(checkpoint => checkpoint.height <= height)
}
