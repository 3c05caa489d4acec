import { penaltyOf } from '../scoring/index.ts'
import { slash } from './money.ts'
import { getAccount } from './records.ts'
import type { Draft } from './draft.ts'
import type { Amount, Hash, NetworkParams, SeatState, TaskState } from '../interface/index.ts'

/** What the end of a block knows of a task that it moves on. */
export interface Step {
  draft: Draft
  id: Hash
  task: TaskState
  params: NetworkParams
  /** the deadline is here */
  late: boolean
}

export function isLive (seat: SeatState): boolean {
  return seat.fault === null
}

export function hasRevealed (seat: SeatState): boolean {
  return isLive(seat) && seat.scoreRoot !== null
}

/** Slashes seats by `penaltyOf` and notes why. */
export function fault (draft: Draft, id: Hash, task: TaskState, guilty: SeatState[], reason: NonNullable<SeatState['fault']>, params: NetworkParams): TaskState {
  for (const { assessor } of guilty) {
    slash(draft, id, assessor, penaltyOf(reason, params), reason)
  }

  return { ...task, seats: task.seats.map(seat => guilty.includes(seat) ? { ...seat, fault: reason } : seat) }
}

/** What slashing these seats would move: at most what each has at stake. */
export function atStake (draft: Draft, guilty: SeatState[], reason: NonNullable<SeatState['fault']>, params: NetworkParams): Amount {
  const penalty = penaltyOf(reason, params)

  return guilty.reduce((sum, { assessor }) => {
    const { staked } = getAccount(draft, assessor)

    return sum + (staked < penalty ? staked : penalty)
  }, 0n)
}
