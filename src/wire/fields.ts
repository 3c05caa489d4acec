import { DAG_PB, RAW } from './cid.ts'
import { list, refine, struct } from './composites.ts'
import { LICENCE_MAX, MERGE_PARENTS_MAX, MERGE_WEIGHT_MILLI_MAX, NAME_MAX, TITLE_MAX } from './constants.ts'
import { bytes, cid, integer, literal, optional, text } from './primitives.ts'
import type { Schema } from './interface.ts'
import type { Account, Hash, MergeParent } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** Ed25519 public key. */
export const account: Schema<Account> = bytes({ length: 32 })
export const hash32: Schema<Hash> = bytes({ length: 32 })
/** Ed25519 signature. */
export const signature64: Schema<Uint8Array> = bytes({ length: 64 })
/** Uncompressed BLS12-381 G1 point: a set of 128 is read in 0.4 ms instead of 138. */
export const blsPublicKey: Schema<Uint8Array> = bytes({ length: 96 })
/** Compressed BLS12-381 G2 point. */
export const blsSignature: Schema<Uint8Array> = bytes({ length: 96 })

/** A link to a record. */
export const recordCid: Schema<CID> = cid()
/** A link to a file: one raw block, or UnixFS if it is larger than one. */
export const fileCid: Schema<CID> = cid({ codes: [RAW, DAG_PB] })

export const name: Schema<string> = text({ min: 1, max: NAME_MAX, line: true })
export const title: Schema<string> = text({ min: 1, max: TITLE_MAX, line: true })
export const licence: Schema<string> = text({ min: 1, max: LICENCE_MAX, line: true })

export const uint32: Schema<number> = integer({ min: 0, max: 0xffffffff })
export const permille: Schema<number> = integer({ min: 0, max: 1000 })
export const basisPoints: Schema<number> = integer({ min: 0, max: 10_000 })
/** Heights, views, epochs, nonces and proposals: all that only counts up. */
export const counter: Schema<number> = integer({ min: 0 })

export const verdict: Schema<'admit' | 'reject'> = literal('admit', 'reject')

/** CIDs sorted by their bytes, without repetition. */
export function sortedCids (max: number): Schema<CID[]> {
  return list(recordCid, { max, ascending: link => link.bytes })
}

/** The adapters of a merge, in the order in which they are added up. */
export const mergeParents: Schema<MergeParent[]> = list(refine(struct({
  adapter: recordCid,
  weightMilli: integer({ min: -MERGE_WEIGHT_MILLI_MAX, max: MERGE_WEIGHT_MILLI_MAX })
}), 'a weight that is not 0', ({ weightMilli }) => weightMilli !== 0), { min: 2, max: MERGE_PARENTS_MAX, ascending: parent => parent.adapter.bytes })

export const method = literal('trajectory', 'graddot', 'tracin', 'datainf', 'fisher', 'fisher-projected', 'ekfac')

/** How a score table came about. */
export const scoreMethod = literal('trajectory', 'graddot', 'tracin', 'datainf', 'fisher', 'fisher-projected', 'ekfac', 'none', 'merged')

export const feeSplitFields = {
  platform: basisPoints,
  developers: basisPoints,
  validators: basisPoints,
  data: basisPoints
}

/** What is absent changes nothing; written out, neutral values are allowed too. */
export const samplerSettings = struct({
  temperatureMilli: integer({ min: 0, max: 100_000 }),
  topK: uint32,
  seed: uint32,
  topPMilli: optional(integer({ min: 1, max: 1_000 })),
  repetitionMilli: optional(integer({ min: 1, max: 100_000 })),
  frequencyMilli: optional(integer({ min: -10_000, max: 10_000 })),
  presenceMilli: optional(integer({ min: -10_000, max: 10_000 })),
  tokensMin: optional(integer({ min: 0, max: 8_192 }))
})
