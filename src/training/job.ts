import { chooseForm, decodeState, encodeFloats, encodeState, estimateCosts, train } from '../attribution/index.ts'
import { adamState, thetaToPeft } from '../models/index.ts'
import { recipeCodec } from '../wire/index.ts'
import { FILE_BYTES_MAX, INFLUENCE_FLOPS_MAX, MICRO } from './constants.ts'
import { TrainingInputError } from './errors.ts'
import { secondsLeft } from './pace.ts'
import { checkpointSteps, withRun } from './run.ts'
import type { TrainingComponents, TrainingEstimate, TrainingEvent, TrainingJob, TrainingResult } from './interface.ts'
import type { Pace } from './pace.ts'
import type { Run, RunRecords, RunSettings } from './run.ts'
import type { TrainingState } from '../attribution/index.ts'
import type { Adapter, ProgressOptions } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

export interface JobSettings extends RunSettings {
  influenceFlopsMax?: number
}

/** Work and time before anything is computed. */
export function estimateRun (records: RunRecords, pace: Pace, settings: JobSettings): TrainingEstimate {
  const { recipe, snapshot, shape, flopsPerToken } = records
  const contributions = snapshot.contributions.length
  const costs = estimateCosts({
    parameters: shape.parameters,
    tokens: recipe.batchSize * recipe.sequenceLength,
    flopsPerToken,
    steps: recipe.steps,
    contributions,
    receipts: 0
  })
  const form = chooseForm(costs, settings.influenceFlopsMax ?? INFLUENCE_FLOPS_MAX)
  const flops = costs.training.flops + (form === 'forward' ? costs.forward.flops : 0)

  return { ...costs, form, seconds: pace.secondsFor(flops), contributions }
}

/** From recipe to adapter record; everything but the record itself is in the store afterwards. */
export async function runJob (components: TrainingComponents, settings: JobSettings, pace: Pace, job: TrainingJob, options: ProgressOptions<TrainingEvent>): Promise<TrainingResult> {
  const { storage } = components
  const { signal } = options

  return withRun(components, settings, job.recipe, options, async run => {
    options.onProgress?.({ type: 'training:prepare', examples: run.pool.examples, contributions: run.snapshot.contributions.length, steps: run.plan.batches.length })

    const { theta, checkpoints, lossMicro } = await steps(components, run, pace, job, options)
    const peft = thetaToPeft(run.shape, theta, { base: run.base.name })
    const weights = await storage.putFile(peft.weights, { signal })
    const recipe = await storage.put(recipeCodec.encode(job.recipe), { signal })
    const influence = await jacobian(components, run, estimateRun(run, pace, settings), job, options)
    const { name, developer, pricePerThousandTokens, method = 'trajectory' } = job
    const { base, snapshot } = job.recipe

    return {
      adapter: { type: 'adapter', version: 1, name, developer, base, snapshot, recipe, weights, checkpoints, lossMicro, method, influence, pricePerThousandTokens },
      peftConfig: peft.config
    }
  })
}

/** The training proper, from the start or from a resume point. */
async function steps ({ storage }: TrainingComponents, run: Run, pace: Pace, job: TrainingJob, options: ProgressOptions<TrainingEvent>): Promise<{ theta: Float64Array, checkpoints: CID[], lossMicro: number[] }> {
  const { pool, plan, theta0, recipe, flopsPerToken } = run
  const { signal } = options
  const due = checkpointSteps(recipe)
  const checkpoints = [...job.resume?.checkpoints ?? []]
  const from = await resumedState(storage, job, due, theta0, signal)
  const lossMicro = [...job.resume?.lossMicro ?? []]
  const flops = recipe.batchSize * recipe.sequenceLength * flopsPerToken
  let theta = from.theta
  let last = performance.now()

  for await (const { state, loss } of train(pool, plan, { from, signal })) {
    const now = performance.now()

    pace.measured(flops, now - last)
    last = now
    theta = state.theta
    lossMicro.push(Math.round(loss * MICRO))
    options.onProgress?.({ type: 'training:step', step: state.step, steps: recipe.steps, loss, secondsLeft: pace.secondsFor(flops * (recipe.steps - state.step)) })

    if (state.step === due[checkpoints.length]) {
      checkpoints.push(await storage.putFile(encodeState(state), { signal }))
      options.onProgress?.({ type: 'training:checkpoint', step: state.step, resume: { checkpoints: [...checkpoints], lossMicro: [...lossMicro] } })
    }
  }

  return { theta, checkpoints, lossMicro }
}

async function resumedState (storage: TrainingComponents['storage'], job: TrainingJob, due: number[], theta0: Float64Array, signal?: AbortSignal): Promise<TrainingState> {
  const { checkpoints = [], lossMicro = [] } = job.resume ?? {}
  const cid = checkpoints.at(-1)

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

async function jacobian ({ storage }: TrainingComponents, run: Run, { form }: TrainingEstimate, job: TrainingJob, options: ProgressOptions<TrainingEvent>): Promise<Adapter['influence']> {
  const wanted = job.influence ?? 'auto'

  if (job.method === 'graddot' || (wanted === 'auto' ? form : wanted) === 'reverse') {
    return { form: 'reverse' }
  }

  const { pool, plan, theta0, groups, snapshot } = run
  const total = snapshot.contributions.length
  const started = performance.now()
  const onProgress = (share: number): void => {
    options.onProgress?.({ type: 'training:influence:progress', done: share * total, total, secondsLeft: secondsLeft(started, share) })
  }
  const { columns } = await pool.jacobian(plan, theta0, groups, total, snapshot.contributions.map((_, i) => i), { signal: options.signal, onProgress })
  const cids: CID[] = []

  for (const column of columns) {
    cids.push(await storage.putFile(encodeFloats(plan.batches.length, column), { signal: options.signal }))
  }

  return { form: 'forward', columns: cids }
}
