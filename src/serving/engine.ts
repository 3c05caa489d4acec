import { setImmediate } from 'node:timers/promises'
import { inferenceEngine } from '../inference/index.ts'
import { parameterCount } from '../models/index.ts'
import { PASS_ROWS_MAX, PASS_ROWS_MIN, PASS_WORK_MAX, STREAM_TOKENS_AHEAD } from './engine-constants.ts'
import { GatewayStoppedError } from './errors.ts'
import type { EngineStatistics, InferenceEngine, InferenceEngineInit, SequenceRequest, SequenceToken } from '../inference/index.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { LlamaModel } from '../models/index.ts'

/** One answer to be made; see `SequenceRequest`. */
export type StreamRequest = Omit<SequenceRequest, 'id'>

/** A token of an answer as it comes; the last one has `finish`. */
export type StreamToken = Omit<SequenceToken, 'id'>

export interface EngineDriver {
  /**
   * The tokens of an answer, each as soon as it is there; answers share passes. Ends when the answer
   * does. Whoever leaves the loop, or whose `signal` fires, costs nothing from the next pass on.
   * Whoever takes tokens more slowly than they come is waited for.
   *
   * @throws {EngineFullError | TokensError | SettingsError | InferenceSettingsError | AdapterMemoryError} before the first token
   * @throws {SequenceFaultError | GatewayStoppedError} in between
   */
  generateStream (request: StreamRequest, options?: AbortOptions): AsyncGenerator<StreamToken, void, undefined>
  /** Takes no more requests and resolves when the running ones have ended. */
  drain (): Promise<void>
  /** Ends everything now, and takes no more requests. */
  stop (): void
  /** Takes requests again after `drain` or `stop`. */
  start (): void
  statistics (): EngineStatistics
}

/** A consumer and what it has not taken yet. */
interface Stream {
  tokens: StreamToken[]
  ended: boolean
  error?: Error
  wake (): void
}

/**
 * Keeps an engine stepping while it has something to do. Between passes the process gets its turn.
 *
 * @example
 * ```ts
 * const driver = engineDriver({ model })
 * for await (const { token } of driver.generateStream({ prompt, maxTokens: 32, sampler, adapters: [{ lora }] }, { signal })) {
 *   onToken(token)
 * }
 * ```
 */
export function engineDriver (init: InferenceEngineInit): EngineDriver {
  return new Driver(inferenceEngine(init))
}

/** Rows that a pass over a base of so many parameters may have, so that it does not hold up its process for long. */
export function passRows (parameters: number): number {
  return Math.max(PASS_ROWS_MIN, Math.min(PASS_ROWS_MAX, Math.floor(PASS_WORK_MAX / parameters)))
}

/** Drivers by model, so that all who serve a base share its memory and its passes. */
export function engineDrivers (init: Omit<InferenceEngineInit, 'model'> = {}): (model: LlamaModel) => EngineDriver {
  const drivers = new WeakMap<LlamaModel, EngineDriver>()
  return model => {
    let driver = drivers.get(model)
    if (driver == null) {
      driver = engineDriver({ stepTokensMax: Math.max(init.batchMax ?? 0, passRows(parameterCount(model.config))), ...init, model })
      drivers.set(model, driver)
    }
    return driver
  }
}

class Driver implements EngineDriver {
  readonly #engine: InferenceEngine
  readonly #streams = new Map<string, Stream>()
  #next = 0
  #running = false
  #draining = false
  #idle = Promise.withResolvers<void>()

  constructor (engine: InferenceEngine) {
    this.#engine = engine
  }

  async * generateStream (request: StreamRequest, { signal }: AbortOptions = {}): AsyncGenerator<StreamToken, void, undefined> {
    signal?.throwIfAborted()
    if (this.#draining) {
      throw new GatewayStoppedError()
    }
    const id = String(this.#next++)
    this.#engine.add({ ...request, id })
    let woken = Promise.withResolvers<void>()
    const stream: Stream = { tokens: [], ended: false, wake: () => { woken.resolve() } }
    this.#streams.set(id, stream)
    const onAbort = (): void => { woken.resolve() }
    signal?.addEventListener('abort', onAbort)
    try {
      for (;;) {
        this.#run()
        await woken.promise
        woken = Promise.withResolvers()
        signal?.throwIfAborted()
        for (let token = stream.tokens.shift(); token != null; token = stream.tokens.shift()) {
          yield token
          signal?.throwIfAborted()
        }
        if (stream.error != null) {
          throw stream.error
        }
        if (stream.ended) {
          return
        }
        this.#engine.hold(id, false)
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#engine.remove(id)
      this.#streams.delete(id)
      this.#run()
    }
  }

  async drain (): Promise<void> {
    this.#draining = true
    this.#run()
    await this.#idle.promise
  }

  stop (): void {
    this.#draining = true
    this.#endAll(new GatewayStoppedError())
  }

  start (): void {
    this.#draining = false
    this.#idle = Promise.withResolvers()
  }

  statistics (): EngineStatistics {
    return this.#engine.statistics()
  }

  /** Begins the loop if it does not run. */
  #run (): void {
    if (!this.#running) {
      this.#running = true
      this.#loop().catch((error: Error) => { this.#endAll(error) })
    }
  }

  async #loop (): Promise<void> {
    try {
      // whoever came in the same turn shares the first pass
      await setImmediate()
      await this.#steps()
    } finally {
      // in the same turn as the last look at the engine, so that nobody is overlooked
      this.#running = false
      if (this.#draining && this.#streams.size === 0) {
        this.#idle.resolve()
      }
    }
  }

  async #steps (): Promise<void> {
    while (this.#engine.busy) {
      const { tokens, faults, rows } = this.#engine.step()
      for (const { id, ...token } of tokens) {
        this.#give(id, token)
      }
      for (const { id, error } of faults) {
        this.#end(id, error)
      }
      if (rows === 0) {
        // all that runs rests: who takes tokens again begins another loop
        return
      }
      await setImmediate()
    }
  }

  #give (id: string, token: StreamToken): void {
    const stream = this.#streams.get(id)
    if (stream != null) {
      stream.tokens.push(token)
      stream.ended = token.finish != null
      if (stream.tokens.length >= STREAM_TOKENS_AHEAD) {
        this.#engine.hold(id, true)
      }
      stream.wake()
    }
  }

  #endAll (error: Error): void {
    for (const id of this.#streams.keys()) {
      this.#engine.remove(id)
      this.#end(id, error)
    }
  }

  #end (id: string, error: Error): void {
    const stream = this.#streams.get(id)
    if (stream != null) {
      stream.error = error
      stream.wake()
    }
  }
}
