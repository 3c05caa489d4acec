import { DatanetError } from '../utils/index.ts'

/** A key that the state cannot hold: a bug of the caller. */
export class StateKeyError extends DatanetError {
  constructor (key: string, expected: string) {
    super('ERR_STATE_KEY', `expected ${expected} but got ${JSON.stringify(key)}: use stateKeys`)
  }
}

/** A value that the state cannot hold, or one that is not there though the rules say that it must be. */
export class StateValueError extends DatanetError {
  constructor (key: string, expected: string) {
    super('ERR_STATE_VALUE', `${key}: expected ${expected}`)
  }
}

/** A snapshot that is cut short, out of order or of another state. Fetch another one. */
export class SnapshotError extends DatanetError {
  constructor (reason: string) {
    super('ERR_STATE_SNAPSHOT', `${reason}: delete the snapshot and replay the blocks or fetch another`)
  }
}

/** A genesis that cannot start a chain. */
export class GenesisError extends DatanetError {
  constructor (reason: string) {
    super('ERR_GENESIS', reason)
  }
}

/** A block that breaks the limits or does not follow the state: it must not be voted for. */
export class BlockError extends DatanetError {
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- it narrows the codes
  constructor (code: 'ERR_BLOCK_HEIGHT' | 'ERR_BLOCK_PARENT' | 'ERR_BLOCK_PROPOSER' | 'ERR_BLOCK_BEACON' | 'ERR_BLOCK_TRANSACTIONS' | 'ERR_BLOCK_BYTES', reason: string) {
    super(code, reason)
  }
}

/**
 * A transaction that no block may hold: nobody can say that its account wanted it now. It spends
 * no nonce. See `isIncludable`.
 */
export class UnincludableError extends DatanetError {
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- it narrows the codes
  constructor (code: 'ERR_CHAIN' | 'ERR_SIGNATURE' | 'ERR_NONCE' | 'ERR_UNKNOWN_ACCOUNT' | 'ERR_FEE', reason: string) {
    super(code, reason)
  }
}

/** The account has too little for what it asks. */
export class InsufficientFundsError extends DatanetError {
  constructor (expected: bigint, came: bigint, of: string) {
    super('ERR_INSUFFICIENT_FUNDS', `expected at least ${expected} base units of ${of} but there are ${came}: lower the amount or get more`)
  }
}

export type RuleCode =
  | 'ERR_AMOUNT'
  | 'ERR_VALIDATOR_EXISTS' | 'ERR_VALIDATOR_UNKNOWN' | 'ERR_VALIDATOR_KEY' | 'ERR_POSSESSION' | 'ERR_UNBONDINGS' | 'ERR_NOTHING_TO_WITHDRAW'
  | 'ERR_STAKE_LOCKED'
  | 'ERR_EVIDENCE' | 'ERR_EVIDENCE_OLD' | 'ERR_CONVICTED'
  | 'ERR_DATANET_EXISTS' | 'ERR_DATANET_UNKNOWN'
  | 'ERR_CONTRIBUTION_EXISTS' | 'ERR_CONTRIBUTION_NOT_ADMITTED' | 'ERR_CONTRIBUTION_UNKNOWN' | 'ERR_CONTRIBUTION_WITHDRAWN' | 'ERR_NOT_CONTRIBUTOR'
  | 'ERR_ADAPTER_UNKNOWN' | 'ERR_WEIGHTS_EXIST' | 'ERR_MERGE_EXISTS' | 'ERR_MERGE_NESTED' | 'ERR_MERGE_BASE' | 'ERR_MERGE_SIZE' | 'ERR_NOT_DEVELOPER' | 'ERR_SUCCESSOR'
  | 'ERR_ADAPTER_EXISTS' | 'ERR_ADAPTER_NOT_ADMITTED' | 'ERR_BASE_UNKNOWN'
  | 'ERR_NOT_VALIDATOR' | 'ERR_SUBJECT_UNKNOWN' | 'ERR_SUBJECT_OWNER' | 'ERR_ALREADY_ATTESTED'
  | 'ERR_CHANNEL_UNKNOWN' | 'ERR_CHANNEL_EXPIRY' | 'ERR_CHANNEL_CLOSED' | 'ERR_NOT_GATEWAY' | 'ERR_NOT_PAYER'
  | 'ERR_VOUCHER' | 'ERR_OVER_REDEEM' | 'ERR_BATCHES'
  | 'ERR_SOURCE' | 'ERR_TASK_UNKNOWN' | 'ERR_PHASE' | 'ERR_NOT_SEATED' | 'ERR_ALREADY_ACTED' | 'ERR_COMMIT_OUTDATED' | 'ERR_COMMIT_MISMATCH' | 'ERR_OPENING'
  | 'ERR_CHALLENGED' | 'ERR_NOT_PLANTER' | 'ERR_PLANT_EXISTS' | 'ERR_PLANT_UNKNOWN' | 'ERR_PLANT_LATE'
  | 'ERR_CLAIM' | 'ERR_ALREADY_CLAIMED'
  | 'ERR_PROPOSAL_UNKNOWN' | 'ERR_PROPOSAL_STATE' | 'ERR_THRESHOLD' | 'ERR_ALREADY_VOTED' | 'ERR_NO_VOTES'
  | 'ERR_TOO_MANY_PROPOSALS' | 'ERR_TIMELOCK'

/** A rule of the ledger that the transaction breaks. It spends its nonce and changes nothing else. */
export class RuleError extends DatanetError {
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- it narrows the codes
  constructor (code: RuleCode, reason: string) {
    super(code, reason)
  }
}
