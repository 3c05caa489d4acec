import type {
  AbortOptions, Account, AccountState, AdapterState, AttestationState, CertifiedHeader, ChainState, ContributionState, DatanetState, EraChange, Genesis, Hash,
  Header, PayoutState, ProposalState, ScoreTable, StateProof, TaskState, Validator, WhyView
} from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** Somebody who has the chain, over the network or HTTP. Nothing that it says is believed without proof. */
export interface HeaderSource {
  /** the newest final header with its `finalize` certificate */
  latest (options?: AbortOptions): Promise<CertifiedHeader>
  /** the header at a height with a certificate over it; `notarize` if it became final through a later block */
  header (height: number, options?: AbortOptions): Promise<CertifiedHeader>
  /** of the state after the block at this height */
  proof (key: string, height: number, options?: AbortOptions): Promise<StateProof>
  /** the set of an era and the header that commits to it; without it only the genesis' validators are known */
  eraChange? (era: number, options?: AbortOptions): Promise<EraChange>
  /** the bytes of a record, for its title */
  datum? (cid: CID, options?: AbortOptions): Promise<Uint8Array>
  /** the scores of a task, as an assessor recomputed them */
  scores? (task: Hash, options?: AbortOptions): Promise<ScoreTable>
}

export interface LightClientInit {
  /** whom we believe: its validators certify everything else */
  genesis: Genesis
  source: HeaderSource
  /**
   * Where to begin, verified like all others: a restart cannot be led back behind it.
   *
   * @default nothing newer than the genesis is known
   */
  newest?: CertifiedHeader
  /**
   * Bound of every wait for the source, in milliseconds.
   *
   * @default 10000
   */
  timeoutMs?: number
}

/** A value of the state with the header whose state root it was proven against. */
export interface Proven<T> {
  /** null: the key was proven to be absent */
  value: T | null
  at: CertifiedHeader
}

/** Two headers that cannot both be honest: more than a third of the stake signed both. */
export interface ForkEvidence {
  first: CertifiedHeader
  second: CertifiedHeader
}

export interface ReadOptions extends AbortOptions {
  /**
   * Read the state after this block instead of the newest.
   *
   * @default the newest header that is known
   */
  height?: number
}

/**
 * Every read throws
 * - `CertificateError`, `WrongChainError`, `ValidatorSetError` or `MalformedRecordError` for a header that does not verify,
 * - `StaleSourceError` for a source that is behind what we know,
 * - `ForkError` with the evidence,
 * - `StateProofError` for a proof that does not verify,
 * - `SourceError` if the source fails, `AbortError` if the signal fires.
 */
export interface LightClient {
  /** the newest verified header */
  readonly newest: CertifiedHeader | undefined
  /** Asks the source for its newest header and verifies it. */
  sync (options?: AbortOptions): Promise<CertifiedHeader>
  /** The verified header at a height. */
  header (height: number, options?: AbortOptions): Promise<Header>
  /** How many validators, and how much stake, signed a header. */
  signersOf (header: CertifiedHeader): { signers: number, validators: number, stake: bigint, totalStake: bigint }
  /** The set that certifies a header which was verified. */
  validatorsOf (header: CertifiedHeader): Validator[]
  account (account: Account, options?: ReadOptions): Promise<Proven<AccountState>>
  adapter (adapter: CID, options?: ReadOptions): Promise<Proven<AdapterState>>
  attestation (subject: CID, validator: Account, options?: ReadOptions): Promise<Proven<AttestationState>>
  chain (options?: ReadOptions): Promise<Proven<ChainState>>
  contribution (contribution: CID, options?: ReadOptions): Promise<Proven<ContributionState>>
  datanet (datanet: CID, options?: ReadOptions): Promise<Proven<DatanetState>>
  payout (task: Hash, contribution: CID, options?: ReadOptions): Promise<Proven<PayoutState>>
  proposal (proposal: number, options?: ReadOptions): Promise<Proven<ProposalState>>
  task (task: Hash, options?: ReadOptions): Promise<Proven<TaskState>>
  /**
   * Why a contribution was paid for a task: every link of the chain of reasons, each verified
   * against one certified header. Costs one proof per link and validator.
   *
   * @throws {NotPaidError} if there is no such payout yet
   */
  why (task: Hash, contribution: CID, options?: AbortOptions): Promise<WhyView>
}
