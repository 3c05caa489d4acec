import { equalBytes } from '../wire/index.ts'
import type { Account, Amount, Hash } from '../interface/index.ts'

/** What a seat revealed; `scoreRoot` is null if it did not. */
export interface Reveal {
  scoreRoot: Hash | null
  total: bigint
}

export type Judgement =
  | { outcome: 'accepted', scoreRoot: Hash, total: bigint }
  | { outcome: 'dissent' }
  | { outcome: 'too-few' }

/**
 * The rule of agreement: at least two thirds of the seats revealed and all reveals identical.
 * There is no majority among them and no tolerance, since the computation is bit-exact.
 *
 * @param seats - seats that may still reveal or did; others may be left out or null
 * @param seatsTotal - seats of the committee
 */
export function judgeReveals (seats: Reveal[], seatsTotal: number): Judgement {
  let first: { scoreRoot: Hash, total: bigint } | undefined
  let revealed = 0
  let same = true

  for (const { scoreRoot, total } of seats) {
    if (scoreRoot === null) {
      continue
    }

    revealed++
    first ??= { scoreRoot, total }
    same = same && equalBytes(scoreRoot, first.scoreRoot) && total === first.total
  }

  if (first === undefined || revealed * 3 < seatsTotal * 2) {
    return { outcome: 'too-few' }
  }

  return same ? { outcome: 'accepted', ...first } : { outcome: 'dissent' }
}

export interface Verdict {
  validator: Account
  scoreRoot: Hash
  total: bigint
}

/**
 * The result that more than two thirds of the validators' stake computed, or null. Of several
 * verdicts by one validator the first counts; those of others do not.
 */
export function judgeVerdicts (verdicts: Verdict[], validators: Array<{ account: Account, stake: Amount }>): { scoreRoot: Hash, total: bigint } | null {
  const all = validators.reduce((sum, { stake }) => sum + stake, 0n)
  const tallies: Array<{ scoreRoot: Hash, total: bigint, stake: bigint }> = []

  for (const { account, stake } of validators) {
    const verdict = verdicts.find(({ validator }) => equalBytes(validator, account))

    if (verdict === undefined) {
      continue
    }

    const { scoreRoot, total } = verdict
    let tally = tallies.find(other => equalBytes(other.scoreRoot, scoreRoot) && other.total === total)

    if (tally === undefined) {
      tally = { scoreRoot, total, stake: 0n }
      tallies.push(tally)
    }

    tally.stake += stake
  }

  const winner = tallies.find(({ stake }) => stake * 3n > all * 2n)

  return winner === undefined ? null : { scoreRoot: winner.scoreRoot, total: winner.total }
}
