/**
 * What a chain begins with, and what governance may change of it later.
 */
import type { Account, Amount } from './records.ts'
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

export type GovernanceAction =
  | { kind: 'set-params', params: Partial<NetworkParams> }
  | { kind: 'treasury-transfer', to: Account, amount: Amount }

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
