import type { Account, Amount, Hash } from './records.ts'
import type { CID } from 'multiformats/cid'

/** Shares of a fee in basis points; they sum to 10,000. */
export interface FeeSplit {
  platform: number
  developers: number
  validators: number
  data: number
}

/** What governance can change. Durations are counted in blocks. */
export interface NetworkParams {
  feeSplit: FeeSplit
  /** an epoch ends (cutoff) at every height that is a multiple of this */
  epochBlocks: number
  /** deadlines: a phase ends earlier when every seat has acted */
  commitBlocks: number
  revealBlocks: number
  openBlocks: number
  verdictBlocks: number
  /** blocks between acceptance of a task and its payouts */
  challengeBlocks: number
  seats: number
  /** leaves of each trace that the beacon opens */
  traceOpenings: number
  /** times a committee is drawn anew before a task rolls over */
  redrawsMax: number
  contributionDeposit: Amount
  adapterDeposit: Amount
  datanetDeposit: Amount
  assessorStakeMin: Amount
  /** lost by an assessor whose reveal was proven wrong */
  slashWrong: Amount
  /** lost by an assessor that did not commit, reveal or open */
  slashSilent: Amount
  votingDelayBlocks: number
  votingPeriodBlocks: number
  timelockBlocks: number
  /** share of the gOPEN supply that must vote for or abstain, in basis points */
  quorumBp: number
  proposalThreshold: Amount
}

export interface ValidatorInfo {
  account: Account
  /** compressed BLS12-381 G1 public key, 48 bytes */
  blsPublicKey: Uint8Array
  /** proof of possession, 96 bytes */
  possession: Uint8Array
  stake: Amount
}

/** The first state of a chain. Its hash is in the chain's identifier. */
export interface Genesis {
  type: 'genesis'
  version: 1
  chain: string
  validators: ValidatorInfo[]
  balances: Array<{ account: Account, amount: Amount }>
  params: NetworkParams
  /** accounts that receive the platform's share */
  treasury: Account
  /** base models that adapters may build on, with the accounts that are paid for them */
  bases: Array<{ base: CID, developer: Account }>
}

export type GovernanceAction =
  | { kind: 'set-params', params: Partial<NetworkParams> }
  | { kind: 'treasury-transfer', to: Account, amount: Amount }

/** What a transaction asks for. */
export type TransactionBody =
  | { kind: 'transfer', to: Account, amount: Amount }
  | { kind: 'stake', amount: Amount }
  | { kind: 'unstake', amount: Amount }
  | { kind: 'create-datanet', datanet: CID, name: string }
  | { kind: 'contribute', datanet: CID, contribution: CID, rows: number, bytes: number, shards: number }
  | { kind: 'publish-adapter', adapter: CID, base: CID, snapshot: CID, contributions: CID[] }
  | { kind: 'attest', subject: CID, verdict: 'admit' | 'reject', attestation: CID }
  | { kind: 'open-channel', gateway: Account, amount: Amount, expiresAtHeight: number }
  | { kind: 'close-channel', channel: Hash }
  | RedeemBody
  | { kind: 'commit', task: Hash, commit: Hash }
  | { kind: 'reveal', task: Hash, scoreRoot: Hash, total: bigint, traceRoot: Hash, traceLength: number, salt: Hash }
  | { kind: 'open', task: Hash, openings: TraceOpening[] }
  | { kind: 'verdict', task: Hash, scoreRoot: Hash, total: bigint }
  | { kind: 'report-unavailable', task: Hash }
  | { kind: 'claim', task: Hash, claims: ScoreClaim[] }
  | { kind: 'wrap', amount: Amount }
  | { kind: 'unwrap', amount: Amount }
  | { kind: 'delegate', to: Account }
  | { kind: 'propose', title: string, actions: GovernanceAction[] }
  | { kind: 'vote', proposal: number, support: 'for' | 'against' | 'abstain' }
  | { kind: 'queue', proposal: number }
  | { kind: 'execute', proposal: number }

/** A gateway's one operation per channel and epoch: the newest voucher and what it paid for. */
export interface RedeemBody {
  kind: 'redeem'
  channel: Hash
  cumulative: Amount
  /** the payer's signature over the Voucher */
  voucherSignature: Uint8Array
  /** one per adapter, sorted by CID bytes; fees sum to what this redemption adds */
  batches: Array<{ adapter: CID, receiptsRoot: Hash, receipts: number, fees: Amount }>
}

export interface TraceOpening {
  index: number
  /** hash of the intermediate before it was keyed */
  step: Hash
  proof: Hash[]
}

export interface ScoreClaim {
  contribution: CID
  score: bigint
  index: number
  proof: Hash[]
}

/** Signed as `Signed<Transaction>` with domain `datanet/transaction/1`. */
export interface Transaction {
  type: 'transaction'
  version: 1
  chain: string
  /** must equal the account's nonce */
  nonce: number
  body: TransactionBody
}

/** Outcome of one transaction. A failed one still spends its nonce. */
export interface TransactionResult {
  id: CID
  ok: boolean
  /** stable error code when not ok */
  code?: string
  message?: string
}

// ---- what the state holds; each value is the dag-cbor under its key in the authenticated map ----

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

/** key `contribution/<cid>` */
export interface ContributionState {
  datanet: CID
  contributor: Account
  rows: number
  bytes: number
  /** position in the Datanet, in ledger order, from 0 */
  index: number
  deposit: Amount
  status: AdmissionStatus
  stakeFor: Amount
  stakeAgainst: Amount
  height: number
  earned: Amount
}

/** key `attestation/<subject cid>/<validator multikey>` */
export interface AttestationState {
  verdict: 'admit' | 'reject'
  attestation: CID
  height: number
}

/** key `adapter/<cid>` */
export interface AdapterState {
  developer: Account
  base: CID
  snapshot: CID
  contributions: CID[]
  deposit: Amount
  status: AdmissionStatus
  stakeFor: Amount
  stakeAgainst: Amount
  height: number
  earned: Amount
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

/** `collecting` until the epoch's cutoff; the committee is drawn only then */
export type TaskPhase =
  | 'collecting' | 'commit' | 'reveal' | 'open' | 'verdict' | 'challenge' | 'settled' | 'unavailable'

export interface SeatState {
  assessor: Account
  commit: Hash | null
  scoreRoot: Hash | null
  total: bigint
  traceRoot: Hash | null
  traceLength: number
  opened: boolean
  /** hash of the opened step hashes in order: what seats are compared by */
  steps: Hash | null
  unavailable: boolean
  /** why it was slashed, if it was */
  fault: 'silent' | 'wrong-score' | 'bad-trace' | null
}

/** key `task/<hex>` */
export interface TaskState {
  adapter: CID
  epoch: number
  phase: TaskPhase
  /** first height at which the phase times out */
  deadline: number
  redraws: number
  fees: Amount
  /** per gateway that redeemed: what its committee must fetch from it */
  sources: Array<{ gateway: Account, channel: Hash, receiptsRoot: Hash, receipts: number, fees: Amount }>
  seats: SeatState[]
  /** validators' verdicts after a dissent */
  verdicts: Array<{ validator: Account, scoreRoot: Hash, total: bigint }>
  scoreRoot: Hash | null
  total: bigint
  /** trace leaves the beacon asks for, set when the phase becomes `open` */
  openings: number[]
  /** the split in force when the task's epoch began, set at its cutoff */
  feeSplit: FeeSplit | null
  dataPool: Amount
  paid: Amount
}

/** key `payout/<task hex>/<contribution cid>` */
export interface PayoutState {
  contributor: Account
  score: bigint
  amount: Amount
  height: number
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
  validatorsHash: Hash
}

/** An emission of the ledger while a block is executed; what the UI and services react to. */
export type LedgerEvent =
  // `from` or `to` is the 32-byte id of what holds the money when it is no account: a channel, a task
  // or, for deposits, the digest of the subject's CID
  | { type: 'transfer', from: Account, to: Account, amount: Amount, reason: PaymentReason, task?: Hash }
  | { type: 'datanet', datanet: CID, name: string, curator: Account }
  | { type: 'contribution', contribution: CID, datanet: CID, contributor: Account, status: AdmissionStatus }
  | { type: 'adapter', adapter: CID, developer: Account, status: AdmissionStatus }
  | { type: 'attestation', subject: CID, validator: Account, verdict: 'admit' | 'reject' }
  | { type: 'channel', channel: Hash, payer: Account, gateway: Account, deposit: Amount, redeemed: Amount, closed: boolean }
  | { type: 'task', task: Hash, adapter: CID, epoch: number, phase: TaskPhase }
  | { type: 'seat', task: Hash, assessor: Account, action: 'drawn' | 'commit' | 'reveal' | 'open' | 'verdict' | 'slash', fault?: string }
  | { type: 'proposal', proposal: number, status: ProposalStatus, title: string }
  | { type: 'params', params: NetworkParams }

export type PaymentReason =
  | 'transfer' | 'deposit' | 'refund' | 'escrow' | 'platform' | 'developer' | 'base-developer'
  | 'validator' | 'assessor' | 'data' | 'slash' | 'stake' | 'wrap' | 'governance'
