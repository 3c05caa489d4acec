import { ROW_BYTES_MAX } from './constants.ts'
import { ImportError } from './errors.ts'
import type { ByteSource } from './import-interface.ts'

export interface Line {
  text: string
  /** from 1 */
  line: number
}

const NEWLINE = 0x0a

/**
 * Lines of UTF-8 text, without their ends. Holds one line in memory, of at most `bytesMax` bytes.
 *
 * @throws {ImportError} ERR_IMPORT_TOO_LARGE, ERR_IMPORT_ENCODING
 */
export async function * lines (source: ByteSource, onBytes: (bytes: number) => void, bytesMax = ROW_BYTES_MAX): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let parts: Uint8Array[] = []
  let held = 0
  let line = 0

  const take = (part: Uint8Array): Line => {
    line++
    const bytes = new Uint8Array(held + part.byteLength)
    let at = 0
    for (const piece of [...parts, part]) {
      bytes.set(piece, at)
      at += piece.byteLength
    }
    parts = []
    held = 0
    try {
      const text = decoder.decode(bytes)
      return { line, text: text.endsWith('\r') ? text.slice(0, -1) : text }
    } catch (cause) {
      throw new ImportError('ERR_IMPORT_ENCODING', { line }, 'expected UTF-8 text: convert the file first', cause)
    }
  }
  const bounded = (bytes: number): void => {
    if (bytes > bytesMax) {
      throw new ImportError('ERR_IMPORT_TOO_LARGE', { line: line + 1 }, `expected a line of at most ${bytesMax} bytes, got ${bytes} or more`)
    }
  }

  for await (const chunk of source) {
    onBytes(chunk.byteLength)
    let from = 0
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
      bounded(held + to - from)
      yield take(chunk.subarray(from, to))
      from = to + 1
    }
    if (from < chunk.byteLength) {
      bounded(held + chunk.byteLength - from)
      // a copy, since the source may use its buffer again
      parts.push(chunk.slice(from))
      held += chunk.byteLength - from
    }
  }
  if (held > 0) {
    yield take(new Uint8Array(0))
  }
}
