import { modelPlan, tensorPlans } from './architecture.ts'
import { WEIGHTS_MEMORY_BYTES_MAX } from './constants.ts'
import { ModelShapeError } from './errors.ts'
import { ROPE_FACTORS } from './gguf-rope.ts'
import { memoryBytes, shapeOf } from './read-weight.ts'
import { BLOCKS, countOf } from './tensor-types.ts'
import type { LlamaConfig } from './interface.ts'
import type { TensorSource } from './read-weight.ts'
import type { TensorEntry } from './tensor-types.ts'

/** How the tensors of a file are called and laid out. */
export type Naming = 'huggingface' | 'gguf'

type Entries = ReadonlyMap<string, TensorEntry>
type Find = (name: string) => Omit<TensorSource, 'entry'> & { names: string[] }

const NAMINGS: Record<'llama' | 'gpt2', Record<Naming, (config: LlamaConfig) => Find>> = {
  llama: { huggingface: () => name => ({ names: [name] }), gguf: ggufLlama },
  gpt2: { huggingface: huggingfaceGpt2, gguf: ggufGpt2 }
}

/** Buffers that older checkpoints of Hugging Face carry along and everybody computes. */
const PASSED_OVER = /(^|\.)(attn\.(bias|masked_bias)|rotary_emb\.inv_freq)$/

/**
 * Where each tensor of a model lies in a file, complete before anything is read: every tensor of
 * the plan with its shape, none left over, and no more memory than allowed.
 *
 * @throws {ModelShapeError} that names the tensor and the offset
 */
export function tensorSources (config: LlamaConfig, entries: Entries, naming: Naming): Map<string, TensorSource> {
  const find = NAMINGS[config.architecture === 'gpt2' ? 'gpt2' : 'llama'][naming](config)
  const sources = new Map<string, TensorSource>()
  const used = new Set<string>()
  let bytes = 0
  for (const { name, shape } of tensorPlans(modelPlan(config))) {
    const { names, ...part } = find(name)
    const entry = names.map(one => entries.get(one)).find(one => one != null)
    if (entry == null) {
      throw new ModelShapeError(`expected tensor ${names.join(' or ')} of shape [${shape.join(', ')}] but the file has none of a type that holds weights`)
    }
    const source: TensorSource = { entry, ...part }
    checkShape(name, source, shape)
    bytes += memoryBytes(source)
    used.add(entry.name)
    sources.set(name, source)
  }
  if (bytes > WEIGHTS_MEMORY_BYTES_MAX) {
    throw new ModelShapeError(`expected weights of at most ${WEIGHTS_MEMORY_BYTES_MAX} bytes in memory but these take ${bytes}: quantise the model`)
  }
  for (const { name, offset } of entries.values()) {
    // a tied head may be stored again: it is the embedding; and llama3's scaling is in the configuration
    if (!used.has(name) && !PASSED_OVER.test(name) && !(config.tied && name === 'lm_head.weight') && !(config.ropeScaling?.type === 'llama3' && name === ROPE_FACTORS)) {
      throw new ModelShapeError(`expected the tensors of a ${config.architecture ?? 'llama'} model of ${config.layers} layers but there is also ${name} at offset ${offset}: it means something that we do not compute`)
    }
  }
  return sources
}

function checkShape (name: string, source: TensorSource, shape: readonly number[]): void {
  const { entry, rows, transposed } = source
  const whole = transposed === true ? [...entry.shape].reverse() : entry.shape
  if (rows != null && whole[0] !== 3 * (rows.to - rows.from)) {
    throw new ModelShapeError(`expected tensor ${entry.name} at offset ${entry.offset} to join queries, keys and values of ${rows.to - rows.from} rows each but its shape is [${entry.shape.join(', ')}]`)
  }
  const got = shapeOf(source)
  if (got.join() !== shape.join() || countOf(shape) === 0) {
    throw new ModelShapeError(`expected tensor ${entry.name} at offset ${entry.offset} to be ${name} of shape [${shape.join(', ')}] but got [${got.join(', ')}]`)
  }
  if (transposed === true && BLOCKS[entry.type].values > 1) {
    throw new ModelShapeError(`expected tensor ${entry.name} at offset ${entry.offset} not to be quantised along its outputs`)
  }
}

const LAYER = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/

const GGUF_NAMES: Record<string, string> = {
  'model.embed_tokens.weight': 'token_embd.weight',
  'model.embed_positions.weight': 'position_embd.weight',
  'model.norm.weight': 'output_norm.weight',
  'model.norm.bias': 'output_norm.bias',
  'lm_head.weight': 'output.weight',
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down'
}

/** The name that llama.cpp gives a tensor. */
export function ggufName (name: string): string {
  const [, layer, part, kind] = LAYER.exec(name) ?? []
  return layer == null ? GGUF_NAMES[name] : `blk.${layer}.${GGUF_NAMES[part]}.${kind}`
}

function ggufLlama ({ architecture, heads, kvHeads }: LlamaConfig): Find {
  return name => {
    // of its llama architecture alone does llama.cpp turn halves into neighbours
    const interleaved = architecture == null && /self_attn\.[qk]_proj\.weight$/.test(name)
    return { names: [ggufName(name)], ...(interleaved ? { interleavedHeads: name.includes('q_proj') ? heads : kvHeads } : {}) }
  }
}

function ggufGpt2 ({ dim }: LlamaConfig): Find {
  return name => ({ names: [ggufName(name).replace(/attn_[qkv]\./, 'attn_qkv.')], ...third(name, dim) })
}

/** Which third of c_attn a projection is; the caller checks that there are three. */
const THIRDS: Record<string, number | undefined> = { q_proj: 0, k_proj: 1, v_proj: 2 }

const GPT2_NAMES: Record<string, string> = {
  'model.embed_tokens.weight': 'wte.weight',
  'model.embed_positions.weight': 'wpe.weight',
  'model.norm.weight': 'ln_f.weight',
  'model.norm.bias': 'ln_f.bias',
  input_layernorm: 'ln_1',
  'self_attn.q_proj': 'attn.c_attn',
  'self_attn.k_proj': 'attn.c_attn',
  'self_attn.v_proj': 'attn.c_attn',
  'self_attn.o_proj': 'attn.c_proj',
  post_attention_layernorm: 'ln_2',
  'mlp.up_proj': 'mlp.c_fc',
  'mlp.down_proj': 'mlp.c_proj'
}

function third (name: string, dim: number): { rows?: { from: number, to: number } } {
  const index = THIRDS[/([qkv]_proj)/.exec(name)?.[1] ?? '']
  return index == null ? {} : { rows: { from: index * dim, to: (index + 1) * dim } }
}

/** GPT-2 on Hugging Face: projections are [inputs, outputs], with or without the prefix of the whole model. */
function huggingfaceGpt2 ({ dim }: LlamaConfig): Find {
  return name => {
    const [, layer, part, kind] = LAYER.exec(name) ?? []
    const short = layer == null ? GPT2_NAMES[name] ?? name : `h.${layer}.${GPT2_NAMES[part]}.${kind}`
    return {
      names: name === 'lm_head.weight' ? [name] : [short, `transformer.${short}`],
      ...third(name, dim),
      ...(layer != null && kind === 'weight' && !part.endsWith('norm') ? { transposed: true } : {})
    }
  }
}
