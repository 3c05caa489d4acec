import { DatanetError } from '../utils/index.ts'

/** Bytes or a value that are not a record of the expected kind. `path` says where, e.g. `contribution.shards[3]`. */
export class MalformedRecordError extends DatanetError {
  readonly path: string
  readonly expected: string
  readonly got: string

  constructor (path: string, expected: string, got: string, options: { code?: string, cause?: unknown, hint?: string } = {}) {
    super(options.code ?? 'ERR_MALFORMED_RECORD', `${path}: expected ${expected}, got ${got}`, options)
    this.path = path
    this.expected = expected
    this.got = got
  }
}

/** More bytes than a record of this kind may have. Nothing was parsed. */
export class RecordTooLargeError extends MalformedRecordError {
  constructor (path: string, bytesMax: number, bytes: number) {
    super(path, `at most ${bytesMax} bytes`, `${bytes} bytes`, { code: 'ERR_RECORD_TOO_LARGE', hint: 'split it into several records' })
  }
}

/** The right type, but a number, a length or a count outside its limits. */
export class OutOfRangeError extends MalformedRecordError {
  constructor (path: string, expected: string, got: string) {
    super(path, expected, got, { code: 'ERR_OUT_OF_RANGE' })
  }
}

/** A second encoding of a value. It would have another CID, so it is refused. */
export class NotCanonicalError extends MalformedRecordError {
  constructor (path: string, got: string) {
    super(path, 'canonical DAG-CBOR', got, { code: 'ERR_NOT_CANONICAL', hint: 'encode it again with a strict DAG-CBOR encoder' })
  }
}

/** Text that is not what it should denote: hexadecimal digits of the expected length. */
export class InvalidHexError extends DatanetError {
  constructor (expected: string, got: string) {
    super('ERR_INVALID_HEX', `expected ${expected}, got ${got}`)
  }
}

/** A position outside the leaves of a Merkle tree: our caller's mistake. */
export class LeafIndexError extends DatanetError {
  constructor (index: number, size: number) {
    super('ERR_LEAF_INDEX', `the tree has ${size} leaves, so an index is 0 to ${size - 1}, but ${index} was asked for`)
  }
}
