import { CID } from 'multiformats/cid'
import { METHOD_MEANINGS } from '../attribution/index.ts'
import { presets, recipeOf } from '../models/index.ts'
import { ConfigError } from './errors.ts'
import type { AttributionMethod, LlamaConfig, Recipe, TrainingEstimateView, TrainingRequest } from '../interface/index.ts'
import type { TrainingEstimate } from '../training/index.ts'

const methods = Object.keys(METHOD_MEANINGS) as AttributionMethod[]

/**
 * Steps of a request; of its preset unless it says otherwise.
 *
 * @throws {ConfigError} for a preset or a method that does not exist: now rather than after the training
 */
export function stepsOf ({ preset, steps, method }: TrainingRequest): number {
  if (method != null && !Object.hasOwn(METHOD_MEANINGS, method)) {
    throw new ConfigError(`expected a method of attribution among ${Object.keys(METHOD_MEANINGS).join(', ')} but got "${String(method)}"`)
  }

  if (!Object.hasOwn(presets, preset)) {
    throw new ConfigError(`expected a preset among ${Object.keys(presets).join(', ')} but got "${preset}"`)
  }

  return steps ?? presets[preset].steps
}

/** The recipe of a request on a base of this shape: its preset with its changes. Defaults that are spelled out are left out, as the record wants it. */
export function recipeOfRequest (request: TrainingRequest, snapshot: CID, config: LlamaConfig): Recipe {
  const { seed, steps, rank, recipe = {} } = request
  const { optimiser, schedule, examples, duplicates, clipNormMicro, weightDecayNano, ...numbers } = recipe

  return recipeOf(request.preset, CID.parse(request.base), snapshot, {
    ...numbers,
    ...(seed == null ? {} : { seed }),
    ...(steps == null ? {} : { steps }),
    ...(rank == null ? {} : { rank, alpha: rank * 2 }),
    ...(optimiser === 'sgd' ? { optimiser } : {}),
    // what a preset has instead of the cosine is taken back too
    ...(schedule == null ? {} : { schedule: schedule === 'cosine' ? undefined : schedule }),
    ...(examples == null || examples === 'windows' ? {} : { examples }),
    ...(duplicates === 'keep' ? { duplicates } : {}),
    ...(clipNormMicro == null || clipNormMicro === 0 ? {} : { clipNormMicro }),
    ...(weightDecayNano == null || weightDecayNano === 0 ? {} : { weightDecayNano })
  }, config)
}

export function estimateView ({ steps }: Recipe, estimate: TrainingEstimate): TrainingEstimateView {
  const { contributions, parameters, tokens, form, seconds, influenceSeconds, tokensPerSecond, memoryBytes, storedBytes, training, forward, method, assessment, assessments } = estimate

  return {
    steps,
    contributions,
    parameters,
    tokens,
    influence: form,
    operations: training.flops + (form === 'forward' ? forward.flops : 0),
    seconds,
    influenceSeconds,
    tokensPerSecond,
    memoryBytes,
    storedBytes,
    method,
    methodMeaning: METHOD_MEANINGS[method],
    assessmentOperations: assessment.flops,
    assessmentSeconds: assessment.seconds,
    assessmentBytes: assessment.bytes,
    methods: methods.map(name => ({ method: name, meaning: METHOD_MEANINGS[name], seconds: assessments[name].seconds, bytes: assessments[name].bytes }))
  }
}
