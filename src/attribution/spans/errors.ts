import { DatanetError } from '../../utils/index.ts'

/** Rows, tokens or bytes that no index can be made of. */
export class SpanIndexError extends DatanetError {
  constructor (message: string, options?: { cause?: unknown, hint?: string }) {
    super('ERR_SPAN_INDEX', message, options)
  }
}
