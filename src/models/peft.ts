import { LoraShapeError } from './errors.ts'
import { checkTheta } from './lora.ts'
import { parseSafetensors, writeSafetensors } from './safetensors.ts'
import type { LoraFactor, LoraShape, Tensor, Tensors } from './interface.ts'

/** The two files of a PEFT adapter. */
export interface PeftFiles {
  /** adapter_config.json */
  config: Uint8Array
  /** adapter_model.safetensors, f32 */
  weights: Uint8Array
}

/** An adapter as Hugging Face's PEFT stores it: theta rounded to f32, nothing else lost. */
export function thetaToPeft (shape: LoraShape, theta: Float64Array, options: { base?: string } = {}): PeftFiles {
  checkTheta(shape, theta)
  const tensors: Tensors = new Map()
  for (const factor of shape.factors) {
    for (const { name, begin, shape: size } of tensorsOf(shape, factor)) {
      tensors.set(name, { shape: size, data: new Float32Array(theta.subarray(begin, begin + size[0] * size[1])) })
    }
  }
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: options.base ?? null,
    r: shape.rank,
    lora_alpha: shape.alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    target_modules: shape.targets
  }
  return {
    config: new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`),
    weights: writeSafetensors(tensors, { metadata: { format: 'pt' } })
  }
}

/**
 * Theta from adapter_model.safetensors.
 *
 * @throws {SafetensorsError} if the file is malformed
 * @throws {LoraShapeError} if its tensors are not those of the shape
 */
export function peftToTheta (shape: LoraShape, weights: Uint8Array): Float64Array {
  const theta = new Float64Array(shape.parameters)
  // f32 plus names and shapes; an adapter larger than that is not this shape
  const tensors = parseSafetensors(weights, { bytesMax: 4 * shape.parameters + 512 * (2 * shape.factors.length + 2) })
  let count = 0
  for (const factor of shape.factors) {
    for (const { name, begin, shape: size } of tensorsOf(shape, factor)) {
      const tensor: Tensor | undefined = tensors.get(name)
      if (tensor == null || tensor.shape.join() !== size.join()) {
        throw new LoraShapeError(`expected tensor ${name} of shape [${size.join(', ')}] but got ${tensor == null ? 'none' : `[${tensor.shape.join(', ')}]`}`)
      }
      theta.set(tensor.data, begin)
      count++
    }
  }
  if (tensors.size !== count) {
    throw new LoraShapeError(`expected ${count} tensors but got ${tensors.size}: rank and targets must be those of the recipe`)
  }
  return theta
}

function tensorsOf (shape: LoraShape, factor: LoraFactor): Array<{ name: string, begin: number, shape: [number, number] }> {
  const block = factor.target === 'gate_proj' || factor.target === 'up_proj' || factor.target === 'down_proj' ? 'mlp' : 'self_attn'
  const prefix = `base_model.model.model.layers.${factor.layer}.${block}.${factor.target}`
  return [
    { name: `${prefix}.lora_A.weight`, begin: factor.offsetA, shape: [shape.rank, factor.inputs] },
    { name: `${prefix}.lora_B.weight`, begin: factor.offsetB, shape: [factor.outputs, shape.rank] }
  ]
}
