import { sha256 } from '@noble/hashes/sha2.js'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'

/** Multicodec of a record. */
export const DAG_CBOR = 0x71
/** Multicodec of plain bytes. */
export const RAW = 0x55
/** Multicodec of UnixFS, for files of more than one block. */
export const DAG_PB = 0x70
/** Multihash code of SHA-256, the only one we use. */
export const SHA2_256 = 0x12

/** CIDv1 with SHA-256, synchronously. `code` is a multicodec, `DAG_CBOR` for records. */
export function cidOf (bytes: Uint8Array, code: number = DAG_CBOR): CID {
  return CID.createV1(code, create(SHA2_256, sha256(bytes)))
}

/** CIDv1 of plain bytes. */
export function rawCid (bytes: Uint8Array): CID {
  return cidOf(bytes, RAW)
}
