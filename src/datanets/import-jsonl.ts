import { pipe } from 'it-pipe'
import { ImportError } from './errors.ts'
import { toRow } from './import-row.ts'
import { lines } from './lines.ts'
import type { ByteSource, ImportOptions } from './import-interface.ts'
import type { Line } from './lines.ts'
import type { Row } from '../interface/index.ts'

/** One JSON object a line; empty lines are skipped. */
export function importJsonl (source: ByteSource, options: ImportOptions, onBytes: (bytes: number) => void): AsyncGenerator<Row> {
  return pipe(
    () => lines(source, onBytes),
    filled,
    objects => rows(objects, options)
  )
}

async function * filled (source: AsyncIterable<Line>): AsyncGenerator<Line> {
  for await (const line of source) {
    if (line.text.trim() !== '') {
      yield line
    }
  }
}

async function * rows (source: AsyncIterable<Line>, options: ImportOptions): AsyncGenerator<Row> {
  for await (const { text, line } of source) {
    yield toRow({ ...objectOf(text, line) }, options, { line })
  }
}

/** @throws {ImportError} with the line's number */
function objectOf (text: string, line: number): object {
  let value: unknown

  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ImportError('ERR_IMPORT_SYNTAX', { line }, `expected one JSON object in a line, got ${text.slice(0, 40)}`, cause)
  }

  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ImportError('ERR_IMPORT_SYNTAX', { line }, `expected a JSON object, got ${text.slice(0, 40)}`)
  }

  return value
}
