import { DatanetError } from '../utils/index.ts'
import type { CID } from 'multiformats/cid'

/** Where in a source something is wrong. */
export interface ImportPlace {
  /** line of a text format, from 1 */
  line?: number
  /** row of the source, from 1 */
  row?: number
  field?: string
}

const describePlace = ({ line, row, field }: ImportPlace): string => [
  line === undefined ? undefined : `line ${line}`,
  row === undefined ? undefined : `row ${row}`,
  field === undefined ? undefined : `field "${field}"`
].filter(part => part !== undefined).join(', ')

/** A source that cannot be imported. `code` says how, `place` where. */
export class ImportError extends DatanetError {
  readonly place: ImportPlace

  constructor (code: 'ERR_IMPORT_SYNTAX' | 'ERR_IMPORT_FIELD' | 'ERR_IMPORT_TOO_LARGE' | 'ERR_IMPORT_ENCODING' | 'ERR_IMPORT_EMPTY', place: ImportPlace, message: string, cause?: unknown) {
    const at = describePlace(place)
    super(code, at === '' ? message : `${at}: ${message}`, { cause })
    this.place = place
  }
}

/** A row that does not fit the Datanet's fields. */
export class InvalidRowError extends DatanetError {
  readonly field: string

  constructor (row: number, field: string, expected: string, got: string) {
    super('ERR_INVALID_ROW', `row ${row}, field "${field}": expected ${expected}, got ${got}`)
    this.field = field
  }
}

/** The ledger knows no such Datanet. */
export class UnknownDatanetError extends DatanetError {
  constructor (datanet: CID) {
    super('ERR_UNKNOWN_DATANET', `the ledger knows no Datanet ${datanet}: wait until its creation is final, or check the CID`)
  }
}

/** The ledger knows no such contribution. */
export class UnknownContributionError extends DatanetError {
  constructor (contribution: CID) {
    super('ERR_UNKNOWN_CONTRIBUTION', `the ledger knows no contribution ${contribution}: wait until it is final, or check the CID`)
  }
}

/** The ledger executed a transaction without success. `code` is the ledger's. */
export class TransactionFailedError extends DatanetError {
  constructor (what: string, code: string, message: string) {
    super(code, `the ledger refused ${what}: ${message}`)
  }
}

/** A contribution with too few or too many rows for its Datanet or the protocol. */
export class RowCountError extends DatanetError {
  constructor (rows: number, rowsMin: number, rowsMax: number) {
    super('ERR_ROW_COUNT', `expected ${rowsMin} to ${rowsMax} rows, got ${rows}${rows > rowsMax ? ' or more: split the contribution' : ''}`)
  }
}

/** A contribution needs more shards than a record may list. */
export class ContributionTooLargeError extends DatanetError {
  constructor (shardsMax: number) {
    super('ERR_CONTRIBUTION_TOO_LARGE', `a contribution has at most ${shardsMax} shards: split it`)
  }
}

/** A contribution was announced on the topic of another Datanet. */
export class ForeignContributionError extends DatanetError {
  constructor (expected: CID, got: CID) {
    super('ERR_FOREIGN_CONTRIBUTION', `expected a contribution to ${expected} on its topic, got one to ${got}`)
  }
}

/** A contribution does not carry the licence of its Datanet. */
export class LicenceMismatchError extends DatanetError {
  constructor (expected: string, got: string) {
    super('ERR_LICENCE_MISMATCH', `the Datanet asks for the licence ${expected}, the contribution has ${got}`)
  }
}

/** A record differs from what the ledger or its own shards say. */
export class ContributionMismatchError extends DatanetError {
  constructor (contribution: CID, field: string, expected: string | number, got: string | number) {
    super('ERR_CONTRIBUTION_MISMATCH', `${contribution}: expected ${field} ${expected}, got ${got}`)
  }
}

/** The service was used before start or after stop. */
export class DatanetsNotStartedError extends DatanetError {
  constructor () {
    super('ERR_DATANETS_NOT_STARTED', 'datanets is not started: await start() first')
  }
}

/** More contributions than one adapter can be made of. */
export class SnapshotTooLargeError extends DatanetError {
  constructor (contributions: number, contributionsMax: number) {
    super('ERR_SNAPSHOT_TOO_LARGE', `a snapshot has at most ${contributionsMax} contributions but these Datanets have ${contributions} admitted: choose fewer Datanets`)
  }
}
