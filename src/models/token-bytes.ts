import { TokenizerError } from './errors.ts'
import type { SpecialTokens, Tokenizer } from './interface.ts'

interface TokenTable {
  /** bytes of each id; empty for special tokens */
  tokens: Uint8Array[]
  /** of the model's vocabulary, which may be padded beyond the table */
  size: number
  special: SpecialTokens
  /** special tokens by their text */
  named: ReadonlyMap<string, number>
  encode (text: string): ArrayLike<number>
  dropsFirstSpace?: boolean
}

/** A tokenizer over a table of bytes: what decoding is, whatever encoding does. */
export function bytesTokenizer ({ tokens, size, special, named, encode, dropsFirstSpace = false }: TokenTable): Tokenizer {
  const { bos, eos } = special
  if (tokens.length > size || [bos, eos, ...special.stop].some(id => !Number.isInteger(id) || id < 0 || id >= size)) {
    throw new TokenizerError(`expected at most ${size} tokens and special ids below that but got ${tokens.length} tokens, bos ${bos}, eos ${eos} and stop ${special.stop.join(', ')}`)
  }
  const hidden = new Set([bos, eos, ...special.stop, ...named.values()])
  const empty = new Uint8Array(0)

  function tokenBytes (id: number): Uint8Array {
    if (!Number.isInteger(id) || id < 0 || id >= size) {
      throw new TokenizerError(`expected a token id below ${size} but got ${id}`)
    }
    return hidden.has(id) ? empty : tokens[id] ?? empty
  }
  function decode (ids: ArrayLike<number>): string {
    const text = textOf(Array.from(ids, tokenBytes))

    return dropsFirstSpace && ids[0] === bos && text.startsWith(' ') ? text.slice(1) : text
  }
  return {
    size,
    bos,
    eos,
    stop: [...new Set([eos, ...special.stop])].sort((a, b) => a - b),
    special: named,
    encode (text) {
      const ids = Uint32Array.from(Array.from(encode(text.toWellFormed())))
      const leaked = ids.find(id => hidden.has(id) || id >= size)
      if (leaked !== undefined) {
        throw new TokenizerError(`expected text to become no special token but it became ${leaked}: this tokenizer is not supported`)
      }
      return ids
    },
    decode,
    tokenText: id => decode([id]),
    tokenBytes
  }
}

/** The text of bytes in a row; what is no UTF-8 becomes replacement characters. */
export function textOf (parts: Uint8Array[]): string {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0

  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}
