import { DatanetError } from '../utils/index.ts'

/** A number cannot be a score: it is not finite, or beyond int64 fixed point. */
export class ScoreRangeError extends DatanetError {
  constructor (value: number | bigint) {
    super('ERR_SCORE_RANGE', `a score must be finite and within int64 at 2^-32 but came as ${value}: look for a diverged training run or an overflowing sum`)
  }
}

/** A score table, trace or candidate list breaks its own rules. */
export class ScoreTableError extends DatanetError {
  constructor (reason: string) {
    super('ERR_SCORE_TABLE', reason)
  }
}

/** A fee split or a payout does not add up. */
export class FeeSplitError extends DatanetError {
  constructor (reason: string) {
    super('ERR_FEE_SPLIT', reason)
  }
}

/** A committee or a set of openings cannot be drawn as asked. */
export class DrawError extends DatanetError {
  constructor (reason: string) {
    super('ERR_DRAW', reason)
  }
}
