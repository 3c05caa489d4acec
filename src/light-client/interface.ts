import type {
  AbortOptions, Account, AccountState, AdapterState, AttestationState, CertifiedHeader, ChainState, ContributionState, DatanetState, EraChange, Genesis, Hash,
  Header, OutcomeProof, PastHeader, PayoutState, ProposalState, ScoreTable, StateProof, TaskState, TransactionOutcome, Validator, WhyView
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
  /** a header before one of height `size`, by its place in that one's history; without it old headers are verified by certificates */
  past? (height: number, size: number, options?: AbortOptions): Promise<PastHeader>
  /** the last header of an epoch, by its place among the `size` epochs of a history; without it such questions are not answered */
  epochEnd? (epoch: number, size: number, options?: AbortOptions): Promise<PastHeader>
  /** what became of a transaction; without it such questions are not answered */
  outcome? (transaction: CID, options?: AbortOptions): Promise<OutcomeProof>
  /** the bytes of a record, for its title */
  datum? (cid: CID, options?: AbortOptions): Promise<Uint8Array>
  /** the scores of a task, as an assessor recomputed them */
  scores? (task: Hash, options?: AbortOptions): Promise<ScoreTable>
}

/** A header that somebody whom you trust named. */
export interface Checkpoint {
  height: number
  /** `headerHash` of the header, 32 bytes */
  hash: Hash
}

/** How long signatures of validators suffice. Headers carry no time: it is the caller's. */
export interface Trusting {
  /** when what we start from was last confirmed, in milliseconds, by `now`'s clock */
  since: number
  /** shorter than validators wait for their stake: `unbondEpochs` × `epochBlocks` × the time of a block */
  periodMs: number
  now (): number
}

/**
 * What a light client believes at the end, to be kept by its user and given back at the next start:
 * the newest header, and the set that certified it.
 */
export interface TrustedHeader {
  header: CertifiedHeader
  validators: Validator[]
  /** when the question was asked whose answer confirmed it, in milliseconds by the clock of `trusting`; 0 without one */
  confirmedAtMs: number
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
   * Where to begin instead: believed for its hash alone, so that neither the genesis' validators nor
   * those since are needed. Takes the place of `newest`. Headers before it are not read.
   *
   * @default the genesis
   */
  checkpoint?: Checkpoint
  /**
   * What an earlier client believed at the end: goes on from there, without the sets between it and
   * the genesis, and cannot be led back behind it. Takes the place of `checkpoint` and `newest`.
   *
   * @default nothing is remembered
   */
  trusted?: TrustedHeader
  /**
   * Refuses to verify more when nothing newer was verified for this long.
   *
   * @default what is known is believed for ever
   */
  trusting?: Trusting
  /**
   * Sources at other peers. Each new header is compared with theirs before it is believed; each
   * costs what the source costs.
   *
   * @default none
   */
  witnesses?: HeaderSource[]
  /**
   * How many of the witnesses have to confirm a header.
   *
   * @default 1, if there are witnesses
   */
  witnessesMin?: number
  /**
   * Bound of every wait for the source, in milliseconds.
   *
   * @default 10000
   */
  timeoutMs?: number
}

/** A verified header. */
export interface FinalHeader {
  header: Header
  /** what it was verified by: its own certificate or a descendant's, or a newer header whose history it is in */
  by: CertifiedHeader
}

/** A value of the state with the header whose state root it was proven against. */
export interface Proven<T> {
  /** null: the key was proven to be absent */
  value: T | null
  at: FinalHeader
}

/** Two headers that cannot both be honest. `forkEvidenceCodec` makes it a record for others. */
export interface ForkEvidence {
  first: CertifiedHeader
  second: CertifiedHeader
  /** who signed both certificates, as far as these verify */
  accused: Account[]
  /** by the first header's set, in base units */
  accusedStake: bigint
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
 * - `TrustExpiredError` when the trusting period is over,
 * - `CheckpointError` for a source that contradicts the checkpoint, `WitnessError` without enough witnesses,
 * - `StateProofError` or `HistoryProofError` for a proof that does not verify,
 * - `SourceError` if the source fails, `AbortError` if the signal fires.
 */
export interface LightClient {
  /** the newest verified header */
  readonly newest: CertifiedHeader | undefined
  /** what to give to the next client as `trusted`; undefined before the first header */
  readonly trusted: TrustedHeader | undefined
  /** Asks the source for its newest header and verifies it. */
  sync (options?: AbortOptions): Promise<CertifiedHeader>
  /**
   * The verified header at a height. One that is older than the newest is proven by that one's
   * history, whoever certified it: two proofs, the first of which serves all that follow. From a
   * source that has no paths it is verified by a certificate over it or a descendant.
   */
  header (height: number, options?: AbortOptions): Promise<FinalHeader>
  /**
   * The last header of an epoch that is over, proven by the newest header's history.
   *
   * @throws {HistoryProofError} if the epoch is not over, as the newest header has it
   */
  epochEnd (epoch: number, options?: AbortOptions): Promise<FinalHeader>
  /** How many validators, and how much stake, signed a header that was verified by its certificate. */
  signersOf (header: CertifiedHeader): { signers: number, validators: number, stake: bigint, totalStake: bigint }
  /** The set that certifies a header which was verified. */
  validatorsOf (header: CertifiedHeader): Validator[]
  /**
   * What became of a transaction, by proof in its block's header. That it is in no block cannot be
   * proven: the source fails then.
   *
   * @throws {OutcomeProofError} if the proof is of another transaction or does not verify
   */
  outcome (transaction: CID, options?: AbortOptions): Promise<{ value: TransactionOutcome, at: FinalHeader }>
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
