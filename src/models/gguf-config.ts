import { ModelShapeError, ModelUnsupportedError } from './errors.ts'
import { ggufRopeFactors, llama3Scaling, ROPE_FACTORS } from './gguf-rope.ts'
import { epsilonNano, integerTheta, milli } from './huggingface-config.ts'
import { checkConfig } from './llama.ts'
import type { GgufHeader } from './gguf.ts'
import type { LlamaConfig } from './interface.ts'

/**
 * The configuration that a GGUF file declares: `llama` (SmolLM2, Mistral …), `qwen2` and `gpt2`.
 *
 * @param header - of the file
 * @param ropeFactors - the tensor that `ggufRopeFactors` names, if the file has it
 * @throws {ModelUnsupportedError} for another architecture, or an option that would change what is computed, by name
 * @throws {ModelShapeError} if a size is missing or out of range
 */
export function ggufConfig (header: GgufHeader, ropeFactors?: Float32Array): LlamaConfig {
  const { metadata, entries } = header
  const type = metadata.get('general.architecture')
  if (type !== 'llama' && type !== 'qwen2' && type !== 'gpt2') {
    throw new ModelUnsupportedError(`expected general.architecture to be llama, qwen2 or gpt2 but got ${JSON.stringify(type)}`)
  }
  const parts = metadata.get('split.count') ?? 1
  if (parts !== 1 && parts !== 0) {
    throw new ModelUnsupportedError(`expected a whole model but split.count says that this file is one of ${String(parts)}: join them with llama-gguf-split --merge`)
  }
  const size = (key: string): number => sizeOf(header, `${type}.${key}`)
  const optional = (key: string, otherwise: number): number => metadata.has(`${type}.${key}`) ? size(key) : otherwise
  const dim = size('embedding_length')
  const heads = size('attention.head_count')
  const headDim = optional('attention.key_length', dim / heads)
  for (const [key, expected] of [['expert_count', 0], ['attention.value_length', headDim], ['rope.dimension_count', headDim]] as const) {
    const value = metadata.get(`${type}.${key}`) ?? expected
    if (value !== expected && type !== 'gpt2') {
      throw new ModelUnsupportedError(`expected ${type}.${key} to be ${expected} but got ${String(value)}: we do not compute that`)
    }
  }
  const shape = {
    dim,
    hiddenDim: size('feed_forward_length'),
    layers: size('block_count'),
    heads,
    kvHeads: optional('attention.head_count_kv', heads),
    vocabularySize: entries.get('token_embd.weight')?.shape[0] ?? 0,
    contextLength: Math.min(size('context_length'), optional('attention.sliding_window', Infinity)),
    tied: !entries.has('output.weight'),
    ...(headDim === dim / heads ? {} : { headDim })
  }
  const config: LlamaConfig = type === 'gpt2'
    ? { architecture: type, ...shape, ropeTheta: 1, rmsNormEpsNano: epsilonNano(metadata.get('gpt2.attention.layer_norm_epsilon'), 'gpt2.attention.layer_norm_epsilon') }
    : {
        ...(type === 'qwen2' ? { architecture: type } : {}),
        ...shape,
        ...ropeOf(header, type, headDim, ropeFactors),
        rmsNormEpsNano: epsilonNano(metadata.get(`${type}.attention.layer_norm_rms_epsilon`), `${type}.attention.layer_norm_rms_epsilon`)
      }
  checkConfig(config)
  return config
}

/** The base of rotary embeddings, and how they are scaled: by keys, or since Llama 3.1 by a tensor. */
function ropeOf (header: GgufHeader, type: string, headDim: number, factors?: Float32Array): Pick<LlamaConfig, 'ropeTheta' | 'ropeScaling'> {
  const { metadata } = header
  const key = (name: string): string => `${type}.rope.scaling.${name}`
  const kind = metadata.get(key('type')) ?? 'none'
  const ropeTheta = integerTheta(metadata.get(`${type}.rope.freq_base`) ?? 10_000)
  if ((kind !== 'none' && kind !== 'linear' && kind !== 'yarn') || (kind !== 'none' && ggufRopeFactors(header) != null)) {
    throw new ModelUnsupportedError(`expected rotary embeddings that are not scaled, or by linear, yarn or ${ROPE_FACTORS} alone, but the file has ${key('type')} ${String(kind)}`)
  }
  if (ggufRopeFactors(header) != null) {
    if (factors == null) {
      throw new ModelUnsupportedError(`expected the factors of ${ROPE_FACTORS} beside the header but got none: read them first`)
    }
    return { ropeTheta, ropeScaling: llama3Scaling(factors, headDim, ropeTheta) }
  }
  if (kind === 'none') {
    return { ropeTheta }
  }
  const factorMilli = milli(metadata.get(key('factor')), key('factor'))
  if (kind === 'linear') {
    return { ropeTheta, ropeScaling: { type: kind, factorMilli } }
  }
  for (const [name, expected] of [['attn_factor', 1], ['yarn_log_multiplier', 0.1], ['yarn_ext_factor', 1], ['yarn_attn_factor', 1]] as const) {
    const value = metadata.get(key(name)) ?? expected
    if (typeof value !== 'number' || Math.abs(value - expected) > 1e-6) {
      throw new ModelUnsupportedError(`expected ${key(name)} to be ${expected} but got ${String(value)}: we do not compute that`)
    }
  }
  return {
    ropeTheta,
    ropeScaling: {
      type: kind,
      factorMilli,
      lowFrequencyFactorMilli: milli(metadata.get(key('yarn_beta_slow')) ?? 1, key('yarn_beta_slow')),
      highFrequencyFactorMilli: milli(metadata.get(key('yarn_beta_fast')) ?? 32, key('yarn_beta_fast')),
      originalContextLength: sizeOf(header, metadata.has(key('original_context_length')) ? key('original_context_length') : `${type}.context_length`)
    }
  }
}

function sizeOf ({ metadata }: GgufHeader, key: string): number {
  const value = metadata.get(key)
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new ModelShapeError(`expected key ${key} to be a positive integer but got ${JSON.stringify(value)}`)
  }
  return value
}
