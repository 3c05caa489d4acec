import type { EnteringChain } from './entering.ts'
import type { Topic, TopicInit } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type {
  AbortOptions, Contribution, ContributionState, DatanetManifest, DatanetState, ProgressOptions, Row, Signed, Snapshot, Startable
} from '../interface/index.ts'
import type { SettlementEvents } from '../settlement/index.ts'
import type { Storage } from '../storage/index.ts'
import type { TypedEventTarget } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'

/** What of the chain is needed here. */
export interface DatanetsChain extends EnteringChain, Pick<TypedEventTarget<SettlementEvents>, 'addEventListener' | 'removeEventListener'> {
  readonly id: string
}

/** What of gossip is needed here. */
export interface DatanetsNetwork {
  topic<T> (init: TopicInit<T>): Topic<T>
}

export interface DatanetsComponents {
  storage: Pick<Storage, 'put' | 'get' | 'has' | 'pin' | 'unpin' | 'isPinned'>
  chain: DatanetsChain
  network: DatanetsNetwork
}

export interface DatanetsInit {
  /**
   * The Datanets whose contributions this node fetches and keeps: all, or CIDs. `follow()` adds more.
   *
   * @default []
   */
  follow?: 'all' | CID[]
}

/** A manifest without what `create` fills in. */
export type NewDatanet = Omit<DatanetManifest, 'type' | 'version' | 'curator'>

export interface DatanetEntry {
  datanet: CID
  state: DatanetState
}

export interface ContributionEntry {
  contribution: CID
  state: ContributionState
}

export interface NewContribution {
  datanet: CID
  title: string
  /** e.g. of `importRows` */
  rows: AsyncIterable<Row> | Iterable<Row>
  signer: Signer
}

export type ContributeEvent =
  | { type: 'datanets:contribute:shard', shard: CID, shards: number, rows: number, bytes: number }
  | { type: 'datanets:contribute:stored', contribution: CID }
  /** it was handed to so many peers at once */
  | { type: 'datanets:contribute:announced', contribution: CID, peers: number }
  | { type: 'datanets:contribute:final', contribution: CID }

export interface Contributed {
  contribution: CID
  record: Signed<Contribution>
}

export interface DatanetsEvents {
  /** a valid announcement came in; the contribution may not be on the ledger yet */
  'contribution:announced': CustomEvent<Contributed>
  /** all shards of a followed contribution are on our disk */
  'contribution:held': CustomEvent<{ contribution: CID }>
  /** a contribution on the ledger is not what its record or the ledger says; it is not kept */
  'contribution:refused': CustomEvent<{ contribution: CID, error: Error }>
}

/** Datanets and their contributions: made, announced, fetched, kept and read. */
export interface Datanets extends Startable, TypedEventTarget<DatanetsEvents> {
  /**
   * Stores a manifest and registers it on the ledger, with the signer as curator.
   *
   * @throws {TransactionFailedError} with the ledger's code
   * @throws {MalformedRecordError} if the manifest is not one
   */
  create (manifest: NewDatanet, signer: Signer, options?: AbortOptions): Promise<{ datanet: CID, manifest: DatanetManifest }>

  /**
   * Cuts rows into shards, stores and pins them with the signed record, announces it and puts it
   * on the ledger. Resolves when that is final. The same rows again are the same contribution,
   * which is returned without another transaction.
   *
   * @throws {InvalidRowError} for a row that does not fit the Datanet's fields
   * @throws {RowCountError} for fewer or more rows than the Datanet takes
   * @throws {ContributionTooLargeError}
   * @throws {UnknownDatanetError}
   * @throws {TransactionFailedError} with the ledger's code
   */
  contribute (contribution: NewContribution, options?: ProgressOptions<ContributeEvent>): Promise<Contributed>

  /** Fetches and keeps the contributions of a Datanet from now on. */
  follow (datanet: CID): void

  /** All Datanets of the ledger, in its order. */
  list (): DatanetEntry[]
  /** @throws {UnknownDatanetError} */
  get (datanet: CID, options?: AbortOptions): Promise<DatanetEntry & { manifest: DatanetManifest }>
  manifest (datanet: CID, options?: AbortOptions): Promise<DatanetManifest>

  /** Contributions, of one Datanet or all, in ledger order: by height, within a block by `index`. */
  contributions (datanet?: CID): ContributionEntry[]
  /**
   * The record of a contribution, announced or on the ledger. Its signature is verified, and what
   * the ledger says of it.
   *
   * @throws {ContributionMismatchError}
   * @throws {SignatureError}
   */
  record (contribution: CID, options?: AbortOptions): Promise<Signed<Contribution>>
  /**
   * The rows of a contribution, shard by shard, from our disk or from peers.
   *
   * @throws {ContributionMismatchError} at the end, if rows or bytes are not as many as the record says
   * @throws {MalformedRecordError} for bytes that are no shard
   * @throws {BlockUnavailableError}
   */
  rows (contribution: CID, options?: AbortOptions): AsyncGenerator<Row>
  /** The text field of the rows, in their order: what models are trained on. */
  texts (contribution: CID, options?: AbortOptions): AsyncGenerator<string>
  /** Whether we keep a contribution with all its shards. */
  holds (contribution: CID): Promise<boolean>

  /**
   * The admitted contributions of some Datanets at this moment that nobody withdrew, as a record in our store.
   *
   * @throws {UnknownDatanetError}
   */
  snapshot (datanets: CID[], options?: AbortOptions): Promise<{ cid: CID, snapshot: Snapshot }>
}
