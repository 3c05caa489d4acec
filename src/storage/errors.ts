import { DatanetError } from '../utils/index.ts'
import type { CID } from 'multiformats/cid'

/** A CID that this network does not use: it must be version 1 with a whole SHA-256 digest over raw, dag-cbor or dag-pb. */
export class UnsupportedCidError extends DatanetError {
  constructor (cid: CID, reason: string) {
    super('ERR_UNSUPPORTED_CID', `expected a CIDv1 of raw, dag-cbor or dag-pb with a 32-byte SHA-256 digest, got ${cid}: ${reason}`)
  }
}

/** The bytes do not hash to the CID they came under. */
export class BlockMismatchError extends DatanetError {
  constructor (cid: CID) {
    super('ERR_BLOCK_MISMATCH', `the bytes that came for ${cid} hash to another CID and were refused`)
  }
}

/** A block is larger than the caller or the network allows. */
export class BlockTooLargeError extends DatanetError {
  constructor (bytes: number, bytesMax: number) {
    super('ERR_BLOCK_TOO_LARGE', `expected a block of at most ${bytesMax} bytes, got ${bytes}: use putFile for large content`)
  }
}

/** No connected peer gave the block in time. It may come later: this is no proof that it is lost. */
export class BlockUnavailableError extends DatanetError {
  constructor (cid: CID, attempts: number, cause?: unknown) {
    super('ERR_BLOCK_UNAVAILABLE', `no connected peer gave ${cid} in ${attempts} attempts: connect to a holder or try again later`, { cause })
  }
}

/** More blocks are being fetched than the bound allows. */
export class FetchQueueFullError extends DatanetError {
  constructor (waiting: number) {
    super('ERR_FETCH_QUEUE_FULL', `${waiting} blocks already wait to be fetched: await earlier fetches first`)
  }
}

/** A file is larger than the caller or the network allows. */
export class FileTooLargeError extends DatanetError {
  constructor (bytes: number, bytesMax: number) {
    super('ERR_FILE_TOO_LARGE', `expected a file of at most ${bytesMax} bytes, got ${bytes}`)
  }
}

/** The blocks under a file's CID are not a file as we write them. */
export class MalformedFileError extends DatanetError {
  constructor (cid: CID, reason: string, cause?: unknown) {
    super('ERR_MALFORMED_FILE', `${cid} is not a UnixFS file with fixed ${256} KiB raw leaves: ${reason}`, { cause })
  }
}

/** The service was used before start or after stop. */
export class StorageNotStartedError extends DatanetError {
  constructor () {
    super('ERR_STORAGE_NOT_STARTED', 'storage is not started: await start() first')
  }
}

/** A DAG has more blocks than one pin may keep. */
export class DagTooLargeError extends DatanetError {
  constructor (cid: CID, blocksMax: number) {
    super('ERR_DAG_TOO_LARGE', `expected at most ${blocksMax} blocks under ${cid}: pin its parts, or give a depth`)
  }
}
