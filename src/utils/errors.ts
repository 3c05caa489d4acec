/**
 * The base of every error that a caller can act on.
 *
 * Messages say what was expected, what came and what to do. `code` is stable; match on it,
 * never on the message.
 *
 * @example
 * ```ts
 * class ShardTooLargeError extends DatanetError {
 *   constructor (bytes: number) {
 *     super('ERR_SHARD_TOO_LARGE', `a shard holds at most 1,048,576 bytes but this one has ${bytes}: split it`)
 *   }
 * }
 * ```
 */
export class DatanetError extends Error {
  readonly code: string
  /** what the reader can do about it */
  readonly hint?: string

  constructor (code: string, message: string, options: { cause?: unknown, hint?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.hint = options.hint
  }
}

/** What was thrown, as an error: JavaScript throws anything. */
export function toError (thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new TypeError(String(thrown))
}
