import { modelPlan } from './architecture.ts'
import type { LlamaConfig, LoraTarget } from './interface.ts'

/** A module of the model on Hugging Face and the projections of ours that it holds, with the row where each begins. */
export interface Module {
  path: string
  outputs: number
  inputs: number
  parts: Array<{ target: LoraTarget, row: number }>
}

const GPT2_MODULES: Array<[path: string, LoraTarget[]]> = [
  ['attn.c_attn', ['q_proj', 'k_proj', 'v_proj']], ['attn.c_proj', ['o_proj']], ['mlp.c_fc', ['up_proj']], ['mlp.c_proj', ['down_proj']]
]

/** In the order of layers; a path is what PEFT calls a module. */
export function modulesOf (config: LlamaConfig): Module[] {
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

/** The layer that a module is in. */
export function layerOf (path: string): number {
  return Number(/\.(\d+)\./.exec(path)?.[1])
}

/** The row of Hugging Face's projection that is row `output` of ours: models that pair neighbours have heads interleaved. */
export function rowOutside (config: LlamaConfig, target: LoraTarget, output: number): number {
  if (config.ropePairing !== 'interleaved' || (target !== 'q_proj' && target !== 'k_proj')) {
    return output
  }
  const head = config.headDim ?? config.dim / config.heads
  const within = output % head
  return output - within + (within % 2) * head / 2 + (within >>> 1)
}
