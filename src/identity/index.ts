/**
 * Keys and signatures: Ed25519 for accounts, BLS12-381 for the votes of validators.
 *
 * @example
 * ```ts
 * import { bls, blsSecretKey, deriveSeed, ed25519Signer, signRecord, verifyRecord } from '../identity/index.ts'
 * import { contributionCodec, domains } from '../wire/index.ts'
 *
 * const signer = ed25519Signer(deriveSeed(secret, 'contributor/0'))
 * const signed = signRecord(domains.contribution, contributionCodec, contribution, signer)
 * verifyRecord(domains.contribution, contributionCodec, signed, contribution.contributor)
 * ```
 */
export { accountFromString, accountToString, deriveSeed, ed25519Signer, verifySignature } from './accounts.ts'
export { bls, ed25519 } from './backend.ts'
export { blsSecretKey } from './bls-keys.ts'
export { InvalidKeyError, InvalidSignatureError, SignatureError, WrongAuthorError } from './errors.ts'
export { signPayload, signRecord, verifyPayload, verifyRecord } from './records.ts'
export type { Bls, Ed25519, Signer } from './interface.ts'
