import { joinSources, vocabularyOf } from './build.ts'
import { MERGED_SYMBOLS_MAX, MERGE_SYMBOLS_AT_ONCE } from './constants.ts'
import { SpanIndexError } from './errors.ts'
import { layoutOf, writeHeader } from './layout.ts'
import { packer } from './packed.ts'
import type { SpanPart } from './part.ts'

/** Work that hands back control now and then; what it yields is nothing. */
export type Work<T> = Generator<undefined, T, undefined>

/**
 * Two parts as one, the rows of the first before those of the second: the bytes that sorting all
 * their rows gives. Backward search (Ferragina and Manzini 2000) tells for each suffix of the
 * second how many of the first come before it, one symbol at a time from the ends of rows, as
 * Gonnet, Baeza-Yates and Snider (1992) and bwt-disk merge with a gap array: what the rows have in
 * common costs nothing, so copies and boilerplate do not slow it down.
 *
 * @returns work whose result is the encoded part
 * @throws {SpanIndexError} if they do not fit into one, or have other vocabularies
 */
export function * mergeParts (first: SpanPart, second: SpanPart): Work<Uint8Array> {
  const vocabularySize = vocabularyOf([first, second])
  const symbols = first.symbols + second.symbols

  if (symbols > MERGED_SYMBOLS_MAX) {
    throw new SpanIndexError(`expected parts of at most ${MERGED_SYMBOLS_MAX} symbols together but got ${symbols}`)
  }

  const header = { vocabularySize, symbols, rows: first.rows + second.rows, sources: joinSources([...first.sources, ...second.sources]) }
  const gaps = yield * countBetween(first, second)
  const layout = layoutOf(header)
  const out = new Uint8Array(layout.end)

  writeHeader(header, out)
  yield * writeTexts(first, second, out, layout)

  const suffixes = packer(layout.placeBits, out.subarray(layout.suffixes))
  let next = 0

  for (let rank = 0; rank <= first.tokens; rank++) {
    for (let i = 0; i < gaps[rank]; i++) {
      suffixes.add(first.symbols + second.suffix(next++))
    }

    if (rank < first.tokens) {
      suffixes.add(first.suffix(rank))
    }

    if (rank % MERGE_SYMBOLS_AT_ONCE === 0) {
      yield
    }
  }

  suffixes.end()

  return out
}

/** How many suffixes of the second part lie before each of the first, and after its last. */
function * countBetween (first: SpanPart, second: SpanPart): Work<Uint32Array> {
  const { starts, following } = yield * followingRanks(first)
  const gaps = new Uint32Array(first.tokens + 1)

  for (let row = 0; row < second.rows; row++) {
    // the ends of the first's rows come before the end of this one
    let before = first.rows

    for (let place = second.rowStart(row + 1) - 2; place >= second.rowStart(row); place--) {
      const symbol = second.symbol(place)
      const rank = firstFrom(following, starts[symbol], starts[symbol + 1], before)

      gaps[rank]++
      before = first.rows + rank

      if (place % MERGE_SYMBOLS_AT_ONCE === 0) {
        yield
      }
    }
  }

  return gaps
}

interface Following {
  /** rank of the first suffix that begins with a symbol, ends of rows not counted */
  starts: Uint32Array
  /** for each suffix, the rank of what follows its first symbol, ends of rows counted: ascending among those with one first symbol */
  following: Uint32Array
}

function * followingRanks (part: SpanPart): Work<Following> {
  const starts = new Uint32Array(part.vocabularySize + 2)

  for (let place = 0; place < part.symbols; place++) {
    const symbol = part.symbol(place)

    if (symbol > 0 && symbol <= part.vocabularySize) {
      starts[symbol + 1]++
    }

    if (place % MERGE_SYMBOLS_AT_ONCE === 0) {
      yield
    }
  }

  for (let symbol = 1; symbol < starts.length; symbol++) {
    starts[symbol] += starts[symbol - 1]
  }

  const following = new Uint32Array(part.tokens)
  const next = starts.slice()

  for (let rank = 0; rank < part.symbols; rank++) {
    const place = rank < part.rows ? part.rowStart(rank + 1) - 1 : part.suffix(rank - part.rows)
    const symbol = place > 0 ? part.symbol(place - 1) : 0

    if (symbol > 0) {
      following[next[symbol]++] = rank
    }

    if (rank % MERGE_SYMBOLS_AT_ONCE === 0) {
      yield
    }
  }

  return { starts, following }
}

/** Index of the first of ascending values that is not below a limit. */
function firstFrom (values: Uint32Array, from: number, end: number, limit: number): number {
  let [low, high] = [from, end]

  while (low < high) {
    const middle = (low + high) >>> 1

    if (values[middle] < limit) {
      low = middle + 1
    } else {
      high = middle
    }
  }

  return low
}

function * writeTexts (first: SpanPart, second: SpanPart, out: Uint8Array, layout: ReturnType<typeof layoutOf>): Work<void> {
  const rows = packer(layout.placeBits, out.subarray(layout.rows, layout.text))
  const text = packer(layout.symbolBits, out.subarray(layout.text, layout.suffixes))

  for (const [part, before] of [[first, 0], [second, first.symbols]] as const) {
    for (let row = 0; row < part.rows; row++) {
      rows.add(before + part.rowStart(row))
    }

    for (let place = 0; place < part.symbols; place++) {
      text.add(part.symbol(place))

      if (place % MERGE_SYMBOLS_AT_ONCE === 0) {
        yield
      }
    }
  }

  rows.end()
  text.end()
}

/** Does all of some work at once. */
export function finish<T> (work: Work<T>): T {
  for (;;) {
    const { done, value } = work.next()

    if (done === true) {
      return value
    }
  }
}
