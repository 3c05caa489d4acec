import { modelPlan } from './architecture.ts'
import { LORA_RANK_MAX, PEFT_BYTES_MAX } from './constants.ts'
import { LoraShapeError, ModelUnsupportedError } from './errors.ts'
import { jsonObject } from './huggingface-config.ts'
import { checkTheta, LORA_TARGETS, loraShape } from './lora.ts'
import { parseSafetensors, writeSafetensors } from './safetensors.ts'
import type { LlamaConfig, Lora, LoraFactor, LoraShape, LoraTarget, Tensor, Tensors } from './interface.ts'
import type { PeftFiles } from './peft.ts'

/** Options of PEFT that change what an adapter computes; an adapter that has one set is refused by its name. */
const UNSUPPORTED = [
  'use_rslora', 'use_dora', 'use_qalora', 'use_bdlora', 'lora_bias', 'modules_to_save', 'layers_to_transform', 'layer_replication', 'target_parameters',
  'trainable_token_indices', 'alora_invocation_tokens', 'arrow_config', 'kasa_config', 'monteclora_config'
]

/** A module of the model on Hugging Face and the projections of ours that it holds, with the row where each begins. */
interface Module {
  path: string
  outputs: number
  inputs: number
  parts: Array<{ target: LoraTarget, row: number }>
}

const GPT2_MODULES: Array<[path: string, LoraTarget[]]> = [
  ['attn.c_attn', ['q_proj', 'k_proj', 'v_proj']], ['attn.c_proj', ['o_proj']], ['mlp.c_fc', ['up_proj']], ['mlp.c_proj', ['down_proj']]
]

function modulesOf (config: LlamaConfig): Module[] {
  return modelPlan(config).layers.flatMap((layer, index) => {
    const projections = new Map([layer.q, layer.k, layer.v, layer.o, layer.gate, layer.up, layer.down].flatMap(one => one == null ? [] : [[one.target, one.weight]]))
    const size = (target: LoraTarget): number[] => projections.get(target)?.shape ?? []
    if (config.architecture === 'gpt2') {
      return GPT2_MODULES.map(([path, targets]) => ({
        path: `transformer.h.${index}.${path}`,
        outputs: targets.length * size(targets[0])[0],
        inputs: size(targets[0])[1],
        parts: targets.map((target, part) => ({ target, row: part * size(target)[0] }))
      }))
    }
    return [...projections].map(([target, { name, shape }]) => ({
      path: name.replace(/\.weight$/, ''),
      outputs: shape[0],
      inputs: shape[1] ?? 0,
      parts: [{ target, row: 0 }]
    }))
  })
}

/**
 * An adapter for Hugging Face's model of this architecture: rows of q and k in its order, and
 * GPT-2's q, k and v joined as its c_attn, of the rank that they need together.
 *
 * @returns adapter_config.json and adapter_model.safetensors, f32
 */
export function exportPeft (config: LlamaConfig, { shape, theta }: Lora, options: { base?: string } = {}): PeftFiles {
  checkTheta(shape, theta)
  const tensors: Tensors = new Map()
  const joined = new Set<string>()
  let ratio = 1
  for (const module of modulesOf(config)) {
    const factors = module.parts.flatMap(part => {
      const factor = shape.factors.find(({ layer, target }) => target === part.target && layer === layerOf(module.path))
      return factor == null ? [] : [{ ...part, factor }]
    })
    if (factors.length === 0) {
      continue
    }
    const rank = shape.rank * factors.length
    const a = new Float32Array(rank * module.inputs)
    const b = new Float32Array(module.outputs * rank)
    factors.forEach(({ factor, target, row }, index) => {
      a.set(new Float32Array(theta.subarray(factor.offsetA, factor.offsetA + shape.rank * factor.inputs)), index * shape.rank * factor.inputs)
      for (let output = 0; output < factor.outputs; output++) {
        const from = factor.offsetB + output * shape.rank
        b.set(new Float32Array(theta.subarray(from, from + shape.rank)), (row + rowOutside(config, target, output)) * rank + index * shape.rank)
      }
    })
    tensors.set(`base_model.model.${module.path}.lora_A.weight`, { shape: [rank, module.inputs], data: a })
    tensors.set(`base_model.model.${module.path}.lora_B.weight`, { shape: [module.outputs, rank], data: b })
    const name = config.architecture === 'gpt2' ? module.path.replace(/^transformer\.h\.\d+\./, '') : module.path.split('.').at(-1) ?? ''
    joined.add(name)
    ratio = name === 'attn.c_attn' ? factors.length : ratio
  }
  const pattern = (value: number): Record<string, number> => ratio === 1 ? {} : { 'attn.c_attn': value * ratio }
  const json = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: options.base ?? null,
    r: shape.rank,
    lora_alpha: shape.alpha,
    // alpha / rank is the same for all
    rank_pattern: pattern(shape.rank),
    alpha_pattern: pattern(shape.alpha),
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: config.architecture === 'gpt2',
    inference_mode: true,
    target_modules: [...joined]
  }
  return {
    config: new TextEncoder().encode(`${JSON.stringify(json, null, 2)}\n`),
    weights: writeSafetensors(tensors, { metadata: { format: 'pt' } })
  }
}

/**
 * An adapter that PEFT trained, for our model of the architecture. Ranks that differ by module are
 * filled up with zeros to the largest; scales that differ go into B.
 *
 * @throws {ModelUnsupportedError} for options that we do not compute, by name
 * @throws {SafetensorsError | LoraShapeError} if a file is malformed or its tensors do not fit the model
 */
export function importPeft (config: LlamaConfig, files: PeftFiles): Lora {
  const json = jsonObject(files.config, 'adapter_config.json')
  refuse(json)
  const tensors = parseSafetensors(files.weights, { bytesMax: PEFT_BYTES_MAX })
  const found = modulesOf(config).flatMap(module => {
    const a = tensors.get(`base_model.model.${module.path}.lora_A.weight`)
    const b = tensors.get(`base_model.model.${module.path}.lora_B.weight`)
    return a == null && b == null ? [] : [{ module, ...fitting(module, a, b, json) }]
  })
  if (found.length === 0 || tensors.size !== 2 * found.length) {
    throw new LoraShapeError(`expected the tensors of LoRA on projections of a ${config.architecture ?? 'llama'} model but got ${tensors.size}, such as ${[...tensors.keys()].find(name => !found.some(({ module }) => name.includes(`.${module.path}.`))) ?? 'none'}`)
  }
  const rank = Math.max(...found.map(one => one.rank))
  const alpha = Math.max(1, Math.min(65_536, Math.round(found[0].scale * rank)))
  const held = new Set(found.flatMap(({ module }) => module.parts.map(({ target }) => target)))
  const shape = loraShape(config, { rank, alpha, targets: LORA_TARGETS.filter(target => held.has(target)) })
  const theta = new Float64Array(shape.parameters)
  for (const factor of shape.factors) {
    const one = found.find(({ module }) => layerOf(module.path) === factor.layer && module.parts.some(({ target }) => target === factor.target))
    if (one == null) {
      throw new LoraShapeError(`expected every layer to have LoRA on ${factor.target} but layer ${factor.layer} has none`)
    }
    place(config, shape, theta, factor, one)
  }
  return { shape, theta }
}

interface Found { module: Module, a: Tensor, b: Tensor, rank: number, scale: number }

function place (config: LlamaConfig, shape: LoraShape, theta: Float64Array, factor: LoraFactor, { module, a, b, rank, scale }: Found): void {
  const row = module.parts.find(({ target }) => target === factor.target)?.row ?? 0
  const ours = shape.alpha / shape.rank
  // exact where the scales agree, as they do in all but hand-made files
  const ratio = scale === ours ? 1 : scale / ours
  theta.set(a.data, factor.offsetA)
  for (let output = 0; output < factor.outputs; output++) {
    const from = (row + rowOutside(config, factor.target, output)) * rank
    theta.set(b.data.subarray(from, from + rank).map(value => value * ratio), factor.offsetB + output * shape.rank)
  }
}

function refuse (json: Record<string, unknown>): void {
  if (json.peft_type !== 'LORA') {
    throw new ModelUnsupportedError(`expected an adapter of LORA but adapter_config.json says ${JSON.stringify(json.peft_type)}`)
  }
  for (const name of UNSUPPORTED) {
    const value = json[name]
    if (value != null && value !== false && !(Array.isArray(value) && value.length === 0)) {
      throw new ModelUnsupportedError(`expected an adapter without ${name} but adapter_config.json has ${JSON.stringify(value).slice(0, 80)}: we do not compute that`)
    }
  }
  if (json.bias != null && json.bias !== 'none') {
    throw new ModelUnsupportedError(`expected an adapter without bias but adapter_config.json has ${JSON.stringify(json.bias).slice(0, 80)}: we do not compute that`)
  }
}

/** A module's two tensors if they fit it, with its rank and scale. */
function fitting (module: Module, a: Tensor | undefined, b: Tensor | undefined, json: Record<string, unknown>): { a: Tensor, b: Tensor, rank: number, scale: number } {
  const rank = patternValue(json.rank_pattern, module.path) ?? json.r
  const alpha = patternValue(json.alpha_pattern, module.path) ?? json.lora_alpha
  if (typeof rank !== 'number' || !Number.isInteger(rank) || rank < 1 || rank > LORA_RANK_MAX || typeof alpha !== 'number' || !(alpha > 0)) {
    throw new LoraShapeError(`expected r to be an integer of 1 … ${LORA_RANK_MAX} and lora_alpha to be positive but got ${String(rank)} and ${String(alpha)} for ${module.path}`)
  }
  if (a == null || b == null || a.shape.join() !== `${rank},${module.inputs}` || b.shape.join() !== `${module.outputs},${rank}`) {
    throw new LoraShapeError(`expected ${module.path} to have lora_A of [${rank}, ${module.inputs}] and lora_B of [${module.outputs}, ${rank}] but got ${a == null ? 'none' : `[${a.shape.join(', ')}]`} and ${b == null ? 'none' : `[${b.shape.join(', ')}]`}`)
  }
  return { a, b, rank, scale: alpha / rank }
}

/** PEFT matches the ends of paths; its regular expressions are not taken from strangers. */
function patternValue (pattern: unknown, path: string): unknown {
  const entries = typeof pattern === 'object' && pattern !== null ? Object.entries(pattern) : []
  return entries.find(([key]) => path === key || path.endsWith(`.${key}`))?.[1]
}

function layerOf (path: string): number {
  return Number(/\.(\d+)\./.exec(path)?.[1])
}

/** The row of Hugging Face's projection that is row `output` of ours: models that pair neighbours have heads interleaved. */
function rowOutside (config: LlamaConfig, target: LoraTarget, output: number): number {
  if (config.ropePairing !== 'interleaved' || (target !== 'q_proj' && target !== 'k_proj')) {
    return output
  }
  const head = config.headDim ?? config.dim / config.heads
  const within = output % head
  return output - within + (within % 2) * head / 2 + (within >>> 1)
}
