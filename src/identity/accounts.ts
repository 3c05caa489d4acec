import { base58btc } from 'multiformats/bases/base58'
import { concatBytes, domains, hash, utf8 } from '../wire/index.ts'
import { ed25519 } from './backend.ts'
import { InvalidKeyError } from './errors.ts'
import type { Signer } from './interface.ts'
import type { Account } from '../interface/index.ts'

/** multicodec ed25519-pub, as a varint */
const ED25519_PUB = Uint8Array.of(0xed, 0x01)

/** 'z' and at most 47 digits of base58 */
const TEXT_MAX = 64

/** The account as people see it: a multikey, `z6Mk…`. */
export function accountToString (account: Account): string {
  if (account.length !== 32) {
    throw new InvalidKeyError('an Ed25519 public key of 32 bytes', `${account.length} bytes`)
  }

  return base58btc.encode(concatBytes(ED25519_PUB, account))
}

/**
 * @throws {InvalidKeyError}
 */
export function accountFromString (text: string): Account {
  const expected = 'an account: a multikey that begins with z6Mk'

  try {
    const bytes = text.length <= TEXT_MAX ? base58btc.decode(text) : new Uint8Array()

    if (bytes.length === 34 && bytes[0] === ED25519_PUB[0] && bytes[1] === ED25519_PUB[1]) {
      return bytes.slice(2)
    }
  } catch (cause) {
    throw new InvalidKeyError(expected, JSON.stringify(text.slice(0, TEXT_MAX)), { cause })
  }

  throw new InvalidKeyError(expected, JSON.stringify(text.slice(0, TEXT_MAX)))
}

/**
 * A signer that holds its key in memory.
 *
 * @param seed - 32 secret bytes; copied
 * @throws {InvalidKeyError}
 */
export function ed25519Signer (seed: Uint8Array): Signer {
  return { account: ed25519.publicKeyOf(seed), sign: ed25519.signerOf(seed) }
}

/** Does the account's Ed25519 signature fit the message? Never throws. */
export function verifySignature (account: Account, message: Uint8Array, signature: Uint8Array): boolean {
  return ed25519.verify(account, message, signature)
}

/**
 * One secret for many keys: 32 bytes that only the holder of `secret` can compute. The secret
 * must have 256 bits of entropy unless the keys are public anyway, as a demo's are.
 */
export function deriveSeed (secret: Uint8Array | string, path: string): Uint8Array {
  return hash(domains.seed, typeof secret === 'string' ? utf8(secret) : secret, utf8(path))
}
