import { BASIS_POINTS } from './constants.ts'
import { FeeSplitError } from './errors.ts'
import type { Amount, FeeSplit } from '../interface/index.ts'

export interface DividedFees {
  platform: Amount
  developers: Amount
  validators: Amount
  data: Amount
}

/**
 * A task's fees by the split: platform, developers and validators get their share rounded down,
 * data gets the rest. The parts sum to `fees` exactly.
 *
 * @throws {FeeSplitError} when shares are not whole basis points that sum to 10,000, or fees are negative
 */
export function divide (fees: Amount, split: FeeSplit): DividedFees {
  const shares = [split.platform, split.developers, split.validators, split.data]

  if (shares.some(share => !Number.isSafeInteger(share) || share < 0) || shares.reduce((sum, share) => sum + share, 0) !== BASIS_POINTS) {
    throw new FeeSplitError(`shares must be whole basis points that sum to ${BASIS_POINTS} but came as ${shares.join(', ')}`)
  }

  if (fees < 0n) {
    throw new FeeSplitError(`fees must not be negative but came as ${fees}`)
  }

  const [platform, developers, validators] = shares.map(share => fees * BigInt(share) / BigInt(BASIS_POINTS))

  return { platform, developers, validators, data: fees - platform - developers - validators }
}

/**
 * What a contribution is paid from a task's data pool: its share of the total, rounded down, so
 * that all payouts together never exceed the pool. Zero if nothing was scored.
 *
 * @throws {FeeSplitError} when a value is negative or the score exceeds the total
 */
export function payout (dataPool: Amount, score: bigint, total: bigint): Amount {
  if (dataPool < 0n || score < 0n || score > total) {
    throw new FeeSplitError(`expected 0 ≤ score ≤ total and a pool that is not negative but got score ${score}, total ${total}, pool ${dataPool}`)
  }

  return total === 0n ? 0n : dataPool * score / total
}
