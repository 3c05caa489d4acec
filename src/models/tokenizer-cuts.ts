import { TokenizerError } from './errors.ts'
import { jsonList, jsonObject } from './tokenizer-json.ts'

/** How byte-level tokenizers cut text since GPT-2. */
export const GPT2_PATTERN = '\'s|\'t|\'re|\'ve|\'m|\'ll|\'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+'

/**
 * A pre-tokenizer of tokenizer.json as the library computes it exactly: its patterns in `Split` mean
 * what Oniguruma means by them, but those that it has of its own are JavaScript's, whose `\s` has
 * U+FEFF and lacks U+0085, and whose `\d` is ASCII alone, where Hugging Face's have all numbers.
 * It also leaves out that `Metaspace` cuts before each word.
 *
 * @throws {TokenizerError} for kinds that it only imitates, by name
 */
export function exactCuts (preTokenizer: unknown): unknown {
  if (preTokenizer == null) {
    return null
  }
  const json = jsonObject(preTokenizer, 'a pre-tokenizer')
  switch (json.type) {
    case 'Sequence':
      return { ...json, pretokenizers: jsonList(json.pretokenizers, 'pretokenizers').map(exactCuts) }
    case 'ByteLevel':
      // a space is put before the whole text, not before its parts: those few keep the library's own
      return json.use_regex === false || json.add_prefix_space === true ? json : sequence(split(GPT2_PATTERN), { ...json, use_regex: false })
    case 'Digits':
      return split(json.individual_digits === true ? '\\p{N}' : '\\p{N}+')
    case 'Metaspace':
      return json.split === false ? json : sequence(json, { type: 'Split', pattern: { Regex: '▁[^▁]*|[^▁]+' }, behavior: 'Removed', invert: true })
    case 'Split':
      if (json.behavior === 'Isolated' || json.behavior === 'Removed') {
        return json
      }
      throw new TokenizerError(`expected a pre-tokenizer that splits by Isolated or Removed but got ${String(json.behavior)}: we do not have that`)
    default:
      throw new TokenizerError(`expected pre-tokenizers of Sequence, ByteLevel, Digits, Metaspace and Split but got ${String(json.type)}: we do not have that`)
  }
}

function sequence (...pretokenizers: unknown[]): unknown {
  return { type: 'Sequence', pretokenizers }
}

function split (pattern: string): unknown {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }
}
