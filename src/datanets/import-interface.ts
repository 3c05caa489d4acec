import type { DatanetManifest, ProgressOptions, Row } from '../interface/index.ts'

export type ImportFormat = 'jsonl' | 'csv' | 'parquet' | 'text'

/** Random access to a file, e.g. `asyncBufferFromFile` of hyparquet. */
export interface FileAccess {
  byteLength: number
  slice (start: number, end?: number): ArrayBuffer | Promise<ArrayBuffer>
}

export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

export type ImportEvent =
  /** `rows` were yielded so far; `skipped` paragraphs were too short */
  { type: 'datanets:import:progress', rows: number, skipped: number, bytes: number }

export interface ImportOptions extends ProgressOptions<ImportEvent> {
  /** the fields to take; other columns are left out */
  manifest: Pick<DatanetManifest, 'fields' | 'textField'>
  /** values for fields that the source lacks, e.g. the year of a text */
  constants?: Row
  /**
   * Text only: shorter paragraphs are skipped.
   *
   * @default PARAGRAPH_CHARACTERS_MIN
   */
  charactersMin?: number
  /**
   * Text only: longer paragraphs are cut at the end of a sentence.
   *
   * @default PARAGRAPH_CHARACTERS_MAX
   */
  charactersMax?: number
}
