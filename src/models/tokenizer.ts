import { BYTE_TO_CHARACTER, fromAlphabet, toAlphabet } from './byte-alphabet.ts'
import { VOCABULARY_MAX } from './constants.ts'
import { TokenizerError } from './errors.ts'
import { RUN_PATTERN, runsOf } from './pre-tokenise.ts'
import { textOf } from './token-bytes.ts'
import { bpeFile, jsonList, jsonObject, parseTokenizerJson } from './tokenizer-json.ts'
import type { Tokenizer } from './interface.ts'

export const BOS = '<|bos|>'
export const EOS = '<|eos|>'

/** Words that were merged before; a bound because texts come from strangers. */
const CACHE_RUNS_MAX = 32_768

/** A byte-level BPE: ids 0 and 1 are BOS and EOS, then 256 bytes, then one token per merge. */
export interface BpeModel {
  /** bytes of each id; empty for special tokens */
  tokens: Uint8Array[]
  bos: number
  eos: number
  /** pairs of ids in order of priority, with the id that they become */
  merges: Array<{ left: number, right: number, id: number }>
}

/**
 * Reads a Hugging Face tokenizer.json of the kind that `writeTokenizer` writes: BPE on bytes,
 * runs cut by our own pattern, special tokens `<|bos|>` and `<|eos|>`.
 *
 * @throws {TokenizerError} if it is malformed or of another kind
 */
export function parseTokenizer (bytes: Uint8Array): Tokenizer {
  const root = parseTokenizerJson(bytes)
  if (JSON.stringify(root.pre_tokenizer) !== JSON.stringify(PRE_TOKENIZER)) {
    throw new TokenizerError('expected the pre-tokenizer that datanet writes but this tokenizer cuts text differently: use one made by trainTokenizer')
  }
  const model = jsonObject(root.model, 'model')
  const special = new Map(jsonList(root.added_tokens, 'added_tokens').map(added => {
    const { content, id } = jsonObject(added, 'an added token')
    return [content, id]
  }))
  const bos = special.get(BOS)
  const eos = special.get(EOS)
  if (model.type !== 'BPE' || special.size !== 2 || typeof bos !== 'number' || typeof eos !== 'number') {
    throw new TokenizerError(`expected a BPE model whose added tokens are ${BOS} and ${EOS}`)
  }
  const { ids, tokens } = parseVocabulary(jsonObject(model.vocab, 'model.vocab'), bos, eos)
  return tokenizer({ tokens, bos, eos, merges: parseMerges(jsonList(model.merges, 'model.merges'), ids, tokens) })
}

/** Writes a tokenizer.json that Hugging Face's tokenizers load too; the same model gives the same bytes. */
export function writeTokenizer (model: BpeModel): Uint8Array {
  const special = new Map([[model.bos, BOS], [model.eos, EOS]])
  const name = (id: number): string => special.get(id) ?? toAlphabet(model.tokens[id])
  const json = bpeFile({
    added: [model.bos, model.eos].map(id => ({ id, content: name(id), special: true })),
    normalizer: null,
    preTokenizer: PRE_TOKENIZER,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    ignoreMerges: false,
    vocab: Object.fromEntries(model.tokens.map((_, id) => [name(id), id])),
    merges: model.merges.map(({ left, right }) => `${name(left)} ${name(right)}`)
  })

  return new TextEncoder().encode(`${JSON.stringify(json, null, 1)}\n`)
}

/** A tokenizer from its model; see `parseTokenizer` and `trainTokenizer`. */
export function tokenizer (model: BpeModel): Tokenizer {
  const { tokens, bos, eos } = model
  const byteIds = byteIdsOf(tokens)
  const ranks = new Map(model.merges.map(({ left, right, id }, rank) => [left * tokens.length + right, { rank, id }]))
  const cache = new Map<string, number[]>()
  const encoder = new TextEncoder()

  function encodeRun (run: string): number[] {
    const known = cache.get(run)
    if (known != null) {
      return known
    }
    const ids = merge([...encoder.encode(run)].map(byte => byteIds[byte]), ranks, tokens.length)
    if (cache.size < CACHE_RUNS_MAX) {
      cache.set(run, ids)
    }
    return ids
  }
  function tokenBytes (id: number): Uint8Array {
    if (tokens[id] == null) {
      throw new TokenizerError(`expected a token id below ${tokens.length} but got ${id}`)
    }
    return tokens[id]
  }
  const decode = (ids: ArrayLike<number>): string => textOf(Array.from(ids, tokenBytes))

  return {
    size: tokens.length,
    bos,
    eos,
    stop: [eos],
    special: new Map([[BOS, bos], [EOS, eos]]),
    encode (text) {
      const ids: number[] = []
      for (const run of runsOf(text)) {
        for (const id of encodeRun(run)) {
          ids.push(id)
        }
      }
      return Uint32Array.from(ids)
    },
    decode,
    tokenText: id => decode([id]),
    tokenBytes
  }
}

const PRE_TOKENIZER = {
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: RUN_PATTERN }, behavior: 'Isolated', invert: false },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
  ]
}

/** Applies the merge of highest priority, leftmost first, until none applies. Runs are short: see RUN_CODEPOINTS_MAX. */
function merge (ids: number[], ranks: Map<number, { rank: number, id: number }>, size: number): number[] {
  for (;;) {
    let best = Infinity
    let merged = 0
    for (let i = 0; i + 1 < ids.length; i++) {
      const pair = ranks.get(ids[i] * size + ids[i + 1])
      if (pair != null && pair.rank < best) {
        best = pair.rank
        merged = pair.id
      }
    }
    if (best === Infinity) {
      return ids
    }
    const next: number[] = []
    for (let i = 0; i < ids.length; i++) {
      if (i + 1 < ids.length && ranks.get(ids[i] * size + ids[i + 1])?.rank === best) {
        next.push(merged)
        i++
      } else {
        next.push(ids[i])
      }
    }
    ids = next
  }
}

function byteIdsOf (tokens: Uint8Array[]): Uint32Array {
  const ids = new Uint32Array(256).fill(tokens.length)
  tokens.forEach((bytes, id) => {
    if (bytes.length === 1) {
      ids[bytes[0]] = id
    }
  })
  const missing = ids.indexOf(tokens.length)
  if (missing !== -1) {
    throw new TokenizerError(`expected a token for each of the 256 bytes but ${BYTE_TO_CHARACTER[missing]} is missing`)
  }
  return ids
}

function parseVocabulary (vocab: Record<string, unknown>, bos: number, eos: number): { ids: Map<string, number>, tokens: Uint8Array[] } {
  const entries = Object.entries(vocab)
  if (entries.length > VOCABULARY_MAX) {
    throw new TokenizerError(`expected at most ${VOCABULARY_MAX} tokens but got ${entries.length}`)
  }
  const ids = new Map<string, number>()
  const tokens: Uint8Array[] = new Array<Uint8Array>(entries.length)
  for (const [name, id] of entries) {
    const bytes = id === bos || id === eos ? new Uint8Array(0) : fromAlphabet(name)
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= entries.length || tokens[id] != null || bytes == null) {
      throw new TokenizerError(`expected ids 0 … ${entries.length - 1}, each once, for byte-level tokens but ${JSON.stringify(name)} has ${String(id)}`)
    }
    tokens[id] = bytes
    ids.set(name, id)
  }
  if (ids.get(BOS) !== bos || ids.get(EOS) !== eos || bos === eos) {
    throw new TokenizerError(`expected ${BOS} and ${EOS} in the vocabulary under the ids of the added tokens`)
  }
  return { ids, tokens }
}

function parseMerges (merges: unknown[], ids: Map<string, number>, tokens: Uint8Array[]): BpeModel['merges'] {
  if (merges.length > tokens.length) {
    throw new TokenizerError(`expected at most ${tokens.length} merges but got ${merges.length}`)
  }
  return merges.map((entry, index) => {
    // both spellings exist: "a b" before tokenizers 0.20, ["a", "b"] since
    const [first, second, ...rest]: unknown[] = typeof entry === 'string' ? entry.split(' ') : jsonList(entry, `merge ${index}`)
    const left = typeof first === 'string' ? ids.get(first) : undefined
    const right = typeof second === 'string' ? ids.get(second) : undefined
    const id = ids.get(`${String(first)}${String(second)}`)
    if (left === undefined || right === undefined || id === undefined || rest.length > 0 || tokens[left].length === 0 || tokens[right].length === 0) {
      throw new TokenizerError(`expected merge ${index} to join two tokens into a third but it is ${JSON.stringify(entry)}`)
    }
    return { left, right, id }
  })
}
