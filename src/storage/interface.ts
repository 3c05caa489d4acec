import type { FileSource } from './files.ts'
import type { AbortOptions, Startable } from '../interface/index.ts'
import type { Identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import type { HeliaInit } from 'helia'
import type { CID } from 'multiformats/cid'

export interface StorageInit {
  /**
   * Folder of the two level stores (`blocks`, `data`), created when missing.
   *
   * @default memory, gone after stop
   */
  dataDir?: string
  /**
   * Stores instead of level ones; the caller opens and closes them. Ignored with `dataDir`.
   *
   * @default memory
   */
  stores?: Pick<HeliaInit, 'blockstore' | 'datastore'>
  /**
   * How long one attempt to fetch a block may take.
   *
   * @default FETCH_TIMEOUT_MS
   */
  fetchTimeoutMs?: number
  /**
   * Attempts before a fetch fails.
   *
   * @default FETCH_ATTEMPTS_MAX
   */
  fetchAttemptsMax?: number
}

export interface StorageComponents {
  /** A libp2p node, or whatever will have one by the time of `start()` (a `Network` of src/gossip fits). */
  network: { readonly libp2p: Libp2p<{ identify: Identify }> }
}

export interface PutOptions extends AbortOptions {
  /**
   * multicodec of the bytes: 0x71 dag-cbor or 0x55 raw
   *
   * @default 0x71
   */
  codec?: number
  /** @default false */
  pin?: boolean
}

export interface GetOptions extends AbortOptions {
  /** a larger block is refused (by default BLOCK_BYTES_MAX) */
  bytesMax?: number
  /** only look into the own store (by default false) */
  offline?: boolean
  /** of one attempt (by default the init's) */
  timeoutMs?: number
  /** @default the init's */
  attemptsMax?: number
}

export interface PinOptions extends AbortOptions {
  /**
   * 0 pins one block; without it all blocks that it links to are fetched and pinned too. Give 0
   * for what strangers wrote, since their links may lead anywhere.
   *
   * @default Infinity
   */
  depth?: number
}

/** Blocks and files by CID: ours on disk, others' from connected peers. */
export interface Storage extends Startable {
  /**
   * Stores a block. When it resolves the block is on disk.
   *
   * @throws {BlockTooLargeError}
   */
  put (bytes: Uint8Array, options?: PutOptions): Promise<CID>
  /**
   * A block from the own store or from connected peers, verified against its CID.
   *
   * @throws {UnsupportedCidError}, BlockTooLargeError, BlockUnavailableError, FetchQueueFullError
   */
  get (cid: CID, options?: GetOptions): Promise<Uint8Array>
  /** Whether the block is in the own store. */
  has (cid: CID, options?: AbortOptions): Promise<boolean>
  /** Keeps a block, or a whole DAG, through `collect`. Pinning twice is fine. */
  pin (cid: CID, options?: PinOptions): Promise<void>
  /** Lets go of a pin, whose blocks are deleted some hours later, see `sweep`. Unpinning what is not pinned is fine. */
  unpin (cid: CID, options?: AbortOptions): Promise<void>
  /** Whether `pin` was called for it and came to its end; blocks under it are kept and yet not pinned themselves. */
  isPinned (cid: CID, options?: AbortOptions): Promise<boolean>
  /**
   * Stores a file, pinned, under a CID that its bytes alone decide (see `fileCid`).
   *
   * @throws {FileTooLargeError}
   */
  putFile (bytes: Uint8Array, options?: AbortOptions & { pin?: boolean }): Promise<CID>
  /**
   * The bytes of a file.
   *
   * @throws {FileTooLargeError}, MalformedFileError and what `get` throws
   */
  getFile (cid: CID, options?: Omit<GetOptions, 'offline'>): Promise<Uint8Array>
  /**
   * The same for a file that is read leaf by leaf, such as weights on a disk: never more of it in
   * memory than some blocks.
   *
   * @throws {FileTooLargeError} above 4 GiB
   */
  putFileFrom (source: FileSource, options?: AbortOptions & { pin?: boolean, onBlock?(bytes: number): void }): Promise<CID>
  /**
   * A file to be read by ranges; its leaves are fetched when they are read.
   *
   * @throws {FileTooLargeError}, MalformedFileError and what `get` throws
   */
  openFile (cid: CID, options?: Omit<GetOptions, 'offline'>): Promise<FileSource>
  /**
   * Deletes blocks whose pins were let go, and that nobody used from a time on. Happens by itself once
   * an hour, of those that were not used for twelve.
   *
   * @param beforeMs - milliseconds since 1970
   * @returns how many blocks
   */
  sweep (beforeMs: number, options?: AbortOptions): Promise<number>
  /** Deletes whatever is not pinned, also what was fetched and others may ask for, and blocks all else meanwhile. */
  collect (options?: AbortOptions): Promise<void>
}
