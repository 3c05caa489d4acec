import type { LlamaConfig, SamplerSettings, SpecialTokens } from '../interface/index.ts'
import type { Capture, CaptureInput, RopePairing, RopeScaling, Tape, Value, WeightMatrix } from '../numeric/index.ts'

/** A dense row-major tensor in f32, whatever type it had in its file. */
export interface Tensor {
  shape: readonly number[]
  data: Float32Array
}

/** Tensors by name. */
export type Tensors = Map<string, Tensor>

/** A tensor of a model: matrices may stay in bf16, q8_0 or q4_0, which mean exactly their f32 values. */
export type Weight = Tensor | WeightMatrix

/** A model's tensors by the names of its plan. */
export type Weights = ReadonlyMap<string, Weight>

/** A model: frozen weights under the names that its plan gives them. */
export interface LlamaModel {
  readonly config: LlamaConfig
  /** what `modelPlan(config)` says */
  readonly plan: ModelPlan
  readonly weights: Weights
  /** Hugging Face checkpoints rotate halves, llama2.c pairs neighbours */
  readonly pairing: RopePairing
}

/** One tensor of a model. */
export interface TensorPlan {
  name: string
  /** [outputs, inputs] of a matrix; the one size of a gain or a bias */
  shape: [rows: number, columns: number] | [size: number]
}

/** x normalised by row, times gain, plus bias if there is one. */
export interface NormPlan {
  gain: TensorPlan
  bias?: TensorPlan
}

/** x·Wᵀ, plus bias if there is one. */
export interface ProjectionPlan {
  target: LoraTarget
  weight: TensorPlan
  bias?: TensorPlan
}

export interface LayerPlan {
  attentionNorm: NormPlan
  q: ProjectionPlan
  k: ProjectionPlan
  v: ProjectionPlan
  o: ProjectionPlan
  feedForwardNorm: NormPlan
  /** only where the feed-forward part is gated */
  gate?: ProjectionPlan
  up: ProjectionPlan
  down: ProjectionPlan
}

/** An architecture as data; see `modelPlan`. */
export interface ModelPlan {
  /** RMSNorm, or LayerNorm with biases */
  norm: 'rms' | 'layer'
  normEps: number
  activation: 'silu' | 'gelu'
  /** rotary, of queries and keys, or a learned row added to the embedding */
  positions: 'rope' | 'learned'
  /** meaningless where positions are learned */
  rope: { theta: number, pairing: RopePairing, scaling?: RopeScaling }
  dim: number
  heads: number
  kvHeads: number
  headDim: number
  vocabularySize: number
  contextLength: number
  embedding: TensorPlan
  positionEmbedding?: TensorPlan
  layers: LayerPlan[]
  finalNorm: NormPlan
  /** the embedding itself if tied */
  head: TensorPlan
}

/** The projections that a LoRA factor may sit on, in their canonical order. */
export type LoraTarget = 'q_proj' | 'k_proj' | 'v_proj' | 'o_proj' | 'gate_proj' | 'up_proj' | 'down_proj'

/** One adapted projection: W + (alpha / rank) · B·A, with A [rank, inputs] and B [outputs, rank]. */
export interface LoraFactor {
  layer: number
  target: LoraTarget
  inputs: number
  outputs: number
  /** where A begins in theta, row-major */
  offsetA: number
  /** where B begins in theta, row-major */
  offsetB: number
}

/**
 * Where every adapted weight lies in theta: layers ascending; within a layer the targets in
 * canonical order; of each target first A, then B, row-major.
 */
export interface LoraShape {
  rank: number
  alpha: number
  targets: LoraTarget[]
  factors: LoraFactor[]
  /** length of theta */
  parameters: number
}

/** LoRA factors on a tape, by `<layer>.<target>`. */
export interface LoraValues {
  factors: Map<string, { a: Value, b: Value }>
  /** alpha / rank */
  scale: number
}

/** A frozen adapter for generation. */
export interface Lora {
  shape: LoraShape
  theta: Float64Array
}

/** An adapter and its share, where several are merged. */
export interface WeightedLora {
  lora: Lora
  /**
   * thousandths by which its change of the base is multiplied
   *
   * @default 1000
   */
  weightMilli?: number
}

/** Keys (already rotated) and values of the positions seen so far; layers × [contextLength, kvDim]. */
export interface KeyValueCache {
  length: number
  keys: Float32Array[]
  values: Float32Array[]
}

export interface ForwardOptions {
  /** several are added one after the other, in this order */
  lora?: LoraValues | readonly LoraValues[]
  /** positions seen so far; grows by `ids.length`. Cached positions are detached: no gradient flows into them. */
  cache?: KeyValueCache
  /**
   * Positions, ascending, whose logits are wanted: the head costs nothing for the others.
   *
   * @default all
   */
  rows?: ArrayLike<number>
}

/**
 * Which tokens may come next, for answers that keep to a grammar. Belongs to one sampler, which
 * tells it every token.
 */
export interface TokenConstraint {
  /** One bit for each id, from the lowest of the first word on; at least one is set. Read before `accept`. */
  allowed (): Uint32Array
  /** A token was chosen. */
  accept (id: number): void
}

export interface GenerateOptions {
  /** token ids, BOS included, at least one */
  prompt: ArrayLike<number>
  maxTokens: number
  sampler: SamplerSettings
  lora?: Lora | readonly WeightedLora[]
  /**
   * Ids that end the answer; the one that did is the last token of the output.
   *
   * @default []
   */
  stop?: ArrayLike<number>
  /** forbids tokens; used up by this answer */
  constraint?: TokenConstraint
  onToken? (id: number, index: number): void
}

export interface VerifyOptions {
  prompt: ArrayLike<number>
  output: ArrayLike<number>
  sampler: SamplerSettings
  /**
   * What `generate` was given; matters where the sampler has `tokensMin`.
   *
   * @default []
   */
  stop?: ArrayLike<number>
  /** a new one of the kind that `generate` was given */
  constraint?: TokenConstraint
  lora?: Lora | readonly WeightedLora[]
}

/** Whether an output follows from model, prompt and seed; if not, the first token that does not. */
export type Verification = { ok: true } | { ok: false, firstMismatch: number, expected: number, actual: number }

/** The log-likelihood of an answer given its prompt, in nats, and its gradient over theta. */
export interface AnswerGradient {
  logProbability: number
  /** one per output token, nats */
  tokenLogProbabilities: Float64Array
  gradient: Float64Array
}

export interface LoraObjectiveInit {
  model: LlamaModel
  shape: LoraShape
  /** token sequences of 2 … contextLength + 1 tokens; the first is given, the others are predicted */
  examples: Uint32Array[]
  /** per example: 1 where a token counts as a target, 0 where not; the first token never counts */
  lossMasks?: Uint8Array[]
  /**
   * Tangents that one pass carries; more are split over several passes with the same results.
   *
   * @default 8
   */
  directions?: number
  /** @default 'wasm' */
  backend?: 'wasm' | 'reference'
}

/** Text to ids and back; ids are positions in the vocabulary. */
export interface Tokenizer {
  readonly size: number
  /** begins every row and prompt */
  readonly bos: number
  readonly eos: number
  /** ids that end an answer, `eos` among them, ascending */
  readonly stop: readonly number[]
  /** special tokens by their text, which chat templates may write and nobody else */
  readonly special: ReadonlyMap<string, number>
  /** Never yields a special token, whatever the text says. Lone surrogates become U+FFFD. */
  encode (text: string): Uint32Array
  /** Skips special tokens; bytes that are not UTF-8 become U+FFFD. */
  decode (ids: ArrayLike<number>): string
  /** What one token adds to the text; may be a fragment of a character, shown as U+FFFD. */
  tokenText (id: number): string
  /** The bytes of one token; empty for special tokens. */
  tokenBytes (id: number): Uint8Array
}

/** One turn of a chat. */
export interface ChatMessage {
  /** `system`, `user` or `assistant`; others as far as the template knows them */
  role: string
  content: string
}

/** How a base wants a chat to be written. */
export interface ChatTemplate {
  /**
   * The prompt of a chat, special tokens included: those that the template writes, never those
   * that somebody wrote into a message.
   *
   * @throws {ChatTemplateError} if the template refuses the messages, or goes on for too long
   */
  prompt (tokenizer: Tokenizer, messages: readonly ChatMessage[], options?: {
    /**
     * end with the beginning of an answer
     *
     * @default true
     */
    addGenerationPrompt?: boolean
  }): Uint32Array

  /**
   * A conversation that is over, to learn from: each text is encoded once or twice, however many
   * turns follow it, if the template writes special tokens between them.
   *
   * @throws {ChatTemplateError} as `prompt`
   */
  conversation (tokenizer: Tokenizer, turns: readonly ChatMessage[]): ChatRendering
}

/** A conversation as tokens. */
export interface ChatRendering {
  /** BOS included where the template writes it */
  tokens: Uint32Array
  /**
   * Where an assistant's turn begins and ends, in tokens: as far as they agree with the rendering that
   * asks for it and with the one that ends with it, so any template serves.
   *
   * @throws {ChatTemplateError} if the template refuses these beginnings
   */
  span (turn: number): [from: number, to: number]
}

/** A recipe without base and snapshot, for people who know no machine learning. */
export interface Preset {
  title: string
  description: string
  rank: number
  alpha: number
  targets: LoraTarget[]
  steps: number
  batchSize: number
  sequenceLength: number
  learningRateNano: number
  warmupSteps: number
  beta1Nano: number
  beta2Nano: number
  epsilonNano: number
  checkpointEverySteps: number
  /** @default a cosine */
  schedule?: 'constant' | 'linear'
}

export type { Capture, CaptureInput, LlamaConfig, RopePairing, RopeScaling, SamplerSettings, SpecialTokens, Tape, Value, WeightMatrix }
