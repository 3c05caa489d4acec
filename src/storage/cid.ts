import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { equals } from 'uint8arrays/equals'
import { BlockMismatchError, UnsupportedCidError } from './errors.ts'

export const RAW = 0x55
export const DAG_PB = 0x70
export const DAG_CBOR = 0x71
const SHA2_256 = 0x12
const DIGEST_BYTES = 32

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

export const cidOfBlock = (bytes: Uint8Array, codec: number): CID => CID.createV1(codec, create(SHA2_256, sha256(bytes)))

/**
 * Refuses CIDs that prove nothing: helia verifies as many bytes of the digest as the CID has, so
 * a truncated one could be forged, and identity CIDs carry their own content.
 *
 * @throws {UnsupportedCidError}
 */
export const assertSupportedCid = (cid: CID): void => {
  if (cid.version !== 1) {
    throw new UnsupportedCidError(cid, `version ${cid.version}`)
  }
  if (cid.code !== RAW && cid.code !== DAG_PB && cid.code !== DAG_CBOR) {
    throw new UnsupportedCidError(cid, `codec 0x${cid.code.toString(16)}`)
  }
  if (cid.multihash.code !== SHA2_256 || cid.multihash.digest.byteLength !== DIGEST_BYTES) {
    throw new UnsupportedCidError(cid, `hash 0x${cid.multihash.code.toString(16)} of ${cid.multihash.digest.byteLength} bytes`)
  }
}

/** @throws {BlockMismatchError} */
export const verifyBlock = (cid: CID, bytes: Uint8Array): void => {
  if (!equals(sha256(bytes), cid.multihash.digest)) {
    throw new BlockMismatchError(cid)
  }
}
