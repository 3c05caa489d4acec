import { ggufName, tensorPlans, toTensor } from '../../src/models/index.ts'
import { quantise } from '../../src/numeric/index.ts'
import type { LlamaModel, SentencePieceModel } from '../../src/models/index.ts'
import type { WeightType } from '../../src/numeric/index.ts'

/** Metadata by key; numbers are u32 unless wrapped. */
export type GgufMetadata = Record<string, GgufField>
export type GgufField = number | string | boolean | string[] | { f32: number } | { i32: number[] } | { f32s: number[] }

/** Tensors with GGML's type numbers, outermost dimension first. */
export interface GgufTensor { name: string, type: number, shape: number[], bytes: Uint8Array }

const TYPES: Record<WeightType | 'f16', number> = { f32: 0, f16: 1, q4_0: 2, q8_0: 8, bf16: 30 }
const ALIGNMENT = 32

class Bytes {
  readonly parts: number[] = []

  u32 (value: number): this {
    this.parts.push(value & 255, value >>> 8 & 255, value >>> 16 & 255, value >>> 24)
    return this
  }

  u64 (value: number): this {
    return this.u32(value % 2 ** 32).u32(Math.floor(value / 2 ** 32))
  }

  f32 (value: number): this {
    this.parts.push(...new Uint8Array(Float32Array.of(value).buffer))
    return this
  }

  text (value: string): this {
    const bytes = new TextEncoder().encode(value)
    this.u64(bytes.length)
    bytes.forEach(byte => { this.parts.push(byte) })
    return this
  }

  field (value: GgufField): this {
    if (typeof value === 'number') {
      return this.u32(4).u32(value)
    }
    if (typeof value === 'string') {
      return this.u32(8).text(value)
    }
    if (typeof value === 'boolean') {
      this.u32(7).parts.push(value ? 1 : 0)
      return this
    }
    if (Array.isArray(value)) {
      this.u32(9).u32(8).u64(value.length)
      value.forEach(one => { this.text(one) })
      return this
    }
    if ('i32' in value) {
      this.u32(9).u32(5).u64(value.i32.length)
      value.i32.forEach(one => { this.u32(one) })
      return this
    }
    if ('f32s' in value) {
      this.u32(9).u32(6).u64(value.f32s.length)
      value.f32s.forEach(one => { this.f32(one) })
      return this
    }
    return this.u32(6).f32(value.f32)
  }
}

/** A GGUF file of version 3, by the specification alone. */
export function writeGgufFile (metadata: GgufMetadata, tensors: GgufTensor[]): Uint8Array {
  const head = new Bytes().u32(0x46554747).u32(3).u64(tensors.length).u64(Object.keys(metadata).length)
  for (const [key, value] of Object.entries(metadata)) {
    head.text(key).field(value)
  }
  let offset = 0
  const aligned = (size: number): number => Math.ceil(size / ALIGNMENT) * ALIGNMENT
  const offsets = tensors.map(({ name, type, shape, bytes }) => {
    head.text(name).u32(shape.length)
    shape.toReversed().forEach(size => { head.u64(size) })
    head.u32(type).u64(offset)
    offset += aligned(bytes.length)
    return offset - aligned(bytes.length)
  })
  const begin = aligned(head.parts.length)
  const file = new Uint8Array(begin + offset)
  file.set(head.parts)
  tensors.forEach(({ bytes }, index) => { file.set(bytes, begin + offsets[index]) })
  return file
}

/** The keys of a SentencePiece vocabulary. */
export function sentencePieceMetadata ({ pieces, addDummyPrefix }: SentencePieceModel): GgufMetadata {
  return {
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.pre': 'default',
    'tokenizer.ggml.tokens': pieces.map(({ text }) => text),
    'tokenizer.ggml.scores': { f32s: pieces.map(({ score }) => score) },
    'tokenizer.ggml.token_type': { i32: pieces.map(({ type }) => type) },
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
    'tokenizer.ggml.unknown_token_id': 0,
    'tokenizer.ggml.add_space_prefix': addDummyPrefix
  }
}

/** The keys of a byte-level BPE, from a tokenizer.json as `writeTokenizer` makes it, with unused tokens up to a size. */
export function bpeMetadata (tokenizerJson: Uint8Array, pre: string, size = 0): GgufMetadata {
  const { model, added_tokens: added } = JSON.parse(new TextDecoder().decode(tokenizerJson)) as { model: { vocab: Record<string, number>, merges: string[] }, added_tokens: Array<{ id: number }> }
  const special = new Set(added.map(({ id }) => id))
  const known = Object.entries(model.vocab).sort(([, a], [, b]) => a - b).map(([text]) => text)
  const tokens = [...known, ...Array.from({ length: Math.max(0, size - known.length) }, (_, i) => `<unused ${i}>`)]
  return {
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': pre,
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': { i32: tokens.map((_, id) => id >= known.length ? 5 : special.has(id) ? 3 : 1) },
    'tokenizer.ggml.merges': model.merges,
    'tokenizer.ggml.bos_token_id': 0,
    'tokenizer.ggml.eos_token_id': 1
  }
}

/** A model as llama.cpp's convert_hf_to_gguf.py would write it; matrices in `type` but for those in `instead`, vectors in f32. */
export function writeGguf (model: LlamaModel, tokenizer: GgufMetadata, type: WeightType | 'f16' = 'f32', instead: GgufTensor[] = []): Uint8Array {
  const { config, plan } = model
  const architecture = config.architecture ?? 'llama'
  const key = (name: string): string => `${architecture}.${name}`
  const epsilon = { f32: config.rmsNormEpsNano / 1e9 }
  const metadata: GgufMetadata = {
    'general.architecture': architecture,
    'general.name': 'test',
    [key('context_length')]: config.contextLength,
    [key('embedding_length')]: config.dim,
    [key('block_count')]: config.layers,
    [key('feed_forward_length')]: config.hiddenDim,
    [key('attention.head_count')]: config.heads,
    ...(architecture === 'gpt2'
      ? { [key('attention.layer_norm_epsilon')]: epsilon }
      : {
          [key('attention.head_count_kv')]: config.kvHeads,
          [key('attention.layer_norm_rms_epsilon')]: epsilon,
          [key('rope.freq_base')]: { f32: config.ropeTheta },
          [key('rope.dimension_count')]: plan.headDim,
          ...(config.ropeScaling?.type === 'yarn'
            ? {
                [key('rope.scaling.type')]: 'yarn',
                [key('rope.scaling.factor')]: { f32: config.ropeScaling.factorMilli / 1000 },
                [key('rope.scaling.original_context_length')]: config.ropeScaling.originalContextLength ?? 0
              }
            : {}),
          ...(config.ropeScaling?.type === 'linear' ? { [key('rope.scaling.type')]: 'linear', [key('rope.scaling.factor')]: { f32: config.ropeScaling.factorMilli / 1000 } } : {}),
          ...(config.headDim == null ? {} : { [key('attention.key_length')]: config.headDim, [key('attention.value_length')]: config.headDim })
        }),
    ...tokenizer
  }
  const factors = config.ropeScaling?.type === 'llama3' ? [ropeFactors(model)] : []
  return writeGgufFile(metadata, [...factors, ...tensorsOf(model, type).map(tensor => instead.find(({ name }) => name === tensor.name) ?? tensor)])
}

function tensorsOf (model: LlamaModel, type: WeightType | 'f16'): GgufTensor[] {
  const { config, plan } = model
  const values = (name: string): { data: Float32Array, shape: number[] } => {
    const weight = model.weights.get(name)
    if (weight == null) {
      throw new RangeError(`no ${name}`)
    }
    const { data, shape } = toTensor(name, weight)
    return { data, shape: [...shape] }
  }
  const tensors: GgufTensor[] = []
  const add = (name: string, data: Float32Array, shape: number[]): void => {
    const matrix = shape.length === 2 ? type : 'f32'
    const bytes = shape.length === 2 ? quantise(matrix, data, [shape[0], shape[1]]).bytes : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    tensors.push({ name, type: TYPES[matrix], shape, bytes })
  }
  for (const { name } of tensorPlans(plan)) {
    const { data, shape } = values(name)
    const fused = config.architecture === 'gpt2' ? /self_attn\.([qkv])_proj/.exec(name)?.[1] : undefined
    if (fused != null) {
      if (fused === 'q') {
        const parts = ['q', 'k', 'v'].map(part => values(name.replace('q_proj', `${part}_proj`)).data)
        const whole = new Float32Array(3 * data.length)
        parts.forEach((part, index) => { whole.set(part, index * data.length) })
        add(ggufName(name).replace('attn_q', 'attn_qkv'), whole, [3 * shape[0], ...shape.slice(1)])
      }
      continue
    }
    const heads = /self_attn\.q_proj\.weight/.test(name) ? config.heads : config.kvHeads
    const permuted = config.architecture == null && model.pairing === 'half' && /self_attn\.[qk]_proj\.weight/.test(name)
    add(ggufName(name), permuted ? interleave(data, shape[1], heads) : data, shape)
  }
  return tensors
}

/** weights.reshape(heads, 2, half, columns).swapaxes(1, 2), as convert_hf_to_gguf.py writes it */
function interleave (data: Float32Array, columns: number, heads: number): Float32Array {
  const out = new Float32Array(data.length)
  const half = data.length / columns / heads / 2
  let to = 0
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < half; i++) {
      for (let part = 0; part < 2; part++) {
        const row = (head * 2 + part) * half + i
        out.set(data.subarray(row * columns, (row + 1) * columns), to)
        to += columns
      }
    }
  }
  return out
}

/** Llama 3's scaling as convert_hf_to_gguf.py writes it: what each frequency is divided by. */
function ropeFactors ({ config: { ropeTheta, ropeScaling }, plan: { headDim } }: LlamaModel): GgufTensor {
  const { factorMilli = 1000, lowFrequencyFactorMilli = 1000, highFrequencyFactorMilli = 4000, originalContextLength = 1 } = ropeScaling ?? {}
  const [factor, low, high] = [factorMilli, lowFrequencyFactorMilli, highFrequencyFactorMilli].map(value => value / 1000)
  const factors = Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const turns = originalContextLength / (2 * Math.PI * ropeTheta ** (2 * i / headDim))
    const smooth = Math.min(1, Math.max(0, (turns - low) / (high - low)))
    return 1 / ((1 - smooth) / factor + smooth)
  })
  return { name: 'rope_freqs.weight', type: 0, shape: [headDim / 2], bytes: new Uint8Array(factors.buffer) }
}
