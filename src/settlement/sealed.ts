import { decode, encode } from '@ipld/dag-cbor'
import { equalBytes, hash, utf8 } from '../wire/index.ts'
import { SEAL_BYTES } from './constants.ts'

const sealOf = (key: string, content: Uint8Array): Uint8Array => hash('datanet/sealed/1', utf8(key), content).subarray(0, SEAL_BYTES)

/**
 * Content with a checksum over it and where it belongs. LevelDB has checksums of its own, which it
 * does not look at when it reads, and drops what it finds damaged in its log without a word.
 */
export function seal (key: string, content: Uint8Array): Uint8Array {
  return encode([sealOf(key, content), content])
}

/** @returns what was sealed under this key; undefined if a bit of it is another */
export function unseal (key: string, bytes: Uint8Array): Uint8Array | undefined {
  try {
    const [checksum, content]: unknown[] = decode(bytes)

    return checksum instanceof Uint8Array && content instanceof Uint8Array && equalBytes(checksum, sealOf(key, content)) ? content : undefined
  } catch {
    return undefined
  }
}
