import { DAMPING, FEATURES_BYTES_MAX, KERNEL_EXAMPLES_MAX } from './constants.ts'
import { curvatureDigest } from './curvature.ts'
import { AttributionInputError } from './errors.ts'
import { emptyColumns } from './grouping.ts'
import { cholesky, choleskySolve, product, vectors } from './linear-algebra.ts'
import { addScaled, dot } from './vectors.ts'
import type { Curvature } from './curvature.ts'
import type { GradientTable } from './gradient-table.ts'
import type { Grouping } from './grouping.ts'
import type { Projection } from './projection.ts'
import type { AbortOptions } from '../../interface/index.ts'

/**
 * The empirical Fisher F = (1/n) Σ gᵢgᵢᵀ + λ in its kernel form, which is TRAK (Park et al., arXiv
 * 2303.14186) with one model and no projection: with K = GGᵀ and k = G·v,
 *
 * λ·G·(F + λ)⁻¹·v = nλ·(K + nλ)⁻¹·k, λ = 0.1 · tr(K) / n², a tenth of the mean eigenvalue
 *
 * The factor λ keeps scores in the range of GradDot's and moves no rank.
 *
 * @throws {AttributionInputError} beyond 4,096 examples: the projected form takes any number
 */
export async function fisherCurvature (table: GradientTable, options?: AbortOptions): Promise<Curvature> {
  const rows = await rowsOf(table, gradient => Float32Array.from(gradient), options)
  const solve = kernelSolver(rows)

  return {
    digest: curvatureDigest(solve.factor),
    async products (cotangent) {
      return solve.products(Float64Array.from(rows, row => dot(row, cotangent)))
    },
    columns: async grouping => solvedSums(rows, solve, grouping, table.parameters)
  }
}

/**
 * The same over projected gradients: memory and work no longer grow with the parameters. With more
 * examples than features it is solved among the features, which is the same number by Woodbury.
 */
export async function projectedFisherCurvature (table: GradientTable, projection: Projection, options?: AbortOptions): Promise<Curvature> {
  const { features } = projection

  if (table.examples * features * 8 > FEATURES_BYTES_MAX) {
    throw new AttributionInputError(`${table.examples} examples of ${features} features take more than ${FEATURES_BYTES_MAX} bytes: train on fewer examples or attribute by datainf`)
  }

  const rows: Float64Array[] = []

  await table.each((example, gradient) => { rows.push(projection.project(gradient)) }, options)

  if (rows.length <= features) {
    const solve = kernelSolver(rows)

    return {
      digest: curvatureDigest(solve.factor),
      async products (cotangent) {
        const projected = projection.project(cotangent)

        return solve.products(Float64Array.from(rows, row => dot(row, projected)))
      },
      columns: async grouping => solvedSums(rows, solve, grouping, features).map(column => projection.back(column))
    }
  }

  const { factor, damping } = featureFactor(rows, features)
  const solve = (direction: Float64Array): Float64Array => {
    if (damping !== 0) {
      choleskySolve(factor, features, direction)
    }

    return direction
  }

  return {
    digest: curvatureDigest(factor),
    async products (cotangent) {
      const direction = solve(projection.project(cotangent))

      return Float64Array.from(rows, row => damping * dot(row, direction))
    },
    async columns (grouping) {
      const sums = emptyColumns(grouping, features)

      rows.forEach((row, example) => {
        if (grouping.places[example] >= 0) {
          addScaled(sums[grouping.places[example]], damping, row)
        }
      })

      return sums.map(sum => projection.back(solve(sum)))
    }
  }
}

/** Of each column Σ wᵢ·rowᵢ over all rows, w what its examples' products are by the kernel: Gᵀ·nλ(K + nλ)⁻¹·1. */
function solvedSums (rows: Array<Float32Array | Float64Array>, solve: KernelSolver, { places, count }: Grouping, size: number): Float64Array[] {
  return Array.from({ length: count }, (_, column) => {
    const weights = solve.products(Float64Array.from(places, place => place === column ? 1 : 0))
    const sum = new Float64Array(size)

    rows.forEach((row, i) => { addScaled(sum, weights[i], row) })

    return sum
  })
}

async function rowsOf (table: GradientTable, keep: (gradient: Float32Array) => Float32Array, options?: AbortOptions): Promise<Float32Array[]> {
  const rows: Float32Array[] = []

  if (table.examples > KERNEL_EXAMPLES_MAX) {
    throw new AttributionInputError(`a Fisher kernel takes at most ${KERNEL_EXAMPLES_MAX} examples but there are ${table.examples}: use fisher-projected`)
  }

  await table.each((example, gradient) => { rows.push(keep(gradient)) }, options)

  return rows
}

interface KernelSolver {
  factor: Float64Array
  products (k: Float64Array): Float64Array
}

/** nλ(K + nλ)⁻¹k for K over the rows. Rows that are all zero have no curvature and no products. */
function kernelSolver (rows: Array<Float32Array | Float64Array>): KernelSolver {
  const size = rows.length
  const factor = new Float64Array(size * size)
  let trace = 0

  product(vectors(rows), vectors(rows), factor, { lower: true })

  for (let i = 0; i < size; i++) {
    trace += factor[i * size + i]
  }

  const damping = DAMPING * trace / size

  if (damping !== 0) {
    for (let i = 0; i < size; i++) {
      factor[i * size + i] += damping
    }

    cholesky(factor, size)
  }

  return {
    factor,
    products (k) {
      if (damping !== 0) {
        choleskySolve(factor, size, k)
      }

      return k.map(value => damping * value)
    }
  }
}

function featureFactor (rows: Float64Array[], features: number): { factor: Float64Array, damping: number } {
  const factor = new Float64Array(features * features)

  let trace = 0

  product(vectors(rows, true), vectors(rows, true), factor, { lower: true })

  for (let i = 0; i < features; i++) {
    trace += factor[i * features + i]
  }

  const damping = DAMPING * trace / rows.length

  if (damping !== 0) {
    for (let i = 0; i < features; i++) {
      factor[i * features + i] += damping
    }

    cholesky(factor, features)
  }

  return { factor, damping }
}
