import { tensorPlans } from './architecture.ts'
import { ModelShapeError, TokensError } from './errors.ts'
import { weightOf } from './llama.ts'
import type {
  ForwardOptions, KeyValueCache, LayerPlan, LlamaConfig, LlamaModel, LoraValues, ModelPlan, NormPlan, ProjectionPlan, Tape, TensorPlan, Value, WeightMatrix
} from './interface.ts'

/** A model's weights on a tape, by name. */
export type WeightValues = ReadonlyMap<string, Value>

const frozen = new WeakMap<Tape, WeakMap<LlamaModel, WeightValues>>()

/** The model's weights as constants of the tape; packed once for each tape. */
export function frozenWeights (tape: Tape, model: LlamaModel): WeightValues {
  let models = frozen.get(tape)
  if (models == null) {
    models = new WeakMap()
    frozen.set(tape, models)
  }
  let values = models.get(model)
  if (values == null) {
    values = weightValues(model, (data, shape) => data instanceof Float32Array ? tape.constant(data, shape) : tape.constant(data))
    models.set(model, values)
  }
  return values
}

/**
 * The model's weights on a tape as whatever `place` makes of them; vectors become [1, size].
 * Matrices that the model keeps quantised or in bf16 are placed as they are.
 */
export function weightValues (model: LlamaModel, place: Place): WeightValues {
  const values = new Map<string, Value>()
  for (const { name, shape } of tensorPlans(model.plan)) {
    const weight = weightOf(model, name)
    values.set(name, place('data' in weight ? weight.data : weight, shape.length === 1 ? [1, shape[0]] : shape, name))
  }
  return values
}

/** Puts one tensor on a tape: its values, or a matrix in another type than f32. */
export type Place = (data: Float32Array | WeightMatrix, shape: readonly [number, number], name: string) => Value

/** An empty cache for one conversation with the model. */
export function keyValueCache (config: LlamaConfig): KeyValueCache {
  const size = config.contextLength * config.kvHeads * (config.headDim ?? config.dim / config.heads)
  const buffers = (): Float32Array[] => Array.from({ length: config.layers }, () => new Float32Array(size))
  return { length: 0, keys: buffers(), values: buffers() }
}

/**
 * Logits of a frozen model for each position, or for those in `rows`: [ids.length, vocabularySize].
 *
 * Rows do not depend on how the ids are cut into calls: decoding with a cache gives the bits of
 * one prefill.
 *
 * @throws {TokensError} if there are no ids, too many for the context, or one is not in the vocabulary
 */
export function forward (tape: Tape, model: LlamaModel, ids: ArrayLike<number>, options: ForwardOptions = {}): Value {
  return forwardWith(tape, model, frozenWeights(tape, model), ids, options)
}

/** The same with weights that may be parameters; see `weightValues`. */
export function forwardWith (tape: Tape, model: LlamaModel, weights: WeightValues, ids: ArrayLike<number>, options: ForwardOptions = {}): Value {
  const { config } = model
  const position = options.cache?.length ?? 0
  checkTokens(config, ids, position)
  const { plan } = model
  const run: Run = { tape, plan, weights, loras: lorasOf(options), cache: options.cache, position }
  let x = tape.gather(weight(run, plan.embedding), ids)
  if (plan.positionEmbedding != null) {
    x = tape.add(x, tape.gather(weight(run, plan.positionEmbedding), Array.from({ length: ids.length }, (_, i) => position + i)))
  }
  for (const [index, layer] of plan.layers.entries()) {
    x = tape.add(x, attend(run, layer, index, normalise(run, x, layer.attentionNorm)))
    x = tape.add(x, feedForward(run, layer, index, normalise(run, x, layer.feedForwardNorm)))
  }
  if (options.cache != null) {
    options.cache.length += ids.length
  }
  if (options.rows != null && options.rows.length < ids.length) {
    x = tape.gather(x, options.rows)
  }
  return tape.matmul(normalise(run, x, plan.finalNorm), weight(run, plan.head), { transposeB: true })
}

interface Run {
  tape: Tape
  plan: ModelPlan
  weights: WeightValues
  loras: readonly LoraValues[]
  cache?: KeyValueCache
  position: number
}

function attend (run: Run, layer: LayerPlan, index: number, x: Value): Value {
  const { plan: { heads, kvHeads } } = run
  const q = rotate(run, project(run, layer.q, index, x), heads)
  const k = rotate(run, project(run, layer.k, index, x), kvHeads)
  const v = project(run, layer.v, index, x)
  const attended = run.tape.attention(
    q,
    run.cache == null ? k : remember(run, run.cache.keys[index], k),
    run.cache == null ? v : remember(run, run.cache.values[index], v),
    { heads, kvHeads }
  )
  return project(run, layer.o, index, attended)
}

function rotate ({ tape, plan: { positions, rope }, position: offset }: Run, x: Value, heads: number): Value {
  return positions === 'learned' ? x : tape.rope(x, { heads, offset, ...rope })
}

function feedForward (run: Run, layer: LayerPlan, index: number, x: Value): Value {
  const { tape, plan: { activation } } = run
  if (layer.gate == null) {
    const up = project(run, layer.up, index, x)
    return project(run, layer.down, index, activation === 'gelu' ? tape.gelu(up) : tape.silu(up))
  }
  const gate = project(run, layer.gate, index, x)
  const up = project(run, layer.up, index, x)
  return project(run, layer.down, index, activation === 'gelu' ? tape.mul(tape.gelu(gate), up) : tape.swiglu(gate, up))
}

function lorasOf ({ lora = [] }: ForwardOptions): readonly LoraValues[] {
  return 'factors' in lora ? [lora] : lora
}

/** x·Wᵀ (+ b) + (alpha / rank) · (x·Aᵀ)·Bᵀ of each adapter, added one after the other */
function project (run: Run, projection: ProjectionPlan, layer: number, x: Value): Value {
  const bias = projection.bias == null ? undefined : weight(run, projection.bias)
  const changes = run.loras.flatMap(({ factors, scale }) => {
    const factor = factors.get(`${layer}.${projection.target}`)
    return factor == null ? [] : [{ ...factor, scale }]
  })
  return run.tape.project(x, weight(run, projection.weight), { bias, changes })
}

function normalise (run: Run, x: Value, { gain, bias }: NormPlan): Value {
  const { tape, plan: { normEps } } = run
  return bias == null ? tape.rmsNorm(x, weight(run, gain), normEps) : tape.layerNorm(x, weight(run, gain), weight(run, bias), normEps)
}

/** Appends rows to a layer's buffer and returns all rows so far as one value. */
function remember (run: Run, buffer: Float32Array, rows: Value): Value {
  const columns = rows.shape[1]
  buffer.set(rows.data, run.position * columns)
  const length = run.position + rows.shape[0]
  return run.tape.parameter(buffer.subarray(0, length * columns), [length, columns])
}

function weight (run: Run, { name }: TensorPlan): Value {
  const value = run.weights.get(name)
  if (value == null) {
    throw new ModelShapeError(`expected weight ${name} on the tape`)
  }
  return value
}

/** @throws {TokensError} */
export function checkTokens (config: LlamaConfig, ids: ArrayLike<number>, position = 0): void {
  if (ids.length === 0 || position + ids.length > config.contextLength) {
    throw new TokensError(`expected 1 … ${config.contextLength - position} tokens but got ${ids.length}: the context holds ${config.contextLength}`)
  }
  for (let i = 0; i < ids.length; i++) {
    if (!Number.isInteger(ids[i]) || ids[i] < 0 || ids[i] >= config.vocabularySize) {
      throw new TokensError(`expected token ids below ${config.vocabularySize} but token ${i} is ${ids[i]}`)
    }
  }
}
