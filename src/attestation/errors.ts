import { DatanetError } from '../utils/index.ts'
import type { CID } from 'multiformats/cid'

/** Earlier contributions that a contribution must be compared with could not be fetched yet. */
export class EarlierUnavailableError extends DatanetError {
  constructor (contribution: CID, missing: number) {
    super('ERR_EARLIER_UNAVAILABLE', `${missing} contributions before ${contribution} could not be fetched yet: it is tried again later`)
  }
}

/** The ledger did not take an attestation. `code` is the ledger's. */
export class AttestationRefusedError extends DatanetError {
  constructor (subject: CID, code: string, message: string) {
    super(code, `the ledger refused the attestation on ${subject}: ${message}`)
  }
}

/** This node cannot judge a subject, e.g. an adapter without a training service. */
export class CannotJudgeError extends DatanetError {
  constructor (subject: CID, reason: string) {
    super('ERR_CANNOT_JUDGE', `${subject} is not attested by this node: ${reason}`)
  }
}

/** Somebody spoke of a column that, by our ledger, is not for it to compute. */
export class ColumnNotDrawnError extends DatanetError {
  constructor (adapter: CID, column: number) {
    super('ERR_COLUMN_NOT_DRAWN', `expected a statement on column ${column} of ${adapter} by an account that is drawn for it`)
  }
}

/** What an account says of a column was heard before, or it said too much. */
export class ColumnKnownError extends DatanetError {
  constructor (adapter: CID, column: number) {
    super('ERR_COLUMN_KNOWN', `expected news of column ${column} of ${adapter} but its author was heard on it before`)
  }
}
