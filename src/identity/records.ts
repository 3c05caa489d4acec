import { equalBytes, signingBytes } from '../wire/index.ts'
import { accountToString, verifySignature } from './accounts.ts'
import { SignatureError, WrongAuthorError } from './errors.ts'
import type { Signer } from './interface.ts'
import type { Account, Signed } from '../interface/index.ts'
import type { Codec } from '../wire/index.ts'

/** The signature over `domain || dag-cbor(payload)`, 64 bytes: for receipts and vouchers, which carry it bare. */
export function signPayload<T> (domain: string, codec: Codec<T>, payload: T, signer: Signer): Uint8Array {
  return signer.sign(signingBytes(domain, codec.encode(payload)))
}

/**
 * @throws {SignatureError}
 * @throws {MalformedRecordError} if the payload cannot be encoded
 */
export function verifyPayload<T> (domain: string, codec: Codec<T>, payload: T, account: Account, signature: Uint8Array): void {
  if (!verifySignature(account, signingBytes(domain, codec.encode(payload)), signature)) {
    throw new SignatureError(domain, account.length === 32 ? accountToString(account) : `${account.length} bytes`)
  }
}

/**
 * Signs a payload; `codec` is that of the payload, not of the envelope.
 *
 * @example
 * ```ts
 * const signed = signRecord(domains.contribution, contributionCodec, contribution, ed25519Signer(seed))
 * verifyRecord(domains.contribution, contributionCodec, signed, contribution.contributor)
 * const cid = cidOf(signedCodec(contributionCodec).encode(signed))
 * ```
 */
export function signRecord<T> (domain: string, codec: Codec<T>, payload: T, signer: Signer): Signed<T> {
  return { payload, signer: signer.account, signature: signPayload(domain, codec, payload, signer) }
}

/**
 * Returns if the signature is right, and the signer is `author` where one is given: the account
 * that the payload names.
 *
 * @throws {WrongAuthorError}
 * @throws {SignatureError}
 * @throws {MalformedRecordError} if the payload cannot be encoded
 */
export function verifyRecord<T> (domain: string, codec: Codec<T>, signed: Signed<T>, author?: Account): void {
  // the cheap check first
  if (author !== undefined && !equalBytes(author, signed.signer)) {
    throw new WrongAuthorError(domain, accountToString(author), accountToString(signed.signer))
  }

  verifyPayload(domain, codec, signed.payload, signed.signer, signed.signature)
}
