import { domains, hash, utf8 } from '../../wire/index.ts'
import { weightsStep } from './adjoint.ts'
import { GRADDOT_CHUNK, GRADDOT_STEP, GRADIENTS_STEP, PROJECTION_FEATURES } from './constants.ts'
import { byCurvature } from './curvature.ts'
import { dataInfCurvature } from './datainf.ts'
import { ekfacCurvature } from './ekfac.ts'
import { AttributionInputError } from './errors.ts'
import { fisherCurvature, projectedFisherCurvature } from './fisher.ts'
import { forwardInfluence } from './forward.ts'
import { gradientTable } from './gradient-table.ts'
import { addGradients, emptyColumns, groupingOf } from './grouping.ts'
import { methodCosts } from './method-costs.ts'
import { sparseProjection } from './projection.ts'
import { reverseReplay } from './reverse.ts'
import { encodeFloats } from './state.ts'
import { tracIn } from './tracin.ts'
import { checkLength } from './train.ts'
import { checkFinite, dot } from './vectors.ts'
import type { MatrixBlock } from './blocks.ts'
import type { Curvature } from './curvature.ts'
import type { GradientTable } from './gradient-table.ts'
import type { Grouping } from './grouping.ts'
import type { Evaluator, ExampleScores, InfluenceMethod } from './interface.ts'
import type { CheckpointWeights } from './tracin.ts'
import type { AbortOptions, AttributionMethod, Hash } from '../../interface/index.ts'
import type { TrainingPlan } from '../../models/index.ts'

/** What each method's scores mean, one line for people. */
export const METHOD_MEANINGS: Readonly<Record<AttributionMethod, string>> = {
  trajectory: 'Exact: how the answer changes with the weight of each example, through every step of the run.',
  graddot: 'One small step of gradient descent on each example at the end of the run; knows no optimiser, order or curvature.',
  tracin: 'The same at each checkpoint, weighted by learning rate; knows when weights moved, not what came of it.',
  datainf: 'A step of Newton\'s method with a closed-form curvature, block by block; assumes that training has converged.',
  fisher: 'A step of natural gradient with the curvature of all examples, exactly; assumes that training has converged.',
  'fisher-projected': 'The same among a few hundred random features, for adapters with many parameters.',
  ekfac: 'A step of natural gradient with Kronecker factors and measured eigenvalues; assumes that training has converged.'
}

/** A finished run, as far as methods look at it. */
export interface InfluenceRun {
  examples: Evaluator
  plan: TrainingPlan
  theta0: Float64Array
  /** the trained weights */
  theta: Float64Array
  /**
   * Of TracIn.
   *
   * @default the end alone
   */
  checkpoints?: CheckpointWeights[]
  /**
   * Of DataInf and EK-FAC, see `loraBlocks`.
   *
   * @default all parameters as one row
   */
  blocks?: MatrixBlock[]
  /**
   * Of projections: the recipe's.
   *
   * @default 0
   */
  seed?: number
}

/**
 * Any method by its name.
 *
 * @example
 * ```ts
 * const method = influenceMethod('datainf', { examples, plan, theta0, theta, blocks: loraBlocks(shape) })
 * const { exampleScores } = await method.scores(answerGradient)
 * ```
 */
export function influenceMethod (name: AttributionMethod, run: InfluenceRun): InfluenceMethod {
  const { examples, plan, theta0, theta } = run
  const blocks = run.blocks ?? [{ offset: 0, rows: 1, columns: examples.parameters }]
  const checkpoints = run.checkpoints ?? [{ step: plan.batches.length, theta }]
  const curved = (prepare: (table: GradientTable, options?: AbortOptions) => Promise<Curvature>): Work => {
    const table = gradientTable(examples, theta)

    return byCurvature(table, theta, async options => prepare(table, options))
  }
  const works: Record<AttributionMethod, () => Work> = {
    trajectory: () => ({
      scores: async (cotangent, options) => reverseReplay(examples, plan, { ...options, theta0, cotangent }),
      columns: async (groups, wanted, options) => (await forwardInfluence(examples, plan, groups, 1 + Math.max(0, ...wanted), { ...options, theta0, columns: [...wanted] })).columns
    }),
    graddot: () => ({
      scores: async (cotangent, options) => gradDot(examples, theta, cotangent, options),
      columns: async (groups, wanted, options) => gradDotColumns(examples, theta, groupingOf(groups, wanted), options)
    }),
    tracin: () => tracIn(examples, plan, checkpoints),
    datainf: () => curved(async (table, options) => dataInfCurvature(table, blocks, options)),
    fisher: () => curved(fisherCurvature),
    'fisher-projected': () => curved(async (table, options) => projectedFisherCurvature(table, sparseProjection(examples.parameters, PROJECTION_FEATURES, run.seed ?? 0), options)),
    ekfac: () => curved(async (table, options) => ekfacCurvature(table, blocks, options))
  }

  if (!Object.hasOwn(works, name)) {
    throw new AttributionInputError(`expected a method among ${Object.keys(works).join(', ')} but got ${String(name)}`)
  }

  if (examples.examples === 0) {
    throw new AttributionInputError('there are no examples to attribute to: the data of the run are empty')
  }

  const cost = methodCosts({
    parameters: examples.parameters,
    examples: examples.examples,
    steps: plan.batches.length,
    seen: plan.batches.reduce((sum, batch) => sum + batch.length, 0),
    blocks,
    checkpoints: checkpoints.length
  })[name]

  return { name, meaning: METHOD_MEANINGS[name], cost, ...checkedColumns(examples, works[name]()) }
}

type Work = Pick<InfluenceMethod, 'scores' | 'columns'>

/** Columns of a group for each example, and of finite numbers. */
function checkedColumns ({ examples }: Evaluator, { scores, columns }: Work): Work {
  return {
    scores,
    async columns (groups, wanted, options) {
      checkLength('groups', groups, examples)

      const computed = await columns(groups, wanted, options)

      computed.forEach(column => { checkFinite('an influence column', 0, column) })

      return computed
    }
  }
}

/** The exact trajectory method by reverse replay. */
export function trajectory (examples: Evaluator, plan: TrainingPlan, theta0: Float64Array): InfluenceMethod {
  return influenceMethod('trajectory', { examples, plan, theta0, theta: theta0 })
}

/** GradDot at the trained weights: cheap, and far less faithful. */
export function gradDotMethod (examples: Evaluator, theta: Float64Array): InfluenceMethod {
  return influenceMethod('graddot', { examples, plan: EMPTY_PLAN, theta0: theta, theta })
}

/** GradDot does not look at the run. */
const EMPTY_PLAN: TrainingPlan = { batches: [], learningRates: new Float64Array(0), beta1: 0, beta2: 0, epsilon: 0, checkpointEverySteps: 1 }

/**
 * The score of example i is −∇ℓᵢ(θ)·cotangent: what one small step of gradient descent on it would
 * have done. Ignores optimiser, order and curvature.
 *
 * The trace has the hash of weights and cotangent, then one per 16 examples with their gradients and scores.
 */
export async function gradDot (examples: Evaluator, theta: Float64Array, cotangent: Float64Array, options?: AbortOptions): Promise<ExampleScores> {
  checkLength('theta', theta, examples.parameters)
  checkLength('the cotangent', cotangent, examples.parameters)
  checkFinite('the cotangent', 0, cotangent)

  const exampleScores = new Float64Array(examples.examples)
  const trace: Hash[] = [weightsStep(0, theta, cotangent)]

  for (let first = 0; first < examples.examples; first += GRADDOT_CHUNK) {
    const { scores, hash } = await gradDotChunk(examples, theta, cotangent, first, options)

    exampleScores.set(scores, first)
    trace.push(hash)
  }

  return { exampleScores, trace }
}

/** −Σ ∇ℓᵢ(θ) over the examples of each column. */
async function gradDotColumns (examples: Evaluator, theta: Float64Array, grouping: Grouping, options?: AbortOptions): Promise<Float64Array[]> {
  const columns = emptyColumns(grouping, examples.parameters)

  // nothing is kept: each gradient is needed once
  await addGradients(gradientTable(examples, theta, 0), grouping, -1, columns, options)

  return columns
}

/** One step of GradDot alone: the examples from `first` on, at most 16. */
export async function gradDotChunk (examples: Evaluator, theta: Float64Array, cotangent: Float64Array, first: number, options?: AbortOptions): Promise<{ digest: Hash, scores: Float64Array, hash: Hash }> {
  const batch = Uint32Array.from({ length: Math.min(GRADDOT_CHUNK, examples.examples - first) }, (_, i) => first + i)
  const scores = new Float64Array(batch.length)
  const gradients: Float64Array[] = []

  await examples.gradients(theta, batch, (position, loss, gradient) => {
    scores[position] = -dot(gradient, cotangent)
    gradients.push(Float64Array.from(gradient))
  }, options)

  const digest = hash(domains.traceStep, utf8(GRADIENTS_STEP), encodeFloats(first, ...gradients))

  return { digest, scores, hash: gradDotStepOf(digest, encodeFloats(first, scores)) }
}

/** The hash in the trace of a step of GradDot, from the digest of its gradients and its scores. */
export function gradDotStepOf (digest: Hash, scores: Uint8Array): Hash {
  return hash(domains.traceStep, utf8(GRADDOT_STEP), digest, scores)
}
