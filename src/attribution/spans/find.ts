import { ANSWER_TOKENS_MAX, CITATIONS_MAX, CITATIONS_PER_ROW_MAX, PLACES_MAX, SPANS_MAX, SPAN_TOKENS_MIN } from './constants.ts'
import { SpanIndexError } from './errors.ts'
import { longestMatch, rangeOf } from './search.ts'
import type { SpanPart } from './part.ts'

/** Parts of one contribution, with the place of the contribution among those searched. */
export interface SpanSource {
  /** e.g. the index of a contribution in a snapshot */
  source: number
  parts: readonly SpanPart[]
}

/** A row that has a span. */
export interface SpanCitation {
  source: number
  /** number of the row in its contribution */
  row: number
  /** where in the row's tokens the span begins, the first time */
  token: number
}

/** Tokens of an answer that stand in the data as they are, and neither of whose neighbours can be added. */
export interface Span {
  /** first token in the answer, and the one after the last */
  from: number
  end: number
  /** how often the data has it */
  count: number
  /** bits that its tokens would take by how often each stands in the data alone, in 1024ths: rare is large */
  rarity: number
  /** rows that have it, at most as many as asked for; by source, then row */
  citations: SpanCitation[]
}

export interface FindOptions {
  /** @default SPAN_TOKENS_MIN */
  minTokens?: number
  /**
   * spans given back, the rarest ones
   *
   * @default SPANS_MAX
   */
  max?: number
  /**
   * rows cited for one span
   *
   * @default CITATIONS_MAX
   */
  citationsMax?: number
  /**
   * spans for which one row is cited
   *
   * @default CITATIONS_PER_ROW_MAX
   */
  perRowMax?: number
}

/** What is found in several parts at once; adding a contribution builds no other's part again. */
export interface SpansIndex {
  readonly tokens: number
  readonly bytes: number
  /**
   * Maximal spans of an answer, the rarest first; equal ones by their place in the answer.
   *
   * @throws {SpanIndexError} for more than ANSWER_TOKENS_MAX tokens
   */
  find (answer: ArrayLike<number>, options?: FindOptions): Span[]
  /** how often the data has some tokens in a row */
  count (tokens: ArrayLike<number>): number
}

/**
 * Searches the parts of several contributions and puts together what each says. The same parts in
 * the same order give the same answer everywhere.
 */
export function spansIndex (sources: readonly SpanSource[]): SpansIndex {
  const parts = sources.flatMap(({ source, parts }) => parts.map(part => ({ source, part })))
  const tokens = parts.reduce((sum, { part }) => sum + part.tokens, 0)

  const countOf = (answer: ArrayLike<number>, from: number, length: number): number => parts.reduce((sum, { part }) => {
    const { first, end } = rangeOf(part, answer, from, length)

    return sum + end - first
  }, 0)

  return {
    tokens,
    bytes: parts.reduce((sum, { part }) => sum + part.bytes, 0),
    count: sequence => sequence.length === 0 ? 0 : countOf(sequence, 0, sequence.length),
    find (answer, { minTokens = SPAN_TOKENS_MIN, max = SPANS_MAX, citationsMax = CITATIONS_MAX, perRowMax = CITATIONS_PER_ROW_MAX } = {}) {
      if (answer.length > ANSWER_TOKENS_MAX) {
        throw new SpanIndexError(`expected an answer of at most ${ANSWER_TOKENS_MAX} tokens but got ${answer.length}`)
      }

      const bits = new Map<number, number>()
      const bitsOf = (place: number): number => {
        const known = bits.get(answer[place]) ?? log2Of1024ths(tokens / Math.max(1, countOf(answer, place, 1)))

        bits.set(answer[place], known)

        return known
      }
      const rarest = maximalSpans(parts.map(({ part }) => part), answer, Math.max(1, minTokens))
        .map(({ from, end }) => ({ from, end, rarity: Array.from({ length: end - from }, (_, i) => bitsOf(from + i)).reduce((sum, one) => sum + one, 0) }))
        .toSorted((a, b) => b.rarity - a.rarity || a.from - b.from)
      const cited = new Map<string, number>()
      const spans: Span[] = []

      for (const span of rarest) {
        const citations = spans.length >= max ? [] : cite(parts, answer, span, cited, { citationsMax, perRowMax })

        if (citations.length > 0) {
          spans.push({ ...span, count: countOf(answer, span.from, span.end - span.from), citations })
        }
      }

      return spans
    }
  }
}

/**
 * What spans say of sources: each span's rarity is divided among the rows that it cites. For people;
 * nothing is paid by it.
 *
 * @returns weight of each source that is cited, in 1024ths of bits, rounded down
 */
export function spanWeights (spans: readonly Span[]): Map<number, number> {
  const weights = new Map<number, number>()

  for (const { rarity, citations } of spans) {
    for (const { source } of citations) {
      weights.set(source, (weights.get(source) ?? 0) + Math.floor(rarity / citations.length))
    }
  }

  return weights
}

/**
 * The longest match from one token ends no earlier than that from the token before, so a match is
 * maximal exactly if it ends later.
 */
function maximalSpans (parts: SpanPart[], answer: ArrayLike<number>, minTokens: number): Array<{ from: number, end: number }> {
  const spans: Array<{ from: number, end: number }> = []
  let reached = 0

  for (let from = 0; from < answer.length && reached < answer.length; from++) {
    const end = from + parts.reduce((longest, part) => Math.max(longest, longestMatch(part, answer, from)), 0)

    if (end > reached && end - from >= minTokens) {
      spans.push({ from, end })
    }

    reached = Math.max(reached, end)
  }

  return spans
}

type Cited = Map<string, number>

/** Rows of a span that were not cited too often, by source, then row; each once, at its first place. */
function cite (parts: Array<{ source: number, part: SpanPart }>, answer: ArrayLike<number>, { from, end }: { from: number, end: number }, cited: Cited, { citationsMax, perRowMax }: { citationsMax: number, perRowMax: number }): SpanCitation[] {
  const citations: SpanCitation[] = []

  for (const { source, part } of parts) {
    const range = rangeOf(part, answer, from, end - from)
    const places = Array.from({ length: Math.min(range.end - range.first, PLACES_MAX) }, (_, i) => part.suffix(range.first + i)).sort((a, b) => a - b)

    for (const place of places) {
      const at = part.rowAt(place)
      const row = part.firstRow + at
      const key = `${source}/${row}`
      const last = citations.at(-1)

      if (citations.length < citationsMax && (cited.get(key) ?? 0) < perRowMax && !(last?.source === source && last.row === row)) {
        citations.push({ source, row, token: place - part.rowStart(at) })
      }
    }
  }

  for (const { source, row } of citations) {
    cited.set(`${source}/${row}`, (cited.get(`${source}/${row}`) ?? 0) + 1)
  }

  return citations
}

/** Base-2 logarithm of a number of at least 1 in 1024ths, rounded down; by squaring, which every machine does alike. */
function log2Of1024ths (value: number): number {
  let whole = 0
  let rest = value

  while (rest >= 2) {
    rest /= 2
    whole++
  }

  let fraction = 0

  for (let bit = 512; bit >= 1; bit /= 2) {
    rest *= rest

    if (rest >= 2) {
      rest /= 2
      fraction += bit
    }
  }

  return whole * 1024 + fraction
}
