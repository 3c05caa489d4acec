import { ModelShapeError, TokenizerError } from './errors.ts'
import { checkConfig, llama, llamaShapes } from './llama.ts'
import { readWeight } from './read-weight.ts'
import { PIECE } from './sentencepiece.ts'
import { countOf } from './tensor-types.ts'
import type { LlamaConfig, LlamaModel } from './interface.ts'
import type { SentencePieceModel } from './sentencepiece.ts'
import type { TensorEntry } from './tensor-types.ts'

export const LLAMA2C_HEADER_BYTES = 28
const TOKENIZER_TOKEN_BYTES_MAX = 1024
const BOS = 1

/**
 * The configuration and the tensors of a checkpoint of llama2.c (https://github.com/karpathy/llama2.c,
 * `export.py` version 0): seven int32, then f32 tensors kind by kind. A negative vocabulary size
 * means an untied head.
 *
 * @param head - at least the first 28 bytes, fewer only if the file has fewer
 * @param fileBytes - the size of the whole file
 * @throws {ModelShapeError} if sizes and length do not fit
 */
export function llama2cEntries (head: Uint8Array, fileBytes: number): { config: LlamaConfig, entries: Map<string, TensorEntry> } {
  if (head.length < LLAMA2C_HEADER_BYTES) {
    throw new ModelShapeError(`expected a header of ${LLAMA2C_HEADER_BYTES} bytes but the file has ${head.length}`)
  }
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const [dim, hiddenDim, layers, heads, kvHeads, vocabulary, contextLength] = Array.from({ length: 7 }, (_, i) => view.getInt32(4 * i, true))
  const config: LlamaConfig = {
    dim,
    hiddenDim,
    layers,
    heads,
    kvHeads,
    vocabularySize: Math.abs(vocabulary),
    contextLength,
    ropeTheta: 10_000,
    rmsNormEpsNano: 10_000,
    tied: vocabulary > 0,
    ropePairing: 'interleaved'
  }
  checkConfig(config)
  const shapes = llamaShapes(config)
  const entries = new Map<string, TensorEntry>()
  let offset = LLAMA2C_HEADER_BYTES
  const skip = (bytes: number, name: string): number => {
    if (offset + bytes > fileBytes) {
      throw new ModelShapeError(`expected tensor ${name} of ${bytes} bytes at offset ${offset} but the file ends at ${fileBytes}`)
    }
    offset += bytes
    return offset - bytes
  }
  const place = (name: string): void => {
    const shape = shapes.get(name) ?? []
    const bytes = 4 * countOf(shape)
    entries.set(name, { name, type: 'f32', shape: [...shape], offset: skip(bytes, name), bytes })
  }
  place('model.embed_tokens.weight')
  for (const part of LAYER_PARTS) {
    for (let layer = 0; layer < layers; layer++) {
      place(`model.layers.${layer}.${part}.weight`)
    }
  }
  place('model.norm.weight')
  // two tables of rotary frequencies, which we compute
  skip(4 * contextLength * (dim / heads), 'freq_cis')
  if (!config.tied) {
    place('lm_head.weight')
  }
  if (offset !== fileBytes) {
    throw new ModelShapeError(`expected the file to end at ${offset} after its last tensor but it has ${fileBytes} bytes`)
  }
  return { config, entries }
}

/** The file has each kind for all layers before the next kind. */
const LAYER_PARTS = [
  'input_layernorm', 'self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj', 'self_attn.o_proj',
  'post_attention_layernorm', 'mlp.gate_proj', 'mlp.down_proj', 'mlp.up_proj'
]

/**
 * Reads a checkpoint of llama2.c.
 *
 * @throws {ModelShapeError} if sizes and length do not fit
 */
export function parseLlama2c (bytes: Uint8Array): LlamaModel {
  const { config, entries } = llama2cEntries(bytes, bytes.length)
  const weights = new Map([...entries].map(([name, entry]) => [name, readWeight({ entry }, bytes.subarray(entry.offset, entry.offset + entry.bytes))]))
  return llama(config, weights)
}

/** Ids to text by the tokenizer file of llama2.c. */
export interface Llama2cTokenizer {
  bos: number
  decode (ids: ArrayLike<number>): string
}

/**
 * Reads llama2.c's tokenizer: a maximal length, then per token an f32 score, a length and bytes.
 *
 * @throws {TokenizerError} if it ends early
 */
export function parseLlama2cTokenizer (bytes: Uint8Array, vocabularySize: number): Llama2cTokenizer {
  const tokens = tokensOf(bytes, vocabularySize).map(({ token }) => token)
  return {
    bos: BOS,
    decode (ids) {
      const out: number[] = []
      for (let i = 0; i < ids.length; i++) {
        const token = tokens[ids[i]]
        if (token == null) {
          throw new TokenizerError(`expected a token id below ${vocabularySize} but got ${ids[i]}`)
        }
        // SentencePiece puts a space before the first word
        const piece = i > 0 && ids[i - 1] === BOS && token[0] === 0x20 ? token.subarray(1) : token
        const raw = /^<0x([0-9A-F]{2})>$/.exec(new TextDecoder().decode(piece))
        out.push(...(raw == null ? piece : [Number.parseInt(raw[1], 16)]))
      }
      return new TextDecoder().decode(Uint8Array.from(out))
    }
  }
}

/**
 * The pieces in llama2.c's tokenizer file, for a tokenizer that encodes too: it writes a space for
 * SentencePiece's mark, and the first three ids are unknown, begin and end.
 *
 * @throws {TokenizerError} if it ends early or goes on
 */
export function llama2cPieces (bytes: Uint8Array, vocabularySize: number): SentencePieceModel {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const pieces = tokensOf(bytes, vocabularySize).map(({ offset, token }, id) => {
    const text = new TextDecoder().decode(token)
    const score = view.getFloat32(offset, true)
    return FIRST_PIECES[id] == null
      ? { text: text.replaceAll(' ', '▁'), score, type: /^<0x[0-9A-F]{2}>$/.test(text) ? PIECE.byte : PIECE.normal }
      : { ...FIRST_PIECES[id], score }
  })
  return { pieces, addDummyPrefix: true, removeExtraWhitespaces: false }
}

const FIRST_PIECES = [{ text: '<unk>', type: PIECE.unknown }, { text: '<s>', type: PIECE.control }, { text: '</s>', type: PIECE.control }]

function tokensOf (bytes: Uint8Array, vocabularySize: number): Array<{ offset: number, token: Uint8Array }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tokens: Array<{ offset: number, token: Uint8Array }> = []
  let offset = 4
  while (tokens.length < vocabularySize) {
    const length = offset + 8 <= bytes.length ? view.getInt32(offset + 4, true) : -1
    if (length < 0 || length > TOKENIZER_TOKEN_BYTES_MAX || offset + 8 + length > bytes.length) {
      throw new TokenizerError(`expected ${vocabularySize} tokens but token ${tokens.length} at offset ${offset} is cut`)
    }
    tokens.push({ offset, token: bytes.subarray(offset + 8, offset + 8 + length) })
    offset += 8 + length
  }
  return tokens
}
