import type { LoadedAdapter } from './interface.ts'
import type { WeightedLora } from '../models/index.ts'

/** What is added to the base for an answer, in this order: nothing, one adapter, or the parents of a merge. */
export function lorasOf ({ lora, parents }: Pick<LoadedAdapter, 'lora' | 'parents'>): readonly WeightedLora[] {
  return parents?.map(({ adapter, weightMilli }) => ({ lora: adapter.lora, weightMilli })) ?? (lora.shape.factors.length === 0 ? [] : [{ lora }])
}
