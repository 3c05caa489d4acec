import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8 } from './bytes.ts'
import type { Hash } from '../interface/index.ts'

/** Domains are few and constant; a bound in case somebody makes them up. */
const PREFIXES_MAX = 256
const prefixes = new Map<string, Uint8Array>()

/** The domain with its length in front. */
function prefixOf (domain: string): Uint8Array {
  const known = prefixes.get(domain)

  if (known !== undefined) {
    return known
  }

  const text = utf8(domain)
  const prefix = concatBytes(new Uint8Array(4), text)
  new DataView(prefix.buffer).setUint32(0, text.length)

  if (prefixes.size < PREFIXES_MAX) {
    prefixes.set(domain, prefix)
  }

  return prefix
}

/**
 * SHA-256 over the domain and the parts, each preceded by its length as four big-endian bytes,
 * so that no two lists of parts have the same input.
 *
 * @returns 32 bytes
 */
export function hash (domain: string, ...parts: Uint8Array[]): Hash {
  const prefix = prefixOf(domain)
  const input = new Uint8Array(parts.reduce((length, part) => length + 4 + part.length, prefix.length))
  const view = new DataView(input.buffer)
  let offset = prefix.length
  input.set(prefix)

  for (const part of parts) {
    view.setUint32(offset, part.length)
    input.set(part, offset + 4)
    offset += 4 + part.length
  }

  return sha256(input)
}

/**
 * What is signed: the domain and the payload. No domain is a prefix of another one followed by
 * dag-cbor, because domains are ASCII and a record's first byte is 0xa0 or more.
 */
export function signingBytes (domain: string, payload: Uint8Array): Uint8Array {
  return concatBytes(utf8(domain), payload)
}
