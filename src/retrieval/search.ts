import { log } from '../numeric/index.ts'
import { B, K1, QUERY_TERMS_MAX } from './constants.ts'
import { termsOf } from './terms.ts'
import type { IndexPart } from './part.ts'

/** A row that was found. */
export interface Hit {
  /** its part, as an index into those that were searched */
  part: number
  row: number
  text: string
  score: number
}

/**
 * The rows of some parts that fit a query best, by Okapi BM25 over all parts together (Robertson
 * and Zaragoza 2009, with the idf of Lucene, which is never negative). Of rows with the same
 * terms only the first one counts: a copy takes no place and no credit. Equal scores go to the
 * earlier part, then the earlier row. Every sum runs in the order of the terms, and the
 * logarithm is our own: all engines find the same.
 *
 * @param parts - the earliest commitment first
 * @param query - its first terms count, each once
 * @param count - how many rows at most
 */
export function search (parts: readonly IndexPart[], query: string, count: number): Hit[] {
  const rows = parts.reduce((sum, { texts }) => sum + texts.length, 0)
  const mean = parts.reduce((sum, { lengths }) => sum + lengths.reduce((total, length) => total + length, 0), 0) / rows
  const scores = parts.map(() => new Map<number, number>())

  for (const term of [...new Set(termsOf(query))].slice(0, QUERY_TERMS_MAX).sort(byCodeUnits)) {
    const lists = parts.map(({ postings }) => postings.get(term) ?? [])
    const found = lists.reduce((sum, list) => sum + list.length / 2, 0)
    const idf = log(1 + (rows - found + 0.5) / (found + 0.5))

    lists.forEach((list, part) => {
      for (let i = 0; i < list.length; i += 2) {
        const [row, frequency] = [list[i], list[i + 1]]
        const score = idf * (frequency * (K1 + 1)) / (frequency + K1 * (1 - B + B * parts[part].lengths[row] / mean))

        scores[part].set(row, (scores[part].get(row) ?? 0) + score)
      }
    })
  }

  const ranked = scores.flatMap((some, part) => Array.from(some, ([row, score]) => ({ part, row, score })))

  ranked.sort((a, b) => b.score - a.score || a.part - b.part || a.row - b.row)

  return firstOfEach(parts, ranked, count)
}

function firstOfEach (parts: readonly IndexPart[], ranked: ReadonlyArray<Omit<Hit, 'text'>>, count: number): Hit[] {
  const seen = new Set<string>()
  const hits: Hit[] = []

  for (const hit of ranked) {
    if (hits.length === count) {
      break
    }

    const text = parts[hit.part].texts[hit.row]
    const terms = termsOf(text).join(' ')

    // equal terms have equal scores, so the first one here is the earliest
    if (!seen.has(terms)) {
      seen.add(terms)
      hits.push({ ...hit, text })
    }
  }

  return hits
}

function byCodeUnits (a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
