/**
 * What an account may ask of the ledger, and what came of it.
 */
import type { GovernanceAction, Validator } from './genesis.ts'
import type { MergeParent } from './merged.ts'
import type { Account, Amount, Hash } from './records.ts'
import type { CID } from 'multiformats/cid'

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
  | { kind: 'merge-adapters', adapter: CID, base: CID, parents: MergeParent[] }
  | { kind: 'deprecate-adapter', adapter: CID, reason: string, successor: CID | null }
  // `owner`: whose entry of the subject it is about, who may not be its author
  | { kind: 'attest', subject: CID, owner: Account, verdict: 'admit' | 'reject', attestation: CID }
  | { kind: 'open-channel', gateway: Account, amount: Amount, expiresAtHeight: number }
  | { kind: 'close-channel', channel: Hash }
  | RedeemBody
  | CommitBody
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

/** A gateway's one operation per channel and epoch, or 512 receipts: a voucher and what it paid for. */
export interface RedeemBody {
  kind: 'redeem'
  channel: Hash
  cumulative: Amount
  /** the payer's signature over the Voucher */
  voucherSignature: Uint8Array
  /** one per adapter, sorted by CID bytes; fees sum to what this redemption adds */
  batches: Array<{ adapter: CID, receiptsRoot: Hash, receipts: number, fees: Amount }>
}

/** A seat binds itself to a result. */
export interface CommitBody {
  kind: 'commit'
  task: Hash
  /** of the task when the result was computed: less, once a redemption is out of it, and then it is another result */
  fees: Amount
  /** see `assessmentCommit` */
  commit: Hash
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

/** What is wrong with receipts: they cannot be had, or they do not hold. */
export type ReceiptsFault = 'missing' | 'false'

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
