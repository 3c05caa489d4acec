import { equalBytes } from '../wire/index.ts'
import { STATE_PUBLISHERS_AT_ONCE } from './constants.ts'
import type { Account, SeatState, TaskState } from '../interface/index.ts'

/** What a task asks of an account. */
export type Duty = 'commit' | 'reveal' | 'open' | 'verdict' | 'judge-step' | 'judge-receipts' | 'claim'

/**
 * What a task asks of an account now, by the ledger alone: seats commit, reveal, open what the beacon
 * or a dispute asks for, and claim when all is settled; validators judge a step, receipts or the whole task.
 *
 * @param state - the task
 * @param account - whose duty
 * @param isValidator - whether the account is in the validator set of the block that follows
 * @returns null if there is nothing to do, or it is done
 */
export function dutyOf (state: TaskState, account: Account, isValidator: boolean): Duty | null {
  switch (state.phase) {
    case 'verdict':
      return isValidator && !hasJudged(state.verdicts, account) ? 'verdict' : null
    case 'step':
      return isValidator && state.dispute !== null && !hasJudged(state.dispute.steps, account) ? 'judge-step' : null
    case 'receipts':
      return isValidator && !hasJudged(state.judgements, account) ? 'judge-receipts' : null
    case 'settled':
      return 'claim'
    default:
      return seatDuty(state, state.seats.find(({ assessor }) => equalBytes(assessor, account)))
  }
}

/**
 * The height from which a seat publishes the state of the step in dispute: two seats at once, the
 * last ones a quarter of the phase after the first.
 *
 * @param state - the task
 * @param account - of the seat
 * @param verdictBlocks - how long the phase lasts, see `NetworkParams`
 * @returns null unless a step is judged and the seat takes part in the dispute
 */
export function publishesAt (state: TaskState, account: Account, verdictBlocks: number): number | null {
  const parties = state.seats.filter(({ fault, scoreRoot }) => fault === null && scoreRoot !== null)
  const place = parties.findIndex(({ assessor }) => equalBytes(assessor, account))

  if (state.phase !== 'step' || place < 0) {
    return null
  }

  const turns = Math.ceil(parties.length / STATE_PUBLISHERS_AT_ONCE)
  const turn = Math.floor(place / STATE_PUBLISHERS_AT_ONCE)

  return state.deadline - verdictBlocks + Math.floor(turn * verdictBlocks / (4 * turns))
}

/** The height from which a validator that got no state computes everything: half of the phase is left for it. */
export function judgesAloneAt ({ deadline }: TaskState, verdictBlocks: number): number {
  return deadline - Math.ceil(verdictBlocks / 2)
}

function hasJudged (by: Array<{ validator: Account }>, account: Account): boolean {
  return by.some(({ validator }) => equalBytes(validator, account))
}

function seatDuty ({ phase }: TaskState, seat: SeatState | undefined): Duty | null {
  if (seat === undefined || seat.fault !== null || seat.report !== null) {
    return null
  }

  switch (phase) {
    case 'commit':
      return seat.commit === null ? 'commit' : null
    case 'reveal':
      return seat.commit !== null && seat.scoreRoot === null ? 'reveal' : null
    case 'open':
    case 'dispute':
      return seat.scoreRoot !== null && !seat.opened ? 'open' : null
    default:
      return null
  }
}
