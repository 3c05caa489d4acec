import { PROGRESS_ROWS } from './constants.ts'
import { ImportError } from './errors.ts'
import { importCsv } from './import-csv.ts'
import { importJsonl } from './import-jsonl.ts'
import { importParquet } from './import-parquet.ts'
import { importText } from './import-text.ts'
import type { ByteSource, FileAccess, ImportFormat, ImportOptions } from './import-interface.ts'
import type { Row } from '../interface/index.ts'

const open = (format: ImportFormat, source: ByteSource | FileAccess, options: ImportOptions, onBytes: (bytes: number) => void, onSkipped: () => void): AsyncGenerator<Row> => {
  if (format === 'parquet') {
    return importParquet(source, options, onBytes)
  }
  if (!(Symbol.asyncIterator in source) && !(Symbol.iterator in source)) {
    throw new ImportError('ERR_IMPORT_SYNTAX', {}, `expected a stream of bytes for ${format}: only parquet is read by random access`)
  }
  switch (format) {
    case 'jsonl': return importJsonl(source, options, onBytes)
    case 'csv': return importCsv(source, options, onBytes)
    default: return importText(source, options, onBytes, onSkipped)
  }
}

/**
 * Rows out of a file, as a stream: one row (parquet: one row group) is in memory at a time.
 *
 * The source is chunks of the file's bytes; for parquet it may be random access to it.
 *
 * @throws {ImportError} at the first row that is wrong, with line or row, field, what was expected and what came
 *
 * @example
 * ```ts
 * for await (const row of importRows('csv', createReadStream('speeches.csv'), { manifest })) {
 *   console.info(row.text)
 * }
 * ```
 */
export async function * importRows (format: ImportFormat, source: ByteSource | FileAccess, options: ImportOptions): AsyncGenerator<Row> {
  let rows = 0
  let skipped = 0
  let bytes = 0
  const report = (): void => { options.onProgress?.({ type: 'datanets:import:progress', rows, skipped, bytes }) }

  for await (const row of open(format, source, options, more => { bytes += more }, () => { skipped++ })) {
    options.signal?.throwIfAborted()
    rows++
    yield row
    if (rows % PROGRESS_ROWS === 0) {
      report()
    }
  }
  if (rows === 0) {
    throw new ImportError('ERR_IMPORT_EMPTY', {}, `expected at least one row in the ${format} source, got none${skipped > 0 ? ` (${skipped} paragraphs were too short)` : ''}`)
  }
  report()
}
