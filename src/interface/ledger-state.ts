/**
 * What the state holds. Each value is the dag-cbor under its key in the authenticated map.
 */
import type { FeeSplit, GovernanceAction, NetworkParams } from './genesis.ts'
import type { MergeParent } from './merged.ts'
import type { Account, Amount, Hash } from './records.ts'
import type { CID } from 'multiformats/cid'

/** key `account/<multikey>` */
export interface AccountState {
  balance: Amount
  nonce: number
  /** stake as an assessor */
  staked: Amount
  gopen: Amount
  delegate: Account | null
  /** gOPEN delegated to this account, its own included if delegated to itself */
  votes: Amount
}

/** key `validator/<multikey>`: somebody who may be chosen for the set of a later epoch */
export interface CandidateState {
  /** uncompressed, 96 bytes */
  blsPublicKey: Uint8Array
  /** own and delegated stake */
  bonded: Amount
  height: number
}

/** key `conviction/<multikey>`: a validator that contradicted itself, which is none any more */
export interface ConvictionState {
  /** in which it was convicted */
  epoch: number
  /** of the contradicting votes */
  era: number
  view: number
  reporter: Account
  /** of its own stake; what was delegated to it is slashed when it is taken out */
  slashed: Amount
}

/** key `era/<n>`: an era that ended, while evidence of it counts */
export interface EraState {
  /** the last one of the era */
  epoch: number
  validatorsHash: Hash
}

/** key `unbonding/<multikey>`: what an account took out of bonds and cannot withdraw yet, oldest first */
export type UnbondingState = Array<{
  validator: Account
  amount: Amount
  /** the first epoch in which it can be withdrawn */
  epoch: number
}>

/** key `datanet/<cid>` */
export interface DatanetState {
  curator: Account
  name: string
  contributions: number
  admitted: number
  /** held until the first contribution is admitted, then 0 */
  deposit: Amount
  height: number
}

export type AdmissionStatus = 'pending' | 'admitted' | 'rejected'

/** What validators attest: held a deposit for until they decided, and paid from then on. */
export interface SubjectState {
  deposit: Amount
  status: AdmissionStatus
  stakeFor: Amount
  stakeAgainst: Amount
  height: number
  earned: Amount
}

/** key `contribution/<cid>` */
export interface ContributionState extends SubjectState {
  datanet: CID
  contributor: Account
  rows: number
  bytes: number
  /** position in the Datanet, in ledger order, from 0 */
  index: number
  /** its contributor took it back: it enters no further adapter, and what tasks of later epochs owe it is the treasury's */
  withdrawn?: { epoch: number, height: number }
}

/** key `attestation/<subject cid>/<validator multikey>` */
export interface AttestationState {
  verdict: 'admit' | 'reject'
  attestation: CID
  height: number
}

/** key `adapter/<cid>` */
export interface AdapterState extends SubjectState {
  developer: Account
  base: CID
  /** null if it was trained elsewhere, and of merged adapters */
  snapshot: CID | null
  contributions: CID[]
  /** of an imported adapter alone */
  weights?: CID
  /** of a merged adapter alone, whose contributions are theirs */
  parents?: MergeParent[]
  /** its developer advises against it; it is served and paid as before */
  deprecated?: DeprecationState
}

export interface DeprecationState {
  reason: string
  /** the adapter to ask instead */
  successor: CID | null
  height: number
}

/** key `channel/<hex>` */
export interface ChannelState {
  payer: Account
  gateway: Account
  deposit: Amount
  redeemed: Amount
  expiresAtHeight: number
  closed: boolean
}

export type ProposalStatus = 'pending' | 'active' | 'defeated' | 'succeeded' | 'queued' | 'executed'

/** key `proposal/<number>` */
export interface ProposalState {
  proposer: Account
  title: string
  actions: GovernanceAction[]
  createdAt: number
  voteStart: number
  voteEnd: number
  /** height from which it may be executed, once queued */
  eta: number | null
  for: Amount
  against: Amount
  abstain: Amount
  executed: boolean
  /** gOPEN supply at voteStart, 0 before */
  supply: Amount
  /** votes for and abstain that are needed, fixed at voteStart */
  quorum: Amount
}

/** key `chain`: the singletons of the state */
export interface ChainState {
  /** the chain's identifier, as in the genesis */
  chain: string
  /** of the block after which this is the state */
  height: number
  /** counts cutoffs; the epoch that redemptions join now */
  epoch: number
  /** the fee split of the running epoch: params.feeSplit as it was when the epoch began */
  epochFeeSplit: FeeSplit
  params: NetworkParams
  supply: Amount
  gopenSupply: Amount
  proposals: number
  /** proposals whose vote has not ended */
  openProposals: number[]
  /** tasks not yet settled, in order of creation */
  openTasks: Hash[]
  /** RANDAO mix */
  beacon: Hash
  treasury: Account
  /** of the set that certifies the next block */
  validatorsHash: Hash
  /** of the next block: counts changes of the validator set */
  era: number
}
