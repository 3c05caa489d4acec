import { readHeader } from './layout.ts'
import { unpack } from './packed.ts'
import type { PartHeader } from './layout.ts'

/**
 * Rows of one or several contributions with their suffixes in order. Symbols are token ids plus
 * one; 0 ends each row. Suffixes are compared up to the end of their row; of equal ones, the one of
 * the earlier row comes first.
 */
export interface SpanPart extends PartHeader {
  /** without the ends of rows; as many suffixes */
  tokens: number
  /** what it takes */
  bytes: number
  encoded: Uint8Array
  /** symbol at a place of the text */
  symbol (place: number): number
  /** where the suffix of a rank begins */
  suffix (rank: number): number
  /** where a row of this part begins; for the number of rows, where the text ends */
  rowStart (row: number): number
  /** the row of this part that a place is in */
  rowAt (place: number): number
  /** a row of this part, as its source and its number in the contribution */
  origin (row: number): { source: number, row: number }
}

/**
 * Opens an encoded part. Nothing is unpacked: reading takes the bytes as they are, and holds them.
 *
 * @throws {SpanIndexError} if it is malformed; that suffixes are in order is for `checkPart` to see
 */
export function openPart (bytes: Uint8Array): SpanPart {
  const { header, layout: { symbolBits, placeBits, ...at } } = readHeader(bytes)
  const { symbols, rows, sources } = header
  const starts = bytes.subarray(at.rows, at.text)
  const text = bytes.subarray(at.text, at.suffixes)
  const suffixes = bytes.subarray(at.suffixes)
  const rowStart = (row: number): number => row < rows ? unpack(starts, placeBits, row) : symbols
  const firsts = new Uint32Array(sources.length)

  sources.forEach((source, i) => { firsts[i + 1] = firsts[i] + source.rows })

  return {
    ...header,
    tokens: symbols - rows,
    bytes: bytes.length,
    encoded: bytes,
    symbol: place => place < symbols ? unpack(text, symbolBits, place) : 0,
    suffix: rank => unpack(suffixes, placeBits, rank),
    rowStart,
    rowAt: place => lastUpTo(rows, rowStart, place),
    origin (row) {
      const source = lastUpTo(sources.length, i => firsts[i], row)

      return { source, row: row - firsts[source] + sources[source].firstRow }
    }
  }
}

/** Tokens of one row of a part. */
export function partRow (part: SpanPart, row: number): Uint32Array {
  const start = part.rowStart(row)
  const tokens = new Uint32Array(Math.max(0, part.rowStart(row + 1) - 1 - start))

  for (let i = 0; i < tokens.length; i++) {
    tokens[i] = part.symbol(start + i) - 1
  }

  return tokens
}

/** The last of ascending values that is not above a limit; 0 if all are. */
function lastUpTo (count: number, value: (index: number) => number, limit: number): number {
  let [low, high] = [0, count - 1]

  while (low < high) {
    const middle = (low + high + 1) >>> 1

    if (value(middle) <= limit) {
      low = middle
    } else {
      high = middle - 1
    }
  }

  return low
}
