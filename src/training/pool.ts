import { CUT_SILENCE_MS, FLOP_SILENCE_MS, PLAYER_SILENCE_MS } from './constants.ts'
import { WorkerLostError } from './errors.ts'
import { Thread } from './thread.ts'
import type { WorkerPart, WorkerResult, WorkerSetup, WorkerTask } from './messages.ts'
import type { RunOptions } from './thread.ts'
import type { DualVisitor, Evaluator, ExampleScores, GradientVisitor, Jacobian } from '../attribution/index.ts'
import type { AbortOptions, Recipe, SamplerSettings } from '../interface/index.ts'
import type { Examples, TrainingPlan, WeightedLora } from '../models/index.ts'

export interface AnswerRequest {
  prompt: number[]
  output: number[]
  sampler: SamplerSettings
  /** JSON Schema that the answer keeps to */
  schema?: string
  /** what the prompt is to have in it */
  shows?: string
}

export type Answer = Extract<WorkerResult, { op: 'answer' }>
export type MergedAnswer = Extract<WorkerResult, { op: 'merged' }>

/**
 * Worker threads with one model each. Examples are computed on whichever thread and handed out in
 * the batch's order; columns of the Jacobian are divided among the threads. Both give the same
 * bytes for any number of threads.
 */
export class Pool implements Evaluator {
  readonly parameters: number
  readonly #threads: Thread[]
  #examples = 0
  #cut = 0
  /** asked for by training and by payment alike, with the same places */
  #players?: { places: Uint32Array, representatives: Uint32Array }

  constructor (threads: number, stallTimeoutMs: number, parameters: number) {
    this.#threads = Array.from({ length: threads }, () => new Thread(stallTimeoutMs))
    this.parameters = parameters
  }

  get examples (): number {
    return this.#examples
  }

  async setup (setup: WorkerSetup, options?: AbortOptions): Promise<void> {
    await this.#everywhere({ op: 'setup', setup }, options)
  }

  /** Cuts texts into examples; not yet loaded. */
  async cut (texts: string[][], { sequenceLength, examples }: Pick<Recipe, 'sequenceLength' | 'examples'>, options?: AbortOptions): Promise<Examples> {
    const characters = texts.reduce((sum, rows) => rows.reduce((sum, row) => sum + row.length, sum), 0)
    const cut = expect(await this.#threads[0].run({ op: 'cut', texts, sequenceLength, kind: examples }, { ...options, silenceMs: characters * CUT_SILENCE_MS }), 'cut')

    this.#cut = cut.examples.length
    this.#players = undefined

    return cut
  }

  /** how many examples were cut last */
  get cutExamples (): number {
    return this.#cut
  }

  /**
   * Which example stands for which of those that were cut last; see `nearDuplicates` of scoring. On a
   * thread, since many examples take seconds.
   */
  async representatives (places: Uint32Array, options?: AbortOptions): Promise<Uint32Array> {
    const known = this.#players

    if (known !== undefined && places.length === known.places.length && places.every((place, i) => place === known.places[i])) {
      return known.representatives
    }

    const { representatives } = expect(await this.#threads[0].run({ op: 'players', places }, { ...options, silenceMs: this.#cut * PLAYER_SILENCE_MS }), 'players')

    this.#players = { places, representatives }

    return representatives
  }

  /** Scores by a method with a curvature, gradients included, on one thread. */
  async scores (task: Omit<Extract<WorkerTask, { op: 'scores' }>, 'op'>, flops: number, options?: AbortOptions): Promise<ExampleScores> {
    const { exampleScores, trace } = expect(await this.#threads[0].run({ op: 'scores', ...task }, { ...options, silenceMs: flops * FLOP_SILENCE_MS }), 'scores')

    return { exampleScores, trace }
  }

  /** Columns by such a method, on one thread. */
  async columns (task: Omit<Extract<WorkerTask, { op: 'columns' }>, 'op'>, flops: number, options?: AbortOptions): Promise<Float64Array[]> {
    const { columns } = expect(await this.#threads[0].run({ op: 'columns', ...task }, { ...options, silenceMs: flops * FLOP_SILENCE_MS }), 'columns')

    return columns
  }

  async load ({ examples, lossMasks }: Pick<Examples, 'examples' | 'lossMasks'>, options?: AbortOptions): Promise<void> {
    await this.#everywhere({ op: 'examples', examples, lossMasks }, options)
    this.#examples = examples.length
  }

  async gradients (theta: Float64Array, batch: Uint32Array, visit: GradientVisitor, options?: AbortOptions): Promise<void> {
    await this.#spread(batch, part => ({ op: 'gradients', theta, batch: part }), ({ position, loss, gradient }) => { visit(position, loss, gradient) }, options)
  }

  async duals (theta: Float64Array, batch: Uint32Array, tangents: Float64Array[], visit: DualVisitor, options?: AbortOptions): Promise<void> {
    await this.#spread(batch, part => ({ op: 'duals', theta, batch: part, tangents }), ({ position, loss, gradient, derivatives, hvps }) => {
      visit(position, loss, gradient, derivatives, hvps)
    }, options)
  }

  /**
   * Milliseconds of one gradient on every thread at once. The first time packs the weights and
   * compiles, so the second counts.
   */
  async calibrate (theta: Float64Array, options?: AbortOptions): Promise<{ milliseconds: number, examples: Uint32Array }> {
    const examples = Uint32Array.from(this.#threads, (_, t) => t % this.#examples)
    let milliseconds = 0

    for (let i = 0; i < 2; i++) {
      const begin = performance.now()

      await this.gradients(theta, examples, () => {}, options)
      milliseconds = performance.now() - begin
    }

    return { milliseconds, examples }
  }

  /** `onProgress` gets the share of the work that is done, 0 … 1. */
  async jacobian (plan: TrainingPlan, theta0: Float64Array, groups: Uint32Array, contributions: number, columns: number[], options: AbortOptions & { onProgress?(share: number): void }): Promise<Jacobian> {
    const used = this.#threads.slice(0, Math.max(1, Math.min(this.#threads.length, columns.length)))
    const steps = used.map(() => 0)
    const parts = await together(used.map((thread, t) => async (signal: AbortSignal) => {
      const mine = columns.filter((_, i) => i % used.length === t)
      const onProgress = (step: number): void => {
        steps[t] = step
        options.onProgress?.(steps.reduce((sum, one) => sum + one, 0) / (used.length * plan.batches.length))
      }

      return expect(await thread.run({ op: 'jacobian', theta0, plan, groups, contributions, columns: mine }, { signal, onProgress }), 'jacobian')
    }), options)

    return { columns: columns.map((_, i) => parts[i % used.length].columns[Math.floor(i / used.length)]), theta: parts[0].theta }
  }

  /** Answers in order; threads take the next one as they become free. */
  async answers (theta: Float64Array, requests: AnswerRequest[], visit: (index: number, answer: Answer) => void, options?: AbortOptions): Promise<void> {
    await this.#each(requests, async (request, thread, signal) => expect(await thread.run({ op: 'answer', theta, ...request }, { signal }), 'answer'), visit, options)
  }

  /** As `answers`, of several adapters at once. */
  async mergedAnswers (lora: WeightedLora[], requests: AnswerRequest[], visit: (index: number, answer: MergedAnswer) => void, options?: AbortOptions): Promise<void> {
    await this.#each(requests, async (request, thread, signal) => expect(await thread.run({ op: 'merged', lora, ...request }, { signal }), 'merged'), visit, options)
  }

  async close (): Promise<void> {
    await Promise.all(this.#threads.map(async thread => thread.close()))
  }

  /** Threads take the next request as they become free; what comes of them is handed out in order. */
  async #each<T> (requests: AnswerRequest[], run: (request: AnswerRequest, thread: Thread, signal: AbortSignal) => Promise<T>, visit: (index: number, result: T) => void, options?: AbortOptions): Promise<void> {
    const give = inOrder(visit)
    let next = 0

    await together(this.#threads.map(thread => async (signal: AbortSignal) => {
      while (next < requests.length) {
        const index = next++

        give(index, await run(requests[index], thread, signal))
      }
    }), options)
  }

  async #everywhere (task: WorkerTask, options?: RunOptions): Promise<void> {
    await Promise.all(this.#threads.map(async thread => thread.run(task, options)))
  }

  /** Deals a batch out like cards and puts the parts back into its order. */
  async #spread (batch: Uint32Array, task: (part: Uint32Array) => WorkerTask, visit: (part: WorkerPart) => void, options?: AbortOptions): Promise<void> {
    const count = this.#threads.length
    const give = inOrder<WorkerPart>((position, part) => { visit({ ...part, position }) })

    await together(this.#threads.map((thread, t) => async (signal: AbortSignal) => {
      const mine = batch.filter((_, position) => position % count === t)

      if (mine.length > 0) {
        await thread.run(task(mine), { signal, onPart: part => { give(part.position * count + t, part) } })
      }
    }), options)
  }
}

/** Runs all; the first failure cancels the others, and nothing is left running behind it. */
async function together<T> (tasks: Array<(signal: AbortSignal) => Promise<T>>, options?: AbortOptions): Promise<T[]> {
  const controller = new AbortController()
  const signal = options?.signal === undefined ? controller.signal : AbortSignal.any([controller.signal, options.signal])

  try {
    return await Promise.all(tasks.map(async task => task(signal)))
  } catch (err) {
    controller.abort(err)
    throw err
  }
}

/** Holds back what comes early. At most one batch is held. */
function inOrder<T> (visit: (position: number, value: T) => void): (position: number, value: T) => void {
  const early = new Map<number, T>()
  let next = 0

  return (position, value) => {
    early.set(position, value)

    for (let ready = early.get(next); ready !== undefined; ready = early.get(next)) {
      early.delete(next)
      visit(next++, ready)
    }
  }
}

function expect<Op extends WorkerResult['op']> (result: WorkerResult, op: Op): Extract<WorkerResult, { op: Op }> {
  if (!isResult(result, op)) {
    throw new WorkerLostError(`answered ${result.op} instead of ${op}`)
  }

  return result
}

function isResult<Op extends WorkerResult['op']> (result: WorkerResult, op: Op): result is Extract<WorkerResult, { op: Op }> {
  return result.op === op
}
