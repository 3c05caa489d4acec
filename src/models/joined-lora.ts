import { LORA_RANK_MAX } from './constants.ts'
import { LoraShapeError } from './errors.ts'
import { checkTheta, LORA_TARGETS, loraShape } from './lora.ts'
import type { LlamaConfig, Lora, WeightedLora } from './interface.ts'

/**
 * Several adapters as one that changes the base as all of them do, for software that knows no merges:
 * their ranks one after the other in their order, and each one's alpha / rank and weight in its B, as
 * the f32 number by which the engine multiplies. An adapter that leaves a projection alone has zeros there.
 *
 * It computes the same sums in another order: changes are summed over all ranks before they are added to
 * the base's product, where the engine adds one adapter after the other. The bits are the same only where
 * no two adapters change one projection and the factors are powers of two; elsewhere logits differ by rounding.
 *
 * @param config - of the base that all of them are for
 * @param adapters - at least one
 * @returns alpha = rank = the sum of the ranks, values in f32
 * @throws {LoraShapeError} for none, for more than LORA_RANK_MAX ranks together, or for an adapter of another base
 */
export function joinedLora (config: LlamaConfig, adapters: readonly WeightedLora[]): Lora {
  const rank = adapters.reduce((sum, { lora: { shape } }) => sum + shape.rank, 0)
  if (rank > LORA_RANK_MAX) {
    throw new LoraShapeError(`expected adapters of at most ${LORA_RANK_MAX} ranks together but got ${rank}: take each for itself`)
  }
  const shape = loraShape(config, { rank, alpha: rank, targets: LORA_TARGETS.filter(target => adapters.some(({ lora }) => lora.shape.targets.includes(target))) })
  const theta = new Float64Array(shape.parameters)
  const places = new Map(shape.factors.map(factor => [`${factor.layer}.${factor.target}`, factor]))
  let first = 0
  for (const { lora, weightMilli = 1000 } of adapters) {
    const own = lora.shape
    const factor = Math.fround(own.alpha / own.rank * (weightMilli / 1000))
    checkTheta(own, lora.theta)
    for (const { layer, target, inputs, outputs, offsetA, offsetB } of own.factors) {
      const place = places.get(`${layer}.${target}`)
      if (place?.inputs !== inputs || place.outputs !== outputs) {
        throw new LoraShapeError(`expected adapters of one base but ${target} of layer ${layer} is ${outputs} × ${inputs} in one of them`)
      }
      theta.set(lora.theta.subarray(offsetA, offsetB), place.offsetA + first * inputs)
      for (let output = 0; output < outputs; output++) {
        const from = offsetB + output * own.rank
        theta.set(lora.theta.subarray(from, from + own.rank).map(value => Math.fround(Math.fround(value) * factor)), place.offsetB + output * rank + first)
      }
    }
    first += own.rank
  }
  return { shape, theta }
}
