import { compareBytes, fromHex, toHex } from '../wire/index.ts'
import { InvalidKeyError } from './errors.ts'

/** y coordinates (little-endian, without the sign bit) of the eight points of small order, RFC 7748 and ed25519 papers. */
const SMALL_ORDER_Y = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'
])

/** 2^255 - 19, big-endian */
const FIELD = fromHex('7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed')

/**
 * Public keys on which implementations of Ed25519 disagree, or for which one signature fits many
 * messages: y coordinates that are not reduced, and points of small order.
 */
export function isSoundPublicKey (account: Uint8Array): boolean {
  if (account.length !== 32) {
    return false
  }

  const y = Uint8Array.from(account)
  y[31] &= 0x7f

  return compareBytes(y.toReversed(), FIELD) < 0 && !SMALL_ORDER_Y.has(toHex(y))
}

/** @throws {InvalidKeyError} */
export function checkSeed (seed: Uint8Array): void {
  if (seed.length !== 32) {
    throw new InvalidKeyError('an Ed25519 seed of 32 bytes', `${seed.length} bytes`)
  }
}

/** Order of the groups of BLS12-381. */
export const BLS_ORDER = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n

/** @throws {InvalidKeyError} */
export function checkBlsSecretKey (secretKey: Uint8Array): void {
  const value = secretKey.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)

  if (secretKey.length !== 32 || value === 0n || value >= BLS_ORDER) {
    throw new InvalidKeyError('a BLS secret key: 32 bytes, big-endian, from 1 to the group order - 1', `${secretKey.length} bytes${secretKey.length === 32 ? ' outside that range' : ''}`)
  }
}
