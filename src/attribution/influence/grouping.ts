import { addScaled } from './vectors.ts'
import type { GradientTable } from './gradient-table.ts'
import type { AbortOptions } from '../../interface/index.ts'

/** Which of some columns each example belongs to; -1: to none. */
export interface Grouping {
  places: Int32Array
  count: number
}

/** The columns of the wanted groups, in their order. */
export function groupingOf (groups: ArrayLike<number>, wanted: readonly number[]): Grouping {
  const places = new Map(wanted.map((group, column) => [group, column]))

  return { places: Int32Array.from(groups, group => places.get(group) ?? -1), count: wanted.length }
}

/** The gradients of each column's examples times `weight`, added to `sums` in the examples' order. */
export async function addGradients (table: GradientTable, { places }: Grouping, weight: number, sums: Float64Array[], options?: AbortOptions): Promise<void> {
  await table.each((example, gradient) => {
    const place = places[example]

    if (place >= 0) {
      addScaled(sums[place], weight, gradient)
    }
  }, options)
}

/** A vector of zeros for each column. */
export function emptyColumns ({ count }: Grouping, size: number): Float64Array[] {
  return Array.from({ length: count }, () => new Float64Array(size))
}
