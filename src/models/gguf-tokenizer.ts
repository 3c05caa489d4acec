import { TokenizerError } from './errors.ts'
import { PIECE, writeSentencePiece } from './sentencepiece.ts'
import { bpeFile } from './tokenizer-json.ts'
import type { GgufHeader, GgufValue } from './gguf.ts'
import type { SpecialTokens } from './interface.ts'

/** A tokenizer out of a GGUF file, as a file of its own. */
export interface GgufTokenizer {
  kind: 'huggingface' | 'sentencepiece'
  /** tokenizer.json or tokenizer.model; the same header gives the same bytes */
  bytes: Uint8Array
  special: SpecialTokens
  /** Jinja */
  chatTemplate?: string
}

type Metadata = ReadonlyMap<string, GgufValue>

/**
 * The tokenizer of a GGUF file: SentencePiece's pieces become a tokenizer.model, byte-level BPE a
 * tokenizer.json.
 *
 * @throws {TokenizerError} for another kind, by name, or lists that do not fit each other
 */
export function ggufTokenizer ({ metadata }: GgufHeader): GgufTokenizer {
  const kind = metadata.get('tokenizer.ggml.model')
  const template = metadata.get('tokenizer.chat_template')
  const rest = { special: specialTokens(metadata), chatTemplate: typeof template === 'string' ? template : undefined }
  if (kind === 'llama') {
    return { kind: 'sentencepiece', bytes: sentencePiece(metadata), ...rest }
  }
  if (kind === 'gpt2') {
    return { kind: 'huggingface', bytes: tokenizerJson(metadata), ...rest }
  }
  throw new TokenizerError(`expected tokenizer.ggml.model to be llama or gpt2 but got ${JSON.stringify(kind)}`)
}

function specialTokens (metadata: Metadata): SpecialTokens {
  const id = (name: string): number | undefined => {
    const value = metadata.get(`tokenizer.ggml.${name}_token_id`)
    return typeof value === 'number' ? value : undefined
  }
  const eos = id('eos')
  if (eos == null) {
    throw new TokenizerError('expected tokenizer.ggml.eos_token_id but the file has none')
  }
  const stop = new Set([id('eot'), id('eom')].filter(one => one != null && one !== eos)) as Set<number>
  return { bos: id('bos') ?? eos, eos, stop: [...stop].sort((a, b) => a - b) }
}

function sentencePiece (metadata: Metadata): Uint8Array {
  const texts = textList(metadata, 'tokens')
  const scores = numberList(metadata, 'scores', texts.length)
  const types = numberList(metadata, 'token_type', texts.length)
  return writeSentencePiece({
    pieces: texts.map((text, id) => ({ text, score: scores[id], type: types[id] })),
    addDummyPrefix: metadata.get('tokenizer.ggml.add_space_prefix') !== false,
    removeExtraWhitespaces: metadata.get('tokenizer.ggml.remove_extra_whitespaces') === true
  })
}

function tokenizerJson (metadata: Metadata): Uint8Array {
  const pre = metadata.get('tokenizer.ggml.pre')
  const cut = typeof pre === 'string' ? CUTS[pre] : undefined
  if (cut == null) {
    throw new TokenizerError(`expected tokenizer.ggml.pre to be one of ${Object.keys(CUTS).join(', ')} but got ${JSON.stringify(pre)}: import the safetensors and the tokenizer.json instead`)
  }
  const texts = textList(metadata, 'tokens')
  const types = numberList(metadata, 'token_type', texts.length)
  // controls are special; what a user defined is found in text as it stands
  const added = texts.flatMap((content, id) => types[id] === PIECE.control || types[id] === PIECE.userDefined
    ? [{ id, content, special: types[id] === PIECE.control }]
    : [])
  const json = bpeFile({
    added,
    normalizer: cut.normalizer ?? null,
    preTokenizer: cut.preTokenizer,
    decoder: BYTE_LEVEL,
    ignoreMerges: cut.ignoreMerges ?? false,
    vocab: Object.fromEntries(texts.map((text, id) => [text, id])),
    merges: textList(metadata, 'merges')
  })

  return new TextEncoder().encode(JSON.stringify(json))
}

interface Cut { preTokenizer: unknown, normalizer?: unknown, ignoreMerges?: boolean }

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }

function split (pattern: string): unknown {
  return { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }, BYTE_LEVEL] }
}

/** How Hugging Face's own files of these tokenizers cut text, by the names that llama.cpp has for them. */
const GPT2: Cut = { preTokenizer: { ...BYTE_LEVEL, use_regex: true } }
const DIGITS: Cut = {
  preTokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, { ...BYTE_LEVEL, use_regex: true }] }
}
const QWEN2: Cut = {
  preTokenizer: split('(?i:\'s|\'t|\'re|\'ve|\'m|\'ll|\'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'),
  normalizer: { type: 'NFC' }
}
const LLAMA3: Cut = {
  preTokenizer: split('(?i:\'s|\'t|\'re|\'ve|\'m|\'ll|\'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'),
  ignoreMerges: true
}
const CUTS: Record<string, Cut | undefined> = { 'gpt-2': GPT2, smollm: DIGITS, qwen2: QWEN2, 'deepseek-r1-qwen': QWEN2, 'llama-bpe': LLAMA3 }

function textList (metadata: Metadata, name: string): string[] {
  const value = metadata.get(`tokenizer.ggml.${name}`)
  if (!Array.isArray(value) || !value.every((one): one is string => typeof one === 'string')) {
    throw new TokenizerError(`expected tokenizer.ggml.${name} to be a list of texts`)
  }
  return value
}

function numberList (metadata: Metadata, name: string, length: number): number[] {
  const value = metadata.get(`tokenizer.ggml.${name}`)
  if (!Array.isArray(value) || value.length !== length || !value.every((one): one is number => typeof one === 'number')) {
    throw new TokenizerError(`expected tokenizer.ggml.${name} to be a list of ${length} numbers`)
  }
  return value
}
