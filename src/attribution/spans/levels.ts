import { MERGED_SYMBOLS_MAX } from './constants.ts'

/** Parts in a row that are asked as one. */
export interface Level {
  /** the first of the parts, and the one after the last */
  first: number
  end: number
  symbols: number
  /** what it is merged from; none for a part as it is */
  halves?: readonly [Level, Level]
}

/**
 * Which parts are merged: by levels, as in a log-structured merge tree (O'Neil and others 1996), so
 * that parts at the end change few of those before. A level is merged with the one before it while
 * that has at most twice as many symbols; each then has more than twice as many as the next one,
 * and of n symbols there are at most log₂ n. Each symbol is merged about log₂ n times, whatever the
 * order in which parts come. All depends on the sizes alone.
 *
 * @param symbols - of each part, in the order of the index
 * @param symbolsMax - that one level may have; by default MERGED_SYMBOLS_MAX
 */
export function levelsOf (symbols: readonly number[], symbolsMax = MERGED_SYMBOLS_MAX): Level[] {
  const levels: Level[] = []

  symbols.forEach((count, i) => {
    let last: Level = { first: i, end: i + 1, symbols: count }

    for (let before = levels.at(-1); before != null && before.symbols <= 2 * last.symbols && before.symbols + last.symbols <= symbolsMax; before = levels.at(-1)) {
      levels.pop()
      last = { first: before.first, end: last.end, symbols: before.symbols + last.symbols, halves: [before, last] }
    }

    levels.push(last)
  })

  return levels
}
