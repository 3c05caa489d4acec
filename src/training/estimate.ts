import { chooseForm, columnsCost, columnsWithin, estimateCosts, loraBlocks, methodCosts, replayBytes } from '../attribution/index.ts'
import { gradientBytes, initialTheta, loadTokenizer } from '../models/index.ts'
import { FILE_BYTES_MAX, INFLUENCE_FLOPS_MAX, ROWS_SAMPLED_MAX } from './constants.ts'
import { checkpointSteps, withPool } from './run.ts'
import type { AssessmentCost, TrainingComponents, TrainingEstimate } from './interface.ts'
import type { Pace } from './pace.ts'
import type { RunRecords, RunSettings } from './run.ts'
import type { MethodShape } from '../attribution/index.ts'
import type { AbortOptions, AttributionMethod, CostEstimate } from '../interface/index.ts'

export interface EstimateSettings extends RunSettings {
  influenceFlopsMax?: number
  influenceBytesMax?: number
}

/** Tangents that one pass of a worker carries; see `loraObjective`. */
const DIRECTIONS = 8

/** What attribution of a run depends on beside its records. */
export interface AttributionShape {
  /** @default 'trajectory' */
  method?: AttributionMethod
  examples: number
  /** mean tokens of one */
  exampleTokens: number
}

/** Work, time, memory and disk before anything is computed. */
export function estimateRun (records: RunRecords, pace: Pace, settings: EstimateSettings, attribution: AttributionShape): TrainingEstimate {
  const { recipe, base, snapshot, shape, flopsPerToken } = records
  const { steps, batchSize, sequenceLength } = recipe
  const { parameters } = shape
  const contributions = snapshot.contributions.length
  const costs = estimateCosts({
    parameters,
    tokens: batchSize * sequenceLength,
    flopsPerToken,
    steps,
    contributions,
    receipts: 0
  })
  // in operations alone: the form is part of the adapter's record, which every machine must make alike
  const { method = 'trajectory' } = attribution
  const columns = method === 'trajectory' ? costs.forward : columnCosts(records, attribution, method)
  const form = chosenForm(method, { ...costs, forward: columns }, settings.influenceFlopsMax ?? INFLUENCE_FLOPS_MAX)
  const assessments = assessmentCosts(records, attribution, pace)
  const again = method === 'trajectory' ? (passes(records, settings) - 1) * costs.training.flops : 0
  const influenceSeconds = form === 'forward' ? pace.secondsFor(columns.flops + again) : 0
  const perThread = gradientBytes(base.config, sequenceLength, form === 'forward' && method === 'trajectory' ? DIRECTIONS : 1)
  const columnBytes = form === 'forward' ? columns.bytes : 0

  return {
    ...costs,
    forward: columns,
    form,
    method,
    assessment: assessments[method],
    assessments,
    seconds: pace.secondsFor(costs.training.flops) + influenceSeconds,
    influenceSeconds,
    tokensPerSecond: pace.flopsPerSecond / flopsPerToken,
    contributions,
    parameters,
    tokens: steps * batchSize * sequenceLength,
    memoryBytes: settings.threads * (perThread + Math.min(columnBytes * 6, columnsWithin(parameters, settings.influenceBytesMax) * parameters * 48)) + replayBytes(steps, parameters),
    storedBytes: checkpointSteps(recipe).length * (32 + 24 * parameters) + 4 * parameters + columnBytes
  }
}

/** Columns up to a bound on work; a Jacobian also where it costs no more than the replay without it. */
function chosenForm (method: AttributionMethod, costs: Pick<TrainingEstimate, 'forward' | 'reverse'>, flopsMax: number): 'forward' | 'reverse' {
  if (method === 'trajectory') {
    return chooseForm(costs, flopsMax)
  }

  return costs.forward.flops <= flopsMax ? 'forward' : 'reverse'
}

/** The columns of a method that looks at gradients; the bytes are what is published. */
function columnCosts ({ recipe, shape, snapshot, flopsPerToken }: RunRecords, attribution: AttributionShape, method: Exclude<AttributionMethod, 'trajectory'>): CostEstimate {
  const contributions = snapshot.contributions.length
  const { gradients, flops } = columnsCost(method, methodShape({ recipe, shape }, attribution), contributions)

  return { flops: gradients * attribution.exampleTokens * flopsPerToken + flops, bytes: contributions * shape.parameters * 8 }
}

function methodShape ({ recipe, shape }: Pick<RunRecords, 'recipe' | 'shape'>, { examples }: AttributionShape): MethodShape {
  const { steps, batchSize } = recipe

  return { parameters: shape.parameters, examples, steps, seen: steps * batchSize, blocks: loraBlocks(shape), checkpoints: checkpointSteps(recipe).length }
}

/** The scores of one task by each method, its receipts not counted. */
function assessmentCosts ({ recipe, shape, flopsPerToken }: RunRecords, attribution: AttributionShape, pace: Pace): Record<AttributionMethod, AssessmentCost> {
  const costs = methodCosts(methodShape({ recipe, shape }, attribution))
  const of = (method: AttributionMethod): AssessmentCost => {
    const { gradients, flops: besides, bytes } = costs[method]
    const flops = gradients * attribution.exampleTokens * flopsPerToken + besides

    return { flops, bytes, seconds: pace.secondsFor(flops) }
  }

  return {
    trajectory: of('trajectory'), graddot: of('graddot'), tracin: of('tracin'), datainf: of('datainf'), fisher: of('fisher'), 'fisher-projected': of('fisher-projected'), ekfac: of('ekfac')
  }
}

/**
 * Examples that a run will have, by how long some rows of its data are: near enough for what a
 * method costs. Near duplicates are counted.
 */
export async function estimateExamples ({ storage, dataset }: TrainingComponents, { recipe, base, snapshot }: RunRecords, rows: number, options: AbortOptions): Promise<Omit<AttributionShape, 'method'>> {
  const { examples: kind = 'windows', sequenceLength } = recipe
  const tokenizer = loadTokenizer(base, await storage.getFile(base.tokenizer, { signal: options.signal, bytesMax: FILE_BYTES_MAX }))
  let sampled = 0
  let tokens = 0

  for (const contribution of snapshot.contributions.slice(0, ROWS_SAMPLED_MAX)) {
    const share = Math.ceil(ROWS_SAMPLED_MAX / snapshot.contributions.length)
    let left = share

    for await (const text of dataset.texts(contribution, options)) {
      tokens += tokenizer.encode(text).length
      sampled++

      if (--left === 0) {
        break
      }
    }
  }

  const rowTokens = tokens / Math.max(1, sampled)

  return kind === 'windows'
    ? { examples: Math.max(1, Math.ceil(rows * rowTokens / sequenceLength)), exampleTokens: sequenceLength }
    : { examples: Math.max(1, rows), exampleTokens: Math.min(sequenceLength, rowTokens) }
}

/** How often the run itself is gone through for the Jacobian: each thread takes its columns along it, as many as memory holds. */
function passes ({ shape, snapshot }: RunRecords, { threads, influenceBytesMax }: EstimateSettings): number {
  return Math.min(threads, snapshot.contributions.length) * Math.ceil(snapshot.contributions.length / (threads * columnsWithin(shape.parameters, influenceBytesMax)))
}

/** Measures this machine with gradients of the very base, on arbitrary tokens. */
export async function calibrate (components: TrainingComponents, settings: RunSettings, records: RunRecords, pace: Pace, options: AbortOptions): Promise<void> {
  const { recipe, base, shape, flopsPerToken } = records
  const { threads } = settings
  const length = Math.min(recipe.sequenceLength, base.config.contextLength + 1)
  const tokens = Uint32Array.from({ length }, (_, i) => i % base.config.vocabularySize)

  await withPool(components, settings, records, options, async pool => {
    await pool.load({ examples: [tokens] }, options)

    const { milliseconds } = await pool.calibrate(initialTheta(shape, recipe.seed), options)

    pace.calibrated(threads * length * flopsPerToken, milliseconds)
  })
}
