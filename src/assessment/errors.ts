import { DatanetError } from '../utils/index.ts'

/** The receipts of a redemption could not be had from the gateway that made it. */
export class ReceiptsUnavailableError extends DatanetError {
  /** the redemption's place among the task's sources */
  readonly source: number

  constructor (source: number, message: string, options: { cause?: unknown } = {}) {
    super('ERR_RECEIPTS_UNAVAILABLE', message, options)
    this.source = source
  }
}

/** A receipt does not say what happened: its redemption has no place in the task. */
export class FalseReceiptError extends DatanetError {
  /** the redemption's place among the task's sources */
  readonly source: number

  constructor (source: number, message: string, options: { cause?: unknown } = {}) {
    super('ERR_FALSE_RECEIPT', message, options)
    this.source = source
  }
}

export class ScoresMissingError extends DatanetError {
  constructor (task: string) {
    super('ERR_SCORES_MISSING', `no connected peer has the score table of task ${task}`, {
      hint: 'the members of its committee keep it: connect to one of them'
    })
  }
}

/** The state of a step is shown to those alone who judge it. */
export class StateDeniedError extends DatanetError {
  constructor (reason: string) {
    super('ERR_STATE_DENIED', reason)
  }
}
