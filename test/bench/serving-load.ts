import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { EngineFullError } from '../../src/inference/index.ts'
import { initialTheta, llama, llamaShapes, loraShape } from '../../src/models/index.ts'
import { prng } from '../../src/numeric/index.ts'
import type { InferenceEngine, SequenceRequest } from '../../src/inference/index.ts'
import type { LlamaConfig } from '../../src/interface/index.ts'
import type { LlamaModel, Lora, Tensors } from '../../src/models/index.ts'

/** S-LoRA's targets. */
export const TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj']

/** A real shape with random weights: speed does not depend on what a model has learnt. */
export function randomModel (config: LlamaConfig): LlamaModel {
  const random = prng(1)
  const noise = Float32Array.from({ length: 65_521 }, () => random.nextNormal())
  const weights: Tensors = new Map()
  for (const [name, shape] of llamaShapes(config)) {
    const size = shape.length === 1 ? shape[0] : shape[0] * shape[1]
    const scale = shape.length === 1 ? 0 : 1 / Math.sqrt(shape[1])
    weights.set(name, { shape, data: Float32Array.from({ length: size }, (_, i) => (shape.length === 1 ? 1 : 0) + scale * noise[i % noise.length]) })
  }
  return llama(config, weights)
}

/** Adapters that differ: each is another window into one noise, so that thousands cost no memory here. */
export function manyAdapters (model: LlamaModel, count: number, rank: number): Lora[] {
  const shape = loraShape(model.config, { rank, alpha: rank, targets: TARGETS })
  const random = prng(2)
  const noise = new Float64Array(shape.parameters + count)
  noise.set(initialTheta(shape, 3))
  for (let i = 0; i < noise.length; i++) {
    noise[i] += 0.02 * random.nextNormal()
  }
  return Array.from({ length: count }, (_, i) => ({ shape, theta: noise.subarray(i, i + shape.parameters) }))
}

export type Popularity = 'uniform' | 'zipf'

/** Draws adapters: each alike, or the i-th by 1/i. */
export function chooser (adapters: readonly Lora[], popularity: Popularity, seed: number): () => Lora[] {
  const random = prng(seed)
  if (adapters.length === 0) {
    return () => []
  }
  if (popularity === 'uniform') {
    return () => [adapters[random.nextBelow(adapters.length)]]
  }
  const sums = new Float64Array(adapters.length)
  adapters.forEach((_, i) => { sums[i] = (sums[i - 1] ?? 0) + 1 / (i + 1) })
  return () => {
    const at = random.nextFloat() * sums[sums.length - 1]
    return [adapters[sums.findIndex(sum => at < sum)]]
  }
}

/** Milliseconds of processor time of this thread, so that other processes' share does not count. */
export function processorMs (): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

export interface Shape {
  promptTokens: number
  answerTokens: number
}

export function requests (model: LlamaModel, count: number, { promptTokens, answerTokens }: Shape, choose: () => Lora[], prefix: string): SequenceRequest[] {
  const random = prng(count)
  return Array.from({ length: count }, (_, i) => ({
    id: `${prefix}-${i}`,
    prompt: Array.from({ length: promptTokens }, () => random.nextBelow(model.config.vocabularySize)),
    maxTokens: answerTokens,
    sampler: { temperatureMilli: 0, topK: 0, seed: 0 },
    adapters: choose().map(lora => ({ lora })),
    tenant: prefix
  }))
}

/** Processor milliseconds a token of answers, prompts included, with the batch kept full. */
export function closedLoop (engine: InferenceEngine, work: readonly SequenceRequest[]): number {
  work.forEach(request => { engine.add(request) })
  const begin = processorMs()
  let tokens = 0
  while (engine.busy) {
    tokens += engine.step().tokens.length
  }
  return (processorMs() - begin) / tokens
}

export interface Latencies {
  /** milliseconds, ascending */
  firstToken: number[]
  answer: number[]
  faults: number
  /** turned away because too many waited */
  refused: number
  /** of the process, each tenth of the time: memory is flat if the last ones are not above the first */
  residentBytes: number[]
  /** the longest that one pass took beyond what its thread computed: the machine was elsewhere, and all who came meanwhile wait in line */
  heldUpMs: number
}

/** Tells the time, and lets it pass while there is nothing to do. */
export interface Clock {
  now (): number
  /** until `at`, or less */
  idle (at: number): Promise<void>
}

/** The time of the world, in which other processes take their share of the machine. */
export const wallClock: Clock = {
  now: () => performance.now(),
  idle: async () => { await sleep(1) }
}

/** The time of a processor that this thread has for itself: what it computes takes as long as it does, idleness is skipped. */
export function processorClock (): Clock {
  let skipped = 0
  const now = (): number => processorMs() + skipped
  return {
    now,
    async idle (at) {
      skipped += Math.max(0, at - now())
    }
  }
}

/** How often memory is looked at. */
const LOOKS = 10

/** Requests that arrive by themselves (Poisson), whatever the engine has finished. */
export async function openLoop (engine: InferenceEngine, work: (index: number) => SequenceRequest, perSecond: number, ms: number, clock: Clock): Promise<Latencies> {
  const random = prng(7)
  const born = new Map<string, number>()
  const result: Latencies = { firstToken: [], answer: [], faults: 0, refused: 0, residentBytes: [], heldUpMs: 0 }
  const begin = clock.now()
  const end = begin + ms
  let next = begin
  let count = 0
  while (clock.now() < end || engine.busy) {
    const now = clock.now()
    for (; next <= now && next < end; count++) {
      const request = work(count)
      result.refused += offer(engine, request) ? 0 : 1
      born.set(request.id, next)
      next += -Math.log(1 - random.nextFloat()) * 1000 / perSecond
    }
    if (now - begin >= (result.residentBytes.length + 1) * ms / LOOKS) {
      result.residentBytes.push(process.memoryUsage().rss)
    }
    const elsewhere = performance.now() - processorMs()
    step(engine, born, result, clock)
    result.heldUpMs = Math.max(result.heldUpMs, performance.now() - processorMs() - elsewhere)
    await (engine.busy ? setImmediate() : clock.idle(Math.min(next, end)))
  }
  result.firstToken.sort((a, b) => a - b)
  result.answer.sort((a, b) => a - b)
  return result
}

function offer (engine: InferenceEngine, request: SequenceRequest): boolean {
  try {
    engine.add(request)
    return true
  } catch (err) {
    if (err instanceof EngineFullError) {
      return false
    }
    throw err
  }
}

function step (engine: InferenceEngine, born: Map<string, number>, result: Latencies, clock: Clock): void {
  const { tokens, faults } = engine.step()
  result.faults += faults.length
  for (const { id, index, finish } of tokens) {
    const age = clock.now() - (born.get(id) ?? 0)
    if (index === 0) {
      result.firstToken.push(age)
    }
    if (finish != null) {
      result.answer.push(age)
      born.delete(id)
    }
  }
}

export function quantile (ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))]
}
