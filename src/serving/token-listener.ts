import { BadReceiptError } from './errors.ts'
import type { StreamOptions } from './interface.ts'

/** Remembers what a payer was told while its answer was made, and holds the answer to it. */
export interface TokenListener {
  /** tokens told so far */
  readonly count: number
  /** for whoever brings the tokens; without a listener there is nothing to tell */
  readonly options: StreamOptions
  /** @throws {BadReceiptError} if the answer does not begin with what was told */
  checkBegins (output: number[]): void
  /** Tells what was not told yet. */
  rest (output: number[]): void
}

export function tokenListener ({ signal, onTokens }: StreamOptions = {}): TokenListener {
  const told: number[] = []

  const tell = (tokens: number[]): void => {
    told.push(...tokens)
    onTokens?.(tokens)
  }

  return {
    get count () {
      return told.length
    },
    options: onTokens == null ? { signal } : { signal, onTokens: tell },
    checkBegins (output) {
      const at = told.findIndex((token, i) => output[i] !== token)

      if (at >= 0) {
        throw new BadReceiptError(`the gateway sent token ${told[at]} at ${at} while it answered, but its answer has ${output[at] ?? 'none'} there`)
      }
    },
    rest (output) {
      if (told.length < output.length) {
        tell(output.slice(told.length))
      }
    }
  }
}
