/**
 * What the state holds of tasks and of those who work on them. Each value is the dag-cbor under its
 * key in the authenticated map.
 */
import type { FeeSplit } from './genesis.ts'
import type { Account, Amount, Hash } from './records.ts'
import type { ReceiptsFault } from './transactions.ts'
import type { CID } from 'multiformats/cid'

/** `collecting` until the epoch's cutoff; the committee is drawn only then */
export type TaskPhase =
  | 'collecting' | 'commit' | 'receipts' | 'reveal' | 'dispute' | 'step' | 'open' | 'verdict' | 'challenge' | 'settled' | 'unavailable'

export interface SeatState {
  assessor: Account
  commit: Hash | null
  scoreRoot: Hash | null
  total: bigint
  traceRoot: Hash | null
  traceLength: number
  /** whether it opened what the phase asks for */
  opened: boolean
  /**
   * In a dispute and its step: its chained hash at the first place known to differ. Later: the hash
   * of the opened steps in order, which seats are compared by.
   */
  steps: Hash | null
  /** why it could not commit, if it said so */
  report: ReceiptsReport | null
  /** why it was slashed, if it was; `withheld`: it committed and then fell silent */
  fault: 'silent' | 'withheld' | 'wrong-score' | 'wrong-step' | 'wrong-report' | 'bad-trace' | null
}

export interface ReceiptsReport {
  fault: ReceiptsFault
  /** the redemption, by its place among the task's sources; null if something else is missing */
  source: number | null
}

/** The search for the first step at which the traces of seats differ. */
export interface DisputeState {
  /** how many this task had, this one included */
  count: number
  /** steps at the traces' start that all seats share */
  agreed: number
  /** the chained hash after them */
  chain: Hash
  /** a step at which they differ; the shortest trace's length when only results are known to differ */
  differing: number
  /** what validators computed for step `agreed`, in phase `step` */
  steps: Array<{ validator: Account, step: Hash }>
}

/** Who had a task's result judged by the validators. */
export interface ChallengeState {
  challenger: Account
  /** 0 once it was given back or lost */
  bond: Amount
  /** whether it knew the answer before the seats revealed theirs */
  planted: boolean
}

/** One redemption's receipts of one adapter. */
export interface TaskSource {
  gateway: Account
  channel: Hash
  receiptsRoot: Hash
  receipts: number
  fees: Amount
  /** the channel's cumulative amount before and after the redemption: its receipts lie between, later ones than any redeemed before */
  from: Amount
  until: Amount
  /** of the gateway, as much as the fees, until the task is over; lost with a fault */
  bond: Amount
  /** why it is out of the task: its fees went back to the payer */
  fault: ReceiptsFault | null
}

/** key `answer/<task hex>/<assessor multikey>`, during one round of a dispute: chained hashes at the points that it asked for */
export type AnswerState = Hash[]

/** key `plant/<epoch>/<planter multikey>` */
export interface PlantState {
  commit: Hash
  bond: Amount
  height: number
}

/** key `task/<hex>` */
export interface TaskState {
  adapter: CID
  epoch: number
  phase: TaskPhase
  /** first height at which the phase times out */
  deadline: number
  redraws: number
  /** how often receipts were missing, so that the next epoch tried again */
  rollovers: number
  /** of the sources that are still in it */
  fees: Amount
  /** per gateway that redeemed: what its committee must fetch from it */
  sources: TaskSource[]
  seats: SeatState[]
  /** validators' verdicts after a dissent */
  verdicts: Array<{ validator: Account, scoreRoot: Hash, total: bigint }>
  /** what validators found of receipts that seats called false: the source, or null if all hold */
  judgements: Array<{ validator: Account, source: number | null }>
  scoreRoot: Hash | null
  total: bigint
  /** trace leaves that the beacon or a dispute's round asks for */
  openings: number[]
  /** height at which reveals began, 0 before: what was planted by then owes nothing to them */
  revealedAt: number
  dispute: DisputeState | null
  challenge: ChallengeState | null
  /** the split in force when the task's epoch began, set at its cutoff */
  feeSplit: FeeSplit | null
  dataPool: Amount
  paid: Amount
  /** of a merged adapter: what its parents' developers share, and what they have of it; from settlement on */
  developers?: { pool: Amount, paid: Amount }
}

/** key `payout/<task hex>/<contribution cid>` */
export interface PayoutState {
  contributor: Account
  score: bigint
  amount: Amount
  height: number
}
