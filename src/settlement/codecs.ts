import { CERTIFICATES_PER_ANSWER_MAX } from '../consensus/index.ts'
import {
  BLOCK_BYTES_MAX, blockCodec, bytes, certificateCodec, certifiedHeaderCodec, codec, counter, hash32, integer, list, literal, name, nullable, oneOf, recordCid,
  signedCodec, struct, text
} from '../wire/index.ts'
import { HELLO_BYTES_MAX, QUERY_BYTES_MAX, SNAPSHOT_PARTS_MAX, SYNC_BLOCKS_MAX, VIEW_CERTIFICATES_MAX } from './constants.ts'
import type { Block, Certificate, CertifiedHeader, Hash, Signed } from '../interface/index.ts'
import type { Codec } from '../wire/index.ts'
import type { CID } from 'multiformats/cid'

/** Binds a validator's account to the peer it runs on. */
export interface Hello {
  type: 'hello'
  version: 1
  chain: string
  /** hash of the genesis header: same name and other genesis is another chain */
  genesis: Hash
  /** the multihash of the peer id; noise proves that the sender has its key */
  peer: Uint8Array
}

export interface SyncRequest {
  from: number
  limit: number
}

export interface SyncItem {
  block: Block
  /** over this very block: finalize, or notarize if it is final through a descendant */
  certificate: Certificate | null
}

export type Query =
  | { type: 'latest' }
  | { type: 'header', height: number }
  | { type: 'era', era: number }
  | { type: 'past', height: number, size: number }
  | { type: 'epoch', epoch: number, size: number }
  | { type: 'outcome', id: CID }
  | { type: 'proof', key: string, height: number }

export const helloCodec: Codec<Hello> = codec('hello', struct({
  type: literal('hello'),
  version: literal(1),
  chain: name,
  genesis: hash32,
  peer: bytes({ min: 1, max: 128 })
}), { bytesMax: HELLO_BYTES_MAX })

export const signedHelloCodec: Codec<Signed<Hello>> = signedCodec(helloCodec)

export const syncRequestCodec: Codec<SyncRequest> = codec('sync request', struct({
  from: counter,
  limit: integer({ min: 1, max: SYNC_BLOCKS_MAX })
}), { bytesMax: 64 })

export const syncItemCodec: Codec<SyncItem> = codec('sync item', struct({
  block: blockCodec.schema,
  certificate: nullable(certificateCodec.schema)
}), { bytesMax: BLOCK_BYTES_MAX + 1_024 })

export const certificatesRequestCodec: Codec<{ fromView: number }> = codec('certificates request', struct({ fromView: counter }), { bytesMax: 32 })

export const certificatesCodec: Codec<{ certificates: Certificate[] }> = codec('certificates', struct({
  certificates: list(certificateCodec.schema, { max: CERTIFICATES_PER_ANSWER_MAX })
}), { bytesMax: CERTIFICATES_PER_ANSWER_MAX * 512 })

export const viewRequestCodec: Codec<{ era: number, view: number }> = codec('view request', struct({ era: counter, view: counter }), { bytesMax: 64 })

/** All that is known of one view. */
export const certificatesOfViewCodec: Codec<{ certificates: Certificate[] }> = codec('certificates of a view', struct({
  certificates: list(certificateCodec.schema, { max: VIEW_CERTIFICATES_MAX })
}), { bytesMax: VIEW_CERTIFICATES_MAX * 512 })

/** What snapshot a node has: the certified header of its height, and the hash of each part. */
export interface Manifest {
  certified: CertifiedHeader
  parts: Hash[]
}

export const manifestCodec: Codec<Manifest> = codec('snapshot manifest', struct({
  certified: certifiedHeaderCodec.schema,
  parts: list(hash32, { min: 1, max: SNAPSHOT_PARTS_MAX })
}), { bytesMax: 1_024 + SNAPSHOT_PARTS_MAX * 34 })

export const partRequestCodec: Codec<{ height: number, index: number }> = codec('part request', struct({
  height: counter,
  index: integer({ min: 0, max: SNAPSHOT_PARTS_MAX - 1 })
}), { bytesMax: 64 })

export const blockRequestCodec: Codec<{ hash: Hash }> = codec('block request', struct({ hash: hash32 }), { bytesMax: 64 })

export const queryCodec: Codec<Query> = codec('query', oneOf('type', {
  latest: {},
  header: { height: counter },
  era: { era: counter },
  past: { height: counter, size: counter },
  epoch: { epoch: counter, size: counter },
  outcome: { id: recordCid },
  proof: { key: text({ min: 1, max: 256, line: true }), height: counter }
}), { bytesMax: QUERY_BYTES_MAX })
