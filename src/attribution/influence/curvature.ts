import { domains, hash, utf8 } from '../../wire/index.ts'
import { scoresStep, weightsStep } from './adjoint.ts'
import { CURVATURE_STEP } from './constants.ts'
import { addGradients, emptyColumns, groupingOf } from './grouping.ts'
import { encodeFloats } from './state.ts'
import { checkLength } from './train.ts'
import { checkFinite, dot } from './vectors.ts'
import type { GradientTable } from './gradient-table.ts'
import type { Grouping } from './grouping.ts'
import type { ExampleScores, InfluenceMethod } from './interface.ts'
import type { AbortOptions, Hash } from '../../interface/index.ts'

/** A curvature, prepared once for an adapter. */
export interface Curvature {
  /** what was prepared, for the trace */
  digest: Hash
  /** minus the score of each example: its gradient times the inverse curvature times the cotangent */
  products (cotangent: Float64Array, options?: AbortOptions): Promise<Float64Array>
  /**
   * Of each column the vector whose dot product with a cotangent is the sum of its examples' products, up to
   * rounding. A column's bytes do not depend on which others are asked for.
   */
  columns (grouping: Grouping, options?: AbortOptions): Promise<Float64Array[]>
}

/** A curvature that turns a cotangent into a direction by a symmetric matrix; gradients take the dot product of it. */
export function directional (table: GradientTable, digest: Hash, direction: (cotangent: Float64Array, options?: AbortOptions) => Promise<Float64Array>): Curvature {
  return {
    digest,
    async products (cotangent, options) {
      const towards = await direction(cotangent, options)
      const products = new Float64Array(table.examples)

      await table.each((example, gradient) => { products[example] = dot(gradient, towards) }, options)

      return products
    },
    async columns (grouping, options) {
      const sums = emptyColumns(grouping, table.parameters)
      const columns: Float64Array[] = []

      await addGradients(table, grouping, 1, sums, options)

      for (const sum of sums) {
        options?.signal?.throwIfAborted()
        columns.push(await direction(sum, options))
      }

      return columns
    }
  }
}

/** The hash of what a preparation came to. */
export function curvatureDigest (...vectors: Float64Array[]): Hash {
  return hash(domains.traceStep, utf8(CURVATURE_STEP), encodeFloats(0, ...vectors))
}

/**
 * Scores and columns by a curvature. It is prepared at the first call and kept: one adapter has many answers.
 *
 * The trace: weights and cotangent, one hash per 16 gradients, the curvature, the scores.
 *
 * @param table - gradients at the trained weights
 * @param theta - those weights
 * @param prepare - called once
 */
export function byCurvature (table: GradientTable, theta: Float64Array, prepare: (options?: AbortOptions) => Promise<Curvature>): Pick<InfluenceMethod, 'scores' | 'columns'> {
  let prepared: Curvature | undefined

  return {
    async scores (cotangent, options): Promise<ExampleScores> {
      checkLength('the cotangent', cotangent, table.parameters)
      checkFinite('the cotangent', 0, cotangent)
      prepared ??= await prepare(options)

      const exampleScores = (await prepared.products(cotangent, options)).map(product => -product)

      checkFinite('a score', 0, exampleScores)

      return {
        exampleScores,
        trace: [
          weightsStep(0, theta, cotangent),
          ...table.trace,
          prepared.digest,
          scoresStep(exampleScores)
        ]
      }
    },
    async columns (groups, wanted, options) {
      prepared ??= await prepare(options)

      return (await prepared.columns(groupingOf(groups, wanted), options)).map(column => column.map(value => -value))
    }
  }
}
