import { decodeState, encodeState, train } from '../attribution/index.ts'
import { adamState, thetaToPeft } from '../models/index.ts'
import { DatanetError } from '../utils/index.ts'
import { compareBytes, MalformedRecordError } from '../wire/index.ts'
import { unassessable } from './assessable.ts'
import { FILE_BYTES_MAX, MICRO } from './constants.ts'
import { TrainingInputError } from './errors.ts'
import { secondsLeft } from './pace.ts'
import { checkpointSteps, readRecipe, withRun } from './run.ts'
import type { SpotCheck, SpotCheckOptions, TrainingComponents } from './interface.ts'
import type { Run, RunSettings } from './run.ts'
import type { Adapter, Recipe } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/**
 * What is wrong with the records, files or weights themselves: from numbers that no run has to files
 * cut otherwise. It is wrong for everybody and for ever, so trying again would only cost a training.
 */
const FAULTS = new Set([
  'ERR_DIVERGED', 'ERR_NON_FINITE', 'ERR_LORA_SHAPE', 'ERR_MODEL_SHAPE', 'ERR_SAFETENSORS_INVALID', 'ERR_TRAINING_STATE',
  'ERR_MALFORMED_FILE', 'ERR_FILE_TOO_LARGE', 'ERR_BLOCK_TOO_LARGE', 'ERR_UNSUPPORTED_CID'
])

/**
 * One segment trained again, byte for byte. What cannot be fetched throws; what was fetched and is
 * wrong, malformed bytes and runs that leave the finite numbers included, gives a verdict.
 */
export async function runSpotCheck (components: TrainingComponents, settings: RunSettings, adapter: Adapter, segment: number, options: SpotCheckOptions): Promise<SpotCheck> {
  try {
    return await checkSegment(components, settings, adapter, segment, options)
  } catch (err) {
    if (err instanceof MalformedRecordError || (err instanceof DatanetError && FAULTS.has(err.code))) {
      return { ok: false, detail: err.message }
    }

    throw err
  }
}

async function checkSegment (components: TrainingComponents, settings: RunSettings, adapter: Adapter, segment: number, options: SpotCheckOptions): Promise<SpotCheck> {
  const recipe = await readRecipe(components, adapter.recipe, options)
  const due = checkpointSteps(recipe)
  const shape = misshapen(adapter, recipe, due)

  if (shape !== undefined) {
    return { ok: false, detail: shape }
  }

  if (!Number.isInteger(segment) || segment < 0 || segment >= due.length) {
    throw new TrainingInputError(`expected a segment below ${due.length} but got ${segment}`)
  }

  const fetch = async (cid: CID): Promise<Uint8Array> => components.storage.getFile(cid, { signal: options.signal, bytesMax: FILE_BYTES_MAX })
  const before = segment === 0 ? undefined : await fetch(adapter.checkpoints[segment - 1])
  const after = await fetch(adapter.checkpoints[segment])
  const weights = segment === due.length - 1 ? await fetch(adapter.weights) : undefined

  return withRun(components, settings, recipe, options, async run => compareSegment(run, adapter, { from: segment === 0 ? 0 : due[segment - 1], until: due[segment], before, after, weights }, options))
}

interface Segment {
  from: number
  until: number
  before?: Uint8Array
  after: Uint8Array
  weights?: Uint8Array
}

async function compareSegment (run: Run, adapter: Adapter, segment: Segment, options: SpotCheckOptions): Promise<SpotCheck> {
  const { from, until, before, after, weights } = segment
  const fault = unassessable(run, adapter.method, { checkpoints: adapter.checkpoints.length, commitBlocks: options.commitBlocks })

  if (fault !== undefined) {
    return { ok: false, detail: fault }
  }

  const state = before === undefined ? adamState(run.theta0) : readState(before)
  const started = performance.now()
  let tokens = 0

  if (state === undefined || state.step !== from || state.theta.length !== run.shape.parameters) {
    return { ok: false, detail: `the checkpoint before step ${from + 1} is not a state of this run` }
  }

  for await (const step of train(run.pool, run.plan, { from: state, until, signal: options.signal })) {
    const { loss } = step

    tokens += run.plan.batches[step.state.step - 1].reduce((sum, example) => sum + run.tokens[example], 0)
    options.onProgress?.({ type: 'training:step', step: step.state.step, steps: until, loss, tokensPerSecond: tokens / (performance.now() - started) * 1000, secondsLeft: secondsLeft(started, (step.state.step - from) / (until - from)) })

    if (Math.round(loss * MICRO) !== adapter.lossMicro[step.state.step - 1]) {
      return { ok: false, detail: `step ${step.state.step} has a loss of ${Math.round(loss * MICRO)} micronats, not ${adapter.lossMicro[step.state.step - 1]}` }
    }

    if (step.state.step === until) {
      if (compareBytes(encodeState(step.state), after) !== 0) {
        return { ok: false, detail: `steps ${from + 1} to ${until} end in another state than the checkpoint` }
      }

      if (weights !== undefined && compareBytes(thetaToPeft(run.shape, step.state.theta).weights, weights) !== 0) {
        return { ok: false, detail: 'the published weights are not those of the last checkpoint' }
      }
    }
  }

  return { ok: true, detail: `steps ${from + 1} to ${until} give the checkpoint's bytes` }
}

/** What is wrong with the record before anything is computed. */
function misshapen (adapter: Adapter, recipe: Recipe, due: number[]): string | undefined {
  if (!adapter.base.equals(recipe.base) || !adapter.snapshot.equals(recipe.snapshot)) {
    return 'base or snapshot are not those of its recipe'
  }

  if (adapter.checkpoints.length !== due.length || adapter.lossMicro.length !== recipe.steps) {
    return `its recipe gives ${due.length} checkpoints and ${recipe.steps} losses, not ${adapter.checkpoints.length} and ${adapter.lossMicro.length}`
  }

  return undefined
}

function readState (bytes: Uint8Array): ReturnType<typeof decodeState> | undefined {
  try {
    return decodeState(bytes)
  } catch {
    return undefined
  }
}
