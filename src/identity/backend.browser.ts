/**
 * Browsers: noble, pure JavaScript. Also the cross-check of `backend.ts`: same bytes, same verdicts.
 */
import { bls12_381 as bls12381 } from '@noble/curves/bls12-381.js'
import { ed25519 as nobleEd25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes, toHex } from '../wire/index.ts'
import { blsOf } from './bls.ts'
import { cached } from './cache.ts'
import { checkBlsSecretKey, checkSeed, isSoundPublicKey } from './checks.ts'
import { keySums } from './key-sums.ts'
import type { Bls, Ed25519 } from './interface.ts'

/** noble's default tag is that of the scheme without possession */
const TAG = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_'

const { longSignatures } = bls12381
const G1 = bls12381.G1.Point
const G2 = bls12381.G2.Point
type PublicKey = ReturnType<typeof longSignatures.getPublicKey>
type Signature = ReturnType<typeof longSignatures.sign>

function littleEndian (bytes: Uint8Array): bigint {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n)
}

export const ed25519: Ed25519 = {
  publicKeyOf (seed) {
    checkSeed(seed)

    return nobleEd25519.getPublicKey(seed)
  },

  signerOf (seed) {
    checkSeed(seed)

    const key = Uint8Array.from(seed)

    return message => nobleEd25519.sign(message, key)
  },

  // noble's own verify multiplies by the cofactor and so accepts signatures that OpenSSL refuses
  verify (account, message, signature) {
    if (signature.length !== 64 || !isSoundPublicKey(account)) {
      return false
    }

    const { Point } = nobleEd25519
    const order = Point.Fn.ORDER
    const r = signature.subarray(0, 32)
    const s = littleEndian(signature.subarray(32))

    if (s >= order) {
      return false
    }

    try {
      const key = Point.fromBytes(account)
      const k = littleEndian(sha512(concatBytes(r, account, message))) % order

      return equalBytes(Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(k)).toBytes(), r)
    } catch {
      return false
    }
  }
}

function bigEndian (bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`)
}

/** Decodes a point; noble checks curve and subgroup as it does, and takes infinity, which we refuse. */
function parse<P extends { is0 (): boolean }> (decode: (bytes: Uint8Array) => P): (bytes: Uint8Array) => P | null {
  return bytes => {
    try {
      const point = decode(bytes)

      return point.is0() ? null : point
    } catch {
      return null
    }
  }
}

const FIELD_BYTES = 48

/** A point on the curve out of its coordinates, which may be outside the subgroup. */
function onCurve (bytes: Uint8Array): PublicKey | null {
  const { Fp } = bls12381.fields
  const x = bigEndian(bytes.subarray(0, FIELD_BYTES))
  const y = bigEndian(bytes.subarray(FIELD_BYTES))

  // the flags of compressed points and of infinity make x too large
  return Fp.isValid(x) && Fp.isValid(y) && Fp.eql(Fp.sqr(y), Fp.add(Fp.mul(Fp.sqr(x), x), 4n)) ? G1.fromAffine({ x, y }) : null
}

const publicKey = cached<PublicKey>(parse(bytes => G1.fromBytes(bytes)))
const sumOf = keySums<PublicKey>(G1.ZERO)

export const bls: Bls = blsOf<PublicKey, Signature>({
  publicKeyOf (secretKey) {
    checkBlsSecretKey(secretKey)

    return longSignatures.getPublicKey(secretKey).toBytes(false)
  },

  sign (secretKey, message) {
    checkBlsSecretKey(secretKey)

    return longSignatures.sign(longSignatures.hash(message, TAG), secretKey).toBytes(true)
  },

  parsePublicKey: bytes => publicKey(bytes),
  trustPublicKey: bytes => publicKey(bytes, onCurve),
  parseSignature: parse(bytes => G2.fromBytes(bytes)),
  sum: signatures => longSignatures.aggregateSignatures(signatures).toBytes(true),

  // Both points of the product were checked when they were parsed, the hash as it was made: noble's `verify`
  // would look at the sum's subgroup once more.
  verifySum (publicKeys, message, signature) {
    const sum = sumOf(publicKeys)

    return !sum.is0() && pairsToOne([[sum.negate(), longSignatures.hash(message, TAG)], [G1.BASE, signature]])
  }
})

/** Whether the product of the pairings is one: one Miller loop and one final exponentiation for both. */
function pairsToOne (pairs: Array<[PublicKey, Signature]>): boolean {
  const { Fp12 } = bls12381.fields
  const product = bls12381.millerLoopBatch(pairs.map(([key, point]) => {
    const { x, y } = key.toAffine()

    return [bls12381.utils.calcPairingPrecomputes(point), x, y]
  }))

  return Fp12.eql(Fp12.finalExponentiate(product), Fp12.ONE)
}
