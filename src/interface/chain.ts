import type { Validator } from './genesis.ts'
import type { LedgerEvent } from './ledger-events.ts'
import type { Signed, Account, Hash } from './records.ts'
import type { Transaction, TransactionOutcome, TransactionResult } from './transactions.ts'

/** What consensus certifies. Its hash (SHA-256 of `datanet/header/1` and its dag-cbor) names the block. */
export interface Header {
  type: 'header'
  version: 1
  chain: string
  /** counts changes of the validator set; the set of this era certifies the block */
  era: number
  /** 0 is the genesis block */
  height: number
  /** in which the block was proposed first; the last block of an era may be certified in a later one */
  view: number
  parent: Hash
  proposer: Account
  /** RFC 6962 Merkle root over the beacon signature and the CIDs of the transactions */
  bodyRoot: Hash
  /** RFC 6962 Merkle root over the transactions' outcomes, in their order */
  outcomesRoot: Hash
  /** root of the authenticated map after this block */
  stateRoot: Hash
  /** hash of the validator set that certifies the next block: another one than before ends the era */
  validatorsHash: Hash
}

export interface Block {
  header: Header
  /** proposer's BLS signature over chain and height: the RANDAO contribution, 96 bytes */
  beaconSignature: Uint8Array
  transactions: Array<Signed<Transaction>>
}

/** A stake-weighted BLS multisignature over one vote. */
export interface Certificate {
  kind: 'notarize' | 'nullify' | 'finalize'
  /** whose validators signed */
  era: number
  view: number
  /** 32 bytes; empty for nullify */
  blockHash: Uint8Array
  /** bit i (least significant first) is validator i of the era's set */
  signers: Uint8Array
  /** aggregated, 96 bytes */
  signature: Uint8Array
}

/** What a light client follows. */
export interface CertifiedHeader {
  header: Header
  certificate: Certificate
}

/** Inclusion or absence of one key in the authenticated map. */
export interface StateProof {
  key: string
  /** dag-cbor of the value; null proves absence */
  value: Uint8Array | null
  /** siblings from the root down and, for absence, the leaf that stands in the way; see protocols/state.md */
  proof: Uint8Array
}

/** What became of one transaction, as a header's `outcomesRoot` commits to it. */
export interface OutcomeProof {
  height: number
  outcome: TransactionOutcome
  index: number
  /** transactions of the block */
  size: number
  proof: Hash[]
}

/** A header that is older than the state whose history it is in. Which height or epoch, and of how many, is what was asked for. */
export interface PastHeader {
  header: Header
  /** RFC 9162 inclusion proof of the header's hash, siblings from the leaf up */
  path: Hash[]
}

/** What a light client needs to go from one validator set to the next. */
export interface EraChange {
  /** the last block of the era before, whose `validatorsHash` is that of the set; it has a certificate of its own */
  last: CertifiedHeader
  validators: Validator[]
}

/** A finalised block as nodes see it. */
export interface FinalisedBlock {
  block: Block
  hash: Hash
  certificate: Certificate
  results: TransactionResult[]
  events: LedgerEvent[]
}
