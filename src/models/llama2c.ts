import { ModelShapeError, TokenizerError } from './errors.ts'
import { checkConfig, llama } from './llama.ts'
import type { LlamaConfig, LlamaModel, Tensors } from './interface.ts'

const HEADER_BYTES = 28
const TOKENIZER_TOKEN_BYTES_MAX = 1024
const BOS = 1

/**
 * Reads a checkpoint of llama2.c (https://github.com/karpathy/llama2.c, `export.py` version 0):
 * seven int32, then f32 tensors kind by kind. A negative vocabulary size means an untied head.
 *
 * @throws {ModelShapeError} if sizes and length do not fit
 */
export function parseLlama2c (bytes: Uint8Array): LlamaModel {
  if (bytes.length < HEADER_BYTES) {
    throw new ModelShapeError(`expected a header of ${HEADER_BYTES} bytes but the file has ${bytes.length}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
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
    tied: vocabulary > 0
  }
  checkConfig(config)
  const kvDim = dim / heads * kvHeads
  const weights: Tensors = new Map()
  let offset = HEADER_BYTES
  const read = (name: string, shape: number[]): void => {
    const count = shape.reduce((product, size) => product * size, 1)
    if (offset + 4 * count > bytes.length) {
      throw new ModelShapeError(`expected tensor ${name} of ${count} values at offset ${offset} but the file ends at ${bytes.length}`)
    }
    const begin = offset
    weights.set(name, { shape, data: Float32Array.from({ length: count }, (_, i) => view.getFloat32(begin + 4 * i, true)) })
    offset += 4 * count
  }
  const readLayers = (name: string, shape: number[]): void => {
    for (let layer = 0; layer < layers; layer++) {
      read(`model.layers.${layer}.${name}.weight`, shape)
    }
  }
  read('model.embed_tokens.weight', [config.vocabularySize, dim])
  readLayers('input_layernorm', [dim])
  readLayers('self_attn.q_proj', [dim, dim])
  readLayers('self_attn.k_proj', [kvDim, dim])
  readLayers('self_attn.v_proj', [kvDim, dim])
  readLayers('self_attn.o_proj', [dim, dim])
  readLayers('post_attention_layernorm', [dim])
  readLayers('mlp.gate_proj', [hiddenDim, dim])
  readLayers('mlp.down_proj', [dim, hiddenDim])
  readLayers('mlp.up_proj', [hiddenDim, dim])
  read('model.norm.weight', [dim])
  // two tables of rotary frequencies, which we compute
  offset += 4 * contextLength * (dim / heads)
  if (!config.tied) {
    read('lm_head.weight', [config.vocabularySize, dim])
  }
  return llama(config, weights, { pairing: 'interleaved' })
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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tokens: Uint8Array[] = []
  let offset = 4
  while (tokens.length < vocabularySize) {
    const length = offset + 8 <= bytes.length ? view.getInt32(offset + 4, true) : -1
    if (length < 0 || length > TOKENIZER_TOKEN_BYTES_MAX || offset + 8 + length > bytes.length) {
      throw new TokenizerError(`expected ${vocabularySize} tokens but token ${tokens.length} at offset ${offset} is cut`)
    }
    tokens.push(bytes.subarray(offset + 8, offset + 8 + length))
    offset += 8 + length
  }
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
