import { projectionName } from './architecture.ts'
import { NANO } from './constants.ts'
import { ModelShapeError, TokensError } from './errors.ts'
import { llamaShapes, weightOf } from './llama.ts'
import type { ForwardOptions, KeyValueCache, LlamaConfig, LlamaModel, LoraTarget, LoraValues, RopePairing, Tape, Value } from './interface.ts'

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
    values = weightValues(model, (data, shape) => tape.constant(data, shape))
    models.set(model, values)
  }
  return values
}

/** The model's weights on a tape as whatever `place` makes of them; vectors become [1, size]. */
export function weightValues (model: LlamaModel, place: (data: Float32Array, shape: readonly [number, number], name: string) => Value): WeightValues {
  const values = new Map<string, Value>()
  for (const [name, shape] of llamaShapes(model.config)) {
    values.set(name, place(weightOf(model, name), shape.length === 1 ? [1, shape[0]] : shape, name))
  }
  return values
}

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
  const run: Run = { tape, config, pairing: model.pairing, weights, lora: options.lora, cache: options.cache, position }
  let x = tape.gather(weight(run, 'model.embed_tokens.weight'), ids)
  for (let layer = 0; layer < config.layers; layer++) {
    x = tape.add(x, attend(run, layer, normalise(run, x, `model.layers.${layer}.input_layernorm.weight`)))
    x = tape.add(x, feedForward(run, layer, normalise(run, x, `model.layers.${layer}.post_attention_layernorm.weight`)))
  }
  if (options.cache != null) {
    options.cache.length += ids.length
  }
  if (options.rows != null && options.rows.length < ids.length) {
    x = tape.gather(x, options.rows)
  }
  const head = weight(run, config.tied ? 'model.embed_tokens.weight' : 'lm_head.weight')
  return tape.matmul(normalise(run, x, 'model.norm.weight'), head, { transposeB: true })
}

interface Run {
  tape: Tape
  config: LlamaConfig
  pairing: RopePairing
  weights: WeightValues
  lora?: LoraValues
  cache?: KeyValueCache
  position: number
}

function attend (run: Run, layer: number, x: Value): Value {
  const { tape, config: { heads, kvHeads, ropeTheta: theta }, pairing, position: offset } = run
  const q = tape.rope(project(run, layer, 'q_proj', x), { heads, theta, offset, pairing })
  const k = tape.rope(project(run, layer, 'k_proj', x), { heads: kvHeads, theta, offset, pairing })
  const v = project(run, layer, 'v_proj', x)
  const attended = tape.attention(
    q,
    run.cache == null ? k : remember(run, run.cache.keys[layer], k),
    run.cache == null ? v : remember(run, run.cache.values[layer], v),
    { heads, kvHeads }
  )
  return project(run, layer, 'o_proj', attended)
}

function feedForward (run: Run, layer: number, x: Value): Value {
  const { tape } = run
  const gate = tape.silu(project(run, layer, 'gate_proj', x))
  return project(run, layer, 'down_proj', tape.mul(gate, project(run, layer, 'up_proj', x)))
}

/** x·Wᵀ + (alpha / rank) · (x·Aᵀ)·Bᵀ */
function project (run: Run, layer: number, target: LoraTarget, x: Value): Value {
  const { tape, lora } = run
  const y = tape.matmul(x, weight(run, projectionName(layer, target)), { transposeB: true })
  const factor = lora?.factors.get(`${layer}.${target}`)
  if (lora == null || factor == null) {
    return y
  }
  const low = tape.matmul(x, factor.a, { transposeB: true })
  return tape.add(y, tape.scale(tape.matmul(low, factor.b, { transposeB: true }), lora.scale))
}

function normalise (run: Run, x: Value, gain: string): Value {
  return run.tape.rmsNorm(x, weight(run, gain), run.config.rmsNormEpsNano / NANO)
}

/** Appends rows to a layer's buffer and returns all rows so far as one value. */
function remember (run: Run, buffer: Float32Array, rows: Value): Value {
  const columns = rows.shape[1]
  buffer.set(rows.data, run.position * columns)
  const length = run.position + rows.shape[0]
  return run.tape.parameter(buffer.subarray(0, length * columns), [length, columns])
}

function weight (run: Run, name: string): Value {
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
