/**
 * Runs recipes as jobs on worker threads: training to an adapter record, the influence Jacobian,
 * an assessor's recomputation and a validator's spot check. The bytes do not depend on the number
 * of threads, on cancels or on crashes.
 *
 * @example
 * ```ts
 * const jobs = training({ threads: 2 })({ storage, dataset: { texts: contribution => rowTexts(contribution) } })
 * const recipe = recipeOf('quick', base, snapshot)
 * const { seconds } = await jobs.estimate(recipe)
 * const { adapter } = await jobs.train({ name: 'speeches', recipe, developer, pricePerThousandTokens }, {
 *   signal,
 *   onProgress: event => { console.info(event.type) }
 * })
 * const { ok } = await jobs.spotCheck(adapter, 0)
 * const { table, trace } = await jobs.assess(adapterCid, adapter, receipts)
 * ```
 */
import { TrainingService } from './service.ts'
import type { Training, TrainingComponents, TrainingInit } from './interface.ts'

/** A training service. No thread runs while there is no job. */
export const training = (init: TrainingInit = {}) => (components: TrainingComponents): Training => new TrainingService(init, components)

export { AdapterMismatchError, PreemptedError, StepStateError, TrainingInputError, TrainingQueueFullError, WorkerFailedError, WorkerLostError } from './errors.ts'
export { byCommitment } from './players.ts'
export type {
  AssessOptions, Assessment, ColumnSource, EstimateOptions, ResumePoint, SpotCheck, StepOptions, Training, TrainingComponents, TrainingEstimate, TrainingEvent,
  TrainingInit, TrainingJob, TrainingResult, TrainingStore
} from './interface.ts'
