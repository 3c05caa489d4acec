import { ModelShapeError, ModelUnsupportedError } from './errors.ts'
import { epsilonNano, integerTheta, milli } from './huggingface-config.ts'
import { checkConfig } from './llama.ts'
import type { GgufHeader } from './gguf.ts'
import type { LlamaConfig } from './interface.ts'

/**
 * The configuration that a GGUF file declares: `llama` (SmolLM2, Mistral …), `qwen2` and `gpt2`.
 *
 * @throws {ModelUnsupportedError} for another architecture, or an option that would change what is computed, by name
 * @throws {ModelShapeError} if a size is missing or out of range
 */
export function ggufConfig (header: GgufHeader): LlamaConfig {
  const { metadata, entries } = header
  const type = metadata.get('general.architecture')
  if (type !== 'llama' && type !== 'qwen2' && type !== 'gpt2') {
    throw new ModelUnsupportedError(`expected general.architecture to be llama, qwen2 or gpt2 but got ${JSON.stringify(type)}`)
  }
  const size = (key: string): number => sizeOf(header, `${type}.${key}`)
  const optional = (key: string, otherwise: number): number => metadata.has(`${type}.${key}`) ? size(key) : otherwise
  const dim = size('embedding_length')
  const heads = size('attention.head_count')
  const headDim = optional('attention.key_length', dim / heads)
  const scaling = metadata.get(`${type}.rope.scaling.type`) ?? 'none'
  if ((scaling !== 'none' && scaling !== 'linear') || entries.has('rope_freqs.weight')) {
    throw new ModelUnsupportedError(`expected rotary embeddings that are not scaled, or linearly (for llama3 import the safetensors), but the file has ${entries.has('rope_freqs.weight') ? 'rope_freqs.weight' : `${type}.rope.scaling.type ${String(scaling)}`}`)
  }
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
        ...(scaling === 'linear' ? { ropeScaling: { type: scaling, factorMilli: milli(metadata.get(`${type}.rope.scaling.factor`), `${type}.rope.scaling.factor`) } } : {}),
        ropeTheta: integerTheta(metadata.get(`${type}.rope.freq_base`) ?? 10_000),
        rmsNormEpsNano: epsilonNano(metadata.get(`${type}.attention.layer_norm_rms_epsilon`), `${type}.attention.layer_norm_rms_epsilon`)
      }
  checkConfig(config)
  return config
}

function sizeOf ({ metadata }: GgufHeader, key: string): number {
  const value = metadata.get(key)
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
    throw new ModelShapeError(`expected key ${key} to be a positive integer but got ${JSON.stringify(value)}`)
  }
  return value
}
