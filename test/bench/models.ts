/**
 * Decoding and LoRA training against what this machine can do, measured in the same run: the rate of
 * the engine's own products, and the rate at which memory can be read. One thread and its processor
 * time, but where two are named: those by the clock.
 */
import { Worker } from 'node:worker_threads'
import { inferenceEngine } from '../../src/inference/index.ts'
import { initialTheta, loraObjective, loraShape, parameterCount, presets } from '../../src/models/index.ts'
import { kernels, prng } from '../../src/numeric/index.ts'
import { peerAnswers, processMs } from './models-peer.ts'
import { bytesPerToken, int8, ownBase, random, stories260k } from './models-shapes.ts'
import { reader } from './numeric-limit.ts'
import type { Bench, BenchResult } from './interface.ts'
import type { Shape } from './models-shapes.ts'
import type { LlamaModel, LoraShape, ProjectionPlan } from '../../src/models/index.ts'
import type { Threads } from '../../src/numeric/index.ts'

const PROMPT_TOKENS = 16

/** Milliseconds of the fastest of some rounds; the first one compiles and packs. */
function fastest (rounds: number, work: () => void): number {
  let best = Infinity

  work()

  for (let round = 0; round < rounds; round++) {
    const begin = processMs()

    work()
    best = Math.min(best, processMs() - begin)
  }

  return best
}

/** GFLOP/s of products of a training's size, packing included. */
function gemmRate (): number {
  const k = kernels({ arenaBytesMax: 1 << 26 })
  const source = prng(1)
  const floats = new Float32Array(k.buffer)
  const [a, b, c, scratch] = [1 << 20, 1 << 23, 1 << 24, 1 << 25]
  const [m, n, inner] = [128, 512, 512]

  for (let i = 0; i < n * inner; i++) {
    floats[a / 4 + i % (m * inner)] = source.nextNormal()
    floats[b / 4 + i] = source.nextNormal()
  }

  return 10 * 2 * m * n * inner / 1e6 / fastest(20, () => {
    for (let i = 0; i < 10; i++) {
      k.gemm(m, n, inner, a, inner, 1, b, n, 1, 0, scratch, c, n, false)
    }
  })
}

/** GB/s of reading as many bytes in order as a model has. */
async function readRate (bytes: number): Promise<number> {
  const read = await reader(bytes)
  const repeats = Math.max(1, Math.round(2e8 / bytes))

  return repeats * bytes / 1e6 / fastest(7, () => {
    for (let i = 0; i < repeats; i++) {
      read()
    }
  })
}

/**
 * Operations that no training by LoRA can do without, for one token: products alone. Nothing needs to
 * flow back through what comes before the first factor.
 */
function trainingOperations ({ config, plan }: LlamaModel, shape: LoraShape, tokens: number): number {
  const size = (...projections: Array<ProjectionPlan | undefined>): number => projections.reduce((sum, one) => sum + (one == null ? 0 : one.weight.shape.reduce<number>((product, count) => product * count, 1)), 0)
  const positions = config.architecture === 'gpt2' ? config.contextLength * config.dim : 0
  const frozen = parameterCount(config) - positions - (config.tied ? 0 : config.vocabularySize * config.dim)
  const [{ q, k, v, o, gate, up }] = plan.layers
  const later = shape.targets.every(target => target === 'gate_proj' || target === 'up_proj' || target === 'down_proj')
  const still = size(q, k, v) + (later ? size(o, gate, up) : 0)
  // causal: half of the keys; scores and mixing, forward once and back twice
  const attention = (6 * config.layers - (later ? 4 : 0)) * 2 * plan.heads * plan.headDim * tokens / 2

  // frozen weights forward and back, factors also for their own gradients
  return 4 * frozen - 2 * still + 6 * shape.parameters + attention
}

function trainingLine ({ name, model }: Shape, gemm: number, tokens: number, rounds: number): BenchResult {
  const targets = model.config.architecture === 'gpt2' ? ['up_proj', 'down_proj'] : presets.quick.targets
  const shape = loraShape(model.config, { ...presets.quick, targets })
  const source = prng(3)
  const examples = [Uint32Array.from({ length: tokens + 1 }, () => source.nextBelow(model.config.vocabularySize))]
  const objective = loraObjective({ model, shape, examples })()
  const theta = initialTheta(shape, 1)
  const gradient = new Float32Array(shape.parameters)
  const ms = fastest(rounds, () => { objective.gradient(theta, 0, gradient) })
  const rate = trainingOperations(model, shape, tokens) * tokens / ms / 1e6

  return {
    name: `trainOfGemm${name}`,
    value: rate / gemm,
    unit: 'ratio',
    peer: 'products of 128×512×512',
    detail: `${(tokens / ms * 1000).toPrecision(4)} tokens/s at ${tokens} tokens, ${rate.toFixed(1)} of ${gemm.toFixed(1)} GFLOP/s; rank ${shape.rank} on ${shape.targets.join(', ')}`
  }
}

interface Decoded {
  output: number[]
  msPerToken: number
}

/** Greedy decoding of one sequence; the first token, which pays for the prompt, does not count. */
function decode (model: LlamaModel, prompt: number[], tokens: number, rounds: number, now = processMs, threads?: Threads): Decoded {
  const engine = inferenceEngine({ model, threads })
  let best: Decoded = { output: [], msPerToken: Infinity }

  for (let round = 0; round <= rounds; round++) {
    const output: number[] = []
    let begin = 0

    engine.add({ id: `${round}`, prompt, maxTokens: tokens, sampler: { temperatureMilli: 0, topK: 0, seed: 0 } })

    while (engine.busy) {
      for (const { token } of engine.step().tokens) {
        output.push(token)
        begin = output.length === 1 ? now() : begin
      }
    }

    const msPerToken = (now() - begin) / (output.length - 1)

    // the first round compiles
    best = round > 0 && msPerToken < best.msPerToken ? { output, msPerToken } : best
  }

  return best
}

function arbitraryPrompt ({ config }: LlamaModel): number[] {
  const source = prng(5)

  return Array.from({ length: PROMPT_TOKENS }, () => source.nextBelow(config.vocabularySize))
}

/** The same by two threads, and by the clock. The helper joins when it has started, within the first round. */
async function decodeByTwo (model: LlamaModel, prompt: number[], tokens: number, rounds: number): Promise<Decoded> {
  const workers: Worker[] = []
  const spawn: Threads['spawn'] = (script, workerData) => { workers.push(new Worker(script, { eval: true, workerData })) }

  try {
    return decode(model, prompt, tokens, rounds, () => performance.now(), { count: 2, spawn })
  } finally {
    await Promise.all(workers.map(async worker => worker.terminate()))
  }
}

/** Decoding in q8_0 with integer products, which is what a base is served with, and beside it the exact ones. */
async function decodingLines ({ name, model }: Shape, tokens: number, rounds: number): Promise<BenchResult[]> {
  const quantised = int8(model, 'int16')
  const bytes = bytesPerToken(quantised)
  const limit = await readRate(bytes)
  const prompt = arbitraryPrompt(model)
  const one = decode(quantised, prompt, tokens, rounds)
  const two = await decodeByTwo(quantised, prompt, tokens, rounds)

  if (one.output.join() !== two.output.join()) {
    throw new RangeError('two threads gave other tokens than one')
  }

  const perSecond = ({ msPerToken }: Decoded): string => (1000 / msPerToken).toPrecision(4)
  const line = (metric: string, decoded: Decoded, detail: string): BenchResult => {
    const rate = bytes / decoded.msPerToken / 1e6

    return {
      name: `${metric}${name}`,
      value: rate / limit,
      unit: 'ratio',
      peer: 'a loop on one thread that only reads as many bytes',
      detail: `${perSecond(decoded)} tokens/s in q8_0 by integers (${(bytes / 1e6).toFixed(1)} MB a token), ${rate.toFixed(1)} of ${limit.toFixed(1)} GB/s; ${detail}`
    }
  }

  return [
    line('decodeInt8TwoThreadsOfBandwidth', two, 'two threads by the clock, which other processes slow'),
    line('decodeInt8OfBandwidth', one, `one thread; exact q8_0 ${perSecond(decode(int8(model), prompt, tokens, rounds))}, as the model is kept (the base in bf16, others in f32) ${perSecond(decode(model, prompt, tokens, rounds))} tokens/s`)
  ]
}

/** llama.cpp beside us on the base: speed, and whether the same tokens follow. */
async function peerLines ({ model }: Shape, tokens: number, rounds: number): Promise<BenchResult[]> {
  const prompt = [0, ...arbitraryPrompt(model)]
  const theirs = await peerAnswers(model, prompt, tokens, rounds)

  if ('reason' in theirs) {
    return [{ name: 'decodeVsLlamaCpp', value: Number.NaN, unit: 'ratio', peer: 'llama.cpp', detail: `not measured, its binary does not load: ${theirs.reason}` }]
  }

  const line = (name: string, ours: Decoded, peer: Decoded, type: string): BenchResult => ({
    name, value: peer.msPerToken / ours.msPerToken, unit: 'ratio', peer: `llama.cpp in ${type}`, detail: `${(1000 / ours.msPerToken).toPrecision(4)} of its ${(1000 / peer.msPerToken).toPrecision(4)} tokens/s, its binding for Node.js included; one thread each`
  })
  const f32 = decode(model, prompt, tokens, rounds)
  const same = f32.output.findIndex((token, i) => token !== theirs.f32.output[i])

  return [
    line('decodeVsLlamaCpp', f32, theirs.f32, 'f32'),
    line('decodeInt8VsLlamaCpp', decode(int8(model, 'int16'), prompt, tokens, rounds), theirs.q8, 'q8_0, in integers as ours'),
    { name: 'greedyTokensEqual', value: same === -1 ? 1 : same / tokens, unit: 'ratio', peer: 'llama.cpp in f32', detail: `of ${tokens} tokens after a prompt of ${prompt.length}` }
  ]
}

/** The same line under the name that others look up. */
function headline (name: string, line: BenchResult, of: string): BenchResult {
  return { ...line, name, detail: `${of}: ${line.detail}` }
}

export const run: Bench = async ({ quick }) => {
  const base = ownBase()
  const stories = stories260k()
  const results: BenchResult[] = []
  const gemm = gemmRate()
  const small = stories === undefined ? [base] : [stories, base]
  let large: Shape | undefined

  for (const shape of small) {
    results.push(trainingLine(shape, gemm, 64, 20), trainingLine({ ...shape, name: `${shape.name}At128` }, gemm, 128, 10), ...await decodingLines(shape, 64, 5))
  }

  for (const name of quick ? ['15m'] : ['15m', 'Gpt2', 'Smol135m']) {
    large = random(name)
    results.push(trainingLine(large, gemm, 128, quick ? 2 : 3), ...await decodingLines(large, quick ? 16 : 32, 2))
  }

  const [training, , decoding] = results.slice(-3)

  return [
    headline('trainOfGemm', training, large?.name ?? base.name),
    headline('decodeInt8OfBandwidth', decoding, large?.name ?? base.name),
    ...await peerLines(base, 64, quick ? 2 : 5),
    ...results
  ]
}
