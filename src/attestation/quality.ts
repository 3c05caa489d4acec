import { QUALITY_DISTINCT_FULL, QUALITY_LETTERS_FULL, QUALITY_WORDS_FULL } from './constants.ts'
import { countLetters, words } from './text.ts'

/** 0 to 1000: a share of what would be full, never above. */
const permilleOf = (measure: number, full: number): number => Math.min(1000, Math.floor(measure * 1000 / full))

/**
 * How much a text looks like prose, 0 to 1000: the least of its length in words, its share of
 * letters and its share of distinct word trigrams, each measured against a full score. Integers
 * only, so that all validators agree.
 */
export function quality (text: string): number {
  const found = words(text)
  if (found.length === 0) {
    return 0
  }
  const { characters, letters } = countLetters(text)
  const lettersPermille = Math.floor(letters * 1000 / characters)

  const span = Math.min(3, found.length)
  const total = found.length - span + 1
  // words as numbers: three of a row of the size that importers allow fit a safe integer
  const numbers = new Map<string, number>()
  const ids = found.map(word => {
    const id = numbers.get(word) ?? numbers.size + 1
    numbers.set(word, id)
    return id
  })
  const base = numbers.size + 1
  const distinct = new Set<number>()
  for (let at = 0; at < total; at++) {
    distinct.add(((ids[at] ?? 0) * base + (ids[at + 1] ?? 0)) * base + (ids[at + 2] ?? 0))
  }
  const distinctPermille = Math.floor(distinct.size * 1000 / total)

  return Math.min(
    permilleOf(found.length, QUALITY_WORDS_FULL),
    permilleOf(lettersPermille, QUALITY_LETTERS_FULL),
    permilleOf(distinctPermille, QUALITY_DISTINCT_FULL)
  )
}
