import { InvalidHexError } from './errors.ts'

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lexicographic order of bytes, the shorter first if one is a prefix of the other. Negative, 0 or positive. */
export function compareBytes (a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)

  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) {
      return a[i] - b[i]
    }
  }

  return a.length - b.length
}

export function equalBytes (a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0
}

export function concatBytes (...parts: Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let offset = 0

  for (const part of parts) {
    result.set(part, offset)
    offset += part.length
  }

  return result
}

/** Lower-case hexadecimal digits. */
export function toHex (bytes: Uint8Array): string {
  let text = ''

  for (const byte of bytes) {
    text += HEX[byte]
  }

  return text
}

/**
 * Bytes of lower-case hexadecimal digits; upper case is refused, so that one value has one text.
 * `length` is in bytes, if it must be a certain one.
 *
 * @throws {InvalidHexError}
 */
export function fromHex (text: string, length?: number): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/.test(text) || (length !== undefined && text.length !== 2 * length)) {
    throw new InvalidHexError(length === undefined ? 'pairs of digits 0-9 a-f' : `${2 * length} digits 0-9 a-f`, JSON.stringify(text.slice(0, 80)))
  }

  return Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16))
}

/** UTF-8. */
export function utf8 (text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
