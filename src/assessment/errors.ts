import { DatanetError } from '../utils/index.ts'

/** The receipts of a task could not be had from the gateway that redeemed them. */
export class ReceiptsUnavailableError extends DatanetError {
  constructor (message: string, options: { cause?: unknown } = {}) {
    super('ERR_RECEIPTS_UNAVAILABLE', message, options)
  }
}

/** A receipt does not say what happened: the task cannot be scored. */
export class FalseReceiptError extends DatanetError {
  constructor (message: string, options: { cause?: unknown } = {}) {
    super('ERR_FALSE_RECEIPT', message, options)
  }
}

export class ScoresMissingError extends DatanetError {
  constructor (task: string) {
    super('ERR_SCORES_MISSING', `no connected peer has the score table of task ${task}`, {
      hint: 'the members of its committee keep it: connect to one of them'
    })
  }
}
