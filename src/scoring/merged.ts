import { compareBytes } from '../wire/index.ts'
import { ScoreTableError } from './errors.ts'
import type { Price, Snapshot } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** 2^32: what the parents of a merged adapter share in its score table, and what their contributions share at most. */
export const MERGED_TOTAL = 1n << 32n

/** What one parent did for the answers of a task. */
export interface ParentEffect {
  /** its share of the answers' measured effect, weighted by their fees, in any unit that all parents have in common */
  effect: bigint
  /** of its own contributions, by its own method; empty if it was trained elsewhere */
  scores: readonly bigint[]
  /** of each score, the contribution that it is of, as an index into those of all parents */
  places: readonly number[]
}

export interface MergedScores {
  /** of each parent; they sum to MERGED_TOTAL */
  parents: bigint[]
  /** of each contribution; they sum to MERGED_TOTAL at most */
  contributions: bigint[]
}

/**
 * The scores of a merged adapter's task. Parents share by their measured effect, and what a parent
 * has goes on to its contributions by its own scores: a contribution in several parents has of each.
 * Scores of different parents are thus never added as they are, for a recipe with a larger learning
 * rate has larger ones. What a parent without scores has goes to no contribution.
 *
 * Rounded down; of the parents what is left goes to the first of those with the largest effect.
 *
 * @param effects - of the parents in their order
 * @param contributions - how many all parents have together
 * @throws {ScoreTableError} if nothing had an effect, or a score has no place
 */
export function mergedScores (effects: readonly ParentEffect[], contributions: number): MergedScores {
  const whole = effects.reduce((sum, { effect }) => sum + effect, 0n)

  if (whole <= 0n || effects.some(({ effect, scores, places }) => effect < 0n || scores.length !== places.length || places.some(place => place >= contributions))) {
    throw new ScoreTableError(`expected effects that are not negative and sum to more than 0, and a place among ${contributions} contributions for each score`)
  }

  const parents = effects.map(({ effect }) => MERGED_TOTAL * effect / whole)
  const largest = effects.reduce((best, { effect }, i) => effect > effects[best].effect ? i : best, 0)
  const shares = new Array<bigint>(contributions).fill(0n)

  parents[largest] += MERGED_TOTAL - parents.reduce((sum, share) => sum + share, 0n)
  effects.forEach(({ scores, places }, parent) => {
    const total = scores.reduce((sum, score) => sum + score, 0n)

    scores.forEach((score, i) => {
      if (total > 0n) {
        shares[places[i]] += parents[parent] * score / total
      }
    })
  })

  return { parents, contributions: shares }
}

/**
 * How much of a merged table's total is of contributions, and that of any other table: payouts from
 * the data pool are shares of it. Never more than can be: a committee may have agreed on anything.
 */
export function dataTotal (total: bigint, merged: boolean): bigint {
  if (!merged) {
    return total
  }

  return total > MERGED_TOTAL ? total - MERGED_TOTAL : 0n
}

/**
 * What a merged adapter costs: as much as its dearest parent, for tokens of an answer and of a prompt
 * apart. So nobody gets an adapter for less by adding a little of another.
 */
export function mergedPrice (parents: readonly Price[]): Price {
  const largest = (prices: bigint[]): bigint => prices.reduce((max, price) => price > max ? price : max, 0n)
  const ofAnswer = largest(parents.map(({ pricePerThousandTokens }) => pricePerThousandTokens))
  const ofPrompt = largest(parents.map(({ pricePerThousandTokens, promptPricePerThousandTokens = pricePerThousandTokens }) => promptPricePerThousandTokens))

  return { pricePerThousandTokens: ofAnswer, ...(ofPrompt === ofAnswer ? {} : { promptPricePerThousandTokens: ofPrompt }) }
}

/** All that several adapters stand on, each thing once, in the order of snapshots. */
export function unitedSnapshot (snapshots: readonly Snapshot[]): Snapshot {
  return {
    type: 'snapshot',
    version: 1,
    datanets: united(snapshots.flatMap(({ datanets }) => datanets)),
    contributions: united(snapshots.flatMap(({ contributions }) => contributions))
  }
}

function united (cids: readonly CID[]): CID[] {
  return [...new Map(cids.map(cid => [cid.toString(), cid])).values()].sort((a, b) => compareBytes(a.bytes, b.bytes))
}
