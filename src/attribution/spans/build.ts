import { PART_SYMBOLS_MAX, VOCABULARY_MAX } from './constants.ts'
import { SpanIndexError } from './errors.ts'
import { layoutOf, writeHeader } from './layout.ts'
import { pack } from './packed.ts'
import { partRow } from './part.ts'
import { suffixArray } from './suffix-array.ts'
import type { PartSource } from './layout.ts'
import type { SpanPart } from './part.ts'
import type { CID } from 'multiformats/cid'

export interface BuildOptions {
  vocabularySize: number
  /** whose rows they are */
  contribution: CID
  /** @default 0 */
  firstRow?: number
}

type Rows = ReadonlyArray<ArrayLike<number>>

/**
 * Encodes rows of token ids and the order of their suffixes. See protocols/spans.
 *
 * @throws {SpanIndexError} if there are no tokens or more than fit, or one is outside the vocabulary
 */
export function buildPart (rows: Rows, { vocabularySize, contribution, firstRow = 0 }: BuildOptions): Uint8Array {
  return encodePart(rows, vocabularySize, [{ contribution, firstRow, rows: rows.length }])
}

/**
 * Parts put together by sorting all their rows anew: the same bytes as merging them one after the
 * other, sooner where there are many small ones.
 *
 * @throws {SpanIndexError} if they have more than PART_SYMBOLS_MAX symbols together, or other vocabularies
 */
export function joinParts (parts: readonly SpanPart[]): Uint8Array {
  const rows = parts.flatMap(part => Array.from({ length: part.rows }, (_, row) => partRow(part, row)))

  return encodePart(rows, vocabularyOf(parts), joinSources(parts.flatMap(({ sources }) => sources)))
}

/** @throws {SpanIndexError} if parts were made by other tokenizers */
export function vocabularyOf (parts: readonly SpanPart[]): number {
  const [{ vocabularySize }] = parts

  if (parts.some(part => part.vocabularySize !== vocabularySize)) {
    throw new SpanIndexError(`expected parts of one vocabulary but got ${parts.map(part => part.vocabularySize).join(', ')}`)
  }

  return vocabularySize
}

/** Sources in a row, those that go on with a contribution as one. */
export function joinSources (sources: readonly PartSource[]): PartSource[] {
  const joined: PartSource[] = []

  for (const source of sources) {
    const last = joined.at(-1)

    if (last != null && last.contribution.equals(source.contribution) && last.firstRow + last.rows === source.firstRow) {
      joined[joined.length - 1] = { ...last, rows: last.rows + source.rows }
    } else {
      joined.push(source)
    }
  }

  return joined
}

/** Takes a contribution's rows one after the other and gives back parts of bounded size. */
export interface PartBuilder {
  /** @returns the part before this row, if the row does not fit into it */
  add (row: ArrayLike<number>): Uint8Array | undefined
  /** @returns what is left; undefined if there is no token in it */
  end (): Uint8Array | undefined
}

/** See `buildPart`; nothing but the rows of one part is held. */
export function partBuilder ({ vocabularySize, contribution, firstRow = 0 }: BuildOptions): PartBuilder {
  let rows: Array<ArrayLike<number>> = []
  let symbols = 0
  let first = firstRow

  const end = (): Uint8Array | undefined => {
    const part = symbols > rows.length ? buildPart(rows, { vocabularySize, contribution, firstRow: first }) : undefined

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
 * Symbols of the parts that `partBuilder` cuts rows of these many tokens into: what two nodes need
 * to agree on levels.
 */
export function partSizes (tokens: ArrayLike<number>): number[] {
  const sizes: number[] = []
  let [symbols, rows] = [0, 0]

  const end = (): void => {
    if (symbols > rows) {
      sizes.push(symbols)
    }

    [symbols, rows] = [0, 0]
  }

  for (let row = 0; row < tokens.length; row++) {
    if (symbols + tokens[row] + 1 > PART_SYMBOLS_MAX) {
      end()
    }

    symbols += tokens[row] + 1
    rows++
  }

  end()

  return sizes
}

function encodePart (rows: Rows, vocabularySize: number, sources: PartSource[]): Uint8Array {
  const { text, starts } = concatenate(rows, vocabularySize)
  // each row ends in a symbol of its own, and all of these are below the tokens
  const symbols = text.map(symbol => symbol === 0 ? 0 : symbol + rows.length - 1)

  starts.forEach((_, row) => { symbols[(starts[row + 1] ?? symbols.length) - 1] = row })

  const suffixes = suffixArray(symbols, vocabularySize + rows.length - 1).subarray(rows.length)
  const header = { vocabularySize, symbols: text.length, rows: rows.length, sources }
  const layout = layoutOf(header)
  const out = new Uint8Array(layout.end)

  writeHeader(header, out)
  pack(starts, layout.placeBits, out.subarray(layout.rows, layout.text))
  pack(text, layout.symbolBits, out.subarray(layout.text, layout.suffixes))
  pack(suffixes, layout.placeBits, out.subarray(layout.suffixes))

  return out
}

function concatenate (rows: Rows, vocabularySize: number): { text: Int32Array, starts: Int32Array } {
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
