import { ImportError } from './errors.ts'
import { toRow } from './import-row.ts'
import { lines } from './lines.ts'
import type { ByteSource, ImportOptions } from './import-interface.ts'
import type { Row } from '../interface/index.ts'

/** One JSON object a line; empty lines are skipped. */
export async function * importJsonl (source: ByteSource, options: ImportOptions, onBytes: (bytes: number) => void): AsyncGenerator<Row> {
  for await (const { text, line } of lines(source, onBytes)) {
    if (text.trim() === '') {
      continue
    }
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw new ImportError('ERR_IMPORT_SYNTAX', { line }, `expected one JSON object in a line, got ${text.slice(0, 40)}`, cause)
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ImportError('ERR_IMPORT_SYNTAX', { line }, `expected a JSON object, got ${text.slice(0, 40)}`)
    }
    yield toRow({ ...value }, options, { line })
  }
}
