import { decode, encode } from '@ipld/dag-cbor'
import { voteCodec } from '../consensus/index.ts'
import { certificateCodec, hash, toHex } from '../wire/index.ts'
import { CorruptStoreError } from './errors.ts'
import { pad } from './vote-store.ts'
import type { Evidence } from '../consensus/index.ts'

/** As it is on disk. */
export function encodeEvidence (evidence: Evidence): Uint8Array {
  return encode(evidence.type === 'conflicting-votes'
    ? [evidence.type, voteCodec.encode(evidence.first), voteCodec.encode(evidence.second)]
    : [evidence.type, certificateCodec.encode(evidence.first), certificateCodec.encode(evidence.second)])
}

/** @throws {CorruptStoreError} */
export function decodeEvidence (bytes: Uint8Array): Evidence {
  const [type, one, other]: unknown[] = decode(bytes)

  if (!(one instanceof Uint8Array && other instanceof Uint8Array)) {
    throw new CorruptStoreError('evidence')
  }
  if (type === 'conflicting-certificates') {
    return { type, first: certificateCodec.decode(one), second: certificateCodec.decode(other) }
  }

  const [first, second] = [one, other].map(vote => voteCodec.decode(vote))

  return { type: 'conflicting-votes', validator: first.validator, first, second }
}

/** The same evidence has the same key, and older ones come first. */
export function evidenceKey (evidence: Evidence): string {
  const { era, view } = evidence.first

  return `${pad(era)}-${pad(view)}-${toHex(hash('datanet/evidence/1', encodeEvidence(evidence)))}`
}
