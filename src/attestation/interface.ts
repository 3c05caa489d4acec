import type { ColumnsNetwork } from './column-exchange.ts'
import type { ColumnStatement } from './column-record.ts'
import type { ColumnAgreement } from './column-tally.ts'
import type { Datanets, DatanetsChain } from '../datanets/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Adapter, Attestation, Signed, Startable } from '../interface/index.ts'
import type { Storage } from '../storage/index.ts'
import type { TypedEventTarget } from '@libp2p/interface'
import type { Level } from 'level'
import type { CID } from 'multiformats/cid'

/** Recomputes parts of a training run; the training service fits. */
export interface AdapterCheck {
  /**
   * Trains one segment between two checkpoints again and compares bytes. Throws if it could not
   * be done, which postpones the verdict.
   */
  spotCheck (adapter: Adapter, segment: number, options?: AbortOptions & { commitBlocks?: number }): Promise<{ ok: boolean, detail: string }>
}

/** Computes columns of an adapter by its method; the training service fits. */
export interface ColumnComputer {
  /**
   * Stores each column as a file and gives their CIDs. May be ended by work that somebody waits
   * for, with an error of code `ERR_PREEMPTED`.
   */
  columns (adapter: Pick<Adapter, 'recipe' | 'method' | 'checkpoints'>, columns: number[], options?: AbortOptions): Promise<CID[]>
}

export interface ValidatorComponents {
  storage: Pick<Storage, 'put' | 'get' | 'getFile'>
  datanets: Pick<Datanets, 'contributions' | 'manifest' | 'record' | 'rows'>
  chain: DatanetsChain
  /** a validator's account */
  signer: Signer
  /** without it this node leaves adapters to others */
  adapterCheck?: AdapterCheck
}

export interface ValidatorInit {
  /**
   * First pause before a subject that could not be fetched is tried again; doubles up to a minute.
   *
   * @default RETRY_MS
   */
  retryMs?: number
  /**
   * How often earlier contributions are tried to be fetched before one is compared without them.
   *
   * @default EARLIER_ATTEMPTS_MAX
   */
  earlierAttemptsMax?: number
}

export interface ValidatorEvents {
  /** an attestation of ours is final on the ledger */
  attested: CustomEvent<{ subject: CID, attestation: CID, record: Signed<Attestation> }>
  /** a subject could not be judged now, e.g. because nobody gives its shards; `attempt` counts from 1 */
  postponed: CustomEvent<{ subject: CID, error: Error, attempt: number }>
  /** this node will not judge a subject */
  skipped: CustomEvent<{ subject: CID, error: Error }>
}

/** Judges what is pending on the ledger, once per subject, in ledger order. */
export interface Validator extends Startable, TypedEventTarget<ValidatorEvents> {
  /** subjects that wait for their turn or another try */
  readonly pending: number
}

export interface ColumnsInit {
  /**
   * Columns of one adapter that this node computes of those that it is drawn for, 0 for none. Each
   * costs about two and a half trainings, in the background.
   *
   * @default COLUMNS_PER_ADAPTER
   */
  columnsMax?: number
}

export interface ColumnsComponents {
  chain: Pick<DatanetsChain, 'id' | 'state' | 'addEventListener' | 'removeEventListener'>
  network: ColumnsNetwork
  storage: Pick<Storage, 'get' | 'pin'>
  /** keeps what this node said */
  db: Level
  /** with both, this node computes what its account is drawn for; others only listen */
  compute?: ColumnComputer
  signer?: Signer
}

export interface ColumnsEvents {
  /** somebody, or we, said what a column is */
  statement: CustomEvent<ColumnStatement>
  /** columns that this node should compute could not be computed; it may try again */
  failed: CustomEvent<{ adapter: CID, error: Error }>
}

/** The columns of adapters' influence Jacobians, as the swarm computes them and agrees on them. */
export interface Columns extends Startable, TypedEventTarget<ColumnsEvents> {
  /**
   * What is said of each column of an adapter, by what this node heard so far.
   *
   * @param adapter - CID of its signed record
   * @param record - if given, columns that it publishes are its developer's voice
   */
  agreement (adapter: CID, record?: Pick<Adapter, 'developer' | 'influence'>): ColumnAgreement[]
  /** The signed statements on a column: they prove to anybody who agreed. */
  proof (adapter: CID, column: number): Array<Signed<ColumnStatement>>
  /** Asks peers what they heard of an adapter. */
  refresh (adapter: CID, options?: AbortOptions): Promise<void>
}
