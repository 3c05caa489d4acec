import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8 } from './bytes.ts'
import type { Hash } from '../interface/index.ts'

/**
 * SHA-256 over the domain and the parts, each preceded by its length as four big-endian bytes,
 * so that no two lists of parts have the same input.
 *
 * @returns 32 bytes
 */
export function hash (domain: string, ...parts: Uint8Array[]): Hash {
  const input: Uint8Array[] = []

  for (const part of [utf8(domain), ...parts]) {
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, part.length)
    input.push(length, part)
  }

  return sha256(concatBytes(...input))
}

/**
 * What is signed: the domain and the payload. No domain is a prefix of another one followed by
 * dag-cbor, because domains are ASCII and a record's first byte is 0xa0 or more.
 */
export function signingBytes (domain: string, payload: Uint8Array): Uint8Array {
  return concatBytes(utf8(domain), payload)
}
