import { MERGE_SYMBOLS_AT_ONCE } from './constants.ts'
import { SpanIndexError } from './errors.ts'
import type { Work } from './merge.ts'
import type { SpanPart } from './part.ts'

/**
 * Whether a part is what its own text gives: rows and symbols in their places, and all suffixes in
 * order, in linear time without sorting (Burkhardt and Kärkkäinen 2003): every place occurs once,
 * and of neighbours the first has the smaller symbol, or the same one and a smaller rest. What the
 * rows should be is for `partRow` and whoever has them.
 *
 * @throws {SpanIndexError} when the work is done, unless it is
 */
export function * checkPart (part: SpanPart): Work<void> {
  yield * checkText(part)

  const { rows, symbols, tokens } = part
  const ranks = new Uint32Array(symbols).fill(symbols)

  for (let row = 0; row < rows; row++) {
    ranks[part.rowStart(row + 1) - 1] = row
  }

  for (let rank = 0; rank < tokens; rank++) {
    const place = part.suffix(rank)

    if (place >= symbols || ranks[place] !== symbols) {
      throw new SpanIndexError(`expected each suffix of a token once but rank ${rank} has place ${place}`)
    }

    ranks[place] = rows + rank

    if (rank % MERGE_SYMBOLS_AT_ONCE === 0) {
      yield
    }
  }

  for (let rank = 1; rank < tokens; rank++) {
    const [before, place] = [part.suffix(rank - 1), part.suffix(rank)]
    const differ = part.symbol(place) - part.symbol(before)

    if (differ < 0 || (differ === 0 && ranks[before + 1] >= ranks[place + 1])) {
      throw new SpanIndexError(`expected suffixes in order but those of ranks ${rank - 1} and ${rank} are not`)
    }

    if (rank % MERGE_SYMBOLS_AT_ONCE === 0) {
      yield
    }
  }
}

/** Rows begin one after the other, each ends in the only 0 that it has, and tokens are of the vocabulary. */
function * checkText (part: SpanPart): Work<void> {
  const { rows, symbols, vocabularySize } = part
  let row = 0
  let start = part.rowStart(0)

  for (let place = 0; place < symbols; place++) {
    const symbol = part.symbol(place)

    if (start > place || symbol > vocabularySize) {
      throw new SpanIndexError(`expected row ${row} and token ids below ${vocabularySize} at place ${place} but got row start ${start} and symbol ${symbol}`)
    }

    if (symbol === 0) {
      row++
      start = part.rowStart(row)

      if (start !== place + 1 || row > rows) {
        throw new SpanIndexError(`expected row ${row} of ${rows} at place ${place + 1} but it begins at ${start}`)
      }
    }

    if (place % MERGE_SYMBOLS_AT_ONCE === 0) {
      yield
    }
  }

  if (row !== rows) {
    throw new SpanIndexError(`expected ${rows} rows but got ${row}`)
  }
}
