import { loraShape, sampler } from '../models/index.ts'
import { ADAPTERS_PER_SEQUENCE_MAX, STOP_SEQUENCE_TOKENS_MAX, STOP_SEQUENCES_MAX, TOP_LOG_PROBABILITIES_MAX, WEIGHT_MILLI_MAX } from './constants.ts'
import { InferenceSettingsError } from './errors.ts'
import type { Resident } from './adapters.ts'
import type { AdapterChoice, LlamaModel, Lora, SequenceRequest } from './interface.ts'
import type { Sampler } from '../models/index.ts'

/** A sequence that waits or runs. */
export interface Sequence {
  readonly id: string
  readonly tenant: string
  /** order of arrival */
  readonly order: number
  /** prompt and answer so far */
  readonly tokens: number[]
  readonly promptLength: number
  readonly lengthMax: number
  readonly loras: Lora[]
  /** alpha / rank · weight of each adapter */
  readonly factors: number[]
  /** sequences of one combination lie together in a pass */
  readonly combination: string
  readonly sample: Sampler
  readonly stop: ReadonlySet<number>
  readonly stopSequences: number[][]
  readonly topLogProbabilities: number | undefined
  /** tokens whose keys and values are in the cache */
  computed: number
  pages: number[]
  /** pages that are remembered already, and the chain behind them */
  remembered: number
  chain: string
  residents: Resident[]
  slot: number
}

/** Names combinations of adapters, so that equal ones meet in a pass and in the cache. */
export class Combinations {
  readonly #numbers = new WeakMap<Lora, number>()
  #count = 0

  nameOf (adapters: readonly AdapterChoice[]): string {
    return adapters.map(({ lora, weightMilli = 1000 }) => {
      let number = this.#numbers.get(lora)
      if (number == null) {
        number = this.#count++
        this.#numbers.set(lora, number)
      }
      return `${number}*${weightMilli}`
    }).join('+')
  }
}

/**
 * Checks a request and makes a sequence of it.
 *
 * @throws {TokensError | SettingsError | InferenceSettingsError | LoraShapeError}
 */
export function sequenceOf (request: SequenceRequest, model: LlamaModel, combinations: Combinations, order: number): Sequence {
  const { id, maxTokens, adapters = [], stop = [], stopSequences = [], tenant = '', topLogProbabilities } = request
  const { config } = model
  if (!Number.isInteger(maxTokens) || maxTokens < 1) {
    throw new InferenceSettingsError(`expected maxTokens to be an integer of 1 or more but got ${maxTokens}`)
  }
  if (topLogProbabilities != null && (!Number.isInteger(topLogProbabilities) || topLogProbabilities < 0 || topLogProbabilities > TOP_LOG_PROBABILITIES_MAX)) {
    throw new InferenceSettingsError(`expected topLogProbabilities of 0 … ${TOP_LOG_PROBABILITIES_MAX} but got ${topLogProbabilities}`)
  }
  if (stopSequences.length > STOP_SEQUENCES_MAX || stopSequences.some(({ length }) => length < 1 || length > STOP_SEQUENCE_TOKENS_MAX)) {
    throw new InferenceSettingsError(`expected at most ${STOP_SEQUENCES_MAX} stop sequences of 1 … ${STOP_SEQUENCE_TOKENS_MAX} tokens`)
  }
  checkAdapters(model, adapters)
  const tokens = Array.from(request.prompt)
  return {
    id,
    tenant,
    order,
    tokens,
    promptLength: tokens.length,
    // the last token need not fit: it is never fed back
    lengthMax: Math.min(tokens.length + maxTokens, config.contextLength + 1),
    loras: adapters.map(({ lora }) => lora),
    factors: adapters.map(({ lora, weightMilli = 1000 }) => lora.shape.alpha / lora.shape.rank * (weightMilli / 1000)),
    combination: combinations.nameOf(adapters),
    sample: sampler(request.sampler, { prompt: tokens, stop, constraint: request.constraint }),
    stop: new Set(Array.from(stop)),
    stopSequences: stopSequences.map(one => Array.from(one)),
    topLogProbabilities,
    computed: 0,
    pages: [],
    remembered: 0,
    chain: '',
    residents: [],
    slot: -1
  }
}

/** Whether the sequence ends with its newest token, and why. */
export function finishOf ({ tokens, promptLength, lengthMax, stop, stopSequences }: Sequence): 'stop' | 'length' | undefined {
  const stopped = stop.has(tokens[tokens.length - 1]) || stopSequences.some(one =>
    tokens.length - promptLength >= one.length && one.every((token, i) => token === tokens[tokens.length - one.length + i]))
  if (stopped) {
    return 'stop'
  }
  return tokens.length >= lengthMax ? 'length' : undefined
}

/** @throws {InferenceSettingsError} */
export function checkAdapters (model: LlamaModel, adapters: readonly AdapterChoice[]): void {
  if (adapters.length > ADAPTERS_PER_SEQUENCE_MAX) {
    throw new InferenceSettingsError(`expected at most ${ADAPTERS_PER_SEQUENCE_MAX} adapters but got ${adapters.length}`)
  }
  for (const { lora, weightMilli = 1000 } of adapters) {
    if (!Number.isInteger(weightMilli) || Math.abs(weightMilli) > WEIGHT_MILLI_MAX) {
      throw new InferenceSettingsError(`expected a weightMilli within ±${WEIGHT_MILLI_MAX} but got ${weightMilli}`)
    }
    const { parameters, rank } = loraShape(model.config, lora.shape)
    if (parameters !== lora.shape.parameters || parameters !== lora.theta.length || rank !== lora.shape.rank) {
      throw new InferenceSettingsError(`expected an adapter of ${parameters} parameters for this base but it has ${lora.theta.length}`)
    }
  }
}
