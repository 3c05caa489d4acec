import { Tokenizer as Library } from '@huggingface/tokenizers'
import { toError } from '../utils/index.ts'
import { BYTE_TO_CHARACTER, fromAlphabet } from './byte-alphabet.ts'
import { MERGES_MAX, PATTERN_CHARACTERS_MAX, PIECE_BYTES_MAX, TEXT_CHARACTERS_MAX, VOCABULARY_MAX } from './constants.ts'
import { TokenizerError } from './errors.ts'
import { bytesTokenizer } from './token-bytes.ts'
import { exactCuts } from './tokenizer-cuts.ts'
import { jsonList, jsonObject, parseTokenizerJson } from './tokenizer-json.ts'
import { checkPatterns } from './tokenizer-patterns.ts'
import { readUnigram, unigramParts } from './unigram.ts'
import type { SpecialTokens, Tokenizer } from './interface.ts'
import type { Json } from './tokenizer-json.ts'

interface AddedToken {
  id: number
  content: string
  special: boolean
}

/**
 * A tokenizer from Hugging Face's tokenizer.json of BPE, byte-level or with byte fallback as the
 * Llama family has it, or of Unigram. Text is cut and merged by `@huggingface/tokenizers`; what tokens decode to
 * is our own table. Special tokens are taken away from the library, so that no text becomes one: those
 * that the file calls so, those that begin and end texts, and those that look like what guides a chat.
 *
 * Patterns with `\p{…}` follow the Unicode tables of the engine that runs: characters that a
 * newer Unicode version assigned may be cut differently by an older engine.
 *
 * @param bytes - tokenizer.json
 * @param special - the ids that begin and end texts
 * @param size - of the model's vocabulary, at least the number of tokens
 * @throws {TokenizerError} if it is malformed, too large or of another kind
 */
export function huggingFaceTokenizer (bytes: Uint8Array, special: SpecialTokens, size: number): Tokenizer {
  const root = parseTokenizerJson(bytes)
  const model = jsonObject(root.model, 'model')
  if (model.type !== 'BPE' && model.type !== 'Unigram') {
    throw new TokenizerError(`expected a model of type BPE or Unigram but got ${JSON.stringify(model.type)}: we do not have that kind`)
  }
  const ends = new Set([special.bos, special.eos, ...special.stop])
  const added = addedTokens(root.added_tokens ?? [], ends)
  const named = new Map([...textsOf(model.vocab, ends), ...added.filter(token => token.special).map(({ content, id }): [string, number] => [content, id])])
  const unigram = model.type === 'Unigram' ? readUnigram({ model, normalizer: root.normalizer, special: new Set(named.keys()) }) : undefined
  const vocab = unigram?.vocab ?? jsonObject(model.vocab, 'model.vocab')
  checkBounds(vocab, unigram == null ? model.merges : [], added, root.pre_tokenizer)
  checkPatterns([root.normalizer, root.pre_tokenizer, root.decoder])
  const plain = new Map(added.filter(token => !token.special).map(({ content, id }) => [content, id]))
  const unknown = unigram == null ? unknownText(model) : unigram.unknown
  if (unigram == null) {
    checkComplete({ ...model, vocab }, root.decoder, unknown, named)
  }
  const library = build({
    ...root,
    pre_tokenizer: exactCuts(root.pre_tokenizer),
    post_processor: null,
    added_tokens: jsonList(root.added_tokens ?? [], 'added_tokens').filter((_, index) => !added[index].special),
    model: unigram?.libraryModel ?? { ...model, vocab: Object.fromEntries(Object.entries(vocab).filter(([text]) => text === unknown || !named.has(text))) }
  })
  const { tokens, dropsFirstSpace } = decodedTokens(vocab, added, root.decoder, size)
  if (unknown != null) {
    named.delete(unknown)
  }
  return bytesTokenizer({
    tokens,
    size,
    special,
    named,
    dropsFirstSpace,
    encode (text) {
      if (text.length > TEXT_CHARACTERS_MAX) {
        throw new TokenizerError(`expected a text of at most ${TEXT_CHARACTERS_MAX} characters but got ${text.length}: encode it in parts`)
      }
      return (unigram == null ? [text] : unigramParts(text)).flatMap(part => {
        if (part === '') {
          return []
        }
        const { ids, tokens }: { ids: Array<number | undefined>, tokens: string[] } = library.encode(part, { add_special_tokens: false })
        return unigram?.idsOf(tokens, plain) ?? ids.map(id => {
          if (id == null) {
            throw new TokenizerError('expected every character to have a token but one has none: this tokenizer has neither bytes nor an unknown token')
          }
          return id
        })
      })
    }
  })
}

function unknownText ({ unk_token: text }: Json): string | undefined {
  return typeof text === 'string' ? text : undefined
}

function build (json: Json): Library {
  try {
    return new Library(json, {})
  } catch (cause) {
    throw new TokenizerError(`expected a tokenizer that @huggingface/tokenizers loads but it says: ${toError(cause).message}`, { cause })
  }
}

/** Some files forget to call these special, DeepSeek's turns of a chat among them; llama.cpp takes them for such too. */
const LOOKS_SPECIAL = /^(<\|.*\|>|<｜.*｜>)$/s

/** The texts of some ids in a vocabulary of BPE, by text, or of Unigram, by id. */
function textsOf (vocab: unknown, ids: ReadonlySet<number>): Array<[text: string, id: number]> {
  const texts = Array.isArray(vocab)
    ? [...ids].map((id): [unknown, unknown] => [Array.isArray(vocab[id]) ? vocab[id][0] : undefined, id])
    : Object.entries(jsonObject(vocab, 'model.vocab'))
  return texts.filter((pair): pair is [string, number] => typeof pair[0] === 'string' && typeof pair[1] === 'number' && ids.has(pair[1]))
}

function addedTokens (value: unknown, ends: ReadonlySet<number>): AddedToken[] {
  return jsonList(value, 'added_tokens').map((one, index) => {
    const { id, content, special } = jsonObject(one, `added token ${index}`)
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || typeof content !== 'string' || content === '') {
      throw new TokenizerError(`expected added token ${index} to have an id and a text`)
    }
    return { id, content, special: special === true || ends.has(id) || LOOKS_SPECIAL.test(content) }
  })
}

function checkBounds (vocab: Json, merges: unknown, added: AddedToken[], preTokenizer: unknown): void {
  const count = Object.keys(vocab).length + added.length
  if (count > VOCABULARY_MAX + added.length || added.length > VOCABULARY_MAX || jsonList(merges, 'model.merges').length > MERGES_MAX) {
    throw new TokenizerError(`expected at most ${VOCABULARY_MAX} tokens and ${MERGES_MAX} merges but got ${count} tokens`)
  }
  const cut = JSON.stringify(preTokenizer ?? null)
  if (cut.length > PATTERN_CHARACTERS_MAX) {
    throw new TokenizerError(`expected a pre-tokenizer of at most ${PATTERN_CHARACTERS_MAX} characters but got ${cut.length}`)
  }
}

/** A text without tokens would stop everybody's training on the data that it is in: found here, not there. */
function checkComplete ({ vocab, byte_fallback: fallback }: Json, decoder: unknown, unknown: string | undefined, named: ReadonlyMap<string, number>): void {
  const texts = new Set(Object.keys(jsonObject(vocab, 'model.vocab')))
  const names = decoderKinds(decoder).includes('ByteLevel')
    ? BYTE_TO_CHARACTER
    : Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const missing = names.find(name => !texts.has(name) || named.has(name))
  if ((unknown == null || !texts.has(unknown)) && (missing !== undefined || (names !== BYTE_TO_CHARACTER && fallback !== true))) {
    throw new TokenizerError(`expected a token for each of the 256 bytes, or for what is unknown, but ${missing ?? 'byte_fallback'} is missing`)
  }
}

/** What each id adds to a text, by the kind of the decoder. */
function decodedTokens (vocab: Json, added: AddedToken[], decoder: unknown, size: number): { tokens: Uint8Array[], dropsFirstSpace: boolean } {
  const kinds = decoderKinds(decoder)
  const byteLevel = kinds.includes('ByteLevel')
  if (!byteLevel && !kinds.includes('ByteFallback') && !kinds.includes('Metaspace')) {
    throw new TokenizerError(`expected a decoder of bytes (ByteLevel, ByteFallback or Metaspace) but got ${kinds.join(', ') || 'none'}`)
  }
  const encoder = new TextEncoder()
  const tokens: Uint8Array[] = []
  const set = (id: unknown, text: string, bytes: Uint8Array | undefined): void => {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= size || bytes == null || text.length > PIECE_BYTES_MAX) {
      throw new TokenizerError(`expected ids below ${size} for texts of at most ${PIECE_BYTES_MAX} bytes but ${JSON.stringify(text.slice(0, 40))} has ${String(id)}`)
    }
    tokens[id] = bytes
  }
  for (const [text, id] of Object.entries(vocab)) {
    const raw = /^<0x([0-9A-F]{2})>$/.exec(text)
    if (byteLevel) {
      // a token that bytes cannot spell is an added one
      set(id, text, fromAlphabet(text) ?? encoder.encode(text))
    } else {
      set(id, text, raw == null ? encoder.encode(text.replaceAll('▁', ' ')) : Uint8Array.of(Number.parseInt(raw[1], 16)))
    }
  }
  for (const { id, content, special } of added) {
    set(id, content, special ? new Uint8Array(0) : encoder.encode(content))
  }
  return { tokens: Array.from({ length: Math.min(size, tokens.length) }, (_, id) => tokens[id] ?? new Uint8Array(0)), dropsFirstSpace: !byteLevel }
}

function decoderKinds (decoder: unknown): string[] {
  if (decoder == null) {
    return []
  }
  const { type, decoders } = jsonObject(decoder, 'decoder')
  return type === 'Sequence'
    ? jsonList(decoders, 'decoder.decoders').slice(0, 16).flatMap(one => String(jsonObject(one, 'a decoder').type))
    : [String(type)]
}
