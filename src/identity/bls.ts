import { domains, signingBytes } from '../wire/index.ts'
import { InvalidSignatureError } from './errors.ts'
import type { Bls } from './interface.ts'

/** What the two libraries do for us; null is a point that must not be used. */
export interface BlsLibrary<PublicKey, Signature> {
  publicKeyOf (secretKey: Uint8Array): Uint8Array
  sign (secretKey: Uint8Array, message: Uint8Array): Uint8Array
  /** in the subgroup and not infinity, else null */
  parsePublicKey (bytes: Uint8Array): PublicKey | null
  /** in the subgroup and not infinity, else null */
  parseSignature (bytes: Uint8Array): Signature | null
  sum (signatures: Signature[]): Uint8Array
  verifySum (publicKeys: PublicKey[], message: Uint8Array, signature: Signature): boolean
}

/** The rules that are the same for every library: lengths, subgroups, emptiness, possession. */
export function blsOf<PublicKey, Signature> (library: BlsLibrary<PublicKey, Signature>): Bls {
  function parseSignature (bytes: Uint8Array): Signature | null {
    return bytes.length === 96 ? library.parseSignature(bytes) : null
  }

  function fastAggregateVerify (publicKeys: Uint8Array[], message: Uint8Array, signature: Uint8Array): boolean {
    if (publicKeys.length === 0 || publicKeys.some(bytes => bytes.length !== 48)) {
      return false
    }

    const parsed = parseSignature(signature)
    const keys: PublicKey[] = []

    for (const bytes of publicKeys) {
      const key = library.parsePublicKey(bytes)

      if (key === null) {
        return false
      }

      keys.push(key)
    }

    return parsed !== null && library.verifySum(keys, message, parsed)
  }

  return {
    publicKeyOf: secretKey => library.publicKeyOf(secretKey),
    sign: (secretKey, message) => library.sign(secretKey, message),
    verify: (publicKey, message, signature) => fastAggregateVerify([publicKey], message, signature),
    fastAggregateVerify,

    aggregate (signatures) {
      if (signatures.length === 0) {
        throw new InvalidSignatureError('at least one BLS signature', 'none')
      }

      return library.sum(signatures.map((bytes, i) => {
        const parsed = parseSignature(bytes)

        if (parsed === null) {
          throw new InvalidSignatureError('96 bytes of a point in the subgroup', `${bytes.length} bytes at position ${i} that are none`)
        }

        return parsed
      }))
    },

    possess: secretKey => library.sign(secretKey, signingBytes(domains.possession, library.publicKeyOf(secretKey))),
    verifyPossession: (publicKey, possession) => fastAggregateVerify([publicKey], signingBytes(domains.possession, publicKey), possession)
  }
}
