import { PEFT_BYTES_MAX } from './constants.ts'
import { LoraShapeError } from './errors.ts'
import { jsonObject } from './huggingface-config.ts'
import { LORA_TARGETS, loraShape } from './lora.ts'
import { layerOf, modulesOf, rowOutside } from './peft-modules.ts'
import { moduleScales, refuseOptions, requiredModules } from './peft-options.ts'
import { parseSafetensors } from './safetensors.ts'
import type { LlamaConfig, Lora, LoraFactor, LoraShape, Tensor, Tensors } from './interface.ts'
import type { Module } from './peft-modules.ts'
import type { ModuleScale } from './peft-options.ts'
import type { PeftFiles } from './peft.ts'

/** A module's factors. */
interface Found extends ModuleScale {
  module: Module
  a: Tensor
  b: Tensor
}

/**
 * An adapter that PEFT trained, for our model of the architecture. Ranks that differ by module are
 * filled up with zeros to the largest, as are modules without factors of their own; scales that differ
 * go into B.
 *
 * @throws {ModelUnsupportedError} for options that we do not compute, by name
 * @throws {SafetensorsError | LoraShapeError} if a file is malformed or its tensors do not fit the model
 */
export function importPeft (config: LlamaConfig, files: PeftFiles): Lora {
  const json = jsonObject(files.config, 'adapter_config.json')
  refuseOptions(json)
  const found = modulesFound(config, json, byModule(config, parseSafetensors(files.weights, { bytesMax: PEFT_BYTES_MAX })))
  const rank = Math.max(...found.map(one => one.rank))
  const alpha = Math.max(1, Math.min(65_536, Math.round(found[0].scale * rank)))
  const held = new Set(found.flatMap(({ module }) => module.parts.map(({ target }) => target)))
  const shape = loraShape(config, { rank, alpha, targets: LORA_TARGETS.filter(target => held.has(target)) })
  const theta = new Float64Array(shape.parameters)
  for (const factor of shape.factors) {
    const one = found.find(({ module }) => layerOf(module.path) === factor.layer && module.parts.some(({ target }) => target === factor.target))
    if (one != null) {
      place(config, shape, theta, factor, one)
    }
  }
  return { shape, theta }
}

/**
 * PEFT's name of a tensor: before the module's path `base_model.model.`, and `model.` or `transformer.`
 * unless the adapter was trained on the bare model; behind it the adapter's name, where it was not
 * saved by PEFT itself.
 */
const NAME = /^(?:base_model\.model\.)?(?:model\.|transformer\.)?((?:layers|h)\.\d+\..+)\.lora_([AB])(?:\.([\w-]+))?\.weight$/

/** A and B by the paths of modules. */
type Pairs = Map<string, { a?: Tensor, b?: Tensor }>

function byModule (config: LlamaConfig, tensors: Tensors): Pairs {
  const pairs: Pairs = new Map()
  const adapters = new Set<string>()
  for (const [name, tensor] of tensors) {
    const [, path, kind, adapter = ''] = NAME.exec(name) ?? []
    if (path == null) {
      throw new LoraShapeError(`expected the tensors of LoRA on projections of a ${config.architecture ?? 'llama'} model but got ${name}`)
    }
    const full = `${path.startsWith('h.') ? 'transformer' : 'model'}.${path}`
    const pair = pairs.get(full) ?? {}
    const side = kind === 'A' ? 'a' : 'b'
    adapters.add(adapter)
    if (pair[side] != null || adapters.size > 1) {
      throw new LoraShapeError(`expected one adapter but ${name} is of another one, or comes twice`)
    }
    pair[side] = tensor
    pairs.set(full, pair)
  }
  return pairs
}

function modulesFound (config: LlamaConfig, json: Record<string, unknown>, pairs: Pairs): Found[] {
  const scaleOf = moduleScales(json)
  const isRequired = requiredModules(json)
  const modules = modulesOf(config)
  const found = modules.flatMap(module => {
    const pair = pairs.get(module.path)
    if (pair == null && isRequired(module, layerOf(module.path))) {
      throw new LoraShapeError(`expected LoRA on ${module.path}, since target_modules has it, but there are no tensors for it`)
    }
    return pair == null ? [] : [{ module, ...fitting(module, pair, scaleOf(module)) }]
  })
  if (found.length === 0 || found.length !== pairs.size) {
    const known = new Set(modules.map(({ path }) => path))
    throw new LoraShapeError(`expected LoRA on projections of a ${config.architecture ?? 'llama'} model of ${config.layers} layers but got ${[...pairs.keys()].find(path => !known.has(path)) ?? 'none'}`)
  }
  return found
}

/** A module's two tensors if they fit it, with its rank and scale. */
function fitting (module: Module, { a, b }: { a?: Tensor, b?: Tensor }, { rank, scale }: ModuleScale): Omit<Found, 'module'> {
  if (a == null || b == null || a.shape.join() !== `${rank},${module.inputs}` || b.shape.join() !== `${module.outputs},${rank}`) {
    throw new LoraShapeError(`expected ${module.path} to have lora_A of [${rank}, ${module.inputs}] and lora_B of [${module.outputs}, ${rank}] but got ${a == null ? 'none' : `[${a.shape.join(', ')}]`} and ${b == null ? 'none' : `[${b.shape.join(', ')}]`}`)
  }
  return { a, b, rank, scale }
}

function place (config: LlamaConfig, shape: LoraShape, theta: Float64Array, factor: LoraFactor, { module, a, b, rank, scale }: Found): void {
  const row = module.parts.find(({ target }) => target === factor.target)?.row ?? 0
  const ours = shape.alpha / shape.rank
  // exact where the scales agree, as they do in all but hand-made files and with use_rslora
  const ratio = scale === ours ? 1 : scale / ours
  theta.set(a.data, factor.offsetA)
  for (let output = 0; output < factor.outputs; output++) {
    const from = (row + rowOutside(config, factor.target, output)) * rank
    theta.set(b.data.subarray(from, from + rank).map(value => value * ratio), factor.offsetB + output * shape.rank)
  }
}
