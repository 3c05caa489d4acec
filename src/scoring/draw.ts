import { compareBytes, domains, hash } from '../wire/index.ts'
import { uint64 } from './bytes.ts'
import { CANDIDATES_MAX, TRACE_LENGTH_MAX } from './constants.ts'
import { DrawError } from './errors.ts'
import type { Account, Amount, Hash } from '../interface/index.ts'
import type { Domain } from '../wire/index.ts'

export interface Candidate {
  account: Account
  stake: Amount
}

/**
 * A committee: `seats` accounts, drawn one after the other with a chance proportional to their
 * stake among those that are left. Candidates without stake are never drawn; if fewer are left than
 * seats, all of them are drawn. The order of `candidates` is irrelevant.
 *
 * @returns the accounts in the order in which they were drawn
 * @throws {DrawError} when an account is there twice, a stake is negative or the numbers are out of range
 */
export function drawCommittee (seed: Hash, candidates: Candidate[], seats: number): Account[] {
  if (!Number.isSafeInteger(seats) || seats < 0 || candidates.length > CANDIDATES_MAX) {
    throw new DrawError(`expected a number of seats and at most ${CANDIDATES_MAX} candidates but got ${seats} and ${candidates.length}`)
  }

  const pool = candidates.filter(candidate => candidate.stake !== 0n).sort((a, b) => compareBytes(a.account, b.account))
  let total = 0n

  for (const [i, { account, stake }] of pool.entries()) {
    if (stake < 0n || (i > 0 && compareBytes(pool[i - 1].account, account) === 0)) {
      throw new DrawError('expected each candidate once with a stake that is not negative')
    }

    total += stake
  }

  const below = uniform(seed, domains.committee)
  const drawn: Account[] = []

  while (drawn.length < seats && pool.length > 0) {
    let ticket = below(total)
    const index = pool.findIndex(({ stake }) => {
      ticket -= stake

      return ticket < 0n
    })
    const [{ account, stake }] = pool.splice(index, 1)

    total -= stake
    drawn.push(account)
  }

  return drawn
}

/**
 * Which leaves of a trace must be opened: `count` different indices, ascending; all of them if the
 * trace has no more.
 */
export function drawOpenings (seed: Hash, traceLength: number, count: number): number[] {
  if (!Number.isSafeInteger(traceLength) || traceLength < 0 || traceLength > TRACE_LENGTH_MAX || !Number.isSafeInteger(count) || count < 0) {
    throw new DrawError(`expected a trace of at most ${TRACE_LENGTH_MAX} steps and a number of openings but got ${traceLength} and ${count}`)
  }

  const below = uniform(seed, domains.openings)
  const drawn = new Set<number>()

  // Floyd's sampling: as many draws as openings, each subset equally likely
  for (let top = Math.max(0, traceLength - count); top < traceLength; top++) {
    const index = Number(below(BigInt(top + 1)))

    drawn.add(drawn.has(index) ? top : index)
  }

  return [...drawn].sort((a, b) => a - b)
}

/**
 * Uniform integers below a bound, from SHA-256 in counter mode. 256-bit draws at or beyond the
 * largest multiple of the bound are thrown away, so no value is likelier than another.
 */
function uniform (seed: Hash, domain: Domain): (bound: bigint) => bigint {
  const space = 2n ** 256n
  let counter = 0

  return (bound) => {
    const limit = space - space % bound

    for (;;) {
      let value = 0n

      for (const byte of hash(domain, seed, uint64(counter++))) {
        value = (value << 8n) | BigInt(byte)
      }

      if (value < limit) {
        return value % bound
      }
    }
  }
}
