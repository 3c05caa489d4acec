import { JSON_DEPTH_MAX } from './constants.ts'

/** JSON of strangers. */
export interface ParsedJson {
  value: unknown
  /** of the outermost object as the text has them: `JSON.parse` keeps the last of equal ones */
  keys: string[]
}

/**
 * Parses JSON in UTF-8 that is nested no deeper than configurations are: whatever walks the value
 * afterwards, `JSON.stringify` for a message included, must not run out of stack.
 *
 * @param bytes - bounded by the caller
 * @param fail - makes the error that is thrown, of what was found
 */
export function parseJson (bytes: Uint8Array, fail: (found: string, cause?: unknown) => Error): ParsedJson {
  const scanned = scan(bytes)
  if (scanned == null) {
    throw fail(`it is nested deeper than ${JSON_DEPTH_MAX} levels`)
  }
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    const value: unknown = JSON.parse(decoder.decode(bytes))
    return { value, keys: scanned.map(({ from, to }) => String(JSON.parse(decoder.decode(bytes.subarray(from, to))))) }
  } catch (cause) {
    throw fail('it is not', cause)
  }
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
/** `[` and `{` differ in this bit alone, as `]` and `}` do. */
const CURLY = 0x20
const OPENING = 0x7b
const CLOSING = 0x7d

interface Range { from: number, to: number }

/** Where the outermost keys lie; undefined if it is nested too deep. Says nothing of what is no JSON. */
function scan (bytes: Uint8Array): Range[] | undefined {
  const keys: Range[] = []
  let depth = 0
  let last: Range = { from: 0, to: 0 }
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      const from = at
      at = stringEnd(bytes, at)
      last = { from, to: at + 1 }
    } else if (byte === COLON && depth === 1) {
      keys.push(last)
    } else if ((byte | CURLY) === OPENING && ++depth > JSON_DEPTH_MAX) {
      return undefined
    } else if ((byte | CURLY) === CLOSING) {
      depth--
    }
  }
  return keys
}

/** Of a string's last quote, or the end. */
function stringEnd (bytes: Uint8Array, quote: number): number {
  let at = quote + 1
  while (at < bytes.length && bytes[at] !== QUOTE) {
    at += bytes[at] === BACKSLASH ? 2 : 1
  }
  return at
}
