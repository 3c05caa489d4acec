import { ropeMagnitude } from '../numeric/index.ts'
import { CONFIG_BYTES_MAX, MILLI, NANO } from './constants.ts'
import { ModelShapeError, ModelUnsupportedError } from './errors.ts'
import { parseJson } from './json.ts'
import { checkConfig } from './llama.ts'
import type { LlamaConfig } from './interface.ts'
import type { RopeScalingConfig } from '../interface/index.ts'

type Json = Record<string, unknown>

/** A JSON object in UTF-8, of a size that configurations have. */
export function jsonObject (bytes: Uint8Array, what: string, bytesMax = CONFIG_BYTES_MAX): Json {
  if (bytes.length > bytesMax) {
    throw new ModelShapeError(`expected ${what} of at most ${bytesMax} bytes but got ${bytes.length}`)
  }
  const { value: json } = parseJson(bytes, found => new ModelShapeError(`expected ${what} to be JSON in UTF-8 but ${found}: download it again`))
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new ModelShapeError(`expected ${what} to be a JSON object`)
  }
  return Object.fromEntries(Object.entries(json))
}

/**
 * The configuration in Hugging Face's config.json: `llama` (SmolLM2, TinyLlama …), `mistral`,
 * `qwen2` and `gpt2`. Windows of attention shorter than the context shorten the context, where
 * both are the same.
 *
 * @throws {ModelUnsupportedError} for another architecture, or an option that would change what is computed, by name
 * @throws {ModelShapeError} if a size is missing or out of range
 */
export function parseHuggingFaceConfig (bytes: Uint8Array): LlamaConfig {
  const json = jsonObject(bytes, 'config.json')
  const type = json.model_type
  if (type !== 'llama' && type !== 'mistral' && type !== 'qwen2' && type !== 'gpt2') {
    throw new ModelUnsupportedError(`expected a model_type of llama, mistral, qwen2 or gpt2 but config.json says ${JSON.stringify(type)}`)
  }
  if (json.quantization_config != null) {
    throw new ModelUnsupportedError(`expected weights in F32, BF16 or F16 but config.json has a quantization_config of ${JSON.stringify(isObject(json.quantization_config) ? json.quantization_config.quant_method : null)}: import the model it was made from, or a GGUF`)
  }
  const config = type === 'gpt2' ? gpt2(json) : llamaLike(json, type)
  checkConfig(config)
  return config
}

function llamaLike (json: Json, type: 'llama' | 'mistral' | 'qwen2'): LlamaConfig {
  const rope = ropeOf(json)
  refuseUnless(json, {
    hidden_act: ['silu', 'swish'],
    mlp_bias: [false],
    partial_rotary_factor: [1],
    rope_interleaved: [false],
    ...(type === 'qwen2' ? {} : { attention_bias: [false] })
  })
  const heads = size(json, 'num_attention_heads')
  const dim = size(json, 'hidden_size')
  const headDim = json.head_dim == null ? dim / heads : size(json, 'head_dim')
  return {
    ...(type === 'qwen2' ? { architecture: type } : {}),
    dim,
    hiddenDim: size(json, 'intermediate_size'),
    layers: size(json, 'num_hidden_layers'),
    heads,
    kvHeads: json.num_key_value_heads == null ? heads : size(json, 'num_key_value_heads'),
    vocabularySize: size(json, 'vocab_size'),
    contextLength: Math.min(size(json, 'max_position_embeddings'), windowOf(json, type)),
    ropeTheta: integerTheta(rope.theta),
    rmsNormEpsNano: epsilonNano(json.rms_norm_eps ?? 1e-6, 'rms_norm_eps'),
    tied: json.tie_word_embeddings === true,
    ...(headDim === dim / heads ? {} : { headDim }),
    ...(rope.scaling == null ? {} : { ropeScaling: rope.scaling })
  }
}

function gpt2 (json: Json): LlamaConfig {
  refuseUnless(json, {
    // its other name is gelu_pytorch_tanh; plain gelu is another function
    activation_function: ['gelu_new', 'gelu_pytorch_tanh'],
    scale_attn_weights: [true],
    scale_attn_by_inverse_layer_idx: [false],
    add_cross_attention: [false]
  })
  const dim = size(json, 'n_embd')
  const heads = size(json, 'n_head')
  return {
    architecture: 'gpt2',
    dim,
    hiddenDim: json.n_inner == null ? 4 * dim : size(json, 'n_inner'),
    layers: size(json, 'n_layer'),
    heads,
    kvHeads: heads,
    vocabularySize: size(json, 'vocab_size'),
    contextLength: size(json, json.n_positions == null ? 'n_ctx' : 'n_positions'),
    ropeTheta: 1,
    rmsNormEpsNano: epsilonNano(json.layer_norm_epsilon ?? 1e-5, 'layer_norm_epsilon'),
    tied: json.tie_word_embeddings !== false
  }
}

/** Of transformers before 5 (`rope_theta`, `rope_scaling`) and since (`rope_parameters`). */
function ropeOf (json: Json): { theta: unknown, scaling?: RopeScalingConfig } {
  const parameters = isObject(json.rope_parameters) ? json.rope_parameters : {}
  const scaling = isObject(json.rope_scaling) ? json.rope_scaling : {}
  const kind = scaling.rope_type ?? scaling.type ?? parameters.rope_type ?? 'default'
  const theta = json.rope_theta ?? parameters.rope_theta ?? 10_000
  if (kind === 'default') {
    return { theta }
  }
  if (kind !== 'linear' && kind !== 'llama3' && kind !== 'yarn') {
    throw new ModelUnsupportedError(`expected rotary embeddings that are not scaled, or by linear, llama3 or yarn, but config.json has rope_scaling of type ${JSON.stringify(kind)}`)
  }
  const given = { ...parameters, ...scaling }
  const factorMilli = milli(given.factor, 'factor')
  if (kind === 'yarn') {
    return { theta, scaling: yarnScaling({ original_max_position_embeddings: json.max_position_embeddings, ...given }, factorMilli) }
  }
  return {
    theta,
    scaling: kind === 'linear'
      ? { type: kind, factorMilli }
      : { type: kind, factorMilli, lowFrequencyFactorMilli: milli(given.low_freq_factor, 'low_freq_factor'), highFrequencyFactorMilli: milli(given.high_freq_factor, 'high_freq_factor'), originalContextLength: size(given, 'original_max_position_embeddings') }
  }
}

/** YaRN as its paper has it; variants of single models would compute something else. */
function yarnScaling (given: Json, factorMilli: number): RopeScalingConfig {
  const length = size(given, 'original_max_position_embeddings')
  refuseUnless(given, { truncate: [true], mscale: [1], mscale_all_dim: [0] })
  const magnitude = ropeMagnitude({ factor: factorMilli / MILLI, yarn: true })
  if (given.attention_factor != null && !(Math.abs(Number(given.attention_factor) - magnitude) <= 1e-6)) {
    throw new ModelUnsupportedError(`expected an attention_factor of ${magnitude}, which follows from the factor, but config.json says ${JSON.stringify(given.attention_factor)}: we do not compute that`)
  }
  return { type: 'yarn', factorMilli, lowFrequencyFactorMilli: milli(given.beta_slow ?? 1, 'beta_slow'), highFrequencyFactorMilli: milli(given.beta_fast ?? 32, 'beta_fast'), originalContextLength: length }
}

/** Thousandths; what is not a whole number of them is another model. */
export function milli (value: unknown, name: string): number {
  const thousandths = typeof value === 'number' ? Math.round(value * MILLI) : NaN
  if (!(thousandths >= 1) || Math.abs(thousandths - Number(value) * MILLI) > 1e-6 * thousandths) {
    throw new ModelUnsupportedError(`expected ${name} of rotary embeddings to be a multiple of 0.001 but got ${String(value)}`)
  }
  return thousandths
}

/** The base of rotary embeddings, an integer in every model that is published. */
export function integerTheta (theta: unknown): number {
  if (typeof theta !== 'number' || !Number.isInteger(theta)) {
    throw new ModelUnsupportedError(`expected rope_theta to be an integer but got ${String(theta)}`)
  }
  return theta
}

/** Units of 10^-9; what is not a whole number of them is another model. f32 in a GGUF is as near as 10^-7 of it. */
export function epsilonNano (epsilon: unknown, name: string): number {
  const nano = typeof epsilon === 'number' ? Math.round(epsilon * NANO) : NaN
  if (!(nano >= 1) || Math.abs(nano - Number(epsilon) * NANO) > 1e-6 * nano) {
    throw new ModelUnsupportedError(`expected ${name} to be a multiple of 1e-9 but got ${String(epsilon)}`)
  }
  return nano
}

function windowOf (json: Json, type: string): number {
  if (json.sliding_window == null || (type === 'qwen2' && json.use_sliding_window !== true)) {
    return Infinity
  }
  return size(json, 'sliding_window')
}

function refuseUnless (json: Json, allowed: Record<string, unknown[]>): void {
  for (const [name, values] of Object.entries(allowed)) {
    if (json[name] != null && !values.includes(json[name])) {
      throw new ModelUnsupportedError(`expected ${name} to be ${values.join(' or ')} but config.json says ${JSON.stringify(json[name])}: we do not compute that`)
    }
  }
}

function size (json: Json, name: string): number {
  const value = json[name]
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new ModelShapeError(`expected ${name} to be a positive integer but config.json says ${JSON.stringify(value)}`)
  }
  return value
}

function isObject (value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
