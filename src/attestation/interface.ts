import type { Datanets, DatanetsChain } from '../datanets/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Adapter, Attestation, Signed, Startable } from '../interface/index.ts'
import type { Storage } from '../storage/index.ts'
import type { TypedEventTarget } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

/** Recomputes parts of a training run; the training service fits. */
export interface AdapterCheck {
  /**
   * Trains one segment between two checkpoints again and compares bytes. Throws if it could not
   * be done, which postpones the verdict.
   */
  spotCheck (adapter: Adapter, segment: number, options?: AbortOptions): Promise<{ ok: boolean, detail: string }>
  /** Computes one column of a published Jacobian again and compares bytes. */
  checkColumn? (adapter: Adapter, column: number, options?: AbortOptions): Promise<{ ok: boolean, detail: string }>
}

export interface ValidatorComponents {
  storage: Pick<Storage, 'put' | 'get'>
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
  /**
   * Columns of a published Jacobian that are computed again before an adapter is attested, 0 to
   * COLUMN_CHECKS_MAX. Each costs about two and a half trainings.
   *
   * @default COLUMN_CHECKS
   */
  columnChecks?: number
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
