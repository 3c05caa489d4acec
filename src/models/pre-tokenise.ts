import { RUN_CODEPOINTS_MAX, TEXT_CHARACTERS_MAX } from './constants.ts'
import { TokenizerError } from './errors.ts'

/** Everything but ASCII that is no letter. No `\p{…}`: those classes change with the Unicode version of the engine. */
const LETTER = '[^\\x00-\\x40\\x5b-\\x60\\x7b-\\x7f]'
const PUNCTUATION = '[\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e]'
const SPACE = '[\\x09-\\x0d\\x20]'
const CONTROL = '[\\x00-\\x08\\x0e-\\x1f\\x7f]'
const RUN = `{1,${RUN_CODEPOINTS_MAX}}`

/**
 * How text falls into runs that are merged on their own: English contractions, a word with the
 * space before it, up to three digits, punctuation, space. Its alternatives cover every code
 * point, so runs concatenate to the text. The same source is valid for Oniguruma, which
 * Hugging Face's tokenizers use.
 */
export const RUN_PATTERN = [
  '\'(?:[sdmt]|ll|ve|re)',
  ` ?${LETTER}${RUN}`,
  ' ?[0-9]{1,3}',
  ` ?${PUNCTUATION}${RUN}`,
  `${SPACE}${RUN}(?![^\\x09-\\x0d\\x20])`,
  `${SPACE}{1}`,
  `${CONTROL}${RUN}`
].join('|')

const RUNS = new RegExp(RUN_PATTERN, 'gu')

/**
 * Yields the runs of a text, first to last. Lone surrogates become U+FFFD.
 *
 * @throws {TokenizerError} if the text is longer than TEXT_CHARACTERS_MAX
 */
export function * runsOf (text: string): Generator<string> {
  if (text.length > TEXT_CHARACTERS_MAX) {
    throw new TokenizerError(`expected a text of at most ${TEXT_CHARACTERS_MAX} characters but got ${text.length}: encode it in parts`)
  }
  for (const match of text.toWellFormed().matchAll(RUNS)) {
    yield match[0]
  }
}
