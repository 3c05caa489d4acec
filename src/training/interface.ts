import type { ExampleScores } from '../attribution/index.ts'
import type { AbortOptions, Account, Adapter, AttributionMethod, CostEstimate, Hash, Price, ProgressOptions, PublishedAdapter, ReceiptOpening, Recipe, ScoreTable, Startable } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

export interface TrainingInit {
  /** @default 2 */
  threads?: number
  /**
   * Silence of a worker that counts as its end.
   *
   * @default 120000
   */
  stallTimeoutMs?: number
  /**
   * Work of the influence Jacobian up to which a job that leaves the form open publishes it,
   * in floating-point operations.
   *
   * @default 6e12
   */
  influenceFlopsMax?: number
  /**
   * What the columns of a Jacobian may take of one thread's memory; the others are computed after
   * them. Changes no byte.
   *
   * @default 268435456
   */
  influenceBytesMax?: number
  /**
   * What gradients of answers of merged adapters may take while a task is assessed; more are computed
   * twice. Changes no byte.
   *
   * @default 268435456
   */
  gradientsBytesMax?: number
}

/** Records and files by CID; a `Storage` fits. */
export interface TrainingStore {
  put (bytes: Uint8Array, options?: AbortOptions): Promise<CID>
  get (cid: CID, options?: AbortOptions & { bytesMax?: number }): Promise<Uint8Array>
  putFile (bytes: Uint8Array, options?: AbortOptions): Promise<CID>
  getFile (cid: CID, options?: AbortOptions & { bytesMax?: number }): Promise<Uint8Array>
  /** a file to be read by ranges */
  openFile (cid: CID, options?: AbortOptions): Promise<{ readonly size: number, read (offset: number, length: number): Promise<Uint8Array> }>
}

export interface TrainingComponents {
  storage: TrainingStore
  /** the texts of an admitted contribution's rows, in their order */
  dataset: { texts (contribution: CID, options?: AbortOptions): AsyncIterable<string> | Iterable<string> }
  /** when the ledger got a contribution; recipes need it unless they keep near duplicates */
  commitmentOf? (contribution: CID): Commitment | undefined
}

/** Where a contribution stands in the ledger's order. */
export interface Commitment {
  height: number
  /** position in its Datanet */
  index: number
  /** retrieval searches within one Datanet; without it nothing is found there */
  datanet?: CID
}

/** What goes on after a crash or a cancel; comes with each checkpoint. */
export interface ResumePoint {
  checkpoints: CID[]
  lossMicro: number[]
  /** columns of the Jacobian that are stored already, from the first on; only after the last checkpoint */
  columns?: CID[]
}

export interface TrainingJob extends Price {
  name: string
  recipe: Recipe
  developer: Account
  /** @default 'trajectory' */
  method?: AttributionMethod
  /**
   * `auto` publishes the Jacobian if it is estimated to stay within `influenceFlopsMax`.
   *
   * @default 'auto'
   */
  influence?: 'forward' | 'reverse' | 'auto'
  /** the end is the same to the byte */
  resume?: ResumePoint
  /**
   * Blocks in which seats of the network have to score a task: what takes longer is not trained.
   *
   * @default 600
   */
  commitBlocks?: number
}

/** What an assessor spends on the scores of one task. */
export type AssessmentCost = CostEstimate & { seconds: number }

export interface TrainingEstimate {
  training: CostEstimate
  forward: CostEstimate
  reverse: CostEstimate
  /** what `auto` chooses */
  form: 'forward' | 'reverse'
  method: AttributionMethod
  /** scores of one task by the method, its receipts not counted: what each assessor does and holds */
  assessment: AssessmentCost
  /** the same by each method, for who chooses */
  assessments: Record<AttributionMethod, AssessmentCost>
  /** of training and, if the form is forward, the Jacobian; from a calibration or what earlier jobs took here */
  seconds: number
  /** of `seconds`, those of the Jacobian */
  influenceSeconds: number
  /** that all threads together are expected to train */
  tokensPerSecond: number
  contributions: number
  /** trained weights */
  parameters: number
  /** that the run sees at most */
  tokens: number
  /** the most that all threads together take */
  memoryBytes: number
  /** checkpoints, weights and columns */
  storedBytes: number
}

export interface EstimateOptions extends AbortOptions {
  /**
   * By which the adapter's answers will be attributed.
   *
   * @default 'trajectory'
   */
  method?: AttributionMethod
  /**
   * Of all contributions together, by which the number of examples is estimated.
   *
   * @default as many examples as the run sees, each of them once
   */
  rows?: number
  /**
   * Times a gradient of this base on this machine first, for some tenths of a second with a small
   * base. Left out while a job runs, which would be measured instead.
   *
   * @default false
   */
  calibrate?: boolean
}

export type TrainingEvent =
  /** before the first step; the estimate is by a calibration on the run's own examples */
  | { type: 'training:prepare', examples: number, contributions: number, steps: number, estimate: TrainingEstimate }
  | { type: 'training:step', step: number, steps: number, loss: number, tokensPerSecond: number, secondsLeft: number }
  | { type: 'training:checkpoint', step: number, resume: ResumePoint }
  | { type: 'training:influence:progress', done: number, total: number, secondsLeft: number }
  | { type: 'training:receipt', done: number, total: number }
  | { type: 'training:replay:progress', done: number, total: number, secondsLeft: number }
  /** one step of a trace was computed: passes over answers and examples, and those with a tangent, that it took */
  | { type: 'training:judged', receipts: number, gradients: number, duals: number }

export interface TrainingResult {
  /** to be signed by the developer; recipe, weights, checkpoints and columns are stored */
  adapter: Adapter
  /** adapter_config.json of PEFT */
  peftConfig: Uint8Array
}

export interface Assessment {
  table: ScoreTable
  /** for `traceTree`: one hash per receipt, then those of the replay */
  trace: Hash[]
  exampleScores: Float64Array
  /** the contribution of each example, as an index into the table's entries */
  groups: Uint32Array
  /** CIDs of receipts whose output does not follow from adapter, prompt and seed; they weigh nothing */
  refused: CID[]
}

export interface AssessOptions extends ProgressOptions<TrainingEvent> {
  /**
   * When a contribution was committed on the ledger. With it, near duplicates are one player and the
   * earliest commitment wins, as the network pays.
   *
   * @default each example stands for itself
   */
  commitmentOf? (contribution: CID): Commitment | undefined
  /** who stands for each example, if the caller knows; see `contributionScores` of scoring */
  representatives?: Uint32Array
}

export interface StepOptions extends AssessOptions {
  /**
   * The state that the step starts from, as `stepState` gives it. That its first bytes are the hashes
   * that were agreed on is for the caller to check; the rest is checked against them.
   *
   * @default everything up to the step is computed
   */
  from?: Uint8Array
}

export interface SpotCheckOptions extends ProgressOptions<TrainingEvent> {
  /**
   * Blocks in which seats have to score a task: what takes longer fails.
   *
   * @default 600
   */
  commitBlocks?: number
}

/** The verdict of a spot check. */
export interface SpotCheck {
  ok: boolean
  /** what was compared, or what differed */
  detail: string
}

/** What of an adapter its columns depend on: those of the trajectory on the recipe alone. */
export type ColumnSource = Pick<Adapter, 'recipe' | 'method' | 'checkpoints'>

export interface Training extends Startable {
  /** Work and time of a job before it starts. */
  estimate (recipe: Recipe, options?: EstimateOptions): Promise<TrainingEstimate>

  /**
   * Trains a recipe. Same recipe, same bytes, whatever the threads.
   *
   * @throws {TrainingInputError}, DivergedError and what the store throws
   */
  train (job: TrainingJob, options?: ProgressOptions<TrainingEvent>): Promise<TrainingResult>

  /**
   * Example-level scores for a cotangent by the adapter's method: the reverse replay, or GradDot.
   *
   * @throws {AdapterMismatchError} when the run does not end in the adapter's last checkpoint
   */
  replay (adapter: Adapter, cotangent: Float64Array, options?: ProgressOptions<TrainingEvent>): Promise<ExampleScores & { groups: Uint32Array }>

  /**
   * All of an assessor's work for a task: replays the receipts, sums the cotangent, replays the run.
   * Of an adapter that was trained elsewhere the receipts alone, and there is nothing to score.
   *
   * @param id - CID of the signed adapter record
   * @param adapter - its payload
   * @param receipts - in any order; hashes and signatures were checked by the caller
   * @param options - signal, progress and near duplicates
   */
  assess (id: CID, adapter: PublishedAdapter, receipts: ReceiptOpening[], options?: AssessOptions): Promise<Assessment>

  /**
   * One step of the trace of `assess`, or at its end the step that the table makes (`resultStep` of
   * scoring). With the state before it that step alone is computed.
   *
   * @returns null if the trace has no such step
   * @throws {StepStateError | StateEncodingError} when `from` is not the state before the step
   */
  step (id: CID, adapter: PublishedAdapter, receipts: ReceiptOpening[], index: number, options?: StepOptions): Promise<Hash | null>

  /**
   * The state that the step after `steps` starts from, for those who judge it: the steps, then the
   * vectors that some of them are hashes of. Computes everything up to there again.
   *
   * @param adapter - its payload
   * @param receipts - in any order
   * @param steps - the trace before the step
   * @param options - signal and progress
   * @throws {StepStateError} when this is not the trace of the task
   */
  stepState (adapter: PublishedAdapter, receipts: ReceiptOpening[], steps: Hash[], options?: AssessOptions): Promise<Uint8Array>

  /**
   * Bytes of such a state at most, by the adapter's records alone.
   *
   * @returns 0 if step `index` needs none, or there is no shorter way than the whole
   */
  stepStateBytesMax (adapter: PublishedAdapter, receipts: number, index: number, options?: AbortOptions): Promise<number>

  /**
   * Trains one segment between two checkpoints again and compares bytes.
   *
   * @param adapter - whose
   * @param segment - 0 … checkpoints − 1; segment k ends in checkpoint k
   * @param options - signal and progress
   */
  spotCheck (adapter: Adapter, segment: number, options?: SpotCheckOptions): Promise<SpotCheck>

  /**
   * Computes columns of an adapter by its method, each by itself, and stores them as files: of the
   * influence Jacobian, or by another method what takes its place. Work for the background: it waits for
   * every other job, and ends when one comes.
   *
   * @param adapter - whose
   * @param columns - indexes of contributions in the recipe's snapshot
   * @param options - signal and progress
   * @returns the CID of each, in the order of `columns`
   * @throws {PreemptedError} when another job came
   * @throws {TrainingInputError}, DivergedError and what the store throws
   */
  columns (adapter: ColumnSource, columns: number[], options?: ProgressOptions<TrainingEvent>): Promise<CID[]>
}
