import { AttributionInputError } from './errors.ts'
import { checkLength } from './train.ts'
import type { DualVisitor, Evaluator, GradientVisitor } from './interface.ts'
import type { AbortOptions } from '../../interface/index.ts'

interface Call {
  theta: Float64Array
  batch: Uint32Array
  tangents?: Float64Array[]
  visit: DualVisitor
  resolve (): void
  reject (err: unknown): void
}

/**
 * Several replays of one run side by side, e.g. one per answer: what they all compute is computed
 * once, and their tangents go through the model together. The runs must ask for the same examples at
 * the same weights, as replays of one plan do. Results are those of each run alone, to the bit.
 *
 * @example
 * ```ts
 * const scores = await lockstep(examples, cotangents.length, async (shared, i) => reverseReplay(shared, plan, { theta0, cotangent: cotangents[i] }))
 * ```
 *
 * @throws {AttributionInputError} when the runs go different ways
 */
export async function lockstep<T> (examples: Evaluator, runs: number, run: (examples: Evaluator, index: number) => Promise<T>, options?: AbortOptions): Promise<T[]> {
  const round = new Round(examples, runs, options)

  return Promise.all(Array.from({ length: runs }, async (_, index) => {
    try {
      return await run(round, index)
    } catch (err) {
      round.fail(err)
      throw err
    } finally {
      round.leave()
    }
  }))
}

/** Collects one call of each run, then answers all of them. */
class Round implements Evaluator {
  readonly parameters: number
  readonly examples: number
  readonly #inner: Evaluator
  readonly #options?: AbortOptions
  #members: number
  #calls: Call[] = []
  #failure?: { err: unknown }

  constructor (inner: Evaluator, members: number, options?: AbortOptions) {
    this.parameters = inner.parameters
    this.examples = inner.examples
    this.#inner = inner
    this.#members = members
    this.#options = options
  }

  async gradients (theta: Float64Array, batch: Uint32Array, visit: GradientVisitor): Promise<void> {
    await this.#join({ theta, batch, visit })
  }

  async duals (theta: Float64Array, batch: Uint32Array, tangents: Float64Array[], visit: DualVisitor): Promise<void> {
    await this.#join({ theta, batch, tangents, visit })
  }

  leave (): void {
    this.#members--
    this.#proceed()
  }

  fail (err: unknown): void {
    this.#failure ??= { err }
    this.#calls.splice(0).forEach(({ reject }) => { reject(err) })
  }

  async #join (call: Omit<Call, 'resolve' | 'reject'>): Promise<void> {
    if (this.#failure !== undefined) {
      throw this.#failure.err
    }

    await new Promise<void>((resolve, reject) => {
      this.#calls.push({ ...call, resolve, reject })
      this.#proceed()
    })
  }

  #proceed (): void {
    if (this.#calls.length === 0 || this.#calls.length < this.#members) {
      return
    }

    const calls = this.#calls.splice(0)

    this.#answer(calls).then(() => { calls.forEach(({ resolve }) => { resolve() }) }, err => { calls.forEach(({ reject }) => { reject(err) }) })
  }

  async #answer (calls: Call[]): Promise<void> {
    const [{ theta, batch, tangents }] = calls

    for (const call of calls) {
      if (!equal(call.theta, theta) || !equal(call.batch, batch) || (call.tangents === undefined) !== (tangents === undefined)) {
        throw new AttributionInputError('runs in lockstep must ask for the same examples at the same weights: run other plans apart')
      }
    }

    if (tangents === undefined) {
      await this.#inner.gradients(theta, batch, (position, loss, gradient) => {
        calls.forEach(({ visit }) => { visit(position, loss, gradient, new Float64Array(0), []) })
      }, this.#options)

      return
    }

    const all = calls.flatMap(call => call.tangents ?? [])

    all.forEach(tangent => { checkLength('a tangent', tangent, this.parameters) })
    await this.#inner.duals(theta, batch, all, (position, loss, gradient, derivatives, hvps) => {
      let from = 0

      for (const call of calls) {
        const to = from + (call.tangents?.length ?? 0)

        call.visit(position, loss, gradient, derivatives.slice(from, to), hvps.slice(from, to))
        from = to
      }
    }, this.#options)
  }
}

function equal (a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) {
    return true
  }

  let same = a.length === b.length

  for (let i = 0; same && i < a.length; i++) {
    same = a[i] === b[i]
  }

  return same
}
