import { AbortError } from 'abort-error'
import { raceSignal } from 'race-signal'
import { SourceError } from './errors.ts'
import type { AbortOptions } from '../interface/index.ts'

/**
 * Waits for the source no longer than `timeoutMs`, even if it ignores the signal.
 *
 * @throws {SourceError} if it fails or is late
 * @throws {AbortError} if the caller's signal fires
 */
export async function ask<T> (what: string, timeoutMs: number, options: AbortOptions, request: (options: AbortOptions) => Promise<T>): Promise<T> {
  options.signal?.throwIfAborted()
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])

  try {
    return await raceSignal(request({ signal }), signal)
  } catch (cause) {
    if (options.signal?.aborted === true) {
      throw new AbortError()
    }

    if (timeout.aborted) {
      throw new SourceError(`${what} within ${timeoutMs} ms`, cause)
    }

    throw new SourceError(what, cause)
  }
}
