import { ANSWER_TOKENS_MAX, CITATIONS_MAX, CITATIONS_PER_ROW_MAX, PLACES_MAX, SPANS_MAX, SPAN_TOKENS_MIN } from './constants.ts'
import { SpanIndexError } from './errors.ts'
import { partRow } from './part.ts'
import { longestMatch, rangeOf } from './search.ts'
import type { SpanPart } from './part.ts'
import type { CID } from 'multiformats/cid'

/** A row that has a span. */
export interface SpanCitation {
  /** index of its contribution among those that were searched */
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

/** What is found in several parts at once: as if they were one, whichever of them are merged. */
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
  /** tokens of a row of a source; none of a row that no part has */
  row (source: number, row: number): Uint32Array
}

/**
 * Searches parts and puts together what each says. The same rows in the same order give the same
 * counts and spans everywhere.
 *
 * @param parts - what is searched
 * @param contributions - by whose places sources are named; each that a part has is among them
 * @throws {SpanIndexError} for a part of another contribution, whose rows would be counted too
 */
export function spansIndex (parts: readonly SpanPart[], contributions: readonly CID[]): SpansIndex {
  const places = new Map(contributions.map((contribution, i) => [contribution.toString(), i]))
  const searched = parts.map(part => ({
    part,
    sources: part.sources.map(({ contribution }) => {
      const source = places.get(contribution.toString())

      if (source == null) {
        throw new SpanIndexError(`expected rows of ${contributions.length} contributions but got some of ${contribution.toString()}`)
      }

      return source
    })
  }))
  const tokens = parts.reduce((sum, part) => sum + part.tokens, 0)

  const countOf = (answer: ArrayLike<number>, from: number, length: number): number => parts.reduce((sum, part) => {
    const { first, end } = rangeOf(part, answer, from, length)

    return sum + end - first
  }, 0)

  return {
    tokens,
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    count: sequence => sequence.length === 0 ? 0 : countOf(sequence, 0, sequence.length),
    row: (source, row) => rowOf(searched, source, row),
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
      const rarest = maximalSpans(parts, answer, Math.max(1, minTokens))
        .map(({ from, end }) => ({ from, end, rarity: Array.from({ length: end - from }, (_, i) => bitsOf(from + i)).reduce((sum, one) => sum + one, 0) }))
        .toSorted((a, b) => b.rarity - a.rarity || a.from - b.from)
      const cited = new Map<string, number>()
      const spans: Span[] = []

      for (const span of rarest) {
        const citations = spans.length >= max ? [] : cite(searched, answer, span, cited, { citationsMax, perRowMax })

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
function maximalSpans (parts: readonly SpanPart[], answer: ArrayLike<number>, minTokens: number): Array<{ from: number, end: number }> {
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

/** A part, and where the contributions of its sources stand. */
interface Searched {
  part: SpanPart
  sources: readonly number[]
}

/** Rows of a span that were not cited too often, by source, then row; each once, at its first place. */
function cite (searched: readonly Searched[], answer: ArrayLike<number>, { from, end }: { from: number, end: number }, cited: Cited, { citationsMax, perRowMax }: { citationsMax: number, perRowMax: number }): SpanCitation[] {
  const found = searched.flatMap(one => rowsWith(one, answer, from, end - from))
    .filter(({ source, row }) => (cited.get(`${source}/${row}`) ?? 0) < perRowMax)
    .toSorted((a, b) => a.source - b.source || a.row - b.row)
  const citations = found.slice(0, citationsMax)

  for (const { source, row } of citations) {
    cited.set(`${source}/${row}`, (cited.get(`${source}/${row}`) ?? 0) + 1)
  }

  return citations
}

/** Rows of one part that have some tokens, each once, at its first place. */
function rowsWith ({ part, sources }: Searched, answer: ArrayLike<number>, from: number, count: number): SpanCitation[] {
  const { first, end } = rangeOf(part, answer, from, count)
  const places = Array.from({ length: Math.min(end - first, PLACES_MAX) }, (_, i) => part.suffix(first + i)).sort((a, b) => a - b)
  const rows: SpanCitation[] = []
  let last = -1

  for (const place of places) {
    const at = part.rowAt(place)

    if (at !== last) {
      const { source, row } = part.origin(at)

      rows.push({ source: sources[source], row, token: place - part.rowStart(at) })
    }

    last = at
  }

  return rows
}

function rowOf (searched: readonly Searched[], source: number, row: number): Uint32Array {
  for (const { part, sources } of searched) {
    let before = 0

    for (const [i, { firstRow, rows }] of part.sources.entries()) {
      if (sources[i] === source && row >= firstRow && row < firstRow + rows) {
        return partRow(part, before + row - firstRow)
      }

      before += rows
    }
  }

  return new Uint32Array(0)
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
