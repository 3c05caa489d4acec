/**
 * Trains the base model of `models/base/` from text that npm brought, by `models/base/recipe.json`.
 * The same recipe gives the same bytes, whatever the number of threads.
 *
 *   npm run pretrain                     trains, resumes if it was stopped, writes models/base
 *   npm run pretrain -- --check          trains anew and compares with what is committed
 *   npm run pretrain -- --check --steps 50   compares the state after the first 50 steps only
 *   npm run pretrain -- --threads 4      more threads, same bytes
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { train } from '../src/attribution/index.ts'
import { adamState, parameterCount, roundToBf16, tokenizer as tokenizerOf, trainTokenizer, trainingPlan, writeSafetensors, writeTokenizer } from '../src/models/index.ts'
import { fileCid } from '../src/storage/index.ts'
import { DatanetError } from '../src/utils/index.ts'
import { digestOf, documentsOf } from './pretrain-corpus.ts'
import { initialWeights, tensorsOver } from './pretrain-model.ts'
import type { Source } from './pretrain-corpus.ts'
import type { WorkerInit, WorkerRequest } from './pretrain-worker.ts'
import type { Evaluator } from '../src/attribution/index.ts'
import type { LlamaConfig } from '../src/interface/index.ts'
import type { AdamState, Tokenizer, TrainingPlan } from '../src/models/index.ts'

interface PretrainRecipe {
  name: string
  licence: string
  config: LlamaConfig
  sources: Source[]
  textSha256: string
  /** every such document is kept out of training */
  holdOutEvery: number
  windowTokens: number
  batchSize: number
  steps: number
  warmupSteps: number
  /** the last steps, in which the learning rate falls linearly to nothing */
  decaySteps: number
  learningRateNano: number
  beta1Nano: number
  beta2Nano: number
  /** 10^-18, under the root */
  epsilonAtto: number
  weightDecayNano: number
  clipNormMilli: number
  initDeviationMilli: number
  seed: number
  milestoneEverySteps: number
}

interface Milestone { step: number, state: string }

const NANO = 1e9
const HELD_OUT_WINDOWS_MAX = 128
const SAVE_EVERY_STEPS = 20

const { values: args } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    steps: { type: 'string' },
    threads: { type: 'string', default: '2' },
    out: { type: 'string', default: 'models/base' },
    work: { type: 'string', default: '.data/pretrain' }
  }
})

const recipe: PretrainRecipe = JSON.parse(readFileSync('models/base/recipe.json', 'utf8'))
const parameters = parameterCount(recipe.config)
const corpus = buildCorpus()
const shared = share()
const workers = Array.from({ length: Number(args.threads) }, () => new Worker(new URL('./pretrain-worker.ts', import.meta.url), { workerData: shared }))
try {
  await main()
} finally {
  await Promise.all(workers.map(async worker => worker.terminate()))
}

async function main (): Promise<void> {
  const committed: { milestones: Milestone[], record: { weights: string, tokenizer: string } } | undefined =
    args.check ? JSON.parse(readFileSync('models/base/base.json', 'utf8')) : undefined
  const from = args.check ? fresh() : restore() ?? fresh()
  const milestones: Milestone[] = []
  const last = Math.min(recipe.steps, Number(args.steps ?? recipe.steps))
  const losses: number[] = []
  let state = from
  let tokens = 0
  const begin = performance.now()
  for await (const step of train(windows(), plan(), { from, until: last })) {
    state = step.state
    losses.push(step.loss)
    tokens += recipe.batchSize * (recipe.windowTokens - 1)
    const done = state.step
    if (done === 2 || done % recipe.milestoneEverySteps === 0 || done === recipe.steps) {
      milestones.push({ step: done, state: hashState(state) })
      const expected = committed?.milestones.find(milestone => milestone.step === done)
      if (expected != null && expected.state !== milestones[milestones.length - 1].state) {
        throw new DatanetError('ERR_PRETRAIN_DIFFERS', `expected the state after step ${done} to hash to ${expected.state} but it is ${milestones[milestones.length - 1].state}`)
      }
    }
    if (!args.check && (done % SAVE_EVERY_STEPS === 0 || done === last)) {
      save(state, milestones)
    }
    const rate = tokens / (performance.now() - begin) * 1000
    if (done % 5 === 0 || done < 5) {
      console.info(`step ${done}/${recipe.steps}  loss ${average(losses.slice(-10)).toFixed(3)}  ${rate.toFixed(0)} tokens/s  ${((recipe.steps - done) * recipe.batchSize * (recipe.windowTokens - 1) / rate / 60).toFixed(1)} min left`)
    }
    if (!args.check && done % 50 === 0) {
      await write(state, milestones, join(args.work, 'early'))
    }
  }
  if (last < recipe.steps) {
    console.info(committed == null ? `stopped after step ${last}` : `the first ${last} steps are those of the committed base`)
    return
  }
  const out = args.check ? join(args.work, 'check') : args.out
  const cids = await write(state, args.check ? milestones : merged(milestones), out)
  if (committed != null && (committed.record.weights !== cids.weights || committed.record.tokenizer !== cids.tokenizer)) {
    throw new DatanetError('ERR_PRETRAIN_DIFFERS', `expected ${committed.record.weights} and ${committed.record.tokenizer} but trained ${cids.weights} and ${cids.tokenizer}`)
  }
  console.info(`${committed == null ? 'wrote' : 'the committed base is'} weights ${cids.weights}, tokenizer ${cids.tokenizer}`)
}

/** The same training as an adapter's, on all weights: threads compute windows, sums are made here in the batch's order. */
function windows (): Evaluator {
  return {
    parameters,
    examples: corpus.training,
    async gradients (theta, batch, visit) {
      new Float32Array(shared.theta).set(theta)
      new Int32Array(shared.next)[0] = 0
      await ask(() => ({ kind: 'gradients', batch }))
      const losses = new Float32Array(shared.losses)
      batch.forEach((_, slot) => { visit(slot, losses[slot], new Float32Array(shared.gradients, 4 * parameters * slot, parameters)) })
    },
    async duals () {
      throw new DatanetError('ERR_PRETRAIN_NO_TANGENTS', 'the base is not attributed: expected an adapter')
    }
  }
}

/** Batches as any recipe has them; the rate warms up, holds and falls to nothing, so that a run can be prolonged. */
function plan (): TrainingPlan {
  const { steps, warmupSteps, decaySteps, milestoneEverySteps } = recipe
  const learningRates = Float64Array.from({ length: steps }, (_, step) => recipe.learningRateNano / NANO * Math.min(1, (step + 1) / warmupSteps) * Math.min(1, (steps - step) / decaySteps))
  return {
    ...trainingPlan({ ...recipe, epsilonNano: 1, clipNormMicro: recipe.clipNormMilli * 1000, checkpointEverySteps: milestoneEverySteps }, corpus.training),
    learningRates,
    epsilon: recipe.epsilonAtto / NANO / NANO
  }
}

async function ask (request: (index: number) => WorkerRequest): Promise<void> {
  await Promise.all(workers.map(async (worker, index) => new Promise<void>((resolve, reject) => {
    worker.once('message', () => {
      worker.removeListener('error', reject)
      resolve()
    })
    worker.once('error', reject)
    worker.postMessage(request(index))
  })))
}

/** Mean loss in nats per token over the held-out windows. */
async function heldOutLoss (state: AdamState): Promise<number> {
  new Float32Array(shared.theta).set(Float32Array.from(state.theta, roundToBf16))
  const all = Uint32Array.from({ length: Math.min(HELD_OUT_WINDOWS_MAX, corpus.count - corpus.training) }, (_, i) => corpus.training + i)
  const losses: number[] = []
  for (let at = 0; at < all.length; at += recipe.batchSize) {
    const batch = all.subarray(at, at + recipe.batchSize)
    new Int32Array(shared.next)[0] = 0
    await ask(() => ({ kind: 'losses', batch }))
    losses.push(...new Float32Array(shared.losses).subarray(0, batch.length))
  }
  return average(losses)
}

async function write (state: AdamState, milestones: Milestone[], folder: string): Promise<{ weights: string, tokenizer: string }> {
  const weights = writeSafetensors(tensorsOver(recipe.config, Float32Array.from(state.theta)), { dtype: 'bf16', metadata: { format: 'pt' } })
  const heldOut = await heldOutLoss(state)
  const cids = { weights: fileCid(weights).toString(), tokenizer: fileCid(corpus.tokenizerJson).toString() }
  const json = {
    record: { type: 'base', version: 1, name: recipe.name, licence: recipe.licence, config: recipe.config, ...cids },
    parameters,
    trainedTokens: state.step * recipe.batchSize * (recipe.windowTokens - 1),
    heldOutLossMicro: Math.round(heldOut * 1e6),
    milestones
  }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'model.safetensors'), weights)
  writeFileSync(join(folder, 'tokenizer.json'), corpus.tokenizerJson)
  writeFileSync(join(folder, 'base.json'), `${JSON.stringify(json, null, 2)}\n`)
  console.info(`wrote ${folder} at step ${state.step}, held-out loss ${heldOut.toFixed(3)}`)
  return cids
}

function buildCorpus (): { tokenizer: Tokenizer, tokenizerJson: Uint8Array, windows: Uint16Array, training: number, count: number } {
  const documents = documentsOf(recipe.sources)
  const digest = digestOf(documents)
  if (recipe.textSha256 !== '' && recipe.textSha256 !== digest) {
    throw new DatanetError('ERR_PRETRAIN_SOURCE', `expected texts that hash to ${recipe.textSha256} but they hash to ${digest}: run npm ci`)
  }
  const isHeldOut = (_: string, index: number): boolean => index % recipe.holdOutEvery === recipe.holdOutEvery - 1
  const training = documents.filter((text, index) => !isHeldOut(text, index))
  const bpe = trainTokenizer(training, recipe.config.vocabularySize)
  const tokenizer = tokenizerOf(bpe)
  const first = windowsOf(training, tokenizer)
  const second = windowsOf(documents.filter(isHeldOut), tokenizer)
  const characters = documents.reduce((sum, text) => sum + text.length, 0)
  console.info(`${documents.length} documents, ${characters} characters, sha256 ${digest}; ${parameters} parameters, ${tokenizer.size} tokens, windows: ${first.length} + ${second.length} held out`)
  const windows = new Uint16Array([...first, ...second].flat())
  return { tokenizer, tokenizerJson: writeTokenizer(bpe), windows, training: first.length, count: first.length + second.length }
}

/** Whole windows of all documents in one stream; neighbours share one token, the target of the one and the input of the other. */
function windowsOf (documents: string[], tokenizer: Tokenizer): number[][] {
  const stream: number[] = []
  for (const document of documents) {
    stream.push(tokenizer.bos)
    for (const id of tokenizer.encode(document)) {
      stream.push(id)
    }
  }
  const windows: number[][] = []
  for (let at = 0; at + recipe.windowTokens <= stream.length; at += recipe.windowTokens - 1) {
    windows.push(stream.slice(at, at + recipe.windowTokens))
  }
  return windows
}

function share (): WorkerInit {
  const { batchSize, config, windowTokens } = recipe
  const windows = new SharedArrayBuffer(corpus.windows.byteLength)
  new Uint16Array(windows).set(corpus.windows)
  return {
    config,
    windowTokens,
    batchSize,
    parameters,
    windows,
    theta: new SharedArrayBuffer(4 * parameters),
    gradients: new SharedArrayBuffer(4 * parameters * batchSize),
    losses: new SharedArrayBuffer(4 * batchSize),
    next: new SharedArrayBuffer(4)
  }
}

function fresh (): AdamState {
  return adamState(initialWeights(recipe.config, recipe.initDeviationMilli / 1000, recipe.seed, parameters))
}

function hashState (state: AdamState): string {
  return createHash('sha256').update(stateBytes(state)).digest('hex')
}

function stateBytes (state: AdamState): Uint8Array {
  const values = new Float64Array(3 + 3 * parameters)
  values.set([state.step, state.beta1Power, state.beta2Power])
  values.set(state.theta, 3)
  values.set(state.m, 3 + parameters)
  values.set(state.v, 3 + 2 * parameters)
  return new Uint8Array(values.buffer)
}

function save (state: AdamState, milestones: Milestone[]): void {
  mkdirSync(args.work, { recursive: true })
  writeFileSync(join(args.work, 'state.new'), stateBytes(state))
  writeFileSync(join(args.work, 'milestones.json'), JSON.stringify(merged(milestones)))
  renameSync(join(args.work, 'state.new'), join(args.work, 'state'))
}

function merged (milestones: Milestone[]): Milestone[] {
  const file = join(args.work, 'milestones.json')
  const earlier: Milestone[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
  return [...earlier.filter(({ step }) => milestones.every(milestone => milestone.step !== step)), ...milestones].sort((a, b) => a.step - b.step)
}

function restore (): AdamState | undefined {
  const file = join(args.work, 'state')
  if (!existsSync(file)) {
    return undefined
  }
  const bytes = readFileSync(file)
  const values = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  console.info(`resuming after step ${values[0]}`)
  return {
    step: values[0],
    beta1Power: values[1],
    beta2Power: values[2],
    theta: values.slice(3, 3 + parameters),
    m: values.slice(3 + parameters, 3 + 2 * parameters),
    v: values.slice(3 + 2 * parameters)
  }
}

function average (values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
