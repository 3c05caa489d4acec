import { utf8 } from '../../wire/index.ts'
import { PART_BYTES_MAX, PART_SYMBOLS_MAX, VOCABULARY_MAX } from './constants.ts'
import { SpanIndexError } from './errors.ts'
import { bitsFor, pack, packedBytes, unpack } from './packed.ts'
import { suffixArray } from './suffix-array.ts'

const MAGIC = utf8('dnspans1')
const HEADER_BYTES = MAGIC.length + 16

/** A run of rows with their suffixes in order. Symbols are token ids plus one; 0 ends each row. */
export interface SpanPart {
  /** number of its first row in the contribution */
  firstRow: number
  rows: number
  /** tokens, without the ends of rows; as many suffixes */
  tokens: number
  vocabularySize: number
  bytes: number
  /** symbol at a place of the text */
  symbol (place: number): number
  /** where the suffix of a rank begins */
  suffix (rank: number): number
  /** where a row of this part begins */
  rowStart (row: number): number
  /** the row of this part that a place is in */
  rowAt (place: number): number
}

export interface BuildOptions {
  vocabularySize: number
  /** @default 0 */
  firstRow?: number
}

/**
 * Encodes rows of token ids and the order of their suffixes. See protocols/spans.
 *
 * @throws {SpanIndexError} if there are no tokens or more than fit, or one is outside the vocabulary
 */
export function buildPart (rows: ReadonlyArray<ArrayLike<number>>, { vocabularySize, firstRow = 0 }: BuildOptions): Uint8Array {
  const { text, starts } = concatenate(rows, vocabularySize)
  const suffixes = suffixArray(text, vocabularySize).subarray(rows.length)
  const layout = layoutOf(vocabularySize, text.length, rows.length)
  const out = new Uint8Array(layout.end)
  const view = new DataView(out.buffer)

  out.set(MAGIC)
  ;[vocabularySize, text.length, rows.length, firstRow].forEach((value, i) => { view.setUint32(MAGIC.length + 4 * i, value) })
  pack(starts, layout.placeBits, out.subarray(layout.rows, layout.text))
  pack(text, layout.symbolBits, out.subarray(layout.text, layout.suffixes))
  pack(suffixes, layout.placeBits, out.subarray(layout.suffixes))

  return out
}

/** Takes a contribution's rows one after the other and gives back parts of bounded size. */
export interface PartBuilder {
  /** @returns the part before this row, if the row does not fit into it */
  add (row: ArrayLike<number>): Uint8Array | undefined
  /** @returns what is left; undefined if there is no token in it */
  end (): Uint8Array | undefined
}

/** See `buildPart`; nothing but the rows of one part is held. */
export function partBuilder ({ vocabularySize, firstRow = 0 }: BuildOptions): PartBuilder {
  let rows: Array<ArrayLike<number>> = []
  let symbols = 0
  let first = firstRow

  const end = (): Uint8Array | undefined => {
    const part = symbols > rows.length ? buildPart(rows, { vocabularySize, firstRow: first }) : undefined

    first += rows.length
    rows = []
    symbols = 0

    return part
  }

  return {
    end,
    add (row) {
      const before = symbols + row.length + 1 > PART_SYMBOLS_MAX ? end() : undefined

      rows.push(row)
      symbols += row.length + 1

      return before
    }
  }
}

/**
 * Opens an encoded part. Nothing is unpacked: reading takes the bytes as they are.
 *
 * @throws {SpanIndexError} if it is malformed; suffixes are trusted to be in order
 */
export function openPart (bytes: Uint8Array): SpanPart {
  if (bytes.length < HEADER_BYTES || bytes.length > PART_BYTES_MAX || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new SpanIndexError(`expected a part of a span index of at most ${PART_BYTES_MAX} bytes but got ${bytes.length} bytes of something else`)
  }

  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const [vocabularySize, symbols, rows, firstRow] = [0, 1, 2, 3].map(i => view.getUint32(MAGIC.length + 4 * i))

  if (vocabularySize < 1 || vocabularySize > VOCABULARY_MAX || symbols > PART_SYMBOLS_MAX || rows < 1 || rows >= symbols) {
    throw new SpanIndexError(`expected a part of at most ${PART_SYMBOLS_MAX} symbols but got ${rows} rows, ${symbols} symbols, a vocabulary of ${vocabularySize}`)
  }

  const { symbolBits, placeBits, ...at } = layoutOf(vocabularySize, symbols, rows)

  if (at.end !== bytes.length) {
    throw new SpanIndexError(`expected ${at.end} bytes for ${rows} rows and ${symbols} symbols but got ${bytes.length}`)
  }

  const starts = bytes.subarray(at.rows, at.text)
  const text = bytes.subarray(at.text, at.suffixes)
  const suffixes = bytes.subarray(at.suffixes)
  const rowStart = (row: number): number => unpack(starts, placeBits, row)

  return {
    firstRow,
    rows,
    tokens: symbols - rows,
    vocabularySize,
    bytes: bytes.length,
    symbol: place => place < symbols ? unpack(text, symbolBits, place) : 0,
    suffix: rank => unpack(suffixes, placeBits, rank),
    rowStart,
    rowAt (place) {
      let [low, high] = [0, rows - 1]

      while (low < high) {
        const middle = (low + high + 1) >>> 1

        if (rowStart(middle) <= place) {
          low = middle
        } else {
          high = middle - 1
        }
      }

      return low
    }
  }
}

function concatenate (rows: ReadonlyArray<ArrayLike<number>>, vocabularySize: number): { text: Int32Array, starts: Int32Array } {
  const symbols = rows.reduce((sum, row) => sum + row.length + 1, 0)

  if (symbols === rows.length || symbols > PART_SYMBOLS_MAX || !(vocabularySize >= 1 && vocabularySize <= VOCABULARY_MAX)) {
    throw new SpanIndexError(`expected 1 to ${PART_SYMBOLS_MAX - rows.length} tokens of a vocabulary of at most ${VOCABULARY_MAX} but got ${symbols - rows.length} tokens of ${vocabularySize}`)
  }

  const text = new Int32Array(symbols)
  const starts = new Int32Array(rows.length)
  let at = 0

  rows.forEach((row, r) => {
    starts[r] = at

    for (let i = 0; i < row.length; i++) {
      if (!(row[i] >= 0 && row[i] < vocabularySize)) {
        throw new SpanIndexError(`expected token ids below ${vocabularySize} but row ${r} has ${row[i]}`)
      }

      text[at++] = row[i] + 1
    }

    at++
  })

  return { text, starts }
}

interface Layout {
  symbolBits: number
  placeBits: number
  rows: number
  text: number
  suffixes: number
  end: number
}

/** Where the sections begin, in bytes. */
function layoutOf (vocabularySize: number, symbols: number, rows: number): Layout {
  const symbolBits = bitsFor(vocabularySize + 1)
  const placeBits = bitsFor(symbols)
  const text = HEADER_BYTES + packedBytes(rows, placeBits)
  const suffixes = text + packedBytes(symbols, symbolBits)

  return { symbolBits, placeBits, rows: HEADER_BYTES, text, suffixes, end: suffixes + packedBytes(symbols - rows, placeBits) }
}
