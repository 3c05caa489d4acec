import { PIECE_BYTES_MAX, UNIGRAM_CHARACTERS_MAX, VOCABULARY_MAX } from './constants.ts'
import { TokenizerError } from './errors.ts'
import { jsonList } from './tokenizer-json.ts'
import type { Json } from './tokenizer-json.ts'

/** A Unigram model of tokenizer.json, as far as encoding goes beyond what the library does. */
export interface Unigram {
  /** ids by text */
  vocab: Record<string, number>
  /** the text of the unknown token, if there is one */
  unknown?: string
  /** The model for the library: what text must never become is spelled so that no text matches it. */
  libraryModel: Json
  /** Ids of what the library cut a text into; a piece without an id becomes its bytes, or unknown. */
  idsOf (pieces: string[], added: ReadonlyMap<string, number>): number[]
}

/**
 * Reads a Unigram vocabulary (Kudo 2018): of all ways to cut a word the one whose pieces' scores have
 * the largest sum, in f64 from left to right, and of equals the one with the longest last piece. As
 * SentencePiece has it, bytes are what is left, never what `<0x41>` in a text means.
 *
 * @throws {TokenizerError} if it is malformed, or normalised by a compiled table, which the library only imitates
 */
export function readUnigram ({ model, normalizer, special }: { model: Json, normalizer: unknown, special: ReadonlySet<string> }): Unigram {
  if (JSON.stringify(normalizer ?? null).includes('"Precompiled"')) {
    throw new TokenizerError('expected a Unigram tokenizer without a normalizer of type Precompiled: we do not have that table')
  }
  const pieces = jsonList(model.vocab, 'model.vocab')
  if (pieces.length > VOCABULARY_MAX) {
    throw new TokenizerError(`expected at most ${VOCABULARY_MAX} tokens but got ${pieces.length}`)
  }
  const vocab = new Map<string, number>()
  const scores = new Float64Array(pieces.length)
  pieces.forEach((piece, id) => {
    const [text, score] = jsonList(piece, `token ${id}`)
    if (typeof text !== 'string' || text === '' || text.length > PIECE_BYTES_MAX || vocab.has(text) || typeof score !== 'number' || !Number.isFinite(score)) {
      throw new TokenizerError(`expected token ${id} to be a text of its own of at most ${PIECE_BYTES_MAX} characters, with a score`)
    }
    vocab.set(text, id)
    scores[id] = score
  })
  const unknownId = unknownOf(model.unk_id, pieces.length)
  const unknown = [...vocab.keys()].find(text => vocab.get(text) === unknownId)
  const reserved = (text: string): boolean => text === unknown || special.has(text) || BYTE.test(text)
  const bytes = bytesOf(vocab, model.byte_fallback === true)
  if (bytes == null && unknownId == null) {
    throw new TokenizerError('expected an unknown token, or byte_fallback with a token for each of the 256 bytes')
  }
  return {
    vocab: Object.fromEntries(vocab),
    ...(unknown == null ? {} : { unknown }),
    // half of a pair is in no well-formed text
    libraryModel: { ...model, vocab: [...vocab].map(([text, id]) => [reserved(text) ? `\uD800${id}` : text, scores[id]]) },
    idsOf (cut, added) {
      return cut.flatMap(text => {
        const known = added.get(text) ?? (reserved(text) ? undefined : vocab.get(text))
        return known ?? (bytes == null ? [unknownId ?? 0] : [...new TextEncoder().encode(text)].map(byte => bytes[byte]))
      })
    }
  }
}

/**
 * A text in parts that are weighed each by itself: before the last space that lies in the first
 * UNIGRAM_CHARACTERS_MAX characters, or after these where there is none, but in no surrogate pair. A
 * row as long as a shard takes must not stop a training for everybody.
 */
export function unigramParts (text: string): string[] {
  const parts: string[] = []
  let rest = text
  while (rest.length > UNIGRAM_CHARACTERS_MAX) {
    const space = rest.slice(0, UNIGRAM_CHARACTERS_MAX).lastIndexOf(' ')
    const code = rest.charCodeAt(UNIGRAM_CHARACTERS_MAX - 1)
    const end = UNIGRAM_CHARACTERS_MAX - (code >= 0xD800 && code <= 0xDBFF ? 1 : 0)
    const at = space > 0 ? space : end
    parts.push(rest.slice(0, at))
    rest = rest.slice(at)
  }
  return [...parts, rest]
}

const BYTE = /^<0x[0-9A-F]{2}>$/

function unknownOf (id: unknown, count: number): number | undefined {
  if (id == null) {
    return undefined
  }
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= count) {
    throw new TokenizerError(`expected model.unk_id to be an id below ${count} but got ${String(id)}`)
  }
  return id
}

/** The id of each byte; undefined if unknown characters do not become bytes, or one of them has no token. */
function bytesOf (vocab: ReadonlyMap<string, number>, fallback: boolean): number[] | undefined {
  const ids = Array.from({ length: 256 }, (_, byte) => vocab.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`) ?? -1)
  return fallback && !ids.includes(-1) ? ids : undefined
}
