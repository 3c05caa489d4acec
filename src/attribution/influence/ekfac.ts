import { checkBlocks } from './blocks.ts'
import { DAMPING, FACTOR_ROWS_MAX } from './constants.ts'
import { curvatureDigest, directional } from './curvature.ts'
import { AttributionInputError } from './errors.ts'
import { jacobiEigenvectors } from './linear-algebra.ts'
import type { MatrixBlock } from './blocks.ts'
import type { Curvature } from './curvature.ts'
import type { GradientTable } from './gradient-table.ts'
import type { AbortOptions } from '../../interface/index.ts'

interface Eigenbasis extends MatrixBlock {
  /** eigenvectors as rows: rows × rows and columns × columns */
  left: Float64Array
  right: Float64Array
  /** mean square of the gradients in that basis, rows × columns: the corrected eigenvalues */
  values: Float64Array
}

/**
 * EK-FAC (George et al., arXiv 1806.03884; Grosse et al., arXiv 2308.03296) on the factors of LoRA.
 *
 * A is a linear layer of its own from x to A·x, and B one from A·x to the output; each gets a
 * Kronecker-factored curvature in whose eigenbasis the eigenvalues are measured. K-FAC takes the two
 * bases from E[x·xᵀ] and E[s·sᵀ] of inputs x and output gradients s. We take them from E[GᵀG] and
 * E[GGᵀ] of the example's gradient matrix G = Σ s·xᵀ, as Shampoo does: under K-FAC's own assumption
 * (x and s independent, tokens uncorrelated) these are the same matrices up to scale, E[GᵀG] =
 * E[‖s‖²]·E[x·xᵀ], and the scale is irrelevant because the eigenvalues are measured anyway. What
 * is gained: gradients of LoRA factors are all that anybody has to compute, store or check.
 *
 * Damped by a tenth of each block's mean eigenvalue; scaled by the mean damping over all
 * parameters, which moves no rank. Blocks whose gradients are all zero take no part.
 *
 * @throws {AttributionInputError} when a side of a block has more than 1,024 rows
 */
export async function ekfacCurvature (table: GradientTable, blocks: MatrixBlock[], options?: AbortOptions): Promise<Curvature> {
  checkBlocks(blocks, table.parameters)

  const tooLarge = blocks.find(({ rows, columns }) => Math.max(rows, columns) > FACTOR_ROWS_MAX)

  if (tooLarge !== undefined) {
    throw new AttributionInputError(`EK-FAC takes matrices of at most ${FACTOR_ROWS_MAX} rows and columns but one is ${tooLarge.rows} × ${tooLarge.columns}: attribute by datainf or fisher-projected`)
  }

  const bases = await eigenbases(table, blocks, options)

  await table.each((example, gradient) => {
    for (const basis of bases) {
      const turned = into(basis, gradient)

      for (let i = 0; i < turned.length; i++) {
        basis.values[i] += turned[i] * turned[i] / table.examples
      }
    }
  }, options)

  const dampings = bases.map(({ values }) => DAMPING * values.reduce((sum, value) => sum + value, 0) / values.length)
  const scale = bases.reduce((sum, { values }, i) => sum + dampings[i] * values.length, 0) / table.parameters

  return directional(table, curvatureDigest(...bases.map(({ values }) => values)), async cotangent => {
    const direction = new Float64Array(table.parameters)

    bases.forEach((basis, block) => {
      if (dampings[block] !== 0) {
        const turned = into(basis, cotangent)

        for (let i = 0; i < turned.length; i++) {
          turned[i] *= scale / (basis.values[i] + dampings[block])
        }

        direction.set(backFrom(basis, turned), basis.offset)
      }
    })

    return direction
  })
}

async function eigenbases (table: GradientTable, blocks: MatrixBlock[], options?: AbortOptions): Promise<Eigenbasis[]> {
  const moments = blocks.map(({ rows, columns }) => ({ left: new Float64Array(rows * rows), right: new Float64Array(columns * columns) }))

  await table.each((example, gradient) => {
    blocks.forEach((block, b) => { addMoments(block, gradient, moments[b].left, moments[b].right) })
  }, options)

  return blocks.map((block, b) => {
    options?.signal?.throwIfAborted()

    return {
      ...block,
      left: jacobiEigenvectors(moments[b].left, block.rows),
      right: jacobiEigenvectors(moments[b].right, block.columns),
      values: new Float64Array(block.rows * block.columns)
    }
  })
}

/** left += GGᵀ and right += GᵀG. */
function addMoments ({ offset, rows, columns }: MatrixBlock, gradient: Float32Array, left: Float64Array, right: Float64Array): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) {
      let sum = 0

      for (let k = 0; k < columns; k++) {
        sum += gradient[offset + i * columns + k] * gradient[offset + j * columns + k]
      }

      left[i * rows + j] += sum
    }
  }

  for (let k = 0; k < rows; k++) {
    for (let i = 0; i < columns; i++) {
      const value = gradient[offset + k * columns + i]

      for (let j = 0; j < columns; j++) {
        right[i * columns + j] += value * gradient[offset + k * columns + j]
      }
    }
  }
}

/** Uₗ·G·Uᵣᵀ with eigenvectors as rows. */
function into ({ offset, rows, columns, left, right }: Eigenbasis, gradient: ArrayLike<number>): Float64Array {
  const half = new Float64Array(rows * columns)
  const out = new Float64Array(rows * columns)

  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < rows; k++) {
      const value = left[i * rows + k]

      for (let j = 0; j < columns; j++) {
        half[i * columns + j] += value * gradient[offset + k * columns + j]
      }
    }
  }

  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0

      for (let k = 0; k < columns; k++) {
        sum += half[i * columns + k] * right[j * columns + k]
      }

      out[i * columns + j] = sum
    }
  }

  return out
}

/** Uₗᵀ·T·Uᵣ. */
function backFrom ({ rows, columns, left, right }: Eigenbasis, turned: Float64Array): Float64Array {
  const half = new Float64Array(rows * columns)
  const out = new Float64Array(rows * columns)

  for (let k = 0; k < rows; k++) {
    for (let i = 0; i < rows; i++) {
      const value = left[k * rows + i]

      for (let j = 0; j < columns; j++) {
        half[i * columns + j] += value * turned[k * columns + j]
      }
    }
  }

  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < columns; k++) {
      const value = half[i * columns + k]

      for (let j = 0; j < columns; j++) {
        out[i * columns + j] += value * right[k * columns + j]
      }
    }
  }

  return out
}
