import type { HashedNode } from './mountain-range.ts'
import type { Account, Hash, LedgerEvent, Signed, StateProof, Transaction, TransactionResult } from '../interface/index.ts'

/**
 * A map from text keys to bytes with a root that commits to every entry. Immutable: `set` and
 * `delete` return a new map that shares all that did not change, so keeping old versions is cheap.
 * The root depends on the entries alone, not on the order in which they came.
 */
export interface AuthenticatedMap {
  /** computed when first asked for, then kept per node */
  readonly root: Hash
  readonly size: number
  get (key: string): Uint8Array | undefined
  /** @throws {StateKeyError} when the key is not 1 to 256 printable ASCII characters */
  set (key: string, value: Uint8Array): AuthenticatedMap
  delete (key: string): AuthenticatedMap
  /** entries whose keys start with `prefix`, in key order, none before `from`; without a prefix all of them */
  entries (prefix?: string, from?: string): IterableIterator<[string, Uint8Array]>
  /** that the map holds the key with its value, or that it does not hold it */
  prove (key: string): StateProof
}

/** The state after a block. Immutable; keeping those of recent heights is cheap. */
export interface LedgerState {
  readonly map: AuthenticatedMap
  /** of the block after which this is the state; 0 is genesis */
  readonly height: number
}

/** What the ledger needs of a block. */
export interface BlockInput {
  height: number
  /** hash of the parent's header, which this block adds to the history; that it is so is for consensus to check */
  parent: Hash
  proposer: Account
  /** 96 bytes; that it verifies is for consensus to check */
  beaconSignature: Uint8Array
  transactions: Array<Signed<Transaction>>
}

export interface BlockOutcome {
  state: LedgerState
  /** one per transaction, in order */
  results: TransactionResult[]
  events: LedgerEvent[]
}

export interface CheckOptions {
  /**
   * How far a nonce may be ahead of the account's: a mempool holds a queue per account.
   *
   * @default 64
   */
  nonceGapMax?: number
}

/** What a state says of the headers before it; key `history`, absent at height 0. Trees of RFC 9162. */
export interface HistoryState {
  /** root over the hashes of the headers at heights 0 to that of the state less one */
  blocks: Hash
  /** epochs whose last header is in the tree of epochs; the newest header is in neither tree */
  epochs: number
  /** root over the hashes of those last headers, by epoch; SHA-256 of nothing without any */
  epochEnds: Hash
}

/** The roots of the perfect subtrees of both trees, largest first; key `history-peaks`. */
export interface HistoryPeaks {
  blocks: Hash[]
  epochs: Hash[]
}

/** Nodes that a block adds to both trees. */
export interface HistoryGrowth {
  blocks: HashedNode[]
  epochs: HashedNode[]
  /** the epoch that the block ended */
  ended: number | null
}

/** How an account voted; key `ballot/<proposal>/<multikey>`. */
export interface BallotState {
  support: 'for' | 'against' | 'abstain'
  /** its votes at voteStart */
  weight: bigint
}

/** Where all money is; `total` equals `supply` after every block. In base units. */
export interface Holdings {
  balances: bigint
  /** of assessors and validators */
  stakes: bigint
  /** OPEN that backs gOPEN */
  wrapped: bigint
  escrows: bigint
  deposits: bigint
  /** fees and data pools of tasks, redemptions that wait for one, bonds of challengers and planters */
  tasks: bigint
  total: bigint
  supply: bigint
}
