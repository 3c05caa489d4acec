import type { Amount, NetworkParams, SeatState } from '../interface/index.ts'

type Fault = NonNullable<SeatState['fault']>
type Slashes = Pick<NetworkParams, 'slashWrong' | 'slashSilent'>

/** A part in how many of what was slashed goes to who had it judged. */
export const BOUNTY_PARTS = 2n

/**
 * What a seat loses. Not showing what one committed to costs more than having it proven wrong, so
 * that no liar gains by falling silent when others reveal something else (the reveal penalty of
 * commit–reveal schemes; see `withholdingCostsMore`).
 */
export function penaltyOf (fault: Fault, { slashWrong, slashSilent }: Slashes): Amount {
  switch (fault) {
    case 'silent': return slashSilent
    case 'withheld': return slashWrong + slashSilent
    default: return slashWrong
  }
}

/** Whether silence after a commit costs more than a wrong result. */
export function withholdingCostsMore (params: Slashes): boolean {
  return penaltyOf('withheld', params) > penaltyOf('wrong-score', params)
}

/**
 * Of what was slashed, what goes to the challenger or planter that was right; the rest goes to the
 * treasury. Less than the whole, so that a seat that challenges itself through another account
 * loses (as in Truebit, Teutsch and Reitwießner 2017, section 5: the "jackpot" is never the whole
 * deposit).
 */
export function bountyOf (slashed: Amount): Amount {
  return slashed / BOUNTY_PARTS
}

export interface Inspection {
  /** planted or otherwise checked tasks per `tasks` */
  planted: bigint
  tasks: bigint
  /** chance that a check finds a wrong answer, in basis points: 10,000 since the work is bit-exact */
  detectionBp: bigint
  /** stake of those who would not tell on each other, in basis points: their plants find nothing */
  colludingBp: bigint
  /** what a wrong answer loses */
  slash: Amount
}

/**
 * The largest cost of one task's work for which honest work pays better than guessing: below
 * planted rate × detection × slash, with the plants of colluding planters not counted. This is the
 * inspection game (Avenhaus, von Stengel, Zamir, Handbook of Game Theory 3, 2002, chapter 51): the
 * inspected party does the work if the chance of inspection times the fine exceeds what it saves.
 *
 * @returns base units; a task that costs less than this is not worth cheating on
 */
export function deterredCost ({ planted, tasks, detectionBp, colludingBp, slash }: Inspection): Amount {
  const counted = planted < tasks ? planted : tasks

  return tasks <= 0n ? slash : counted * detectionBp * (10_000n - colludingBp) * slash / (tasks * 100_000_000n)
}

/** Whether planted rate × detection × slash exceeds what a seat saves by not working. */
export function deters (inspection: Inspection, costSaved: Amount): boolean {
  return deterredCost(inspection) > costSaved
}
