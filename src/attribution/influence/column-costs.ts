import { GRADIENTS_BYTES_MAX, PROJECTION_COPIES, PROJECTION_FEATURES } from './constants.ts'
import { columnsWithin } from './memory.ts'
import { methodCosts } from './method-costs.ts'
import type { MethodCost } from './interface.ts'
import type { MethodShape } from './method-costs.ts'
import type { AttributionMethod } from '../../interface/index.ts'

/**
 * What the columns of a run's contributions cost by a method that looks at gradients: what the scores
 * of one cotangent do, once for as many columns as memory holds, and a direction for each.
 */
export function columnsCost (method: Exclude<AttributionMethod, 'trajectory'>, shape: MethodShape, contributions: number): MethodCost {
  const { gradients, flops, bytes } = methodCosts(shape)[method]
  const one = directionCost(method, shape)
  const rounds = Math.ceil(contributions / columnsWithin(shape.parameters))

  return {
    gradients: rounds * gradients + contributions * one.gradients,
    flops: rounds * flops + contributions * one.flops,
    bytes: bytes + Math.ceil(contributions / rounds) * shape.parameters * 8
  }
}

/** The inverse curvature times one vector. */
function directionCost (method: Exclude<AttributionMethod, 'trajectory'>, { parameters, examples, blocks }: MethodShape): Pick<MethodCost, 'gradients' | 'flops'> {
  const pass = 2 * examples * parameters

  switch (method) {
    // sums of gradients are the columns
    case 'graddot':
    case 'tracin': return { gradients: 0, flops: 0 }
    case 'datainf': return { gradients: examples * parameters * 4 <= GRADIENTS_BYTES_MAX ? 0 : examples, flops: 2 * pass }
    case 'fisher': return { gradients: 0, flops: 2 * examples * examples + pass }
    case 'fisher-projected': {
      const side = Math.min(examples, PROJECTION_FEATURES)

      return { gradients: 0, flops: 2 * side * side + 2 * examples * PROJECTION_FEATURES + 2 * PROJECTION_COPIES * parameters }
    }
    default: return { gradients: 0, flops: blocks.reduce((sum, { rows, columns }) => sum + 4 * rows * columns * (rows + columns), 0) }
  }
}
