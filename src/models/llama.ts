import { modelPlan, tensorPlans } from './architecture.ts'
import { CONTEXT_MAX, DIM_MAX, LAYERS_MAX, MILLI, NANO, VOCABULARY_MAX } from './constants.ts'
import { ModelShapeError } from './errors.ts'
import type { LlamaConfig, LlamaModel, RopePairing, Weight, Weights } from './interface.ts'

/** Names and shapes of a model's tensors: projections are [outputs, inputs]. */
export function llamaShapes (config: LlamaConfig): Map<string, [rows: number, columns: number] | [size: number]> {
  return new Map(tensorPlans(modelPlan(config)).map(({ name, shape }) => [name, shape]))
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
 * A model from its configuration and weights under the names of its plan. The weights are kept,
 * not copied, and must not change. `pairing` says what the configuration does not.
 *
 * @throws {ModelShapeError} if a tensor is missing, unknown, or of another shape
 */
export function llama (config: LlamaConfig, weights: Weights, options: { pairing?: RopePairing } = {}): LlamaModel {
  checkConfig(config)
  if (options.pairing === 'interleaved' && config.ropePairing == null) {
    return llama({ ...config, ropePairing: 'interleaved' }, weights)
  }
  const shapes = llamaShapes(config)
  for (const [name, shape] of shapes) {
    const tensor = weights.get(name)
    if (tensor == null || tensor.shape.join() !== shape.join()) {
      throw new ModelShapeError(`expected tensor ${name} of shape [${shape.join(', ')}] but got ${tensor == null ? 'none' : `[${tensor.shape.join(', ')}]`}`)
    }
  }
  for (const name of weights.keys()) {
    if (!shapes.has(name)) {
      throw new ModelShapeError(`expected the tensors of a ${config.architecture ?? 'llama'} model of ${config.layers} layers but there is also ${name}`)
    }
  }
  return { config, plan: modelPlan(config), weights: multipliedAs(config.activations, weights), pairing: config.ropePairing ?? 'half' }
}

/** Quantised matrices say what products with them mean, since kernels see no configuration. */
function multipliedAs (activations: LlamaConfig['activations'], weights: Weights): Weights {
  const rounds = (weight: Weight): boolean => 'bytes' in weight && (weight.type === 'q8_0' || weight.type === 'q4_0') && weight.activations !== activations
  return [...weights.values()].some(rounds) ? new Map([...weights].map(([name, weight]) => [name, rounds(weight) ? { ...weight, activations } : weight])) : weights
}

/** A weight as the model keeps it. */
export function weightOf (model: LlamaModel, name: string): Weight {
  const weight = model.weights.get(name)
  if (weight == null) {
    throw new ModelShapeError(`expected a tensor ${name}`)
  }
  return weight
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
  const headDim = config.headDim ?? config.dim / config.heads
  if (typeof config.tied !== 'boolean' || !Number.isInteger(headDim) || headDim < 2 || headDim > DIM_MAX || headDim % 2 !== 0 || config.heads % config.kvHeads !== 0) {
    throw new ModelShapeError(`expected an even head size and heads shared evenly but got dim ${config.dim}, heads ${config.heads}, kvHeads ${config.kvHeads}, head size ${headDim}`)
  }
  checkArchitecture(config)
}

function checkArchitecture (config: LlamaConfig): void {
  if (config.architecture != null && config.architecture !== 'qwen2' && config.architecture !== 'gpt2') {
    throw new ModelShapeError(`expected an architecture of qwen2 or gpt2, or none for Llama, but got ${String(config.architecture)}`)
  }
  if (config.ropePairing != null && config.ropePairing !== 'interleaved') {
    throw new ModelShapeError(`expected a ropePairing of interleaved, or none for halves, but got ${String(config.ropePairing)}`)
  }
  checkRopeScaling(config)
  if (config.activations != null && config.activations !== 'int16') {
    throw new ModelShapeError(`expected activations of int16, or none for f32, but got ${String(config.activations)}`)
  }
  if (config.architecture === 'gpt2' && (config.ropePairing != null || config.ropeTheta !== 1 || config.kvHeads !== config.heads)) {
    throw new ModelShapeError(`expected a gpt2 model to have a ropeTheta of 1 and as many kvHeads as heads but got ${config.ropeTheta}, ${config.kvHeads} and ${config.heads}`)
  }
}

/** As the record's codec has it: configurations also come from files. */
function checkRopeScaling ({ ropeScaling, architecture, ropeTheta }: LlamaConfig): void {
  if (ropeScaling == null) {
    return
  }
  const { type, factorMilli, lowFrequencyFactorMilli: low, highFrequencyFactorMilli: high, originalContextLength: length } = ropeScaling
  const count = (value: number | undefined): value is number => value != null && Number.isInteger(value) && value >= 1 && value <= NANO
  const fits = type === 'llama3' || type === 'yarn' ? count(low) && count(high) && count(length) && low < high : low == null && high == null && length == null
  if (architecture === 'gpt2' || (type === 'yarn' && ropeTheta === 1) || (type !== 'linear' && type !== 'llama3' && type !== 'yarn') || !count(factorMilli) || factorMilli < MILLI || !fits) {
    throw new ModelShapeError(`expected a ropeScaling that is linear with a factor of 1 or more, or llama3 or yarn with their bands, but got ${JSON.stringify(ropeScaling)}`)
  }
}
