import { decodeState, encodeState, train } from '../attribution/index.ts'
import { adamState, thetaToPeft } from '../models/index.ts'
import { recipeCodec } from '../wire/index.ts'
import { unassessable } from './assessable.ts'
import { columnsAtOnce, storedColumns } from './columns.ts'
import { FILE_BYTES_MAX, MICRO } from './constants.ts'
import { TrainingInputError } from './errors.ts'
import { estimateRun } from './estimate.ts'
import { secondsLeft } from './pace.ts'
import { checkpointSteps, withRun } from './run.ts'
import type { EstimateSettings } from './estimate.ts'
import type { ResumePoint, TrainingComponents, TrainingEstimate, TrainingEvent, TrainingJob, TrainingResult } from './interface.ts'
import type { Pace } from './pace.ts'
import type { Run } from './run.ts'
import type { TrainingState } from '../attribution/index.ts'
import type { Adapter, ProgressOptions } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

export type JobSettings = EstimateSettings

/** From recipe to adapter record; everything but the record itself is in the store afterwards. What nobody could score is refused before anything is computed. */
export async function runJob (components: TrainingComponents, settings: JobSettings, pace: Pace, job: TrainingJob, options: ProgressOptions<TrainingEvent>): Promise<TrainingResult> {
  const { storage } = components
  const { signal } = options

  return withRun(components, settings, job.recipe, options, async run => {
    const fault = unassessable(run, job.method ?? 'trajectory', { checkpoints: checkpointSteps(job.recipe).length, commitBlocks: job.commitBlocks })

    if (fault !== undefined) {
      throw new TrainingInputError(fault)
    }

    const estimate = await prepared(run, pace, settings, job, options)
    const { theta, ...point } = await steps(components, run, pace, job, options)
    const peft = thetaToPeft(run.shape, theta, { base: run.base.name })
    const weights = await storage.putFile(peft.weights, { signal })
    const recipe = await storage.put(recipeCodec.encode(job.recipe), { signal })
    const influence = await influenceOf(components, run, settings, estimate, job, point, options)
    const { name, developer, pricePerThousandTokens, promptPricePerThousandTokens: promptPrice, method = 'trajectory' } = job
    const { base, snapshot } = job.recipe

    return {
      adapter: { type: 'adapter', version: 1, name, developer, base, snapshot, recipe, weights, ...point, method, influence, pricePerThousandTokens, ...(promptPrice == null ? {} : { promptPricePerThousandTokens: promptPrice }) },
      peftConfig: peft.config
    }
  })
}

/** Measures the machine with the run's own examples and says what is to come. */
async function prepared (run: Run, pace: Pace, settings: JobSettings, { method }: TrainingJob, options: ProgressOptions<TrainingEvent>): Promise<TrainingEstimate> {
  const { pool, theta0, tokens, flopsPerToken, snapshot, plan } = run
  const { milliseconds, examples } = await pool.calibrate(theta0, options)

  pace.calibrated(tokensOf(tokens, examples) * flopsPerToken, milliseconds)

  const estimate = estimateRun(run, pace, settings, { method, examples: pool.examples, exampleTokens: tokens.reduce((sum, one) => sum + one, 0) / tokens.length })

  options.onProgress?.({ type: 'training:prepare', examples: pool.examples, contributions: snapshot.contributions.length, steps: plan.batches.length, estimate })

  return estimate
}

/** The training proper, from the start or from a resume point. */
async function steps ({ storage }: TrainingComponents, run: Run, pace: Pace, job: TrainingJob, options: ProgressOptions<TrainingEvent>): Promise<{ theta: Float64Array, checkpoints: CID[], lossMicro: number[] }> {
  const { pool, plan, theta0, recipe, flopsPerToken } = run
  const { signal } = options
  const due = checkpointSteps(recipe)
  const checkpoints = [...job.resume?.checkpoints ?? []]
  const from = await resumedState(storage, job, due, theta0, signal)
  const lossMicro = [...job.resume?.lossMicro ?? []]
  let left = plan.batches.slice(from.step).reduce((sum, batch) => sum + tokensOf(run.tokens, batch), 0)
  let theta = from.theta
  let last = performance.now()

  for await (const { state, loss } of train(pool, plan, { from, signal })) {
    const now = performance.now()
    const tokens = tokensOf(run.tokens, plan.batches[state.step - 1])

    pace.measured(tokens * flopsPerToken, now - last)
    last = now
    left -= tokens
    theta = state.theta
    lossMicro.push(Math.round(loss * MICRO))
    options.onProgress?.({ type: 'training:step', step: state.step, steps: recipe.steps, loss, tokensPerSecond: pace.flopsPerSecond / flopsPerToken, secondsLeft: pace.secondsFor(left * flopsPerToken) })

    if (state.step === due[checkpoints.length]) {
      checkpoints.push(await storage.putFile(encodeState(state), { signal }))
      options.onProgress?.({ type: 'training:checkpoint', step: state.step, resume: { checkpoints: [...checkpoints], lossMicro: [...lossMicro] } })
      last = performance.now()
    }
  }

  return { theta, checkpoints, lossMicro }
}

function tokensOf (tokens: Uint32Array, batch: Uint32Array): number {
  return batch.reduce((sum, example) => sum + tokens[example], 0)
}

async function resumedState (storage: TrainingComponents['storage'], job: TrainingJob, due: number[], theta0: Float64Array, signal?: AbortSignal): Promise<TrainingState> {
  const { checkpoints = [], lossMicro = [], columns = [] } = job.resume ?? {}
  const cid = checkpoints.at(-1)

  if (columns.length > 0 && checkpoints.length !== due.length) {
    throw new TrainingInputError('a resume point has columns before the run ended: start anew')
  }

  if (cid === undefined) {
    if (lossMicro.length > 0) {
      throw new TrainingInputError('a resume point without checkpoints has no losses: start anew')
    }

    return adamState(theta0)
  }

  const state = decodeState(await storage.getFile(cid, { signal, bytesMax: FILE_BYTES_MAX }))

  if (state.step !== due[checkpoints.length - 1] || lossMicro.length !== state.step) {
    throw new TrainingInputError(`expected a resume point after ${due[checkpoints.length - 1]} steps with as many losses but got ${state.step} steps and ${lossMicro.length} losses: it belongs to another recipe`)
  }

  return state
}

/** The columns, as many at a time as memory holds; these are stored before the next are computed. */
async function influenceOf (components: TrainingComponents, run: Run, settings: JobSettings, { form }: TrainingEstimate, job: TrainingJob, point: ResumePoint, options: ProgressOptions<TrainingEvent>): Promise<Adapter['influence']> {
  const wanted = job.influence ?? 'auto'

  if ((wanted === 'auto' ? form : wanted) === 'reverse') {
    return { form: 'reverse' }
  }

  const { signal } = options
  const { snapshot, recipe } = run
  const { method = 'trajectory' } = job
  const total = snapshot.contributions.length
  const columns = [...job.resume?.columns ?? []]
  const begun = columns.length
  const started = performance.now()
  const atOnce = columnsAtOnce(run, settings, { method })

  if (begun > total) {
    throw new TrainingInputError(`a resume point has ${begun} columns but the run has ${total} contributions: it belongs to another recipe`)
  }

  while (columns.length < total) {
    const first = columns.length
    const part = Array.from({ length: Math.min(atOnce, total - first) }, (_, i) => first + i)
    const onProgress = (share: number): void => {
      const done = first + share * part.length

      options.onProgress?.({ type: 'training:influence:progress', done, total, secondsLeft: secondsLeft(started, (done - begun) / (total - begun)) })
    }

    columns.push(...await storedColumns(components, run, { method, checkpoints: point.checkpoints }, part, { signal, onProgress }))
    options.onProgress?.({ type: 'training:checkpoint', step: recipe.steps, resume: { ...point, columns: [...columns] } })
  }

  return { form: 'forward', columns }
}
