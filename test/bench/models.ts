/**
 * Decoding and LoRA training against what this machine can do: the rate of the engine's own products, the rate at
 * which memory can be read, and the rate at which a loop multiplies integers that lie in the first-level cache.
 * Each round measures a limit and then what it limits, so that both meet the same neighbours; ratios are medians over
 * rounds. One thread and its processor time, but where two are named: those by the clock.
 */
import { Worker } from 'node:worker_threads'
import { inferenceEngine } from '../../src/inference/index.ts'
import { initialTheta, loraObjective, loraShape, parameterCount, presets } from '../../src/models/index.ts'
import { prng } from '../../src/numeric/index.ts'
import { interleaved, median, multiplying, ofLimit, products, reading, timed } from './models-limits.ts'
import { peerAnswers, processMs } from './models-peer.ts'
import { readingByTwo } from './models-readers.ts'
import { bytesPerToken, int8, ownBase, random, stories260k } from './models-shapes.ts'
import type { Bench, BenchResult } from './interface.ts'
import type { Round } from './models-limits.ts'
import type { Shape } from './models-shapes.ts'
import type { LlamaModel, LoraShape, ProjectionPlan } from '../../src/models/index.ts'
import type { Threads } from '../../src/numeric/index.ts'

const PROMPT_TOKENS = 16

/** Operations of one round of training in millions: a single step of a small model begins with what its limit left in the caches. */
const ROUND_MEGAFLOP = 1000
/** Rounds of small models until the optimising compilers are done, which thousands of steps or tokens do not feel. */
const ROUNDS_BEFORE = { training: 5, decoding: 30 }
/** Weights that fit into a cache, in bytes. */
const SMALL_BYTES = 4_000_000

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

function trainingLine ({ name, model }: Shape, limit: Round, tokens: number, rounds: number): BenchResult {
  const targets = model.config.architecture === 'gpt2' ? ['up_proj', 'down_proj'] : presets.quick.targets
  const shape = loraShape(model.config, { ...presets.quick, targets })
  const source = prng(3)
  const examples = [Uint32Array.from({ length: tokens + 1 }, () => source.nextBelow(model.config.vocabularySize))]
  const objective = loraObjective({ model, shape, examples })()
  const theta = initialTheta(shape, 1)
  const gradient = new Float32Array(shape.parameters)
  const megaflop = trainingOperations(model, shape, tokens) * tokens / 1e6
  const steps = Math.max(1, Math.round(ROUND_MEGAFLOP / megaflop))
  const train = (): number => timed(() => {
    for (let i = 0; i < steps; i++) {
      objective.gradient(theta, 0, gradient)
    }
  }) / (steps * megaflop)
  const [gemm, training] = interleaved(rounds, [limit, train], steps > 1 ? ROUNDS_BEFORE.training : 1)

  return {
    name: `trainOfGemm${name}`,
    value: ofLimit(gemm, training),
    unit: 'ratio',
    peer: 'products of 128×512×512',
    detail: `${(tokens / median(training) / megaflop * 1000).toPrecision(4)} tokens/s at ${tokens} tokens, ${(1 / median(training)).toFixed(1)} of ${(1 / median(gemm)).toFixed(1)} GFLOP/s; rank ${shape.rank} on ${shape.targets.join(', ')}`
  }
}

interface Decoded {
  output: number[]
  msPerToken: number
}

/** Greedy decoding of one sequence, again at each call; the first token, which pays for the prompt, does not count. */
function decoder (model: LlamaModel, prompt: number[], tokens: number, now = processMs, threads?: Threads): () => Decoded {
  const engine = inferenceEngine({ model, threads })
  let calls = 0

  return () => {
    const output: number[] = []
    let begin = 0

    engine.add({ id: `${calls++}`, prompt, maxTokens: tokens, sampler: { temperatureMilli: 0, topK: 0, seed: 0 } })

    while (engine.busy) {
      for (const { token } of engine.step().tokens) {
        output.push(token)
        begin = output.length === 1 ? now() : begin
      }
    }

    return { output, msPerToken: (now() - begin) / (output.length - 1) }
  }
}

/** The fastest of some rounds; the first one compiles. */
function decode (model: LlamaModel, prompt: number[], tokens: number, rounds: number): Decoded {
  const run = decoder(model, prompt, tokens)

  run()
  return Array.from({ length: rounds }, run).reduce((best, one) => one.msPerToken < best.msPerToken ? one : best)
}

function arbitraryPrompt ({ config }: LlamaModel): number[] {
  const source = prng(5)

  return Array.from({ length: PROMPT_TOKENS }, () => source.nextBelow(config.vocabularySize))
}

/** Two threads at decoding and two at reading, by the clock. The helper joins when it has started, within the first round. */
async function decodeByTwo (model: LlamaModel, prompt: number[], tokens: number, rounds: number, bytes: number): Promise<{ output: number[], decoding: number[], reading: number[] }> {
  const workers: Worker[] = []
  const spawn: Threads['spawn'] = (script, workerData) => { workers.push(new Worker(script, { eval: true, workerData })) }
  const pair = await readingByTwo(bytes)

  try {
    const run = decoder(model, prompt, tokens, () => performance.now(), { count: 2, spawn })
    const { output } = run()
    const [reading, decoding] = interleaved(rounds, [pair.round, () => run().msPerToken / (bytes / 1e6)])

    return { output, decoding, reading }
  } finally {
    await Promise.all([pair.stop(), ...workers.map(async worker => worker.terminate())])
  }
}

/** Decoding in q8_0 with integer products, which is what a base is served with, and beside it the exact ones. */
async function decodingLines ({ name, model }: Shape, limit: Round, tokens: number, rounds: number): Promise<BenchResult[]> {
  const quantised = int8(model, 'int16')
  const bytes = bytesPerToken(quantised)
  const prompt = arbitraryPrompt(model)
  const run = decoder(quantised, prompt, tokens)
  const one = run()
  const [memory, integers, decoding] = interleaved(rounds, [await reading(bytes), limit, () => run().msPerToken / (bytes / 1e6)], bytes < SMALL_BYTES ? ROUNDS_BEFORE.decoding : 1)
  const two = await decodeByTwo(quantised, prompt, tokens, rounds, bytes)

  if (one.output.join() !== two.output.join()) {
    throw new RangeError('two threads gave other tokens than one')
  }

  const perSecond = (times: readonly number[]): string => (1000 / median(times) / (bytes / 1e6)).toPrecision(4)
  const gigabytes = (times: readonly number[]): string => (1 / median(times)).toFixed(1)
  const line = (metric: string, value: number, peer: string, detail: string): BenchResult => ({ name: `${metric}${name}`, value, unit: 'ratio', peer, detail })
  const rates = `${perSecond(decoding)} tokens/s in q8_0 by integers (${(bytes / 1e6).toFixed(1)} MB a token), ${gigabytes(decoding)} GB/s where memory gives ${gigabytes(memory)} and a loop multiplies ${gigabytes(integers)}; one thread`
  const other = (of: LlamaModel): string => (1000 / decode(of, prompt, tokens, rounds).msPerToken).toPrecision(4)

  return [
    line('decodeInt8TwoThreadsOfBandwidth', ofLimit(two.reading, two.decoding), 'two threads that only read as many bytes', `${perSecond(two.decoding)} tokens/s, ${gigabytes(two.decoding)} of ${gigabytes(two.reading)} GB/s; by the clock, which other processes slow`),
    line('decodeInt8OfLimit', ofLimit(memory.map((ms, i) => Math.max(ms, integers[i])), decoding), 'the lower of both limits', rates),
    line('decodeInt8OfBandwidth', ofLimit(memory, decoding), 'a loop on one thread that only reads as many bytes', `${rates}; exact q8_0 ${other(int8(model))}, as the model is kept (the base in bf16, others in f32) ${other(model)} tokens/s`)
  ]
}

/** llama.cpp beside us: speed, and whether the same tokens follow. */
async function peerLines ({ name, model }: Shape, tokens: number, rounds: number): Promise<BenchResult[]> {
  const prompt = [0, ...arbitraryPrompt(model)]
  const theirs = await peerAnswers(model, prompt, tokens, rounds)

  if ('reason' in theirs) {
    return [{ name: `decodeVsLlamaCpp${name}`, value: Number.NaN, unit: 'ratio', peer: 'llama.cpp', detail: `not measured, its binary does not load: ${theirs.reason}` }]
  }

  const line = (metric: string, ours: Decoded, peer: Decoded, type: string): BenchResult => ({
    name: `${metric}${name}`, value: peer.msPerToken / ours.msPerToken, unit: 'ratio', peer: `llama.cpp in ${type}`, detail: `${(1000 / ours.msPerToken).toPrecision(4)} of its ${(1000 / peer.msPerToken).toPrecision(4)} tokens/s, its binding for Node.js included; one thread each`
  })
  const f32 = decode(model, prompt, tokens, rounds)
  const same = f32.output.findIndex((token, i) => token !== theirs.f32.output[i])

  return [
    line('decodeVsLlamaCpp', f32, theirs.f32, 'f32'),
    line('decodeInt8VsLlamaCpp', decode(int8(model, 'int16'), prompt, tokens, rounds), theirs.q8, 'q8_0, in integers as ours'),
    { name: `greedyTokensEqual${name}`, value: same === -1 ? 1 : same / tokens, unit: 'ratio', peer: 'llama.cpp in f32', detail: `of ${tokens} tokens after a prompt of ${prompt.length}` }
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
  const peer: BenchResult[] = []
  const gemm = products()
  const integers = await multiplying()
  const small = stories === undefined ? [base] : [stories, base]
  let large: Shape | undefined

  for (const shape of small) {
    results.push(trainingLine(shape, gemm, 64, 20), trainingLine({ ...shape, name: `${shape.name}At128` }, gemm, 128, 20), ...await decodingLines(shape, integers, 64, 9))
  }

  for (const name of quick ? ['15m'] : ['15m', 'Gpt2', 'Smol135m']) {
    large = random(name)
    results.push(trainingLine(large, gemm, 128, 3), ...await decodingLines(large, integers, 16, quick ? 3 : 7))

    // on larger ones both wait for memory
    if (name === '15m') {
      peer.push(...await peerLines(large, 32, quick ? 2 : 3))
    }
  }

  const [training, , , decoding] = results.slice(-4)

  return [
    headline('trainOfGemm', training, large?.name ?? base.name),
    headline('decodeInt8OfBandwidth', decoding, large?.name ?? base.name),
    // the base's are looked up under bare names
    ...await peerLines({ ...base, name: '' }, 64, quick ? 2 : 5),
    ...peer,
    ...results
  ]
}
