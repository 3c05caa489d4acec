import { Readable, pipeline } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { ROW_BYTES_MAX } from './constants.ts'
import { ImportError } from './errors.ts'
import { toRow } from './import-row.ts'
import type { ByteSource, ImportOptions } from './import-interface.ts'
import type { Row } from '../interface/index.ts'

interface Parsed {
  info: { lines: number }
  record: Record<string, unknown>
}

async function * counted (source: ByteSource, onBytes: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    onBytes(chunk.byteLength)
    yield chunk
  }
}

const lineOf = (err: CsvError): number | undefined => {
  const line: unknown = (err as { lines?: unknown }).lines
  return typeof line === 'number' ? line : undefined
}

/** RFC 4180 with a header line; empty cells are absent, columns that the manifest lacks are left out. */
export async function * importCsv (source: ByteSource, options: ImportOptions, onBytes: (bytes: number) => void): AsyncGenerator<Row> {
  const parser = parse({ bom: true, columns: true, info: true, skip_empty_lines: true, max_record_size: ROW_BYTES_MAX })
  // errors of the source reach the loop below through the parser
  pipeline(Readable.from(counted(source, onBytes)), parser, () => {})
  try {
    for await (const { record, info } of parser as AsyncIterable<Parsed>) {
      yield toRow(record, options, { line: info.lines }, true)
    }
  } catch (cause) {
    if (cause instanceof CsvError) {
      const code = cause.code === 'CSV_MAX_RECORD_SIZE' ? 'ERR_IMPORT_TOO_LARGE' : 'ERR_IMPORT_SYNTAX'
      throw new ImportError(code, { line: lineOf(cause) }, cause.message, cause)
    }
    throw cause
  } finally {
    parser.destroy()
  }
}
