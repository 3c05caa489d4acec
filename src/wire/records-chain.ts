import { cidOf } from './cid.ts'
import { codec } from './codec.ts'
import { list, refine, struct } from './composites.ts'
import { BLOCK_BYTES_MAX, STATE_PROOF_BYTES_MAX, STATE_PROOF_MAX, STATE_VALUE_BYTES_MAX, TRANSACTIONS_MAX, VALIDATORS_MAX } from './constants.ts'
import { domains } from './domains.ts'
import { account, blsSignature, counter, hash32, name } from './fields.ts'
import { hash } from './hash.ts'
import { merkleRoot } from './merkle.ts'
import { bytes, literal, nullable, text } from './primitives.ts'
import { transactionCodec, validatorsCodec } from './records-ledger.ts'
import { signed, signedCodec } from './signed.ts'
import type { Codec } from './interface.ts'
import type { Block, Certificate, CertifiedHeader, Hash, Header, Signed, StateProof, Transaction, ValidatorInfo } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** See protocols/header. */
export const headerCodec: Codec<Header> = codec('header', struct({
  type: literal('header'),
  version: literal(1),
  chain: name,
  height: counter,
  view: counter,
  parent: hash32,
  proposer: account,
  transactionsRoot: hash32,
  stateRoot: hash32,
  validatorsHash: hash32,
  beaconSignature: blsSignature
}))

/** See protocols/transaction. What gossip, blocks and the mempool carry. */
export const signedTransactionCodec: Codec<Signed<Transaction>> = signedCodec(transactionCodec)

/** See protocols/block. */
export const blockCodec: Codec<Block> = codec('block', struct({
  header: headerCodec.schema,
  transactions: list(signed(transactionCodec.schema), { max: TRANSACTIONS_MAX })
}), { bytesMax: BLOCK_BYTES_MAX })

/** See protocols/certificate. */
export const certificateCodec: Codec<Certificate> = codec('certificate', refine(struct({
  kind: literal('notarize', 'nullify', 'finalize'),
  view: counter,
  blockHash: bytes({ max: 32 }),
  signers: bytes({ min: 1, max: VALIDATORS_MAX / 8 }),
  signature: blsSignature
}), 'a blockHash of 32 bytes, or none if it nullifies a view', ({ kind, blockHash }) => {
  return blockHash.length === (kind === 'nullify' ? 0 : 32)
}))

/** See protocols/certificate. What a light client follows. */
export const certifiedHeaderCodec: Codec<CertifiedHeader> = codec('certified header', struct({
  header: headerCodec.schema,
  certificate: certificateCodec.schema
}))

/** See protocols/state. Bounded here; whether it proves anything is for `verifyStateProof` of the ledger. */
export const stateProofCodec: Codec<StateProof> = codec('state proof', struct({
  key: text({ min: 1, max: 256, line: true }),
  value: nullable(bytes({ max: STATE_VALUE_BYTES_MAX })),
  proof: bytes({ max: STATE_PROOF_MAX })
}), { bytesMax: STATE_PROOF_BYTES_MAX })

/** The name of a block. */
export function headerHash (header: Header): Hash {
  return hash(domains.header, headerCodec.encode(header))
}

/** `Header.validatorsHash`: the order of the validators matters, for it is that of a certificate's bits. */
export function validatorsHash (validators: ValidatorInfo[]): Hash {
  return hash(domains.validators, validatorsCodec.encode(validators))
}

/** The identifier of a transaction: the CID of its signed envelope. */
export function transactionId (transaction: Signed<Transaction>): CID {
  return cidOf(signedTransactionCodec.encode(transaction))
}

/** `Header.transactionsRoot`. */
export function transactionsRoot (transactions: Array<Signed<Transaction>>): Hash {
  return merkleRoot(transactions.map(transaction => transactionId(transaction).bytes))
}
