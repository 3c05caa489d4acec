import { checkTokens, logProbabilities } from '../models/index.ts'
import { PAGE_TOKENS } from '../numeric/index.ts'
import { QUEUE_MAX } from './constants.ts'
import { AdapterMemoryError, EngineFullError, InferenceSettingsError, SequenceFaultError } from './errors.ts'
import { machine } from './machine.ts'
import { Combinations, finishOf, sequenceOf } from './sequence.ts'
import { Tenants } from './tenants.ts'
import type { EngineStatistics, InferenceEngine, InferenceEngineInit, Lora, SequenceRequest, SequenceToken, StepResult } from './interface.ts'
import type { Machine } from './machine.ts'
import type { Work } from './pass.ts'
import type { Sequence } from './sequence.ts'

/**
 * An engine with a memory of its own, in which the base is packed once.
 *
 * @throws {InferenceSettingsError} if a bound is out of range or all together exceed a wasm memory
 * @example
 * ```ts
 * const engine = inferenceEngine({ model })
 * engine.add({ id: 'a', prompt, maxTokens: 32, sampler, adapters: [{ lora }], stop: [tokenizer.eos] })
 * while (engine.busy) {
 *   for (const { id, token } of engine.step().tokens) {
 *     console.info(id, token)
 *   }
 * }
 * ```
 */
export function inferenceEngine (init: InferenceEngineInit): InferenceEngine {
  return new Engine(init, machine(init))
}

class Engine implements InferenceEngine {
  readonly #machine: Machine
  readonly #model: InferenceEngineInit['model']
  readonly #queueMax: number
  readonly #combinations = new Combinations()
  readonly #waiting = new Tenants<Sequence>(({ tokens, lengthMax }) => Math.max(lengthMax, tokens.length))
  /** preempted sequences, the oldest first: they go before all that wait */
  #preempted: Sequence[] = []
  /** in order of arrival */
  #running: Sequence[] = []
  readonly #ids = new Set<string>()
  readonly #held = new Set<string>()
  readonly #slots: number[]
  readonly #counts = { tokens: 0, promptTokens: 0, promptTokensReused: 0, preemptions: 0, steps: 0 }
  #order = 0

  constructor (init: InferenceEngineInit, parts: Machine) {
    this.#model = init.model
    this.#machine = parts
    this.#queueMax = init.queueMax ?? QUEUE_MAX
    this.#slots = Array.from({ length: parts.batchMax }, (_, i) => parts.batchMax - 1 - i)
  }

  get busy (): boolean {
    return this.#running.length > 0 || this.#preempted.length > 0 || this.#waiting.size > 0
  }

  add (request: SequenceRequest): void {
    if (this.#waiting.size >= this.#queueMax) {
      throw new EngineFullError(this.#waiting.size)
    }
    if (this.#ids.has(request.id)) {
      throw new InferenceSettingsError(`expected an id that no sequence has but ${request.id} is running or waiting`)
    }
    checkTokens(this.#model.config, request.prompt)
    const sequence = sequenceOf(request, this.#model, this.#combinations, this.#order++)
    const bytes = [...new Set(sequence.loras)].reduce((sum, lora) => sum + this.#machine.adapters.bytesOf(lora), 0)
    if (bytes > this.#machine.adapterBytesMax) {
      throw new AdapterMemoryError(`expected adapters of at most ${this.#machine.adapterBytesMax} bytes together but they take ${bytes}`)
    }
    this.#ids.add(sequence.id)
    this.#waiting.add(sequence.tenant, sequence)
  }

  remove (id: string): boolean {
    if (!this.#ids.has(id)) {
      return false
    }
    const running = this.#running.find(sequence => sequence.id === id)
    if (running != null) {
      this.#end(running)
    } else if (this.#preempted.some(sequence => sequence.id === id)) {
      this.#preempted = this.#preempted.filter(sequence => sequence.id !== id)
    } else {
      this.#waiting.remove(sequence => sequence.id === id)
    }
    this.#forget(id)
    return true
  }

  hold (id: string, held: boolean): void {
    if (held && this.#ids.has(id)) {
      this.#held.add(id)
    } else {
      this.#held.delete(id)
    }
  }

  step (): StepResult {
    const result: StepResult = { tokens: [], faults: [], rows: 0 }
    this.#admit()
    const works = this.#plan()
    if (works.length === 0) {
      return result
    }
    this.#counts.steps++
    result.rows = works.reduce((sum, { work }) => sum + work.count, 0)
    const { logits, faults } = this.#machine.pass.run(works.map(({ work }) => work))
    let sampled = 0
    for (const { sequence, work } of works) {
      const row = work.sample ? logits[sampled++] : undefined
      if (faults.has(work)) {
        this.#finish(sequence)
        result.faults.push({ id: sequence.id, error: new SequenceFaultError(sequence.id) })
        continue
      }
      this.#machine.cache.advance(sequence, work.from + work.count)
      if (row != null) {
        result.tokens.push(this.#sample(sequence, row))
      }
    }
    return result
  }

  loadAdapter (lora: Lora): void {
    if (this.#machine.adapters.load(lora) == null) {
      throw new AdapterMemoryError(`expected ${this.#machine.adapters.bytesOf(lora)} bytes for an adapter but those in use leave no such gap of ${this.#machine.adapterBytesMax}`)
    }
  }

  unloadAdapter (lora: Lora): boolean {
    return this.#machine.adapters.unload(lora)
  }

  hasAdapter (lora: Lora): boolean {
    return this.#machine.adapters.has(lora)
  }

  statistics (): EngineStatistics {
    const { adapters, cache: { pages } } = this.#machine
    return {
      running: this.#running.length,
      held: this.#held.size,
      waiting: this.#waiting.size + this.#preempted.length,
      adapterBytes: adapters.bytes,
      adapters: adapters.size,
      adapterLoads: adapters.loads,
      pagesFree: pages.available,
      pages: pages.count,
      ...this.#counts
    }
  }

  #sample (sequence: Sequence, logits: Float32Array): SequenceToken {
    const token = sequence.sample(logits)
    const index = sequence.tokens.length - sequence.promptLength
    sequence.tokens.push(token)
    this.#counts.tokens++
    const probabilities = sequence.topLogProbabilities == null ? undefined : logProbabilities(logits, token, sequence.topLogProbabilities)
    const finish = finishOf(sequence)
    if (finish != null) {
      this.#finish(sequence)
    }
    return { id: sequence.id, token, index, logProbability: probabilities?.logProbability, top: probabilities?.top, finish }
  }

  /** Lets sequences in while there are places, adapters and pages for their first tokens. */
  #admit (): void {
    while (this.#slots.length > 0) {
      const preempted = this.#preempted.at(0)
      const sequence = preempted ?? this.#waiting.next()
      if (sequence == null || !this.#begin(sequence)) {
        // whoever is first waits until it fits: letting others pass could starve it
        return
      }
      if (preempted == null) {
        this.#waiting.take()
      } else {
        this.#preempted.shift()
      }
    }
  }

  #begin (sequence: Sequence): boolean {
    const { adapters, cache } = this.#machine
    const residents = adapters.pin(sequence.loras)
    if (residents == null) {
      return false
    }
    cache.begin(sequence)
    // one page more than it needs now, so that it is not thrown out again at once
    const needed = Math.ceil(sequence.tokens.length / PAGE_TOKENS) - sequence.pages.length
    if (cache.pages.available < Math.min(needed + (this.#running.length > 0 ? 1 : 0), cache.pages.count)) {
      cache.end(sequence)
      adapters.unpin(residents)
      return false
    }
    sequence.residents = residents
    sequence.slot = this.#slots.pop() ?? 0
    this.#running.push(sequence)
    this.#running.sort((a, b) => a.order - b.order)
    if (sequence.tokens.length === sequence.promptLength) {
      this.#counts.promptTokens += sequence.promptLength
      this.#counts.promptTokensReused += sequence.computed
    }
    return true
  }

  /** What the next pass computes: a row for each that decodes, the rest of the rows for prompts, the oldest first. */
  #plan (): Array<{ sequence: Sequence, work: Work }> {
    let left = this.#machine.stepTokensMax
    const counts = new Map<Sequence, number>()
    const decoding = (sequence: Sequence): boolean => sequence.tokens.length - sequence.computed === 1
    const active = this.#running.filter(({ id }) => !this.#held.has(id))
    for (const sequence of [...active.filter(decoding), ...active.filter(one => !decoding(one))]) {
      const count = Math.min(left, sequence.tokens.length - sequence.computed)
      if (count > 0 && this.#running.includes(sequence) && this.#grow(sequence, sequence.computed + count)) {
        counts.set(sequence, count)
        left -= count
      }
    }
    // who was preempted meanwhile is not computed
    const sequences = this.#running.filter(sequence => counts.has(sequence))
    sequences.sort((a, b) => a.combination === b.combination ? a.order - b.order : Number(a.combination > b.combination) - 0.5)
    return sequences.map(sequence => {
      const { slot, tokens, computed: from, residents, factors } = sequence
      const count = counts.get(sequence) ?? 0
      const pages = sequence.pages.map(page => this.#machine.cache.addressOf(page))
      return { sequence, work: { slot, tokens, from, count, pages, residents, factors, sample: from + count === tokens.length } }
    })
  }

  /** Pages for the sequence, if need be those of the youngest that runs: it begins again later, and gets the same. */
  #grow (sequence: Sequence, length: number): boolean {
    while (!this.#machine.cache.grow(sequence, length)) {
      const youngest = this.#running[this.#running.length - 1]
      this.#preempt(youngest)
      if (youngest === sequence) {
        return false
      }
    }
    return true
  }

  #preempt (sequence: Sequence): void {
    this.#end(sequence)
    this.#preempted.push(sequence)
    this.#preempted.sort((a, b) => a.order - b.order)
    this.#counts.preemptions++
  }

  #finish (sequence: Sequence): void {
    this.#end(sequence)
    this.#forget(sequence.id)
  }

  #forget (id: string): void {
    this.#ids.delete(id)
    this.#held.delete(id)
  }

  /** Gives back all that a running sequence holds. */
  #end (sequence: Sequence): void {
    this.#running.splice(this.#running.indexOf(sequence), 1)
    this.#machine.cache.end(sequence)
    this.#machine.adapters.unpin(sequence.residents)
    sequence.residents = []
    this.#slots.push(sequence.slot)
  }
}
