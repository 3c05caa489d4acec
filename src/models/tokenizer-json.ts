import { TOKENIZER_BYTES_MAX } from './constants.ts'
import { TokenizerError } from './errors.ts'
import { parseJson } from './json.ts'

export type Json = Record<string, unknown>

/** What byte-level BPE files of a tokenizer.json differ in. */
export interface BpeFile {
  added: Array<{ id: number, content: string, special: boolean }>
  normalizer: unknown
  preTokenizer: unknown
  decoder: unknown
  ignoreMerges: boolean
  vocab: Record<string, number>
  merges: string[]
}

/** The value of a tokenizer.json of byte-level BPE; its keys are always in the same order. */
export function bpeFile ({ added, normalizer, preTokenizer, decoder, ignoreMerges, vocab, merges }: BpeFile): Json {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added.map(({ id, content, special }) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special })),
    normalizer,
    pre_tokenizer: preTokenizer,
    post_processor: null,
    decoder,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: ignoreMerges,
      vocab,
      merges
    }
  }
}

/**
 * @throws {TokenizerError} if it is too large, or no JSON object
 */
export function parseTokenizerJson (bytes: Uint8Array): Json {
  if (bytes.length > TOKENIZER_BYTES_MAX) {
    throw new TokenizerError(`expected a tokenizer of at most ${TOKENIZER_BYTES_MAX} bytes but got ${bytes.length}`)
  }
  const { value } = parseJson(bytes, (found, cause) => new TokenizerError(`expected the tokenizer to be JSON in UTF-8 but ${found}`, { cause }))
  return jsonObject(value, 'the tokenizer')
}

export function jsonObject (value: unknown, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TokenizerError(`expected ${name} to be an object`)
  }
  return Object.fromEntries(Object.entries(value))
}

export function jsonList (value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) {
    throw new TokenizerError(`expected ${name} to be a list`)
  }
  return value
}
