import { checkBlocks } from './blocks.ts'
import { CHUNK_BYTES, CHUNK_EXAMPLES, DAMPING, FACTOR_ROWS_MAX } from './constants.ts'
import { curvatureDigest, directional } from './curvature.ts'
import { AttributionInputError } from './errors.ts'
import { jacobiEigenvectors, matrix, mirror, product } from './linear-algebra.ts'
import type { MatrixBlock } from './blocks.ts'
import type { Curvature } from './curvature.ts'
import type { GradientTable } from './gradient-table.ts'
import type { AbortOptions } from '../../interface/index.ts'
import type { DoubleOperand } from '../../numeric/index.ts'

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

  await inChunks(table, gradients => {
    for (const { values, ...basis } of bases) {
      const turned = into(basis, gradients)

      for (let i = 0; i < turned.length; i++) {
        values[i % values.length] += turned[i] * turned[i] / table.examples
      }
    }
  }, options)

  const dampings = bases.map(({ values }) => DAMPING * values.reduce((sum, value) => sum + value, 0) / values.length)
  const scale = bases.reduce((sum, { values }, i) => sum + dampings[i] * values.length, 0) / table.parameters

  return directional(table, curvatureDigest(...bases.map(({ values }) => values)), async cotangent => {
    const direction = new Float64Array(table.parameters)

    bases.forEach((basis, block) => {
      if (dampings[block] !== 0) {
        const turned = into(basis, [cotangent])

        for (let i = 0; i < turned.length; i++) {
          turned[i] *= scale / (basis.values[i] + dampings[block])
        }

        direction.set(backFrom(basis, turned), basis.offset)
      }
    })

    return direction
  })
}

/** Hands out the gradients some at a time: one example alone is too little for a product. */
async function inChunks (table: GradientTable, visit: (gradients: Float32Array[]) => void, options?: AbortOptions): Promise<void> {
  const chunk = Math.max(1, Math.min(CHUNK_EXAMPLES, Math.floor(CHUNK_BYTES / (4 * table.parameters))))
  let gradients: Float32Array[] = []

  await table.each((example, gradient) => {
    gradients.push(gradient.slice())

    if (gradients.length === chunk || example === table.examples - 1) {
      options?.signal?.throwIfAborted()
      visit(gradients)
      gradients = []
    }
  }, options)
}

async function eigenbases (table: GradientTable, blocks: MatrixBlock[], options?: AbortOptions): Promise<Eigenbasis[]> {
  const moments = blocks.map(({ rows, columns }) => ({ left: new Float64Array(rows * rows), right: new Float64Array(columns * columns) }))

  await inChunks(table, gradients => {
    blocks.forEach((block, b) => { addMoments(block, gradients, moments[b].left, moments[b].right) })
  }, options)

  return blocks.map((block, b) => {
    options?.signal?.throwIfAborted()
    mirror(moments[b].left, block.rows)
    mirror(moments[b].right, block.columns)

    return {
      ...block,
      left: jacobiEigenvectors(moments[b].left, block.rows),
      right: jacobiEigenvectors(moments[b].right, block.columns),
      values: new Float64Array(block.rows * block.columns)
    }
  })
}

/** left += GGᵀ, each example summed for itself, and right += GᵀG, below the diagonal. */
function addMoments (block: MatrixBlock, gradients: Float32Array[], left: Float64Array, right: Float64Array): void {
  const wide = sideBySide(block, gradients)
  const tall = oneBelowTheOther(block, gradients)

  product(wide, wide, left, { accumulate: true, lower: true, group: block.columns })
  product(tall, tall, right, { accumulate: true, lower: true })
}

/** The examples' matrices as one of `rows` lines. */
function sideBySide ({ offset, rows, columns }: MatrixBlock, gradients: Array<Float32Array | Float64Array>): DoubleOperand {
  return {
    lines: rows,
    depth: gradients.length * columns,
    copy (row, from, to, out, at) {
      while (from < to) {
        const column = from % columns
        const end = Math.min(columns, column + to - from)
        const start = offset + row * columns

        out.set(gradients[(from - column) / columns].subarray(start + column, start + end), at)
        at += end - column
        from += end - column
      }
    }
  }
}

/** The examples' matrices as one of `columns` columns, which are the lines. */
function oneBelowTheOther ({ offset, rows, columns }: MatrixBlock, gradients: Float32Array[]): DoubleOperand {
  return {
    lines: columns,
    depth: gradients.length * rows,
    byDepth: true,
    copy (index, from, to, out, at) {
      const row = index % rows
      const start = offset + row * columns

      out.set(gradients[(index - row) / rows].subarray(start + from, start + to), at)
    }
  }
}

/** Uₗ·G·Uᵣᵀ with eigenvectors as rows, of one example after the other. */
function into (basis: Omit<Eigenbasis, 'values'>, gradients: Array<Float32Array | Float64Array>): Float64Array {
  const { rows, columns, left, right } = basis
  const { copy, depth: wide } = sideBySide(basis, gradients)
  const half = new Float64Array(rows * wide)
  const out = new Float64Array(rows * wide)

  product(matrix(left, rows, rows), { lines: wide, depth: rows, byDepth: true, copy }, half)
  product({
    lines: gradients.length * rows,
    depth: columns,
    copy (index, from, to, out, at) {
      const row = index % rows
      const start = row * wide + (index - row) / rows * columns

      out.set(half.subarray(start + from, start + to), at)
    }
  }, matrix(right, columns, columns), out)

  return out
}

/** Uₗᵀ·T·Uᵣ. */
function backFrom ({ rows, columns, left, right }: Eigenbasis, turned: Float64Array): Float64Array {
  const half = new Float64Array(rows * columns)
  const out = new Float64Array(rows * columns)

  product(matrix(left, rows, rows, true), matrix(turned, rows, columns, true), half)
  product(matrix(half, rows, columns), matrix(right, columns, columns, true), out)

  return out
}
