import { expand, extract } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8 } from '../wire/index.ts'
import { BLS_ORDER, checkSeed } from './checks.ts'

/**
 * KeyGen of draft-irtf-cfrg-bls-signature-05, section 2.3, with an empty key_info: the same
 * secret key as blst's.
 *
 * @param seed - 32 secret bytes
 * @returns 32 bytes, big-endian
 * @throws {InvalidKeyError}
 */
export function blsSecretKey (seed: Uint8Array): Uint8Array {
  checkSeed(seed)
  let salt = utf8('BLS-SIG-KEYGEN-SALT-')

  for (;;) {
    salt = sha256(salt)
    const okm = expand(sha256, extract(sha256, concatBytes(seed, Uint8Array.of(0)), salt), Uint8Array.of(0, 48), 48)
    let scalar = okm.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n) % BLS_ORDER

    // probability of another round: 2^-255
    if (scalar !== 0n) {
      const secretKey = new Uint8Array(32)

      for (let i = 31; i >= 0; i--) {
        secretKey[i] = Number(scalar & 0xffn)
        scalar >>= 8n
      }

      return secretKey
    }
  }
}
