import type { LedgerEvent, Transaction, TransactionResult } from './ledger.ts'
import type { Signed, Account, Hash } from './records.ts'

/** What consensus certifies. Its hash (SHA-256 of `datanet/header/1` and its dag-cbor) names the block. */
export interface Header {
  type: 'header'
  version: 1
  chain: string
  /** 0 is the genesis block */
  height: number
  view: number
  parent: Hash
  proposer: Account
  /** RFC 6962 Merkle root over the CIDs of the transactions */
  transactionsRoot: Hash
  /** root of the authenticated map after this block */
  stateRoot: Hash
  /** hash of the validator set that certifies the next block */
  validatorsHash: Hash
  /** proposer's BLS signature over chain and height: the RANDAO contribution, 96 bytes */
  beaconSignature: Uint8Array
}

export interface Block {
  header: Header
  transactions: Array<Signed<Transaction>>
}

/** A stake-weighted BLS multisignature over one vote. */
export interface Certificate {
  kind: 'notarize' | 'nullify' | 'finalize'
  view: number
  /** 32 bytes; empty for nullify */
  blockHash: Uint8Array
  /** bit i (least significant first) is validator i of the set */
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

/** A finalised block as nodes see it. */
export interface FinalisedBlock {
  block: Block
  hash: Hash
  certificate: Certificate
  results: TransactionResult[]
  events: LedgerEvent[]
}
