import { scoresStep, weightsStep } from './adjoint.ts'
import { GRADIENTS_BYTES_MAX } from './constants.ts'
import { AttributionInputError } from './errors.ts'
import { gradientTable } from './gradient-table.ts'
import { addGradients, emptyColumns, groupingOf } from './grouping.ts'
import { checkLength } from './train.ts'
import { checkFinite, dot } from './vectors.ts'
import type { GradientTable } from './gradient-table.ts'
import type { Evaluator, ExampleScores, InfluenceMethod } from './interface.ts'
import type { AbortOptions, Hash } from '../../interface/index.ts'
import type { TrainingPlan } from '../../models/index.ts'

/** Weights after some step. */
export interface CheckpointWeights {
  step: number
  theta: Float64Array
}

/**
 * TracIn over checkpoints (Pruthi et al., arXiv 2002.08484): the dot products at each checkpoint,
 * weighted by the learning rates of the steps that led there. The original takes the answer's
 * gradient at each checkpoint too; here it is the one at the end, which receipts are replayed with.
 * Scaled by the sum of all learning rates to a weighted mean of GradDots.
 */
export function tracIn (examples: Evaluator, plan: TrainingPlan, checkpoints: CheckpointWeights[]): Pick<InfluenceMethod, 'scores' | 'columns'> {
  const weights = checkpointWeights(plan, checkpoints)
  // gradients of several checkpoints together within the bound of one
  const tables = checkpoints.map(({ theta }) => gradientTable(examples, theta, Math.floor(GRADIENTS_BYTES_MAX / checkpoints.length)))

  return {
    async scores (cotangent, options): Promise<ExampleScores> {
      const exampleScores = new Float64Array(examples.examples)
      const trace: Hash[] = []

      checkLength('the cotangent', cotangent, examples.parameters)
      checkFinite('the cotangent', 0, cotangent)

      for (const [i, table] of tables.entries()) {
        await addDots(table, weights[i], cotangent, exampleScores, options)
        trace.push(weightsStep(checkpoints[i].step, checkpoints[i].theta, cotangent), ...table.trace)
      }

      trace.push(scoresStep(exampleScores))

      return { exampleScores, trace }
    },
    async columns (groups, wanted, options) {
      const grouping = groupingOf(groups, wanted)
      const columns = emptyColumns(grouping, examples.parameters)

      for (const [i, table] of tables.entries()) {
        await addGradients(table, grouping, -weights[i], columns, options)
      }

      return columns
    }
  }
}

async function addDots (table: GradientTable, weight: number, cotangent: Float64Array, scores: Float64Array, options?: AbortOptions): Promise<void> {
  await table.each((example, gradient) => { scores[example] -= weight * dot(gradient, cotangent) }, options)
}

/** Each checkpoint's share of the learning rates; steps after the last checkpoint count for it. */
function checkpointWeights (plan: TrainingPlan, checkpoints: CheckpointWeights[]): Float64Array {
  const weights = new Float64Array(checkpoints.length)
  let total = 0

  if (checkpoints.length === 0 || checkpoints.some(({ step }, i) => step <= (i === 0 ? 0 : checkpoints[i - 1].step) || step > plan.batches.length)) {
    throw new AttributionInputError(`expected checkpoints in ascending order of their steps within 1 … ${plan.batches.length} but got ${checkpoints.map(({ step }) => step).join(', ')}`)
  }

  plan.learningRates.forEach((rate, step) => {
    const next = checkpoints.findIndex(checkpoint => checkpoint.step > step)

    weights[next === -1 ? checkpoints.length - 1 : next] += rate
    total += rate
  })

  return total === 0 ? weights.fill(1 / checkpoints.length) : weights.map(weight => weight / total)
}
