/**
 * Node: OpenSSL and blst, 10 to 70 times as fast as JavaScript. Browsers get `backend.browser.ts`
 * by the `browser` field of package.json.
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import blst from '@chainsafe/blst'
import { concatBytes, fromHex } from '../wire/index.ts'
import { blsOf } from './bls.ts'
import { cached } from './cache.ts'
import { checkBlsSecretKey, checkSeed, isSoundPublicKey } from './checks.ts'
import type { Bls, Ed25519 } from './interface.ts'
import type { KeyObject } from 'node:crypto'

// RFC 8410: what stands before the 32 bytes in PKCS #8 and SPKI
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')
const SPKI_PREFIX = fromHex('302a300506032b6570032100')

const publicKey = cached<KeyObject>(account => {
  try {
    return createPublicKey({ key: Buffer.from(concatBytes(SPKI_PREFIX, account)), format: 'der', type: 'spki' })
  } catch {
    return null
  }
})

function privateKeyOf (seed: Uint8Array): KeyObject {
  checkSeed(seed)

  // not cached by seed: secrets should not outlive their signer
  return createPrivateKey({ key: Buffer.from(concatBytes(PKCS8_PREFIX, seed)), format: 'der', type: 'pkcs8' })
}

export const ed25519: Ed25519 = {
  publicKeyOf (seed) {
    const spki = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' })

    return Uint8Array.from(spki.subarray(SPKI_PREFIX.length))
  },

  signerOf (seed) {
    const key = privateKeyOf(seed)

    return message => Uint8Array.from(sign(null, message, key))
  },

  verify (account, message, signature) {
    if (signature.length !== 64 || !isSoundPublicKey(account)) {
      return false
    }

    const key = publicKey(account)

    return key !== null && verify(null, message, key, signature)
  }
}

function secretKeyOf (bytes: Uint8Array): blst.SecretKey {
  checkBlsSecretKey(bytes)

  return blst.SecretKey.fromBytes(bytes)
}

const parsePublicKey = (bytes: Uint8Array, validate: boolean): blst.PublicKey | null => {
  try {
    return blst.PublicKey.fromBytes(bytes, validate)
  } catch {
    return null
  }
}

// validate = true: blst takes points outside the subgroup otherwise
const blsPublicKey = cached<blst.PublicKey>(bytes => parsePublicKey(bytes, true))

export const bls: Bls = blsOf<blst.PublicKey, blst.Signature>({
  publicKeyOf: secretKey => Uint8Array.from(secretKeyOf(secretKey).toPublicKey().toBytes(false)),
  sign: (secretKey, message) => Uint8Array.from(secretKeyOf(secretKey).sign(message).toBytes()),

  parsePublicKey: bytes => blsPublicKey(bytes),
  trustPublicKey: bytes => blsPublicKey(bytes, trusted => parsePublicKey(trusted, false)),

  parseSignature (bytes) {
    try {
      return blst.Signature.fromBytes(bytes, true, true)
    } catch {
      return null
    }
  },

  sum: signatures => Uint8Array.from(blst.aggregateSignatures(signatures).toBytes()),

  verifySum (publicKeys, message, signature) {
    try {
      return blst.fastAggregateVerify(message, publicKeys, signature)
    } catch {
      // the keys sum to infinity
      return false
    }
  }
})
