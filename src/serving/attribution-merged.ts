import { influenceOfAnswer, mergedEffects } from '../attribution/index.ts'
import { answerGradients } from '../models/index.ts'
import { lorasOf } from './loras.ts'
import type { LoadedAdapter } from './interface.ts'
import type { ReceiptOpening } from '../interface/index.ts'

/** What one adapter of a merge did for an answer. */
export interface ParentAttribution {
  /** its part of what all together changed in the answer's log-likelihood, nats */
  effect: number
  /** of the positive effects, in millionths */
  sharePpm: number
  /** per contribution of its own snapshot, nats by unit of weight; null where it has no columns here */
  influence: number[] | null
}

/**
 * Divides an answer of several adapters as a committee will: by measured effect among them, then by
 * each one's influence Jacobian at the merged weights. 2ⁿ passes over the answer for n adapters, and
 * one pass back if any of them has columns; `columns` has those of each parent, in their order.
 */
export function attributeMerged (adapter: LoadedAdapter, { prompt, output }: Pick<ReceiptOpening, 'prompt' | 'output'>, columns: ReadonlyArray<Float64Array[] | null>): ParentAttribution[] {
  const { model } = adapter.base
  const lora = lorasOf(adapter)

  if (output.length === 0) {
    return lora.map(() => ({ effect: 0, sharePpm: 0, influence: null }))
  }

  const gradients = columns.some(one => one != null) ? answerGradients(model, lora, prompt, output) : []

  return mergedEffects(model, { prompt, output, adapters: lora }).map((effect, parent) => {
    const own = columns[parent]

    return { ...effect, influence: own == null ? null : [...influenceOfAnswer(own, gradients[parent])] }
  })
}
