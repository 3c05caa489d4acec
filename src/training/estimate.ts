import { chooseForm, columnsWithin, estimateCosts, replayBytes } from '../attribution/index.ts'
import { gradientBytes, initialTheta } from '../models/index.ts'
import { INFLUENCE_FLOPS_MAX } from './constants.ts'
import { checkpointSteps, withPool } from './run.ts'
import type { TrainingComponents, TrainingEstimate } from './interface.ts'
import type { Pace } from './pace.ts'
import type { RunRecords, RunSettings } from './run.ts'
import type { AbortOptions } from '../interface/index.ts'

export interface EstimateSettings extends RunSettings {
  influenceFlopsMax?: number
  influenceBytesMax?: number
}

/** Tangents that one pass of a worker carries; see `loraObjective`. */
const DIRECTIONS = 8

/** Work, time, memory and disk before anything is computed. */
export function estimateRun (records: RunRecords, pace: Pace, settings: EstimateSettings): TrainingEstimate {
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
  const form = chooseForm(costs, settings.influenceFlopsMax ?? INFLUENCE_FLOPS_MAX)
  const influenceSeconds = form === 'forward' ? pace.secondsFor(costs.forward.flops + (passes(records, settings) - 1) * costs.training.flops) : 0
  const perThread = gradientBytes(base.config, sequenceLength, form === 'forward' ? DIRECTIONS : 1)
  const columnBytes = form === 'forward' ? costs.forward.bytes : 0

  return {
    ...costs,
    form,
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
