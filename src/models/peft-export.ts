import { checkTheta } from './lora.ts'
import { layerOf, modulesOf, rowOutside } from './peft-modules.ts'
import { writeSafetensors } from './safetensors.ts'
import type { LlamaConfig, Lora, Tensors } from './interface.ts'
import type { PeftFiles } from './peft.ts'

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
