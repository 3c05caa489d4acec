import { cidOf } from '../../src/wire/index.ts'
import type { CID } from 'multiformats/cid'

/** A CID as contributions have, of nothing that exists. */
export const contributionCid = (number: number): CID => cidOf(Uint8Array.of(number))

export const occursAt = (row: ArrayLike<number>, tokens: ArrayLike<number>, at: number): boolean => Array.from(tokens).every((token, i) => row[at + i] === token)
