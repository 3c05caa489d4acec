import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { toError } from '../utils/index.ts'
import { PARQUET_BYTES_MAX, PARQUET_ROW_GROUP_BYTES_MAX } from './constants.ts'
import { ImportError } from './errors.ts'
import { toRow } from './import-row.ts'
import type { ByteSource, FileAccess, ImportOptions } from './import-interface.ts'
import type { Row } from '../interface/index.ts'
import type { Compressors, FileMetaData } from 'hyparquet'

// snappy is hyparquet's own; an output larger than announced is a bomb
const compressors: Compressors = {
  GZIP: (input, outputLength) => gunzipSync(input, { maxOutputLength: outputLength }),
  BROTLI: (input, outputLength) => brotliDecompressSync(input, { maxOutputLength: outputLength }),
  ZSTD: (input, outputLength) => zstdDecompressSync(input, { maxOutputLength: outputLength })
}

async function inMemory (source: ByteSource): Promise<FileAccess> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.byteLength
    if (bytes > PARQUET_BYTES_MAX) {
      throw new ImportError('ERR_IMPORT_TOO_LARGE', {}, `expected a parquet file of at most ${PARQUET_BYTES_MAX} bytes: open it as a file instead of a stream`)
    }
    parts.push(chunk.slice())
  }
  const { buffer } = new Uint8Array(await new Blob(parts as Array<Uint8Array<ArrayBuffer>>).arrayBuffer())
  return { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) }
}

async function readMetadata (file: FileAccess): Promise<FileMetaData> {
  try {
    return await parquetMetadataAsync(file)
  } catch (cause) {
    throw new ImportError('ERR_IMPORT_SYNTAX', {}, `expected a parquet file: ${toError(cause).message}`, cause)
  }
}

/** A parquet file, one row group in memory at a time; only the manifest's columns are read. */
export async function * importParquet (source: ByteSource | FileAccess, options: ImportOptions, onBytes: (bytes: number) => void): AsyncGenerator<Row> {
  const file = 'byteLength' in source && 'slice' in source && !(Symbol.iterator in source) ? source : await inMemory(source as ByteSource)
  const metadata = await readMetadata(file)
  const present = new Set(metadata.schema.map(element => element.name))
  const columns = options.manifest.fields.map(field => field.name).filter(name => present.has(name))
  let row = 0
  for (const group of metadata.row_groups) {
    if (group.total_byte_size > BigInt(PARQUET_ROW_GROUP_BYTES_MAX)) {
      throw new ImportError('ERR_IMPORT_TOO_LARGE', { row: row + 1 }, `expected row groups of at most ${PARQUET_ROW_GROUP_BYTES_MAX} bytes, got ${group.total_byte_size}`)
    }
    options.signal?.throwIfAborted()
    const rowEnd = row + Number(group.num_rows)
    let records: Array<Record<string, unknown>>
    try {
      records = await parquetReadObjects({ file, metadata, columns, rowStart: row, rowEnd, compressors })
    } catch (cause) {
      throw new ImportError('ERR_IMPORT_SYNTAX', { row: row + 1 }, `the row group cannot be read: ${toError(cause).message}`, cause)
    }
    onBytes(Number(group.total_byte_size))
    for (const record of records) {
      row++
      yield toRow(record, options, { row })
    }
  }
}
