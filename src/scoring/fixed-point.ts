import { SCORE_MAX, SCORE_MIN } from './constants.ts'
import { ScoreRangeError, ScoreTableError } from './errors.ts'

/** 2^32, exact in f64. */
const ONE = 4294967296

/**
 * A real number as int64 fixed point in units of 2^-32, halves to even.
 * Multiplying by 2^32 is exact, so the rounding here is the only one.
 *
 * @throws {ScoreRangeError} when `x` is not finite or does not fit
 */
export function toFixedPoint (x: number): bigint {
  const scaled = x * ONE

  if (!Number.isFinite(scaled)) {
    throw new ScoreRangeError(x)
  }

  let whole = Math.floor(scaled)
  const rest = scaled - whole

  if (rest > 0.5 || (rest === 0.5 && whole % 2 !== 0)) {
    whole += 1
  }

  const score = BigInt(whole)

  if (score > SCORE_MAX || score < SCORE_MIN) {
    throw new ScoreRangeError(x)
  }

  return score
}

/** For people and charts only: what comes out of it is never hashed. */
export function fromFixedPoint (score: bigint): number {
  return Number(score) / ONE
}

/**
 * The scores of contributions from those of examples.
 *
 * Each example is rounded first, so that the sums are exact whatever their order. A near-duplicate
 * cluster is one player: its members' scores are summed and go to the contribution of its earliest
 * member, so that a copy takes nothing from the original. Negatives are clipped per player and
 * never per contribution or account: else splitting off one's bad data would pay.
 *
 * @param exampleScores - one per example
 * @param groups - the contribution of each example
 * @param contributions - how many contributions there are
 * @param representatives - per example, the earliest example of its near-duplicate cluster, which
 * represents itself; default: each example stands for itself
 * @returns one score per contribution, never negative
 * @throws {ScoreRangeError} when a sum leaves int64
 */
export function contributionScores (exampleScores: ArrayLike<number>, groups: Uint32Array, contributions: number, representatives?: Uint32Array): bigint[] {
  const players = new Array<bigint>(exampleScores.length).fill(0n)
  const scores = new Array<bigint>(contributions).fill(0n)

  if (groups.length !== exampleScores.length || (representatives !== undefined && representatives.length !== exampleScores.length)) {
    throw new ScoreTableError(`expected a contribution and a representative for each of ${exampleScores.length} examples but got ${groups.length} and ${representatives?.length ?? 'none'}`)
  }

  for (let i = 0; i < players.length; i++) {
    const player = representatives?.[i] ?? i

    if (player >= players.length || (representatives !== undefined && representatives[player] !== player)) {
      throw new ScoreTableError(`example ${i} is represented by ${player}, which does not represent itself`)
    }

    players[player] += toFixedPoint(exampleScores[i])
  }

  for (let i = 0; i < players.length; i++) {
    const group = groups[i]

    if (group >= contributions) {
      throw new ScoreTableError(`example ${i} belongs to contribution ${group} but there are ${contributions}`)
    }

    if (players[i] > 0n) {
      scores[group] += players[i]
    }
  }

  checkTotal(scores)

  return scores
}

/**
 * The sum of scores.
 *
 * @throws {ScoreRangeError} when a score or the sum is negative or leaves int64
 */
export function checkTotal (scores: Iterable<bigint>): bigint {
  let total = 0n

  for (const score of scores) {
    if (score < 0n || score > SCORE_MAX) {
      throw new ScoreRangeError(score)
    }

    total += score
  }

  if (total > SCORE_MAX) {
    throw new ScoreRangeError(total)
  }

  return total
}
