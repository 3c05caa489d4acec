import type { Tokens } from './token-tree.ts'
import type { Tokenizer } from '../models/index.ts'

/** A tokenizer's tokens, those that have bytes. What has its first four bytes in common lies together. */
export interface Vocabulary extends Tokens {
  ids: Uint32Array
  size: number
  eos: number
}

/** 257 to this power, times the largest number of tokens, is below the whole numbers that f64 holds. */
const SORTED_BYTES = 4

/** A power of two, so that an id is taken out of a sum exactly; a base has at most 262,144 tokens. */
const ID_RANGE = 1_048_576

export function vocabularyOf (tokenizer: Tokenizer): Vocabulary {
  const { size, eos } = tokenizer
  const all = Array.from({ length: size }, (_, id) => tokenizer.tokenBytes(id))
  const ids = idsByBeginning(all)
  const offsets = new Uint32Array(ids.length + 1)
  const shared = new Uint32Array(ids.length)

  for (let i = 0; i < ids.length; i++) {
    offsets[i + 1] = offsets[i] + all[ids[i]].length
    shared[i] = i === 0 ? 0 : common(all[ids[i - 1]], all[ids[i]])
  }

  const bytes = new Uint8Array(offsets[ids.length])

  for (let i = 0; i < ids.length; i++) {
    bytes.set(all[ids[i]], offsets[i])
  }

  return { ids, bytes, offsets, shared, size, eos }
}

/** As numbers they are sorted several times as fast as by comparing. */
function idsByBeginning (all: readonly Uint8Array[]): Uint32Array {
  const keys = new Float64Array(all.length)
  let count = 0

  for (let id = 0; id < all.length; id++) {
    if (all[id].length > 0) {
      keys[count++] = beginning(all[id]) * ID_RANGE + id
    }
  }

  return Uint32Array.from(keys.subarray(0, count).sort(), key => key - Math.floor(key / ID_RANGE) * ID_RANGE)
}

/** The first bytes as a number, an end before every byte. */
function beginning (token: Uint8Array): number {
  let value = 0

  for (let at = 0; at < SORTED_BYTES; at++) {
    value = value * 257 + (at < token.length ? token[at] + 1 : 0)
  }

  return value
}

function common (a: Uint8Array, b: Uint8Array): number {
  let at = 0

  while (at < a.length && at < b.length && a[at] === b[at]) {
    at++
  }

  return at
}
