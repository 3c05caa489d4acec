import { checkBlocks } from './blocks.ts'
import { DAMPING } from './constants.ts'
import { curvatureDigest, directional } from './curvature.ts'
import type { MatrixBlock } from './blocks.ts'
import type { Curvature } from './curvature.ts'
import type { GradientTable } from './gradient-table.ts'
import type { AbortOptions } from '../../interface/index.ts'

/**
 * DataInf (Kwon, Wu, Wu and Zou, arXiv 2310.00902): the inverse of each block's mean of damped outer
 * products is replaced by the mean of their inverses, which Sherman and Morrison give in closed form:
 *
 * H⁻¹v ≈ (1/n) Σᵢ (1/λ) ( v − gᵢ (gᵢ·v) / (λ + ‖gᵢ‖²) ), λ = 0.1 · mean ‖gᵢ‖² / values of the block
 *
 * Scaled by the mean λ over all parameters, a positive number that moves no rank and keeps scores in
 * the range of GradDot's. Blocks whose gradients are all zero take no part.
 */
export async function dataInfCurvature (table: GradientTable, blocks: MatrixBlock[], options?: AbortOptions): Promise<Curvature> {
  checkBlocks(blocks, table.parameters)

  const spans = blocks.map(({ offset, rows, columns }) => ({ from: offset, to: offset + rows * columns }))
  const squares = new Float64Array(table.examples * spans.length)

  await table.each((example, gradient) => {
    spans.forEach(({ from, to }, block) => { squares[example * spans.length + block] = spanDot(gradient, gradient, from, to) })
  }, options)

  const lambdas = Float64Array.from(spans, ({ from, to }, block) => {
    let sum = 0

    for (let i = block; i < squares.length; i += spans.length) {
      sum += squares[i]
    }

    return DAMPING * sum / table.examples / (to - from)
  })
  const scale = spans.reduce((sum, { from, to }, block) => sum + lambdas[block] * (to - from), 0) / table.parameters

  return directional(table, curvatureDigest(lambdas, squares), async (cotangent, options) => {
    const direction = new Float64Array(table.parameters)
    const shares = lambdas.map(lambda => lambda === 0 ? 0 : scale / lambda)

    spans.forEach(({ from, to }, block) => {
      for (let i = from; i < to; i++) {
        direction[i] = shares[block] * cotangent[i]
      }
    })
    await table.each((example, gradient) => {
      spans.forEach(({ from, to }, block) => {
        if (lambdas[block] !== 0) {
          const factor = shares[block] / table.examples * spanDot(gradient, cotangent, from, to) / (lambdas[block] + squares[example * spans.length + block])

          for (let i = from; i < to; i++) {
            direction[i] -= factor * gradient[i]
          }
        }
      })
    }, options)

    return direction
  })
}

function spanDot (a: ArrayLike<number>, b: ArrayLike<number>, from: number, to: number): number {
  let sum = 0

  for (let i = from; i < to; i++) {
    sum += a[i] * b[i]
  }

  return sum
}
