import { domains, equalBytes, hash, utf8 } from '../wire/index.ts'
import { int64 } from './bytes.ts'
import { TRACE_LENGTH_MAX } from './constants.ts'
import { DrawError, ScoreTableError } from './errors.ts'
import type { Account, Amount, Hash } from '../interface/index.ts'

const TRACE_CHAIN_DOMAIN = 'datanet/trace-chain/1'
const RESULT_STEP = 'result'

/**
 * Parts that one round of a dispute cuts the open range into. Two would be the least data, but a
 * round costs a block and a deadline: with 16 the longest trace that we can make (4,097 steps of
 * a run and a thousand receipts) takes 4 rounds instead of 13, for 15 openings a seat and round.
 */
export const DISPUTE_ARITY = 16

/** What every trace starts from: the chained hash before step 0. */
export const TRACE_START: Hash = hash(TRACE_CHAIN_DOMAIN)

/** The chained hash after one more step. */
export function chainStep (before: Hash, step: Hash): Hash {
  return hash(TRACE_CHAIN_DOMAIN, before, step)
}

/**
 * The steps of a recomputation as an assessor commits to them: each is hashed with all before it.
 * So two traces that agree at a place agree everywhere before it, and the first step at which they
 * differ can be found by bisection (Canetti, Riva, Rothblum: Refereed delegation of computation,
 * Information and Computation 226, 2013, section 4).
 *
 * @throws {ScoreTableError} when there is no step or too many
 */
export function chainTrace (steps: Hash[]): Hash[] {
  if (steps.length === 0 || steps.length > TRACE_LENGTH_MAX) {
    throw new ScoreTableError(`a trace has 1 to ${TRACE_LENGTH_MAX} steps but this one has ${steps.length}`)
  }

  let chained = TRACE_START

  return steps.map(step => { chained = chainStep(chained, step); return chained })
}

/**
 * The step that a result makes after the last one of its trace. It is in no trace: whoever revealed
 * the result committed to it, so two results over one trace are told apart like any other step.
 */
export function resultStep (scoreRoot: Hash, total: bigint): Hash {
  return hash(domains.traceStep, utf8(RESULT_STEP), scoreRoot, int64(total))
}

/** Whether these are the steps before a place at which the chained hash is `chain`. */
export function endsIn (steps: Hash[], chain: Hash): boolean {
  return equalBytes(steps.length === 0 ? TRACE_START : chainTrace(steps)[steps.length - 1], chain)
}

/** What is known of two or more traces: the first `agreed` steps are the same, step `differing` is not. */
export interface DisputedRange {
  agreed: number
  /** the traces' length when only their results are known to differ */
  differing: number
}

/**
 * The places that a round asks for: at most DISPUTE_ARITY − 1, ascending, evenly over the steps of
 * which nothing is known; none when the first difference is found.
 *
 * @throws {DrawError} when it is no range
 */
export function disputePoints ({ agreed, differing }: DisputedRange): number[] {
  const unknown = differing - agreed

  if (!Number.isSafeInteger(agreed) || !Number.isSafeInteger(differing) || agreed < 0 || unknown < 0 || differing > TRACE_LENGTH_MAX) {
    throw new DrawError(`expected a range within ${TRACE_LENGTH_MAX} steps but got ${agreed} to ${differing}`)
  }

  if (unknown < DISPUTE_ARITY) {
    return Array.from({ length: unknown }, (_, i) => agreed + i)
  }

  return Array.from({ length: DISPUTE_ARITY - 1 }, (_, i) => agreed + Math.floor((unknown + 1) * (i + 1) / DISPUTE_ARITY) - 1)
}

export interface Narrowed extends DisputedRange {
  /** the chained hash that all have after `agreed` steps; null if the round did not move it */
  chain: Hash | null
  /** which of the points is now `differing`; null if none of them */
  point: number | null
}

/**
 * The range after a round: up to the first point at which not all answers are the same.
 *
 * @param range - as the points were made of
 * @param answers - per seat, the chained hashes at the points
 */
export function narrowDispute (range: DisputedRange, answers: Hash[][]): Narrowed {
  const points = disputePoints(range)

  if (answers.length === 0 || answers.some(({ length }) => length !== points.length)) {
    throw new DrawError(`expected ${points.length} answers of each seat`)
  }

  const [first] = answers
  const different = points.findIndex((_, i) => answers.some(answer => !equalBytes(answer[i], first[i])))
  const last = different < 0 ? points.length - 1 : different - 1

  return {
    agreed: last < 0 ? range.agreed : points[last] + 1,
    chain: last < 0 ? null : first[last],
    differing: different < 0 ? range.differing : points[different],
    point: different < 0 ? null : different
  }
}

/** Rounds until the first different step of traces of this length is found: ⌈log₁₆(length + 1)⌉ at most. */
export function disputeRounds (length: number): number {
  let rounds = 0

  for (let left = length; left > 0; left = Math.ceil((left + 1) / DISPUTE_ARITY) - 1) {
    rounds++
  }

  return rounds
}

/** The hash that more than two thirds of the validators' stake computed for one step, or null. */
export function judgeSteps (steps: Array<{ validator: Account, step: Hash }>, validators: Array<{ account: Account, stake: Amount }>): Hash | null {
  const all = validators.reduce((sum, { stake }) => sum + stake, 0n)
  const behind = (step: Hash): bigint => validators
    .filter(({ account }) => steps.some(other => equalBytes(other.validator, account) && equalBytes(other.step, step)))
    .reduce((sum, { stake }) => sum + stake, 0n)

  return steps.find(({ step }) => behind(step) * 3n > all * 2n)?.step ?? null
}
