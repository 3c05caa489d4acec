/**
 * Blocks and files by CID: Helia on the node's own libp2p, level on disk.
 *
 * What `put`, `putFile` and `pin` acknowledge is on the disk. What `get` and `getFile` return hashes to
 * its CID. A fetch has a timeout and retries; that it fails proves nothing but that nobody answered.
 *
 * @example
 * ```ts
 * const store = storage({ dataDir: './data/storage' })({ network })
 * await store.start()
 * const cid = await store.putFile(weights)
 * const same = await store.getFile(cid, { bytesMax: 16_000_000, signal: AbortSignal.timeout(30_000) })
 * ```
 */
import { HeliaStorage } from './storage.ts'
import type { Storage, StorageComponents, StorageInit } from './interface.ts'

/** A storage service. Nothing is opened before `start()`, which needs a started network. */
export const storage = (init: StorageInit = {}) => (components: StorageComponents): Storage => new HeliaStorage(init, components)

export { fileCid } from './files.ts'
export { BLOCK_BYTES_MAX, FILE_BLOCK_BYTES_MAX, FILE_BYTES_MAX, FILE_STREAM_BYTES_MAX } from './constants.ts'
export {
  BlockMismatchError, BlockTooLargeError, BlockUnavailableError, DagTooLargeError, FetchQueueFullError, FileTooLargeError,
  MalformedFileError, StorageNotStartedError, UnsupportedCidError
} from './errors.ts'
export type { FileSource } from './files.ts'
export type { GetOptions, PinOptions, PutOptions, Storage, StorageComponents, StorageInit } from './interface.ts'
