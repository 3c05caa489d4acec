import type { SamplerSettings } from '../interface/index.ts'
import type { LlamaModel, Lora, TokenConstraint, TokenLogProbability } from '../models/index.ts'
import type { Threads } from '../numeric/index.ts'

/** An adapter and its share in an answer. The engine knows adapters by their `Lora` object. */
export interface AdapterChoice {
  lora: Lora
  /**
   * thousandths by which its change of the base is multiplied
   *
   * @default 1000
   */
  weightMilli?: number
}

export interface InferenceEngineInit {
  model: LlamaModel
  /**
   * bytes for keys and values; at least one whole context
   *
   * @default 134217728
   */
  cacheBytesMax?: number
  /**
   * bytes for packed adapters; the least recently used that no sequence needs make room
   *
   * @default 134217728
   */
  adapterBytesMax?: number
  /**
   * sequences that run at once
   *
   * @default 32
   */
  batchMax?: number
  /**
   * rows of one pass
   *
   * @default 128
   */
  stepTokensMax?: number
  /**
   * sequences that wait
   *
   * @default 1024
   */
  queueMax?: number
  /**
   * let tenants reuse each other's prompts: faster, but the time of an answer then tells whether somebody else asked the same
   *
   * @default false
   */
  sharePrefixes?: boolean
  /** @default 'wasm' */
  backend?: 'wasm' | 'reference'
  /**
   * Threads for large products, with the bits of one; see numeric. Between two products of a pass they spin, so
   * they are for cores that have nothing else to do.
   *
   * @default none but the caller's own
   */
  threads?: Threads
}

/** One answer to be made. */
export interface SequenceRequest {
  id: string
  /** token ids, BOS included, at least one */
  prompt: ArrayLike<number>
  maxTokens: number
  sampler: SamplerSettings
  /**
   * applied in this order; none for the base alone
   *
   * @default []
   */
  adapters?: readonly AdapterChoice[]
  /**
   * ids that end the answer; the one that did is its last token
   *
   * @default []
   */
  stop?: ArrayLike<number>
  /**
   * token sequences that end the answer when it ends with one
   *
   * @default []
   */
  stopSequences?: ReadonlyArray<ArrayLike<number>>
  /**
   * forbids tokens; used up by this answer
   *
   * @default none
   */
  constraint?: TokenConstraint
  /**
   * who asks: turns are shared fairly between tenants
   *
   * @default ''
   */
  tenant?: string
  /**
   * how many likeliest tokens to report beside each token's own log-probability
   *
   * @default no log-probabilities at all
   */
  topLogProbabilities?: number
}

/** One token of a sequence. */
export interface SequenceToken {
  id: string
  token: number
  /** its place in the answer, from 0 */
  index: number
  /** nats, of the model itself; where they were asked for */
  logProbability?: number
  /** likeliest first */
  top?: TokenLogProbability[]
  /** only with the last: ended by a stop token or sequence, or by `maxTokens` or the context */
  finish?: 'stop' | 'length'
}

export interface SequenceFault {
  id: string
  error: Error
}

/** What one pass gave: at most one token a sequence. */
export interface StepResult {
  tokens: SequenceToken[]
  /** sequences that ended without an answer; the others did not notice */
  faults: SequenceFault[]
  /** rows that were computed; 0 means that nothing can go on for now */
  rows: number
}

export interface EngineStatistics {
  running: number
  /** running sequences that rest */
  held: number
  waiting: number
  /** bytes of adapters in memory */
  adapterBytes: number
  adapters: number
  /** pages that no sequence holds, and all */
  pagesFree: number
  pages: number
  /** since the engine was made */
  tokens: number
  promptTokens: number
  /** prompt tokens that were in the cache already */
  promptTokensReused: number
  preemptions: number
  adapterLoads: number
  steps: number
}

/**
 * Answers many sequences of one base in shared passes, each with its own adapters. What a sequence
 * gets has the bits of `generate` alone, whatever shares its batch, however its prompt is cut into
 * passes, and whether its prefix was in the cache.
 */
export interface InferenceEngine {
  /**
   * Queues a sequence.
   *
   * @throws {EngineFullError} if too many wait
   * @throws {TokensError | SettingsError | InferenceSettingsError | LoraShapeError | AdapterMemoryError} if it could never run
   */
  add (request: SequenceRequest): void
  /** Ends a sequence at once; false if there is none of that id. */
  remove (id: string): boolean
  /**
   * Lets a sequence rest, or go on: it keeps its place and its cache but gets no more tokens. For whoever
   * cannot take them as fast as they come. Nothing happens if there is none of that id.
   */
  hold (id: string, held: boolean): void
  /** One pass over all that runs. Nothing happens where nothing runs or waits. */
  step (): StepResult
  /** Whether anything runs or waits. */
  readonly busy: boolean
  /**
   * Packs an adapter ahead of its first sequence; nothing happens if it is there.
   *
   * @throws {AdapterMemoryError} if it has no room beside those in use
   */
  loadAdapter (lora: Lora): void
  /**
   * Gives an adapter's memory back; false if it is not there.
   *
   * @throws {AdapterMemoryError} while a running sequence uses it
   */
  unloadAdapter (lora: Lora): boolean
  hasAdapter (lora: Lora): boolean
  statistics (): EngineStatistics
}

export type { LlamaModel, Lora, SamplerSettings, TokenLogProbability }
