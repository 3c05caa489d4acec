import { concatBytes, domains, signingBytes } from '../wire/index.ts'
import { InvalidSignatureError } from './errors.ts'
import type { Bls } from './interface.ts'

/** What the two libraries do for us; null is a point that must not be used. */
export interface BlsLibrary<PublicKey, Signature> {
  publicKeyOf (secretKey: Uint8Array): Uint8Array
  sign (secretKey: Uint8Array, message: Uint8Array): Uint8Array
  /** in the subgroup and not infinity, else null */
  parsePublicKey (bytes: Uint8Array): PublicKey | null
  /** on the curve, else null; remembered, so that `parsePublicKey` takes it without the other checks */
  trustPublicKey (bytes: Uint8Array): PublicKey | null
  /** in the subgroup and not infinity, else null */
  parseSignature (bytes: Uint8Array): Signature | null
  sum (signatures: Signature[]): Uint8Array
  verifySum (publicKeys: PublicKey[], message: Uint8Array, signature: Signature): boolean
}

const NOBODY = new Uint8Array(0)

const possessionBytes = (publicKey: Uint8Array, owner: Uint8Array): Uint8Array => signingBytes(domains.possession, concatBytes(publicKey, owner))

/** The rules that are the same for every library: lengths, subgroups, emptiness, possession. */
export function blsOf<PublicKey, Signature> (library: BlsLibrary<PublicKey, Signature>): Bls {
  function parseSignature (bytes: Uint8Array): Signature | null {
    return bytes.length === 96 ? library.parseSignature(bytes) : null
  }

  function fastAggregateVerify (publicKeys: Uint8Array[], message: Uint8Array, signature: Uint8Array): boolean {
    if (publicKeys.length === 0 || publicKeys.some(bytes => bytes.length !== 96)) {
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

    trust (publicKeys) {
      publicKeys.filter(bytes => bytes.length === 96).forEach(bytes => library.trustPublicKey(bytes))
    },
    possess: (secretKey, owner = NOBODY) => library.sign(secretKey, possessionBytes(library.publicKeyOf(secretKey), owner)),
    verifyPossession: (publicKey, possession, owner = NOBODY) => fastAggregateVerify([publicKey], possessionBytes(publicKey, owner), possession)
  }
}
