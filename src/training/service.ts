import PQueue from 'p-queue'
import { runAssessment, scoresOf } from './assess.ts'
import { runSpotCheck } from './check.ts'
import { runColumns } from './columns.ts'
import { QUEUE_MAX, STALL_TIMEOUT_MS, THREADS_DEFAULT, THREADS_MAX } from './constants.ts'
import { PreemptedError, StepStateError, TrainingInputError, TrainingQueueFullError } from './errors.ts'
import { calibrate, estimateExamples, estimateRun } from './estimate.ts'
import { assessImported, stepImported } from './imported.ts'
import { runJob } from './job.ts'
import { assessMerged, stepMerged } from './merged.ts'
import { Pace } from './pace.ts'
import { readRecipe, readRecords, withRun } from './run.ts'
import { runStepState, stepStateBytesMax } from './step-state.ts'
import { runStep } from './step.ts'
import type { AssessOptions, Assessment, ColumnSource, EstimateOptions, SpotCheck, SpotCheckOptions, StepOptions, Training, TrainingComponents, TrainingEstimate, TrainingEvent, TrainingInit, TrainingJob, TrainingResult } from './interface.ts'
import type { JobSettings } from './job.ts'
import type { ExampleScores } from '../attribution/index.ts'
import type { AbortOptions, Adapter, Hash, ProgressOptions, PublishedAdapter, ReceiptOpening, Recipe } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

const BACKGROUND = -1

/** One job at a time on all threads: two at once would only take turns. */
export class TrainingService implements Training {
  readonly #components: TrainingComponents
  readonly #settings: JobSettings
  readonly #pace: Pace
  readonly #queue = new PQueue({ concurrency: 1 })
  readonly #background = new Set<AbortController>()
  #stopped = new AbortController()

  constructor (init: TrainingInit, components: TrainingComponents) {
    const threads = init.threads ?? THREADS_DEFAULT

    if (!Number.isInteger(threads) || threads < 1 || threads > THREADS_MAX) {
      throw new TrainingInputError(`expected 1 to ${THREADS_MAX} threads but got ${threads}`)
    }

    this.#components = components
    this.#settings = { threads, stallTimeoutMs: init.stallTimeoutMs ?? STALL_TIMEOUT_MS, influenceFlopsMax: init.influenceFlopsMax, influenceBytesMax: init.influenceBytesMax, gradientsBytesMax: init.gradientsBytesMax }
    this.#pace = new Pace(threads)
  }

  async start (): Promise<void> {
    if (this.#stopped.signal.aborted) {
      this.#stopped = new AbortController()
    }
  }

  async stop (): Promise<void> {
    this.#stopped.abort()
    await this.#queue.onIdle()
  }

  async estimate (recipe: Recipe, options: EstimateOptions = {}): Promise<TrainingEstimate> {
    const records = await readRecords(this.#components, recipe, options)

    if (options.calibrate === true && this.#queue.pending + this.#queue.size === 0) {
      await this.#enqueue(options, async options => calibrate(this.#components, this.#settings, records, this.#pace, options))
    }

    const { steps, batchSize, sequenceLength } = recipe
    const examples = options.rows == null ? { examples: steps * batchSize, exampleTokens: sequenceLength } : await estimateExamples(this.#components, records, options.rows, options)

    return estimateRun(records, this.#pace, this.#settings, { method: options.method, ...examples })
  }

  async train (job: TrainingJob, options: ProgressOptions<TrainingEvent> = {}): Promise<TrainingResult> {
    return this.#enqueue(options, async options => runJob(this.#components, this.#settings, this.#pace, job, options))
  }

  async replay (adapter: Adapter, cotangent: Float64Array, options: ProgressOptions<TrainingEvent> = {}): Promise<ExampleScores & { groups: Uint32Array }> {
    return this.#enqueue(options, async options => {
      const recipe = await readRecipe(this.#components, adapter.recipe, options)

      return withRun(this.#components, this.#settings, recipe, options, async run => ({
        ...await scoresOf(this.#components, run, adapter, cotangent, options),
        groups: run.groups
      }))
    })
  }

  async assess (id: CID, adapter: PublishedAdapter, receipts: ReceiptOpening[], options: AssessOptions = {}): Promise<Assessment> {
    return this.#enqueue(options, async options => {
      switch (adapter.type) {
        case 'imported-adapter': return assessImported(this.#components, this.#settings, id, adapter, receipts, options)
        case 'merged-adapter': return assessMerged(this.#components, this.#settings, id, adapter, receipts, options)
        default: return runAssessment(this.#components, this.#settings, id, adapter, receipts, options)
      }
    })
  }

  async step (id: CID, adapter: PublishedAdapter, receipts: ReceiptOpening[], index: number, options: StepOptions = {}): Promise<Hash | null> {
    return this.#enqueue(options, async options => {
      switch (adapter.type) {
        case 'imported-adapter': return stepImported(this.#components, this.#settings, id, adapter, receipts, index, options)
        case 'merged-adapter': return stepMerged(this.#components, this.#settings, id, adapter, receipts, index, options)
        default: return runStep(this.#components, this.#settings, id, adapter, receipts, index, options)
      }
    })
  }

  async stepState (adapter: PublishedAdapter, receipts: ReceiptOpening[], steps: Hash[], options: AssessOptions = {}): Promise<Uint8Array> {
    if (adapter.type !== 'adapter') {
      throw new StepStateError(`steps of ${adapter.type} start from no state`)
    }

    return this.#enqueue(options, async options => runStepState(this.#components, this.#settings, adapter, receipts, steps, options))
  }

  async stepStateBytesMax (adapter: PublishedAdapter, receipts: number, index: number, options: AbortOptions = {}): Promise<number> {
    return adapter.type === 'adapter' ? stepStateBytesMax(this.#components, adapter, receipts, index, options) : 0
  }

  async spotCheck (adapter: Adapter, segment: number, options: SpotCheckOptions = {}): Promise<SpotCheck> {
    return this.#enqueue(options, async options => runSpotCheck(this.#components, this.#settings, adapter, segment, options))
  }

  async columns (adapter: ColumnSource, columns: number[], options: ProgressOptions<TrainingEvent> = {}): Promise<CID[]> {
    const preempted = new AbortController()
    const signal = options.signal === undefined ? preempted.signal : AbortSignal.any([preempted.signal, options.signal])

    this.#background.add(preempted)

    try {
      return await this.#enqueue({ ...options, signal }, async options => runColumns(this.#components, this.#settings, adapter, columns, options), BACKGROUND)
    } catch (err) {
      preempted.signal.throwIfAborted()
      throw err
    } finally {
      this.#background.delete(preempted)
    }
  }

  async #enqueue<T, O extends AbortOptions> (options: O, work: (options: O) => Promise<T>, priority = 0): Promise<T> {
    if (this.#queue.size >= QUEUE_MAX) {
      throw new TrainingQueueFullError(QUEUE_MAX)
    }

    if (priority !== BACKGROUND) {
      this.#background.forEach(job => { job.abort(new PreemptedError()) })
    }

    const own = this.#stopped.signal
    const signal = options.signal === undefined ? own : AbortSignal.any([own, options.signal])

    return this.#queue.add(async () => {
      signal.throwIfAborted()

      return work({ ...options, signal })
    }, { signal, priority })
  }
}
