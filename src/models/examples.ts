import { WINDOW_TOKENS_MIN } from './constants.ts'
import { SettingsError } from './errors.ts'
import type { Tokenizer } from './interface.ts'

/** Windows to train on and, for each, the index of the contribution that it comes from. */
export interface Examples {
  examples: Uint32Array[]
  contributionOf: Uint32Array
}

/**
 * Cuts contributions into windows: each row is BOS and its tokens, rows are joined in order and
 * cut every `sequenceLength` tokens; a last partial window counts from 16 tokens. A window never
 * holds two contributions, so that every gradient has one owner.
 */
export function examplesOf (contributions: ReadonlyArray<{ texts: Iterable<string> }>, tokenizer: Tokenizer, sequenceLength: number): Examples {
  if (!Number.isInteger(sequenceLength) || sequenceLength < WINDOW_TOKENS_MIN) {
    throw new SettingsError(`expected a sequenceLength of at least ${WINDOW_TOKENS_MIN} tokens but got ${sequenceLength}`)
  }
  const examples: Uint32Array[] = []
  const owners: number[] = []
  contributions.forEach(({ texts }, owner) => {
    const tokens: number[] = []
    for (const text of texts) {
      tokens.push(tokenizer.bos)
      for (const id of tokenizer.encode(text)) {
        tokens.push(id)
      }
    }
    for (let at = 0; tokens.length - at >= WINDOW_TOKENS_MIN; at += sequenceLength) {
      examples.push(Uint32Array.from(tokens.slice(at, at + sequenceLength)))
      owners.push(owner)
    }
  })
  return { examples, contributionOf: Uint32Array.from(owners) }
}
