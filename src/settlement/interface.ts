import type { SigningHistory } from './signing.ts'
import type { Evidence } from '../consensus/index.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type {
  AbortOptions, Account, Certificate, CertifiedHeader, EraChange, FinalisedBlock, Genesis, Hash, Header, OutcomeProof, PastHeader, Signed, Startable, StateProof,
  Transaction, TransactionBody, TransactionResult, Validator
} from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { TypedEventTarget } from '@libp2p/interface'
import type { Level } from 'level'
import type { CID } from 'multiformats/cid'

/** What became of a transaction, and in which block. */
export interface FinalisedTransaction extends TransactionResult {
  height: number
}

export interface SettlementEvents {
  /** each finalised block once, in order of height */
  block: CustomEvent<FinalisedBlock>
  /** the chain went on from a snapshot at this height: blocks between were not executed here, look at the state; own transactions are told as ever */
  leap: CustomEvent<number>
  /** a locally submitted transaction that can never be finalised any more */
  refused: CustomEvent<{ id: CID, code: string, message: string }>
  /** a validator is proven to be faulty */
  evidence: CustomEvent<Evidence>
  /** the chain can not go on; restart after the cause is removed */
  halt: CustomEvent<Error>
}

/**
 * What services need of whatever settles: to submit transactions, to read the finalised state
 * and to learn of its changes. The embedded chain is one implementation.
 */
export interface SettlementBackend extends Startable, TypedEventTarget<SettlementEvents> {
  /** the identifier of the chain, part of everything signed */
  readonly id: string
  /** of the newest finalised block, 0 is genesis */
  readonly height: number
  /** the newest finalised state; immutable, keep it as long as you like */
  state (): LedgerState
  /**
   * Journals, gossips and repeats a signed transaction until it is final, also over restarts.
   *
   * @returns when the transaction is journaled: from now on it is not lost
   * @throws {DatanetError} of the ledger if it cannot be valid, MempoolFullError, NonceTakenError
   */
  submitNow (signed: Signed<Transaction>): Promise<CID>
  /**
   * `submitNow`, then waits until it is final.
   *
   * @throws {TransactionRefusedError}
   * @throws {UnknownOutcomeError} if the chain went on from a snapshot, and no peer can prove what became of it before
   */
  submit (signed: Signed<Transaction>, options?: AbortOptions): Promise<FinalisedTransaction>
  /**
   * Signs with the account's next nonce and submits. Concurrent calls are put in order. A failed
   * execution is returned with `ok: false`, not thrown.
   */
  send (body: TransactionBody, signer: Signer, options?: AbortOptions): Promise<FinalisedTransaction>
  /** `send` that returns once the transaction is journaled */
  sendNow (body: TransactionBody, signer: Signer): Promise<CID>
  /** Waits for a local or gossiped transaction to be final. */
  finalised (id: CID, options?: AbortOptions): Promise<FinalisedTransaction>
  /** Resolves at once or with the first later state for which the predicate holds. */
  waitFor<T> (predicate: (state: LedgerState, height: number) => T | undefined | false | null, options?: AbortOptions): Promise<T>
}

/** What a light client asks of somebody who has the chain. */
export interface HeaderSource {
  latest (options?: AbortOptions): Promise<CertifiedHeader>
  header (height: number, options?: AbortOptions): Promise<CertifiedHeader>
  proof (key: string, height: number, options?: AbortOptions): Promise<StateProof>
  /** the validator set of an era and the header that commits to it */
  eraChange (era: number, options?: AbortOptions): Promise<EraChange>
  /** a header before one of height `size`, by its place in that one's history */
  past (height: number, size: number, options?: AbortOptions): Promise<PastHeader>
  /** the last header of an epoch, by its place among the `size` epochs of a history */
  epochEnd (epoch: number, size: number, options?: AbortOptions): Promise<PastHeader>
  /** what became of a transaction, against the header at its height */
  outcome (id: CID, options?: AbortOptions): Promise<OutcomeProof>
}

/** Defaults are those of consensus; see its `ConsensusTimeouts`. */
export interface ConsensusTimes {
  /**
   * least time between blocks with transactions
   *
   * @default 250
   */
  blockIntervalMsMin?: number
  /**
   * between blocks without transactions
   *
   * @default 1000
   */
  idleIntervalMs?: number
  /**
   * between blocks once nothing has happened for two epochs and nothing waits for blocks to pass
   *
   * @default 3000, or idleIntervalMs if that is given
   */
  restIntervalMs?: number
  /**
   * a leader is given up after this
   *
   * @default 4000
   */
  leaderTimeoutMs?: number
  /**
   * a proposal that gets no certificate is given up after this, counted from its arrival
   *
   * @default 4000
   */
  certificationTimeoutMs?: number
  /**
   * for a leader that missed its last turn
   *
   * @default 1000
   */
  silentTimeoutMs?: number
}

export interface ChainInit {
  genesis: Genesis
  /** a validator's BLS secret key, 32 bytes; without it the node only follows */
  blsSecretKey?: Uint8Array
  /** a validator's account: says who this peer is; required with `blsSecretKey` */
  signer?: Signer
  times?: ConsensusTimes
  /**
   * Blocks between two snapshots of the state on disk.
   *
   * @default 64
   */
  snapshotBlocks?: number
  /**
   * Epochs whose blocks are kept; older ones are deleted, proofs of validator sets are not.
   *
   * @default all: the node is an archive
   */
  keepEpochs?: number
  /**
   * Blocks behind others from which on a snapshot is fetched instead of all blocks between.
   *
   * @default 1024
   */
  fastSyncBlocks?: number
  /**
   * Heights below the newest whose states are kept for proofs.
   *
   * @default 64
   */
  statesKept?: number
  /**
   * Blocks for which a transaction that is final may still arrive by gossip without being punished as a replay.
   *
   * @default 1024
   */
  replayGraceBlocks?: number
  mempool?: MempoolLimits
}

export interface MempoolLimits {
  /**
   * transactions in all
   *
   * @default 4096
   */
  transactionsMax?: number
  /**
   * @default 8388608
   */
  bytesMax?: number
  /**
   * transactions of one account
   *
   * @default 64
   */
  accountMax?: number
}

export interface ChainComponents {
  network: Network
  /** opened and closed by the caller; the chain uses its own sublevels */
  db: Level
}

export interface MempoolStats {
  transactions: number
  bytes: number
}

export interface ValidatorView {
  account: Account
  /** the peer that proved to be it, if connected */
  peer: string | null
}

/** Two certificates of one view that no honest validator signed both of, and the set whose they are. */
export interface Contradiction {
  first: Certificate
  second: Certificate
  validators: Validator[]
}

/** The network's own chain: consensus, ledger, disk and network driven together. */
export interface Chain extends SettlementBackend {
  readonly view: number
  /** hash of the newest finalised block */
  readonly tip: Hash
  readonly mempool: MempoolStats
  validators (): ValidatorView[]
  /** proofs against validators, newest last; kept over restarts */
  evidence (): Evidence[]
  /**
   * Who certifies the blocks of an era.
   *
   * @throws {UnknownHeightError} for an era that the chain has not come to
   */
  validatorsOf (era: number): Promise<Validator[]>
  /**
   * Looks among what is known here, and then to connected peers, for two certificates that convict
   * the authors of a fork.
   *
   * @param certificates - those of the fork, which need not verify
   * @param options - ends the search, which lasts some seconds at most
   * @returns undefined if nobody has them
   */
  contradiction (certificates: [Certificate, Certificate], options?: AbortOptions): Promise<Contradiction | undefined>
  /**
   * @throws {UnknownHeightError}
   */
  header (height: number): Promise<Header>
  /**
   * A finalised block with its results.
   *
   * @throws {UnknownHeightError}
   */
  block (height: number): Promise<FinalisedBlock>
  /**
   * The newest header with a finalize certificate, or that at a height with a certificate over it:
   * a notarization if it became final through a later block.
   *
   * @throws {UnknownHeightError}
   */
  certified (height?: number): Promise<CertifiedHeader>
  /**
   * @throws {UnknownHeightError} for heights whose state is not kept
   */
  prove (key: string, height?: number): StateProof
  /**
   * The set of an era after the first, with the certified header that commits to it.
   *
   * @throws {UnknownHeightError}
   */
  eraChange (era: number): Promise<EraChange>
  /**
   * A header with its path in the history of the state at height `size`: see protocols/history.
   *
   * @throws {UnknownHeightError} for what was pruned, or lies before the snapshot that this node began at
   */
  past (height: number, size: number): Promise<PastHeader>
  /**
   * The last header of an epoch with its path among the first `size` epochs. No node forgets those
   * that it saw.
   *
   * @throws {UnknownHeightError}
   */
  epochEnd (epoch: number, size: number): Promise<PastHeader>
  /**
   * Proof of what became of a final transaction.
   *
   * @throws {UnknownTransactionError}
   */
  outcome (id: CID): Promise<OutcomeProof>
  /**
   * How far this validator has signed: keep it with the keys, outside this disk.
   *
   * @throws {ChainConfigError} for a node without a validator's keys
   */
  signingHistory (): Promise<SigningHistory>
  /**
   * Gives a history back after a disk was restored or replaced: nothing is signed at or below it.
   * Before `start`.
   *
   * @param history - parsed JSON
   * @throws {SigningHistoryError} if it is another validator's or the chain runs
   */
  importSigningHistory (history: unknown): Promise<void>
  /** Answers light clients from now on. Safe to repeat. */
  serveQueries (): void
}
