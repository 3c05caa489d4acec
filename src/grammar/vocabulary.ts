import type { Automaton, State } from './automaton.ts'
import type { Tokenizer } from '../models/index.ts'

/** A tokenizer's tokens in the order of their bytes, so that what has a beginning in common lies together. */
export interface Vocabulary {
  /** ids of tokens that have bytes */
  ids: Uint32Array
  /** bytes of each, in the order of `ids` */
  tokens: readonly Uint8Array[]
  /** how many first bytes each has in common with the one before */
  shared: Uint32Array
  size: number
  eos: number
}

export function vocabularyOf (tokenizer: Tokenizer): Vocabulary {
  const all = Array.from({ length: tokenizer.size }, (_, id) => ({ id, bytes: tokenizer.tokenBytes(id) })).filter(({ bytes }) => bytes.length > 0)

  all.sort((a, b) => compare(a.bytes, b.bytes) || a.id - b.id)

  return {
    ids: Uint32Array.from(all, ({ id }) => id),
    tokens: all.map(({ bytes }) => bytes),
    shared: Uint32Array.from(all, ({ bytes }, i) => i === 0 ? 0 : common(all[i - 1].bytes, bytes)),
    size: tokenizer.size,
    eos: tokenizer.eos
  }
}

/**
 * The tokens that a text may go on with, as bits by id. Where the text may end, or no token goes on,
 * the end is allowed.
 */
export function maskOf ({ ids, tokens, shared, size, eos }: Vocabulary, automaton: Automaton, state: State): Uint32Array {
  const mask = new Uint32Array((size + 31) >>> 5)
  const path: State[] = [state]
  // the first byte of the token before at which the text could not go on
  let deadAt = Infinity
  let count = 0

  for (let i = 0; i < ids.length; i++) {
    if (shared[i] > deadAt) {
      continue
    }

    const token = tokens[i]
    let at = shared[i]

    for (; at < token.length; at++) {
      const next = automaton.step(path[at], token[at])

      if (next === null) {
        break
      }

      path[at + 1] = next
    }

    deadAt = at < token.length ? at : Infinity

    if (at === token.length) {
      mask[ids[i] >>> 5] |= 1 << (ids[i] & 31)
      count++
    }
  }

  if (state.final || count === 0) {
    mask[eos >>> 5] |= 1 << (eos & 31)
  }

  return mask
}

function compare (a: Uint8Array, b: Uint8Array): number {
  const at = common(a, b)

  return (a[at] ?? -1) - (b[at] ?? -1)
}

function common (a: Uint8Array, b: Uint8Array): number {
  let at = 0

  while (at < a.length && at < b.length && a[at] === b[at]) {
    at++
  }

  return at
}
