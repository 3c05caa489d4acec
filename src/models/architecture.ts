import { MILLI, NANO } from './constants.ts'
import type { LlamaConfig, LoraTarget, ModelPlan, NormPlan, ProjectionPlan, RopeScaling, TensorPlan } from './interface.ts'
import type { RopeScalingConfig } from '../interface/index.ts'

/**
 * What a forward pass computes and with which tensors: the one description that the tape, the
 * batched engine, adapters and importers read. Tensors have Hugging Face's Llama names whatever
 * the architecture (`up_proj` and `down_proj` are GPT-2's c_fc and c_proj), weights are
 * [outputs, inputs].
 *
 * ```
 * x = embedding[ids] (+ positionEmbedding[position])
 * for each layer
 *   h = norm(x, attentionNorm); x = x + o(attention(rope(q(h)), rope(k(h)), v(h)))
 *   h = norm(x, feedForwardNorm); x = x + down(gate == null ? act(up(h)) : act(gate(h)) ∘ up(h))
 * logits = norm(x, finalNorm)·headᵀ
 * ```
 */
export function modelPlan (config: LlamaConfig): ModelPlan {
  const { dim, layers, heads, kvHeads, vocabularySize, contextLength, tied } = config
  const gpt2 = config.architecture === 'gpt2'
  const headDim = config.headDim ?? dim / heads
  const embedding: TensorPlan = { name: 'model.embed_tokens.weight', shape: [vocabularySize, dim] }
  return {
    norm: gpt2 ? 'layer' : 'rms',
    normEps: config.rmsNormEpsNano / NANO,
    activation: gpt2 ? 'gelu' : 'silu',
    positions: gpt2 ? 'learned' : 'rope',
    rope: { theta: config.ropeTheta, pairing: config.ropePairing ?? 'half', scaling: config.ropeScaling == null ? undefined : ropeScaling(config.ropeScaling) },
    dim,
    heads,
    kvHeads,
    headDim,
    vocabularySize,
    contextLength,
    embedding,
    positionEmbedding: gpt2 ? { name: 'model.embed_positions.weight', shape: [contextLength, dim] } : undefined,
    layers: Array.from({ length: layers }, (_, layer) => ({
      attentionNorm: norm(`model.layers.${layer}.input_layernorm`, config),
      q: projection(config, layer, 'q_proj', heads * headDim, dim),
      k: projection(config, layer, 'k_proj', kvHeads * headDim, dim),
      v: projection(config, layer, 'v_proj', kvHeads * headDim, dim),
      o: projection(config, layer, 'o_proj', dim, heads * headDim),
      feedForwardNorm: norm(`model.layers.${layer}.post_attention_layernorm`, config),
      gate: gpt2 ? undefined : projection(config, layer, 'gate_proj', config.hiddenDim, dim),
      up: projection(config, layer, 'up_proj', config.hiddenDim, dim),
      down: projection(config, layer, 'down_proj', dim, config.hiddenDim)
    })),
    finalNorm: norm('model.norm', config),
    head: tied ? embedding : { name: 'lm_head.weight', shape: [vocabularySize, dim] }
  }
}

function ropeScaling ({ type, factorMilli, lowFrequencyFactorMilli: low, highFrequencyFactorMilli: high, originalContextLength: length }: RopeScalingConfig): RopeScaling {
  return {
    factor: factorMilli / MILLI,
    ...(low == null || high == null || length == null ? {} : { bands: { low: low / MILLI, high: high / MILLI, length } }),
    ...(type === 'yarn' ? { yarn: true } : {})
  }
}

/** The name of a projection's weight, the same for all architectures. */
export function projectionName (layer: number, target: LoraTarget): string {
  const block = target === 'q_proj' || target === 'k_proj' || target === 'v_proj' || target === 'o_proj' ? 'self_attn' : 'mlp'
  return `model.layers.${layer}.${block}.${target}.weight`
}

/** Every tensor of a model, each once: matrices are [outputs, inputs], gains and biases have one size. */
export function tensorPlans (plan: ModelPlan): TensorPlan[] {
  const norms = ({ gain, bias }: NormPlan): TensorPlan[] => bias == null ? [gain] : [gain, bias]
  const projections = ({ weight, bias }: ProjectionPlan): TensorPlan[] => bias == null ? [weight] : [weight, bias]
  return [
    plan.embedding,
    ...(plan.positionEmbedding == null ? [] : [plan.positionEmbedding]),
    ...plan.layers.flatMap(layer => [
      ...norms(layer.attentionNorm),
      ...[layer.q, layer.k, layer.v, layer.o].flatMap(projections),
      ...norms(layer.feedForwardNorm),
      ...(layer.gate == null ? [layer.up, layer.down] : [layer.gate, layer.up, layer.down]).flatMap(projections)
    ]),
    ...norms(plan.finalNorm),
    ...(plan.head === plan.embedding ? [] : [plan.head])
  ]
}

function norm (prefix: string, { architecture, dim }: LlamaConfig): NormPlan {
  return {
    gain: { name: `${prefix}.weight`, shape: [dim] },
    bias: architecture === 'gpt2' ? { name: `${prefix}.bias`, shape: [dim] } : undefined
  }
}

function projection ({ architecture }: LlamaConfig, layer: number, target: LoraTarget, outputs: number, inputs: number): ProjectionPlan {
  const name = projectionName(layer, target)
  const biased = architecture === 'gpt2' || (architecture === 'qwen2' && (target === 'q_proj' || target === 'k_proj' || target === 'v_proj'))
  return {
    target,
    weight: { name, shape: [outputs, inputs] },
    bias: biased ? { name: name.replace(/weight$/, 'bias'), shape: [outputs] } : undefined
  }
}
