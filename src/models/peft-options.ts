import { LORA_RANK_MAX, PEFT_PATTERN_KEYS_MAX } from './constants.ts'
import { LoraShapeError, ModelUnsupportedError } from './errors.ts'
import type { Module } from './peft-modules.ts'

type Json = Record<string, unknown>

/** What adapter_config.json says of one module. */
export interface ModuleScale {
  rank: number
  /** by which B·A is multiplied */
  scale: number
}

/** Options of PEFT that change what an adapter computes; an adapter that has one set is refused by its name. */
const UNSUPPORTED = [
  'lora_bias', 'modules_to_save', 'layer_replication', 'target_parameters', 'trainable_token_indices', 'alora_invocation_tokens', 'arrow_config', 'kasa_config', 'monteclora_config'
]

/** Ways to begin that take something out of the base's weights first, so that the adapter means nothing on the base itself. */
const CHANGES_BASE = /^(pissa|olora|corda|loftq|lora_ga)/i

/** @throws {ModelUnsupportedError} for an option that we do not compute, by name */
export function refuseOptions (json: Json): void {
  if (json.peft_type !== 'LORA') {
    throw new ModelUnsupportedError(`expected an adapter of LORA but adapter_config.json says ${JSON.stringify(json.peft_type)}`)
  }
  // what future versions of PEFT add is mostly called use_…
  const names = [...UNSUPPORTED, ...Object.keys(json).filter(name => name.startsWith('use_') && name !== 'use_rslora')]
  for (const name of names) {
    const value = json[name]
    if (value != null && value !== false && !(Array.isArray(value) && value.length === 0)) {
      throw new ModelUnsupportedError(`expected an adapter without ${name.slice(0, 80)} but adapter_config.json has ${JSON.stringify(value).slice(0, 80)}: we do not compute that`)
    }
  }
  if (json.bias != null && json.bias !== 'none') {
    throw new ModelUnsupportedError(`expected an adapter without bias but adapter_config.json has ${JSON.stringify(json.bias).slice(0, 80)}: we do not compute that`)
  }
  if (typeof json.init_lora_weights === 'string' && CHANGES_BASE.test(json.init_lora_weights)) {
    throw new ModelUnsupportedError(`expected an adapter for the base as it is but init_lora_weights is ${JSON.stringify(json.init_lora_weights.slice(0, 80))}, which changes the base first: save it with PEFT's path_initial_model_for_weight_conversion`)
  }
}

/**
 * Rank and scale of each module: `rank_pattern` and `alpha_pattern` before `r` and `lora_alpha`, and
 * with `use_rslora` alpha over the root of the rank.
 */
export function moduleScales (json: Json): (module: Module) => ModuleScale {
  const ranks = pattern(json, 'rank_pattern')
  const alphas = pattern(json, 'alpha_pattern')
  return ({ path }) => {
    const rank = valueFor(ranks, path) ?? json.r
    const alpha = valueFor(alphas, path) ?? json.lora_alpha
    if (typeof rank !== 'number' || !Number.isInteger(rank) || rank < 1 || rank > LORA_RANK_MAX || typeof alpha !== 'number' || !(alpha > 0)) {
      throw new LoraShapeError(`expected r to be an integer of 1 … ${LORA_RANK_MAX} and lora_alpha to be positive but got ${String(rank)} and ${String(alpha)} for ${path}`)
    }
    return { rank, scale: alpha / (json.use_rslora === true ? Math.sqrt(rank) : rank) }
  }
}

/** Keys match the end of a path; those that are more than a name are not run, since they come from strangers. */
function pattern (json: Json, name: string): Array<[key: string, value: unknown]> {
  const given = json[name]
  const entries = typeof given === 'object' && given !== null ? Object.entries(given) : []
  if (entries.length > PEFT_PATTERN_KEYS_MAX) {
    throw new LoraShapeError(`expected a ${name} of at most ${PEFT_PATTERN_KEYS_MAX} keys but got ${entries.length}`)
  }
  return entries.map(([key, value]) => {
    const plain = key.replaceAll('\\.', '.').replace(/\$$/, '')
    if (!/^\^?[\w.-]+$/.test(plain)) {
      throw new ModelUnsupportedError(`expected names of modules in ${name} but ${JSON.stringify(key.slice(0, 80))} is a regular expression: write each module's name`)
    }
    return [plain, value]
  })
}

function valueFor (entries: Array<[key: string, value: unknown]>, path: string): unknown {
  return entries.find(([key]) => path === key || `^${path}` === key || path.endsWith(`.${key}`))?.[1]
}

/**
 * Which modules must have tensors: those that `target_modules` lists, in the layers of
 * `layers_to_transform`. A regular expression there says nothing that the tensors do not.
 */
export function requiredModules (json: Json): (module: Module, layer: number) => boolean {
  const { target_modules: names, layers_to_transform: layers, exclude_modules: excluded } = json
  if (!Array.isArray(names) || (excluded != null && !(Array.isArray(excluded) && excluded.length === 0))) {
    return () => false
  }
  const listed = new Set<unknown>(names)
  const chosen = layers == null || (Array.isArray(layers) && layers.length === 0) ? undefined : new Set<unknown>(Array.isArray(layers) ? layers : [layers])
  return ({ path }, layer) => {
    const parts = path.split('.')
    return (chosen?.has(layer) ?? true) && parts.some((_, i) => listed.has(parts.slice(i).join('.')))
  }
}
