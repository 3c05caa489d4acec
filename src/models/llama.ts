import { CONTEXT_MAX, DIM_MAX, LAYERS_MAX, NANO, VOCABULARY_MAX } from './constants.ts'
import { ModelShapeError } from './errors.ts'
import type { LlamaConfig, LlamaModel, RopePairing, Tensors } from './interface.ts'

/** Tensor names of a Llama checkpoint on Hugging Face, with their shapes: projections are [outputs, inputs]. */
export function llamaShapes (config: LlamaConfig): Map<string, [rows: number, columns: number] | [size: number]> {
  const { dim, hiddenDim, layers, heads, kvHeads, vocabularySize } = config
  const kvDim = dim / heads * kvHeads
  const shapes = new Map<string, [number, number] | [number]>([['model.embed_tokens.weight', [vocabularySize, dim]]])
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `model.layers.${layer}.`
    shapes.set(`${prefix}input_layernorm.weight`, [dim])
    shapes.set(`${prefix}self_attn.q_proj.weight`, [dim, dim])
    shapes.set(`${prefix}self_attn.k_proj.weight`, [kvDim, dim])
    shapes.set(`${prefix}self_attn.v_proj.weight`, [kvDim, dim])
    shapes.set(`${prefix}self_attn.o_proj.weight`, [dim, dim])
    shapes.set(`${prefix}post_attention_layernorm.weight`, [dim])
    shapes.set(`${prefix}mlp.gate_proj.weight`, [hiddenDim, dim])
    shapes.set(`${prefix}mlp.up_proj.weight`, [hiddenDim, dim])
    shapes.set(`${prefix}mlp.down_proj.weight`, [dim, hiddenDim])
  }
  shapes.set('model.norm.weight', [dim])
  if (!config.tied) {
    shapes.set('lm_head.weight', [vocabularySize, dim])
  }
  return shapes
}

/** How many weights a model of this shape has. */
export function parameterCount (config: LlamaConfig): number {
  let sum = 0
  for (const shape of llamaShapes(config).values()) {
    sum += shape.length === 1 ? shape[0] : shape[0] * shape[1]
  }
  return sum
}

/**
 * A Llama model from its configuration and weights under Hugging Face names. The weights are
 * kept, not copied, and must not change.
 *
 * @throws {ModelShapeError} if a tensor is missing, unknown, or of another shape
 */
export function llama (config: LlamaConfig, weights: Tensors, options: { pairing?: RopePairing } = {}): LlamaModel {
  checkConfig(config)
  const shapes = llamaShapes(config)
  for (const [name, shape] of shapes) {
    const tensor = weights.get(name)
    if (tensor == null || tensor.shape.join() !== shape.join()) {
      throw new ModelShapeError(`expected tensor ${name} of shape [${shape.join(', ')}] but got ${tensor == null ? 'none' : `[${tensor.shape.join(', ')}]`}`)
    }
  }
  for (const name of weights.keys()) {
    if (!shapes.has(name)) {
      throw new ModelShapeError(`expected the tensors of a Llama model of ${config.layers} layers but there is also ${name}`)
    }
  }
  return { config, weights, pairing: options.pairing ?? 'half' }
}

/** The data of a weight. */
export function weightOf (model: LlamaModel, name: string): Float32Array {
  const tensor = model.weights.get(name)
  if (tensor == null) {
    throw new ModelShapeError(`expected a tensor ${name}`)
  }
  return tensor.data
}

/** @throws {ModelShapeError} if a size is out of bounds or does not divide as the architecture needs */
export function checkConfig (config: LlamaConfig): void {
  const sizes: Array<[keyof LlamaConfig, number]> = [
    ['dim', DIM_MAX], ['hiddenDim', 4 * DIM_MAX], ['layers', LAYERS_MAX], ['heads', DIM_MAX], ['kvHeads', DIM_MAX],
    ['vocabularySize', VOCABULARY_MAX], ['contextLength', CONTEXT_MAX], ['ropeTheta', NANO], ['rmsNormEpsNano', NANO]
  ]
  for (const [name, max] of sizes) {
    const value = config[name]
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > max) {
      throw new ModelShapeError(`expected ${name} to be an integer of 1 … ${max} but got ${String(value)}`)
    }
  }
  if (typeof config.tied !== 'boolean' || config.dim % (2 * config.heads) !== 0 || config.heads % config.kvHeads !== 0) {
    throw new ModelShapeError(`expected an even head size and heads shared evenly but got dim ${config.dim}, heads ${config.heads}, kvHeads ${config.kvHeads}`)
  }
}
