import { CID } from 'multiformats/cid'
import { utf8 } from '../../wire/index.ts'
import { CONTRIBUTION_BYTES, MERGED_SYMBOLS_MAX, PART_BYTES_MAX, PART_SOURCES_MAX, VOCABULARY_MAX } from './constants.ts'
import { SpanIndexError } from './errors.ts'
import { bitsFor, packedBytes } from './packed.ts'

const MAGIC = utf8('dnspans2')
const HEADER_BYTES = MAGIC.length + 16
const SOURCE_BYTES = CONTRIBUTION_BYTES + 8

/** Rows of one contribution that follow one another. */
export interface PartSource {
  contribution: CID
  /** number of the first one in the contribution */
  firstRow: number
  rows: number
}

/** What a part begins with. */
export interface PartHeader {
  vocabularySize: number
  /** tokens and row ends */
  symbols: number
  rows: number
  sources: readonly PartSource[]
}

/** Where the sections begin, in bytes, and how many bits their numbers have. */
export interface Layout {
  symbolBits: number
  placeBits: number
  rows: number
  text: number
  suffixes: number
  end: number
}

export function layoutOf ({ vocabularySize, symbols, rows, sources }: { vocabularySize: number, symbols: number, rows: number, sources: ArrayLike<unknown> }): Layout {
  const symbolBits = bitsFor(vocabularySize + 1)
  const placeBits = bitsFor(symbols)
  const starts = HEADER_BYTES + sources.length * SOURCE_BYTES
  const text = starts + packedBytes(rows, placeBits)
  const suffixes = text + packedBytes(symbols, symbolBits)

  return { symbolBits, placeBits, rows: starts, text, suffixes, end: suffixes + packedBytes(symbols - rows, placeBits) }
}

/** @throws {SpanIndexError} for a contribution whose CID is of another kind */
export function writeHeader ({ vocabularySize, symbols, rows, sources }: PartHeader, out: Uint8Array): void {
  const view = new DataView(out.buffer, out.byteOffset)
  let at = HEADER_BYTES

  out.set(MAGIC)
  ;[vocabularySize, symbols, rows, sources.length].forEach((value, i) => { view.setUint32(MAGIC.length + 4 * i, value) })

  for (const { contribution, firstRow, rows } of sources) {
    if (contribution.bytes.length !== CONTRIBUTION_BYTES) {
      throw new SpanIndexError(`expected the CID of a contribution of ${CONTRIBUTION_BYTES} bytes but got ${contribution.toString()}`)
    }

    out.set(contribution.bytes, at)
    view.setUint32(at + CONTRIBUTION_BYTES, firstRow)
    view.setUint32(at + CONTRIBUTION_BYTES + 4, rows)
    at += SOURCE_BYTES
  }
}

/**
 * Reads and checks what a part begins with, before anything of its size is taken.
 *
 * @throws {SpanIndexError}
 */
export function readHeader (bytes: Uint8Array): { header: PartHeader, layout: Layout } {
  if (bytes.length < HEADER_BYTES || bytes.length > PART_BYTES_MAX || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new SpanIndexError(`expected a part of a span index of at most ${PART_BYTES_MAX} bytes but got ${bytes.length} bytes of something else`)
  }

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [vocabularySize, symbols, rows, count] = [0, 1, 2, 3].map(i => view.getUint32(MAGIC.length + 4 * i))

  if (vocabularySize < 1 || vocabularySize > VOCABULARY_MAX || symbols > MERGED_SYMBOLS_MAX || rows < 1 || rows >= symbols || count < 1 || count > Math.min(rows, PART_SOURCES_MAX)) {
    throw new SpanIndexError(`expected a part of at most ${MERGED_SYMBOLS_MAX} symbols but got ${rows} rows, ${symbols} symbols, ${count} contributions, a vocabulary of ${vocabularySize}`)
  }

  const layout = layoutOf({ vocabularySize, symbols, rows, sources: { length: count } })

  if (layout.end !== bytes.length) {
    throw new SpanIndexError(`expected ${layout.end} bytes for ${rows} rows and ${symbols} symbols but got ${bytes.length}`)
  }

  const sources = Array.from({ length: count }, (_, i) => readSource(bytes, view, HEADER_BYTES + i * SOURCE_BYTES))

  if (sources.reduce((sum, source) => sum + source.rows, 0) !== rows || sources.some(source => source.rows === 0)) {
    throw new SpanIndexError(`expected contributions with ${rows} rows together`)
  }

  return { header: { vocabularySize, symbols, rows, sources }, layout }
}

function readSource (bytes: Uint8Array, view: DataView, at: number): PartSource {
  try {
    return {
      contribution: CID.decode(bytes.slice(at, at + CONTRIBUTION_BYTES)),
      firstRow: view.getUint32(at + CONTRIBUTION_BYTES),
      rows: view.getUint32(at + CONTRIBUTION_BYTES + 4)
    }
  } catch (cause) {
    throw new SpanIndexError('expected the CID of a contribution in a part of a span index', { cause })
  }
}
