import type { Finish } from './interface.ts'
import type { Tokenizer } from '../models/index.ts'

/** Makes text of tokens as they come. */
export interface TextStream {
  /** whether a stop text came; what comes after it is not looked at */
  readonly stopped: boolean
  /**
   * @returns what is certain now: neither half a character nor what may become a stop text
   */
  push (token: number): string
  /** What was held back. */
  end (): string
}

/**
 * @param tokenizer - of the model that makes the tokens
 * @param stop - texts that end the answer and are not part of it
 */
export function textStream (tokenizer: Tokenizer, stop: readonly string[] = []): TextStream {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let held = ''
  let stopped = false

  const release = (text: string, isLast: boolean): string => {
    held += text

    const first = firstStop(held, stop)

    stopped = first !== undefined

    const certain = first ?? held.length - (isLast ? 0 : possibleStop(held, stop))
    const released = held.slice(0, certain)

    held = stopped ? '' : held.slice(certain)

    return released
  }

  return {
    get stopped () {
      return stopped
    },
    push: token => stopped ? '' : release(decoder.decode(tokenizer.tokenBytes(token), { stream: true }), false),
    end: () => stopped ? '' : release(decoder.decode(), true)
  }
}

/** Where the stop text begins that is complete first, whatever tokens it comes in. */
function firstStop (text: string, stop: readonly string[]): number | undefined {
  const found = stop
    .map(one => ({ at: text.indexOf(one), length: one.length }))
    .filter(({ at }) => at >= 0)
    .toSorted((a, b) => a.at + a.length - b.at - b.length || a.at - b.at)

  return found[0]?.at
}

/** How many characters at the end of a text may be the beginning of a stop text. */
function possibleStop (text: string, stop: readonly string[]): number {
  const lengths = stop.flatMap(one => Array.from({ length: Math.min(one.length - 1, text.length) }, (_, i) => i + 1).filter(length => text.endsWith(one.slice(0, length))))

  return Math.max(0, ...lengths)
}

/**
 * The text of a whole answer, and why it ended.
 *
 * @returns `finish` is undefined if nothing ended it: its payer went away
 */
export function readAnswer (tokenizer: Tokenizer, output: readonly number[], { maxTokens, stop }: { maxTokens: number, stop?: readonly string[] }): { text: string, finish: Finish | undefined } {
  const stream = textStream(tokenizer, stop)
  const text = output.map(token => stream.push(token)).join('') + stream.end()

  if (stream.stopped || output.at(-1) === tokenizer.eos) {
    return { text, finish: 'stop' }
  }

  return { text, finish: output.length >= maxTokens ? 'length' : undefined }
}
