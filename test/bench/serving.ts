import { readFile } from 'node:fs/promises'
import { inferenceEngine } from '../../src/inference/index.ts'
import { llama, parseBaseJson, parseSafetensors } from '../../src/models/index.ts'
import { loading } from './serving-cold.ts'
import { chooser, closedLoop, manyAdapters, openLoop, processorClock, quantile, randomModel, requests, wallClock } from './serving-load.ts'
import { peerBatch } from './serving-peer.ts'
import { receiptShares } from './serving-receipts.ts'
import { batchScaling, SHAPE, throughput } from './serving-throughput.ts'
import type { BenchOptions, BenchResult, OwnOptions } from './interface.ts'
import type { Clock } from './serving-load.ts'
import type { InferenceEngine } from '../../src/inference/index.ts'
import type { LlamaModel } from '../../src/models/index.ts'

export const options: OwnOptions = {
  /** minutes of open-loop load at each of the two shares of capacity */
  minutes: { type: 'string' },
  /** `wall` (default), or `processor`: the load in the time of a processor without neighbours */
  clock: { type: 'string' },
  /** parts to run, with commas between them; see PARTS */
  only: { type: 'string' }
}

/** llama2.c's stories15M: what an adapter costs is a share of its base, and a base of 1 M is smaller than any in use. */
const CONFIG_15M = { dim: 288, hiddenDim: 768, layers: 6, heads: 6, kvHeads: 6, vocabularySize: 32_000, contextLength: 256, ropeTheta: 10_000, rmsNormEpsNano: 10_000, tied: true }

const PARTS = ['throughput', 'batch', 'peer', 'cold', 'receipts', 'load']

const OWN = 'own base of 1 M'
const LARGER = '15 M parameters'

async function ownBase (): Promise<LlamaModel> {
  const folder = new URL('../../models/base/', import.meta.url)
  const { config } = parseBaseJson(await readFile(new URL('base.json', folder)))
  return llama(config, parseSafetensors(await readFile(new URL('model.safetensors', folder))))
}

/** Beside llama.cpp: the base alone, since adapters there belong to a whole context and not to a sequence. */
async function besideLlamaCpp (model: LlamaModel, rounds: number): Promise<BenchResult[]> {
  const work = requests(model, 64, SHAPE, () => [], 'peer')
  const engine = inferenceEngine({ model })
  const ours = Math.min(...Array.from({ length: rounds }, () => closedLoop(engine, work)))
  const theirs = await peerBatch(model, work, 32, rounds)
  return typeof theirs === 'number'
    ? [{ name: 'baseVsLlamaCpp', value: theirs / ours, unit: 'ratio', peer: 'llama.cpp', detail: `${OWN}, f32, 32 sequences at once, one thread, prompts included: ${(1000 * ours).toFixed(0)} µs a token, llama.cpp (native, AVX, driven from JavaScript as node-llama-cpp does) ${(1000 * theirs).toFixed(0)} µs` }]
    : [{ name: 'baseVsLlamaCpp', value: NaN, unit: 'ratio', peer: 'llama.cpp', detail: `its binary does not load: ${theirs.reason}` }]
}

/** Answers a second with the batch kept full: the median of several rounds after the first, so that neither a cold start nor a neighbour decides. */
function capacity (answer: (round: number) => number, rounds: number, clock: Clock): number {
  const rates: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const begin = clock.now()
    const answers = answer(round)
    rates.push(answers / (clock.now() - begin) * 1000)
  }
  return quantile(rates.slice(1).toSorted((a, b) => a - b), 0.5)
}

/** Latencies at a share of capacity, with a thousand adapters of which memory holds a quarter. */
async function underLoad (model: LlamaModel, ms: number, clock: Clock): Promise<BenchResult[]> {
  const adapters = manyAdapters(model, 1000, 8)
  const engine: InferenceEngine = inferenceEngine({ model, adapterBytesMax: 250 * 4 * adapters[0].theta.length })
  const choose = chooser(adapters, 'zipf', 5)
  const make = (prefix: string, count: number): ReturnType<typeof requests> => requests(model, count, SHAPE, choose, prefix)
  const perSecond = capacity(round => {
    closedLoop(engine, make(`capacity-${round}`, 128))
    return 128
  }, ms > 60_000 ? 25 : 5, clock)
  const results: BenchResult[] = []
  for (const share of [0.5, 0.8]) {
    const { firstToken, answer, faults, refused, residentBytes, heldUpMs } = await openLoop(engine, i => make(`${share}-${i}`, 1)[0], share * perSecond, ms, clock)
    const mebibytes = residentBytes.map(bytes => (bytes / 2 ** 20).toFixed(0))
    const time = clock === wallClock ? '' : ' of processor time'
    const detail = `open loop at ${share} of ${perSecond.toFixed(0)} answers a second for ${(ms / 1000).toFixed(0)} s${time}: ${answer.length} answers, ${faults + refused} errors, resident memory each tenth of the time ${mebibytes.join(', ')} MiB; ${engine.statistics().adapterLoads} adapter loads by now; held up for ${heldUpMs.toFixed(0)} ms at most`
    for (const [name, values, at] of [['ttftP50', firstToken, 0.5], ['ttftP99', firstToken, 0.99], ['answerP50', answer, 0.5], ['answerP99', answer, 0.99]] as const) {
      results.push({ name: `${name}${share === 0.5 ? '' : 'At80'}Ms`, value: quantile(values, at), unit: 'ms', detail })
    }
    results.push({ name: `loadErrors${share === 0.5 ? '' : 'At80'}`, value: faults + refused, unit: 'answers', detail })
  }
  return results
}

/**
 * The serving engine with thousands of adapters against itself with few and with none, all in one run.
 */
export async function run ({ quick, values }: BenchOptions): Promise<BenchResult[]> {
  const own = await ownBase()
  const larger = randomModel(CONFIG_15M)
  const minutes = Number(values?.minutes ?? (quick ? 0.05 : 0.25))
  const only = values?.only?.split(',')
  const unknown = only?.filter(name => !PARTS.includes(name)) ?? []
  if (unknown.length > 0) {
    throw new RangeError(`expected parts among ${PARTS.join(', ')} but got ${unknown.join(', ')}`)
  }
  const results: BenchResult[] = []
  const part = async (name: string, work: () => BenchResult[] | Promise<BenchResult[]>): Promise<void> => {
    if (only == null || only.includes(name)) {
      results.push(...await work())
    }
  }
  for (const rank of quick ? [8] : [8, 16]) {
    const suffix = rank === 8 ? '' : 'Rank16'
    await part('throughput', () => throughput(larger, { label: LARGER, suffix, rank, rounds: quick ? 2 : 5, sequences: quick ? 32 : 64, quick }))
    await part('throughput', () => throughput(own, { label: OWN, suffix: `${suffix}Own`, rank, rounds: quick ? 3 : 10, sequences: 64, quick }))
  }
  await part('batch', () => [...batchScaling(LARGER, '', larger, quick ? 1 : 4), ...batchScaling(OWN, 'Own', own, quick ? 3 : 12)])
  await part('peer', async () => besideLlamaCpp(own, quick ? 2 : 8))
  await part('cold', async () => loading(own, 50))
  await part('receipts', () => [...receiptShares(LARGER, '', larger, quick ? 1 : 4), ...receiptShares(OWN, 'Own', own, quick ? 2 : 8)])
  await part('load', async () => underLoad(own, minutes * 60_000, values?.clock === 'processor' ? processorClock() : wallClock))
  return results
}
