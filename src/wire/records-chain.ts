import { equalBytes } from './bytes.ts'
import { cidOf } from './cid.ts'
import { codec } from './codec.ts'
import { list, refine, struct, tuple } from './composites.ts'
import { BLOCK_BYTES_MAX, HISTORY_PATH_MAX, STATE_PROOF_BYTES_MAX, STATE_PROOF_MAX, STATE_VALUE_BYTES_MAX, TRANSACTIONS_MAX, VALIDATORS_MAX } from './constants.ts'
import { domains } from './domains.ts'
import { MalformedRecordError } from './errors.ts'
import { account, blsSignature, counter, hash32, name, recordCid, uint32 } from './fields.ts'
import { hash } from './hash.ts'
import { merkleProof, merkleRoot, verifyMerkleProof } from './merkle.ts'
import { amount, boolean, bytes, literal, nullable, text } from './primitives.ts'
import { transactionCodec, validatorsCodec } from './records-ledger.ts'
import { signed, signedCodec } from './signed.ts'
import type { Codec, Schema } from './interface.ts'
import type {
  Block, Certificate, CertifiedHeader, EraChange, Hash, Header, OutcomeProof, PastHeader, Signed, StateProof, Transaction, TransactionOutcome, TransactionResult, Validator
} from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** See protocols/header. */
export const headerCodec: Codec<Header> = codec('header', tuple({
  type: literal('header'),
  version: literal(1),
  chain: name,
  era: counter,
  height: counter,
  view: counter,
  parent: hash32,
  proposer: account,
  bodyRoot: hash32,
  outcomesRoot: hash32,
  stateRoot: hash32,
  validatorsHash: hash32
}))

/** See protocols/transaction. What gossip, blocks and the mempool carry. */
export const signedTransactionCodec: Codec<Signed<Transaction>> = signedCodec(transactionCodec)

/** See protocols/block. */
export const blockCodec: Codec<Block> = codec('block', struct({
  header: headerCodec.schema,
  beaconSignature: blsSignature,
  transactions: list(signed(transactionCodec.schema), { max: TRANSACTIONS_MAX })
}), { bytesMax: BLOCK_BYTES_MAX })

/** See protocols/certificate. */
export const certificateCodec: Codec<Certificate> = codec('certificate', refine(struct({
  kind: literal('notarize', 'nullify', 'finalize'),
  era: counter,
  view: counter,
  blockHash: bytes({ max: 32 }),
  signers: bytes({ min: 1, max: VALIDATORS_MAX / 8 }),
  signature: blsSignature
}), 'a blockHash of 32 bytes, or none if it nullifies a view', ({ kind, blockHash }) => {
  return blockHash.length === (kind === 'nullify' ? 0 : 32)
}))

const shortCertified = tuple({
  header: headerCodec.schema,
  kind: literal('notarize', 'finalize'),
  view: counter,
  signers: bytes({ min: 1, max: VALIDATORS_MAX / 8 }),
  signature: blsSignature
})

/** Era and block of the certificate are those of the header, so they are not sent. */
const certifiedHeaderSchema: Schema<CertifiedHeader> = {
  expects: shortCertified.expects,
  toPlain ({ header, certificate }, path) {
    const { kind, era, view, blockHash, signers, signature } = certificate

    if (kind === 'nullify' || era !== header.era || !equalBytes(blockHash, headerHash(header))) {
      throw new MalformedRecordError(path, 'a certificate over this header', 'one over something else')
    }

    return shortCertified.toPlain({ header, kind, view, signers, signature }, path)
  },
  fromPlain (plain, path) {
    const { header, kind, view, signers, signature } = shortCertified.fromPlain(plain, path)

    return { header, certificate: { kind, era: header.era, view, blockHash: headerHash(header), signers, signature } }
  }
}

/** See protocols/certificate. What a light client follows: at most 400 bytes. */
export const certifiedHeaderCodec: Codec<CertifiedHeader> = codec('certified header', certifiedHeaderSchema)

/** See protocols/header. One for each change of the validator set, about 17 KB at 128 validators. */
export const eraChangeCodec: Codec<EraChange> = codec('era change', struct({
  last: certifiedHeaderSchema,
  validators: validatorsCodec.schema
}))

const outcomeSchema = struct({
  id: recordCid,
  ok: boolean,
  code: nullable(text({ min: 1, max: 64, line: true })),
  fee: amount
})

const outcomeCodec: Codec<TransactionOutcome> = codec('outcome', outcomeSchema)

/** See protocols/header. */
export const outcomeProofCodec: Codec<OutcomeProof> = codec('outcome proof', struct({
  height: counter,
  outcome: outcomeSchema,
  index: uint32,
  size: uint32,
  proof: list(hash32, { max: 16 })
}))

/** See protocols/history. What it proves depends on the root that it is held against. */
export const pastHeaderCodec: Codec<PastHeader> = codec('past header', struct({
  header: headerCodec.schema,
  path: list(hash32, { max: HISTORY_PATH_MAX })
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
export function validatorsHash (validators: readonly Validator[]): Hash {
  // without what a genesis adds
  return hash(domains.validators, validatorsCodec.encode(validators.map(({ account, blsPublicKey, stake }) => ({ account, blsPublicKey, stake }))))
}

/** The identifier of a transaction: the CID of its signed envelope. */
export function transactionId (transaction: Signed<Transaction>): CID {
  return cidOf(signedTransactionCodec.encode(transaction))
}

/** `Header.bodyRoot`. */
export function bodyRoot ({ beaconSignature, transactions }: Pick<Block, 'beaconSignature' | 'transactions'>): Hash {
  return merkleRoot([beaconSignature, ...transactions.map(transaction => transactionId(transaction).bytes)])
}

/** Texts of errors stay out: they are for people and may change. */
const outcomeBytes = ({ id, ok, code, fee }: TransactionResult | TransactionOutcome): Uint8Array => outcomeCodec.encode({ id, ok, code: code ?? null, fee })

/** `Header.outcomesRoot`. */
export function outcomesRoot (results: readonly TransactionResult[]): Hash {
  return merkleRoot(results.map(outcomeBytes))
}

/**
 * @throws {LeafIndexError}
 */
export function proveOutcome (height: number, results: readonly TransactionResult[], index: number): OutcomeProof {
  const proof = merkleProof(results.map(outcomeBytes), index)
  const { id, ok, code, fee } = results[index]

  return { height, outcome: { id, ok, code: code ?? null, fee }, index, size: results.length, proof }
}

/** Whether a block's header says that this became of the transaction. */
export function verifyOutcome (root: Hash, { outcome, index, size, proof }: OutcomeProof): boolean {
  return verifyMerkleProof(root, outcomeBytes(outcome), index, size, proof)
}
