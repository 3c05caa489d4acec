import { ScoreTableError } from './errors.ts'
import { checkTotal } from './fixed-point.ts'

/** Of the data pool's part that an answer pays, what goes to the rows that its prompt showed; the rest goes by influence. */
export const RETRIEVED_SHARE_BP = 2_000n

/** Divides by every number of rows from 1 to 16, so that no credit is rounded. */
const PARTS = 720_720n

/** 2^32: one, where there is nothing to be compared with. */
const ONE = 1n << 32n

/** An answer's fee, and the contribution of each row that it was given. */
export interface RetrievedAnswer {
  fee: bigint
  /** as indexes into the scores, one for each row */
  contributions: readonly number[]
}

/**
 * Scores with the credit of rows that answers were given beside their influence: each answer's fee
 * is divided among its rows alike, and together they take RETRIEVED_SHARE_BP of what such answers
 * paid. The sum stays as it is but for rounding down. Without influence the rows take all.
 *
 * @param scores - by influence, one per contribution
 * @param answers - those with rows, 1 to 16 each
 * @param fees - of all answers of the task, with rows or without
 * @throws {ScoreTableError} for a contribution without a score, or rows beyond 16
 */
export function creditRetrieved (scores: readonly bigint[], answers: readonly RetrievedAnswer[], fees: bigint): bigint[] {
  const credits = new Array<bigint>(scores.length).fill(0n)

  for (const { fee, contributions } of answers) {
    for (const contribution of contributions) {
      if (contribution >= scores.length || contributions.length > 16) {
        throw new ScoreTableError(`expected at most 16 rows of ${scores.length} contributions but got ${contributions.length}, one of contribution ${contribution}`)
      }

      credits[contribution] += fee * PARTS / BigInt(contributions.length)
    }
  }

  const credited = credits.reduce((sum, credit) => sum + credit, 0n)
  const total = checkTotal(scores)

  if (credited === 0n) {
    return [...scores]
  }

  if (total === 0n) {
    return credits.map(credit => ONE * credit / credited)
  }

  const whole = 10_000n * PARTS * fees
  const taken = RETRIEVED_SHARE_BP * credited

  return scores.map((score, i) => score * (whole - taken) / whole + total * RETRIEVED_SHARE_BP * credits[i] / whole)
}
