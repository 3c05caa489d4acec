/**
 * Encodings, hashes and CIDs: everything hashed or signed is canonical DAG-CBOR, and every decoder
 * is bounded.
 *
 * @example
 * ```ts
 * import { cidOf, codec, contributionCodec, hash, integer, signedCodec, struct } from '../wire/index.ts'
 *
 * const bytes = signedCodec(contributionCodec).encode(signed)
 * const cid = cidOf(bytes)
 * const point = codec('point', struct({ x: integer({ min: 0, max: 9 }) }))
 * ```
 */
export { compareBytes, concatBytes, equalBytes, fromHex, toHex, utf8 } from './bytes.ts'
export { DAG_CBOR, DAG_PB, RAW, cidOf, rawCid } from './cid.ts'
export { codec } from './codec.ts'
export { either, list, oneOf, record, refine, struct, tuple } from './composites.ts'
export * from './constants.ts'
export { domains } from './domains.ts'
export { InvalidHexError, LeafIndexError, MalformedRecordError, NotCanonicalError, OutOfRangeError, RecordTooLargeError } from './errors.ts'
export { account, basisPoints, blsPublicKey, counter, fileCid, hash32, licence, mergeParents, name, recordCid, signature64, sortedCids, title, uint32, verdict } from './fields.ts'
export { hash, signingBytes } from './hash.ts'
export { merkleLeaf, merkleNode, merkleProof, merkleRoot, verifyMerkleProof } from './merkle.ts'
export { amount, boolean, bytes, cid, int64, integer, literal, nullable, optional, text } from './primitives.ts'
export {
  blockCodec, bodyRoot, certificateCodec, certifiedHeaderCodec, eraChangeCodec, headerCodec, headerHash, outcomeProofCodec, outcomesRoot, pastHeaderCodec, proveOutcome, signedTransactionCodec,
  stateProofCodec, transactionId, validatorsHash, verifyOutcome
} from './records-chain.ts'
export { importedAdapterCodec, mergedAdapterCodec, publishedAdapterCodec } from './records-adapters.ts'
export { adapterCodec, attestationCodec, baseModelCodec, contributionCodec, datanetCodec, recipeCodec, shardCodec, snapshotCodec } from './records-data.ts'
export { answerConditionsCodec, cosignedReceiptCodec, receiptCodec, receiptOpeningCodec, scoreTableCodec, voucherCodec } from './records-inference.ts'
export { feeSplitSchema, genesisCodec, governanceActionSchema, networkParamsSchema, transactionCodec, validatorSchema, validatorsCodec } from './records-ledger.ts'
export { signed, signedCodec } from './signed.ts'
export type { ListOptions } from './composites.ts'
export type { Domain } from './domains.ts'
export type { Codec, Fields, Infer, OptionalSchema, Schema, StructOf, UnionOf } from './interface.ts'
