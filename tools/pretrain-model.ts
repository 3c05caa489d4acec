import { forwardWith, llama, llamaShapes, weightValues } from '../src/models/index.ts'
import { dequantise, prng, tape as createTape } from '../src/numeric/index.ts'
import type { LlamaConfig } from '../src/interface/index.ts'
import type { Tensors } from '../src/models/index.ts'

/** Weights as views of one vector, in the order of `llamaShapes`. */
export function tensorsOver (config: LlamaConfig, theta: Float32Array): Tensors {
  const tensors: Tensors = new Map()
  let at = 0
  for (const [name, shape] of llamaShapes(config)) {
    const size = shape.length === 1 ? shape[0] : shape[0] * shape[1]
    tensors.set(name, { shape, data: theta.subarray(at, at + size) })
    at += size
  }
  return tensors
}

/** Gains 1; matrices normal, those that write to the residual stream smaller by sqrt(2 · layers) (GPT-2). */
export function initialWeights (config: LlamaConfig, deviation: number, seed: number, parameters: number): Float64Array {
  const random = prng(seed)
  const theta = new Float64Array(parameters)
  let at = 0
  for (const [name, shape] of llamaShapes(config)) {
    const size = shape.length === 1 ? shape[0] : shape[0] * shape[1]
    const residual = name.includes('o_proj') || name.includes('down_proj')
    const scale = name.includes('embed') || name.includes('lm_head')
      ? deviation
      : 0.5 / Math.sqrt(shape[1] ?? 1) / (residual ? Math.sqrt(2 * config.layers) : 1)
    for (let i = 0; i < size; i++) {
      theta[at++] = shape.length === 1 ? 1 : random.nextNormal() * scale
    }
  }
  return theta
}

/**
 * The mean loss of one window and its gradient over all weights, from the current content of
 * `theta`; the result does not depend on what else ran on the tape.
 */
export function windowGradient (config: LlamaConfig, theta: Float32Array): (tokens: ArrayLike<number>, out?: Float32Array) => number {
  const tape = createTape()
  const model = llama(config, tensorsOver(config, theta))
  return (tokens, out) => {
    tape.reset()
    const ids = Array.from(tokens)
    const weights = weightValues(model, (data, shape) => tape.parameter(data instanceof Float32Array ? data : dequantise(data), shape))
    const logits = forwardWith(tape, model, weights, ids.slice(0, -1))
    const loss = tape.crossEntropy(logits, ids.slice(1), new Float32Array(ids.length - 1).fill(1 / (ids.length - 1)))
    if (out != null) {
      let at = 0
      for (const { data } of tape.gradient(loss, [...weights.values()])) {
        out.set(data, at)
        at += data.length
      }
    }
    return loss.data[0]
  }
}
