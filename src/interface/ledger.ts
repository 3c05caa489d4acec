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
  /** lost by an assessor that did not commit; added to `slashWrong` for one that committed and then kept back what it committed to */
  slashSilent: Amount
  /** held of who challenges a result or plants an answer; given back unless it is proven wrong */
  challengeBond: Amount
  /** validators that may plant an answer in each epoch; 0 for none */
  plantsPerEpoch: number
  /** paid by the treasury for an exposed plant that was right */
  plantReward: Amount
  votingDelayBlocks: number
  votingPeriodBlocks: number
  timelockBlocks: number
  /** share of the gOPEN supply that must vote for or abstain, in basis points */
  quorumBp: number
  proposalThreshold: Amount
  /** a transaction pays at least its bytes times this; validators' duties are free */
  feePerByte: Amount
  /** share of a fee that the block's proposer gets, in basis points; the rest is the treasury's */
  feeProposerBp: number
  /** places in the validator set */
  validatorsMax: number
  /** what a validator must have bonded, delegated stake included */
  validatorStakeMin: Amount
  /** epochs between `unbond` and `withdraw`; longer than the stake can still sit in a set */
  unbondEpochs: number
}

/** A member of a validator set: what its votes are checked with and count. */
export interface Validator {
  account: Account
  /** uncompressed BLS12-381 G1 public key, 96 bytes; its possession was proven when it was registered */
  blsPublicKey: Uint8Array
  stake: Amount
}

/** A validator of a genesis. */
export interface ValidatorInfo extends Validator {
  /** proof of possession, 96 bytes */
  possession: Uint8Array
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
  | { kind: 'register-validator', blsPublicKey: Uint8Array, possession: Uint8Array, amount: Amount }
  | { kind: 'bond', validator: Account, amount: Amount }
  | { kind: 'unbond', validator: Account, amount: Amount }
  | { kind: 'withdraw' }
  | { kind: 'report-votes', blsPublicKey: Uint8Array, era: number, view: number, first: SignedStatement, second: SignedStatement }
  | { kind: 'report-certificates', era: number, view: number, first: CertifiedStatement, second: CertifiedStatement, validators: Validator[] }
  | { kind: 'create-datanet', datanet: CID, name: string }
  | { kind: 'contribute', datanet: CID, contribution: CID, rows: number, bytes: number, shards: number }
  | { kind: 'withdraw-contribution', contribution: CID }
  | { kind: 'publish-adapter', adapter: CID, base: CID, snapshot: CID, contributions: CID[] }
  | { kind: 'import-adapter', adapter: CID, base: CID, weights: CID }
  | { kind: 'deprecate-adapter', adapter: CID, reason: string, successor: CID | null }
  | { kind: 'attest', subject: CID, verdict: 'admit' | 'reject', attestation: CID }
  | { kind: 'open-channel', gateway: Account, amount: Amount, expiresAtHeight: number }
  | { kind: 'close-channel', channel: Hash }
  | RedeemBody
  | { kind: 'commit', task: Hash, commit: Hash }
  | { kind: 'reveal', task: Hash, scoreRoot: Hash, total: bigint, traceRoot: Hash, traceLength: number, salt: Hash }
  | { kind: 'open', task: Hash, openings: TraceOpening[] }
  | { kind: 'verdict', task: Hash, scoreRoot: Hash, total: bigint }
  | { kind: 'report-receipts', task: Hash, fault: ReceiptsFault, source: number | null }
  | { kind: 'judge-receipts', task: Hash, source: number | null }
  | { kind: 'judge-step', task: Hash, step: Hash }
  | { kind: 'challenge', task: Hash }
  | { kind: 'plant', commit: Hash }
  | { kind: 'expose', epoch: number, task: Hash, scoreRoot: Hash, total: bigint, salt: Hash }
  | { kind: 'withdraw-plant', epoch: number }
  | { kind: 'claim', task: Hash, claims: ScoreClaim[] }
  | { kind: 'wrap', amount: Amount }
  | { kind: 'unwrap', amount: Amount }
  | { kind: 'delegate', to: Account }
  | { kind: 'propose', title: string, actions: GovernanceAction[] }
  | { kind: 'vote', proposal: number, support: 'for' | 'against' | 'abstain' }
  | { kind: 'queue', proposal: number }
  | { kind: 'execute', proposal: number }

/** What a validator said in a view, and its BLS signature: half of a proof that it contradicted itself. */
export interface SignedStatement {
  kind: 'notarize' | 'nullify' | 'finalize'
  /** empty if it nullifies the view */
  blockHash: Uint8Array
  signature: Uint8Array
}

/** The same of those that a bitmap of their era's set names. */
export interface CertifiedStatement extends SignedStatement {
  signers: Uint8Array
}

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
  /** what the account pays for its place in a block, whatever comes of it */
  fee: Amount
  body: TransactionBody
}

/** Outcome of one transaction. A failed one still spends its nonce. */
export interface TransactionResult {
  id: CID
  ok: boolean
  /** what it paid; 0 for one that no block may hold */
  fee: Amount
  /** stable error code when not ok */
  code?: string
  message?: string
}

/** What a block's header commits to for each of its transactions. */
export interface TransactionOutcome {
  id: CID
  ok: boolean
  /** stable error code; null when ok */
  code: string | null
  fee: Amount
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
export interface AdapterState {
  developer: Account
  base: CID
  /** null if it was trained elsewhere: it stands on no data of the network */
  snapshot: CID | null
  contributions: CID[]
  deposit: Amount
  status: AdmissionStatus
  stakeFor: Amount
  stakeAgainst: Amount
  height: number
  earned: Amount
  /** of an imported adapter alone */
  weights?: CID
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

/** `collecting` until the epoch's cutoff; the committee is drawn only then */
export type TaskPhase =
  | 'collecting' | 'commit' | 'receipts' | 'reveal' | 'dispute' | 'step' | 'open' | 'verdict' | 'challenge' | 'settled' | 'unavailable'

export interface SeatState {
  assessor: Account
  commit: Hash | null
  scoreRoot: Hash | null
  total: bigint
  traceRoot: Hash | null
  traceLength: number
  /** whether it opened what the phase asks for */
  opened: boolean
  /**
   * In a dispute and its step: its chained hash at the first place known to differ. Later: the hash
   * of the opened steps in order, which seats are compared by.
   */
  steps: Hash | null
  /** why it could not commit, if it said so */
  report: ReceiptsReport | null
  /** why it was slashed, if it was; `withheld`: it committed and then fell silent */
  fault: 'silent' | 'withheld' | 'wrong-score' | 'wrong-step' | 'wrong-report' | 'bad-trace' | null
}

/** What is wrong with receipts: they cannot be had, or they do not hold. */
export type ReceiptsFault = 'missing' | 'false'

export interface ReceiptsReport {
  fault: ReceiptsFault
  /** the redemption, by its place among the task's sources; null if something else is missing */
  source: number | null
}

/** The search for the first step at which the traces of seats differ. */
export interface DisputeState {
  /** how many this task had, this one included */
  count: number
  /** steps at the traces' start that all seats share */
  agreed: number
  /** the chained hash after them */
  chain: Hash
  /** a step at which they differ; the shortest trace's length when only results are known to differ */
  differing: number
  /** what validators computed for step `agreed`, in phase `step` */
  steps: Array<{ validator: Account, step: Hash }>
}

/** Who had a task's result judged by the validators. */
export interface ChallengeState {
  challenger: Account
  /** 0 once it was given back or lost */
  bond: Amount
  /** whether it knew the answer before the seats revealed theirs */
  planted: boolean
}

/** One redemption's receipts of one adapter. */
export interface TaskSource {
  gateway: Account
  channel: Hash
  receiptsRoot: Hash
  receipts: number
  fees: Amount
  /** the channel's cumulative amount before and after the redemption: its receipts lie between, later ones than any redeemed before */
  from: Amount
  until: Amount
  /** of the gateway, as much as the fees, until the task is over; lost with a fault */
  bond: Amount
  /** why it is out of the task: its fees went back to the payer */
  fault: ReceiptsFault | null
}

/** key `answer/<task hex>/<assessor multikey>`, during one round of a dispute: chained hashes at the points that it asked for */
export type AnswerState = Hash[]

/** key `plant/<epoch>/<planter multikey>` */
export interface PlantState {
  commit: Hash
  bond: Amount
  height: number
}

/** key `task/<hex>` */
export interface TaskState {
  adapter: CID
  epoch: number
  phase: TaskPhase
  /** first height at which the phase times out */
  deadline: number
  redraws: number
  /** how often receipts were missing, so that the next epoch tried again */
  rollovers: number
  /** of the sources that are still in it */
  fees: Amount
  /** per gateway that redeemed: what its committee must fetch from it */
  sources: TaskSource[]
  seats: SeatState[]
  /** validators' verdicts after a dissent */
  verdicts: Array<{ validator: Account, scoreRoot: Hash, total: bigint }>
  /** what validators found of receipts that seats called false: the source, or null if all hold */
  judgements: Array<{ validator: Account, source: number | null }>
  scoreRoot: Hash | null
  total: bigint
  /** trace leaves that the beacon or a dispute's round asks for */
  openings: number[]
  /** height at which reveals began, 0 before: what was planted by then owes nothing to them */
  revealedAt: number
  dispute: DisputeState | null
  challenge: ChallengeState | null
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
  /** of the set that certifies the next block */
  validatorsHash: Hash
  /** of the next block: counts changes of the validator set */
  era: number
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
  | { type: 'seat', task: Hash, assessor: Account, action: 'drawn' | 'commit' | 'reveal' | 'answer' | 'open' | 'judge-step' | 'report' | 'judge-receipts' | 'verdict' | 'slash', fault?: string }
  | { type: 'challenge', task: Hash, challenger: Account, bond: Amount, planted: boolean, outcome: 'open' | 'right' | 'wrong' | 'undecided' }
  | { type: 'proposal', proposal: number, status: ProposalStatus, title: string }
  | { type: 'params', params: NetworkParams }
  | { type: 'validators', era: number, validators: Account[] }
  | { type: 'conviction', validator: Account, reporter: Account, era: number, view: number, slashed: Amount }

export type PaymentReason =
  | 'transfer' | 'deposit' | 'refund' | 'escrow' | 'platform' | 'developer' | 'base-developer'
  | 'validator' | 'assessor' | 'data' | 'slash' | 'stake' | 'wrap' | 'governance' | 'bond' | 'bounty' | 'plant' | 'fee'
