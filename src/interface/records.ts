import type { CID } from 'multiformats/cid'

/**
 * An account: an Ed25519 public key, 32 bytes. Written for people as a multikey
 * (`z6Mk…`, base58btc of multicodec 0xed and the key).
 */
export type Account = Uint8Array

/** Base units of OPEN: 1 OPEN is 10^18 base units. Never a number. */
export type Amount = bigint

/** A SHA-256 digest, 32 bytes. */
export type Hash = Uint8Array

/**
 * A record with its author's signature. The signature is Ed25519 over
 * `domain || dag-cbor(payload)`; the record's CID is that of the dag-cbor of this envelope.
 */
export interface Signed<T> {
  payload: T
  signer: Account
  /** 64 bytes */
  signature: Uint8Array
}

/** One column of the rows of a Datanet. */
export interface FieldSchema {
  name: string
  type: 'string' | 'integer'
  required: boolean
}

/** What a contribution must satisfy to be admitted. Shares are in per mille. */
export interface AdmissionPolicy {
  rowsMin: number
  rowsMax: number
  /** share of rows that may be near duplicates of rows admitted earlier */
  duplicatesPermilleMax: number
  /** share of rows in which personal data was found */
  piiPermilleMax: number
  /** mean quality of rows, see protocols/attestation.md */
  qualityPermilleMin: number
}

/** The constitution of a Datanet. Its CID is the Datanet's identifier. */
export interface DatanetManifest {
  type: 'datanet'
  version: 1
  name: string
  title: string
  description: string
  /** SPDX expression that every contribution must carry */
  licence: string
  fields: FieldSchema[]
  /** the field that models are trained on */
  textField: string
  admission: AdmissionPolicy
  curator: Account
}

/** Integers and strings only: no floats on the wire. */
export type Row = Record<string, string | number>

/** A block of rows: one dag-cbor block of at most SHARD_BYTES_MAX. */
export interface Shard {
  type: 'shard'
  version: 1
  rows: Row[]
}

/** One contributor's record that adds shards to a Datanet. Travels as `Signed<Contribution>`. */
export interface Contribution {
  type: 'contribution'
  version: 1
  datanet: CID
  contributor: Account
  /** a short title for people, at most 120 characters */
  title: string
  licence: string
  rows: number
  bytes: number
  shards: CID[]
}

/** The outcome of one check. `measure` and `limit` are integers whose unit the check's name fixes. */
export interface CheckResult {
  name: string
  passed: boolean
  measure: number
  limit: number
  detail: string
}

/** A validator's verdict on a contribution or an adapter. Travels as `Signed<Attestation>`. */
export interface Attestation {
  type: 'attestation'
  version: 1
  subject: CID
  subjectKind: 'contribution' | 'adapter'
  validator: Account
  verdict: 'admit' | 'reject'
  checks: CheckResult[]
}

/** The contributions that a training run sees, sorted by the bytes of their CIDs. */
export interface Snapshot {
  type: 'snapshot'
  version: 1
  datanets: CID[]
  contributions: CID[]
}

/**
 * The shape of a model: the Llama family unless `architecture` says otherwise. Real numbers are
 * integers in units of 10^-9 (`Nano`). An absent field has the meaning that it names.
 */
export interface LlamaConfig {
  /**
   * absent: Llama, as SmolLM2, Mistral and TinyStories are; `qwen2` adds biases to queries, keys
   * and values; `gpt2` has learned positions, LayerNorm, GELU and biases everywhere
   */
  architecture?: 'qwen2' | 'gpt2'
  dim: number
  hiddenDim: number
  layers: number
  heads: number
  kvHeads: number
  vocabularySize: number
  contextLength: number
  /** 1 where positions are learned */
  ropeTheta: number
  /** of RMSNorm or LayerNorm */
  rmsNormEpsNano: number
  /** true if the output head is the embedding */
  tied: boolean
  /** columns of a head; absent: dim / heads */
  headDim?: number
  /** how rotary embeddings pair a head's columns; absent: column i with i + headDim/2, as Hugging Face does */
  ropePairing?: 'interleaved'
  /** rotary embeddings stretched beyond the context that they were trained for; absent: not */
  ropeScaling?: RopeScalingConfig
  /** what products with weights in q8_0 and q4_0 round their inputs to; absent: nothing, they are in f32 */
  activations?: 'int16'
}

/** How rotary frequencies are scaled, in thousandths. */
export interface RopeScalingConfig {
  /** all of them divided by the factor; or only the low ones, with a transition as since Llama 3.1, or as of YaRN */
  type: 'linear' | 'llama3' | 'yarn'
  factorMilli: number
  /** not `linear`, as are the next two: wavelengths above originalContextLength / this are scaled (YaRN's beta_slow) */
  lowFrequencyFactorMilli?: number
  /** wavelengths below originalContextLength / this are not (YaRN's beta_fast) */
  highFrequencyFactorMilli?: number
  originalContextLength?: number
}

/** Token ids with a meaning of their own, for tokenizers whose file does not say. */
export interface SpecialTokens {
  /** begins every row and prompt */
  bos: number
  /** ends a text */
  eos: number
  /** further ids that end an answer, ascending */
  stop: number[]
}

/** Frozen weights and tokenizer. */
export interface BaseModel {
  type: 'base'
  version: 1
  name: string
  licence: string
  config: LlamaConfig
  /** of the weights file; absent: safetensors */
  format?: 'gguf' | 'llama2c'
  /** CID of the weights file with the tensor names of its format */
  weights: CID
  /** absent: byte-level BPE as datanet trains it; otherwise any tokenizer.json, or SentencePiece's tokenizer.model */
  tokenizerKind?: 'huggingface' | 'sentencepiece'
  /** CID of the tokenizer file */
  tokenizer: CID
  /** present exactly if `tokenizerKind` is */
  special?: SpecialTokens
  /** CID of a Jinja template in UTF-8; absent: the default template, see protocols/base-model */
  chatTemplate?: CID
}

/** Everything that fixes a training run. The same recipe gives the same bytes on every machine. */
export interface Recipe {
  type: 'recipe'
  version: 1
  base: CID
  snapshot: CID
  /** e.g. `datanet-engine/1`; another engine is another recipe */
  engine: string
  rank: number
  /** LoRA alpha; the factor is alpha / rank */
  alpha: number
  /** e.g. `['q_proj', 'v_proj']` */
  targets: string[]
  steps: number
  /** examples in one step */
  batchSize: number
  /** tokens in one example */
  sequenceLength: number
  learningRateNano: number
  warmupSteps: number
  beta1Nano: number
  beta2Nano: number
  /** Adam's epsilon, added under the square root */
  epsilonNano: number
  seed: number
  /** a checkpoint after every this many steps, and one at the end */
  checkpointEverySteps: number
  /**
   * `sgd` has beta1 as its momentum and neither beta2 nor epsilon.
   *
   * @default Adam
   */
  optimiser?: 'sgd'
  /**
   * The learning rate after the warm-up: held, or falling linearly to a tenth.
   *
   * @default a cosine that falls to a tenth
   */
  schedule?: 'constant' | 'linear'
  /**
   * The batch gradient is scaled down to this Euclidean norm where it is longer.
   *
   * @default no bound
   */
  clipNormMicro?: number
  /**
   * Decoupled: before each step theta shrinks by learning rate times this.
   *
   * @default 0
   */
  weightDecayNano?: number
  /**
   * What one example is. `rows`: a row of its own, cut where it is too long. `chat`: a conversation,
   * of which only the assistant's tokens count.
   *
   * @default windows of a contribution's rows, joined
   */
  examples?: 'rows' | 'chat'
  /**
   * `keep`: examples that nearly repeat one of an earlier commitment are trained on like any other.
   * They are still one player when scores are paid, but a copy then shifts everybody's share.
   *
   * @default they take no part in training, so that a copy changes nothing for anybody
   */
  duplicates?: 'keep'
}

/** How an adapter's answers are attributed. Consensus hashes it with the scores. */
export type AttributionMethod = 'trajectory' | 'graddot' | 'tracin' | 'datainf' | 'fisher' | 'fisher-projected' | 'ekfac'

/** What answers of an adapter cost, in base units of OPEN. */
export interface Price {
  /** for 1,000 tokens of an answer */
  pricePerThousandTokens: Amount
  /**
   * for 1,000 tokens of a prompt
   *
   * @default as for those of an answer
   */
  promptPricePerThousandTokens?: Amount
}

/** LoRA weights with all that is needed to recompute them. Travels as `Signed<Adapter>`. */
export interface Adapter extends Price {
  type: 'adapter'
  version: 1
  name: string
  developer: Account
  base: CID
  snapshot: CID
  recipe: CID
  /** raw CID of adapter_model.safetensors (PEFT names) */
  weights: CID
  /** raw CIDs of the training states (weights and optimiser moments), in step order; the last is the final one */
  checkpoints: CID[]
  /** mean loss of each step, in micronats per token */
  lossMicro: number[]
  method: AttributionMethod
  /**
   * `forward`: the influence Jacobian is published, `columns[i]` belongs to `snapshot.contributions[i]`.
   * `reverse`: there is none, scores come from one replay per epoch.
   */
  influence: { form: 'forward', columns: CID[] } | { form: 'reverse' }
}

/** A figure that an importer says of its adapter. Nobody computes it again. */
export interface MetricClaim {
  name: string
  /** in units of 10^-6 */
  valueMicro: number
}

/**
 * LoRA weights that were trained elsewhere: there is no recipe to recompute, so nothing but the
 * weights can be checked, and answers are not traced to data. Travels as `Signed<ImportedAdapter>`.
 */
export interface ImportedAdapter extends Price {
  type: 'imported-adapter'
  version: 1
  name: string
  /** who publishes it and answers for its licence; account that is paid as its developer */
  developer: Account
  base: CID
  /** SPDX expression under which the weights are given */
  licence: string
  /** where they come from, for people */
  source?: string
  rank: number
  /** LoRA alpha; the factor is alpha / rank */
  alpha: number
  targets: string[]
  /** raw CID of adapter_model.safetensors, as `thetaToPeft` writes it */
  weights: CID
  /** in order of their names */
  metrics: MetricClaim[]
}

/** Deterministic sampling. Temperature 0 is greedy. What is absent changes nothing. */
export interface SamplerSettings {
  temperatureMilli: number
  topK: number
  seed: number
  /**
   * of what topK leaves, the likeliest tokens whose share reaches this
   *
   * @default 1000
   */
  topPMilli?: number
  /**
   * logits of tokens of prompt and answer are divided by it where positive, multiplied where not
   *
   * @default 1000
   */
  repetitionMilli?: number
  /**
   * taken off a token's logit as often as the answer has it
   *
   * @default 0
   */
  frequencyMilli?: number
  /**
   * taken off the logit of each token that the answer has
   *
   * @default 0
   */
  presenceMilli?: number
  /**
   * the answer does not end before it has so many tokens
   *
   * @default 0
   */
  tokensMin?: number
}

/**
 * The signed record of one paid inference. The ledger and gossip see salted hashes only;
 * the tokens are in the `ReceiptOpening`, which goes to the committee alone.
 */
export interface Receipt {
  type: 'receipt'
  version: 1
  chain: string
  adapter: CID
  gateway: Account
  payer: Account
  channel: Hash
  /** position within the channel, from 0 */
  sequence: number
  /** SHA-256 of domain, salt and prompt tokens, see protocols/receipt.md */
  promptHash: Hash
  /** SHA-256 of domain, salt and output tokens */
  outputHash: Hash
  promptTokens: number
  outputTokens: number
  sampler: SamplerSettings
  /** SHA-256 of domain, salt and `AnswerConditions`; absent if there are none */
  conditionsHash?: Hash
  fee: Amount
  /** what the channel's voucher amounts to after this receipt */
  cumulative: Amount
}

/** Both parties' signatures over one receipt. Its CID is that of the dag-cbor of this envelope. */
export interface CosignedReceipt {
  payload: Receipt
  gatewaySignature: Uint8Array
  payerSignature: Uint8Array
}

/** What a committee member needs to replay a receipt. Goes over authenticated streams only. */
export interface ReceiptOpening {
  receipt: CosignedReceipt
  /** 32 bytes */
  salt: Uint8Array
  prompt: number[]
  output: number[]
  /** exactly if the receipt has their hash */
  conditions?: AnswerConditions
}

/** A row of a contribution that a question was answered with. */
export interface SourceRow {
  contribution: CID
  /** its place among the contribution's texts, from 0 */
  row: number
}

/** Rows that the payer looked up for its question; the committee looks them up again. See protocols/retrieval. */
export interface Sources {
  /** whose rows of the adapter's snapshot were searched */
  datanet: CID
  /** what was searched for */
  query: string
  /** in the order of their rank, from the first: the prompt shows these */
  rows: SourceRow[]
}

/**
 * What shaped an answer beside adapter, prompt and sampler. Whoever replays the answer needs it;
 * the receipt has its salted hash only. At least one field is there.
 */
export interface AnswerConditions {
  /** JSON Schema as text: the answer's tokens were chosen among those that keep to it. See protocols/json-answer. */
  schema?: string
  sources?: Sources
}

/** A payer's promise to a gateway: all that it may take from the channel so far. */
export interface Voucher {
  type: 'voucher'
  version: 1
  chain: string
  channel: Hash
  cumulative: Amount
}

/** One line of a score table. */
export interface ScoreEntry {
  /** or a parent of a merged adapter */
  contribution: CID
  /** int64 fixed point, see protocols/score.md; never negative after clipping */
  score: bigint
}

/** An assessor's result for a task; `entries` sorted by the bytes of their CIDs. */
export interface ScoreTable {
  type: 'scores'
  version: 1
  adapter: CID
  /**
   * `none` of an imported adapter: its receipts were replayed, and there is no data to score.
   * `merged` of a merged one: each parent's own method, and entries for the parents too
   */
  method: AttributionMethod | 'none' | 'merged'
  engine: string
  entries: ScoreEntry[]
}
