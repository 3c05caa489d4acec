/**
 * The control API of a node, as JSON over loopback HTTP under `/api/v1`.
 * CIDs and hashes are strings, accounts are multikeys, amounts are decimal strings of base units.
 */

import type { AnswerParentView } from './merged.ts'
import type { AttributionMethod } from './records.ts'

export type Role = 'validator' | 'assessor' | 'gateway' | 'contributor' | 'light'

/** GET /api/v1/status */
export interface NodeStatus {
  chain: string
  name: string
  account: string
  peerId: string
  /** multiaddrs at which peers and light clients reach it */
  addresses?: string[]
  roles: Role[]
  peers: Array<{ peerId: string, address: string, name?: string }>
  height: number
  epoch: number
  finalisedView: number
  stateRoot: string
  balance: string
  gopen: string
  validators: Array<{ account: string, stake: string }>
  params: Record<string, unknown>
  /** where the OpenAI-compatible API listens, on gateways */
  gatewayUrl?: string
}

/** GET /api/v1/accounts/:account, GET /api/v1/wallet (those of the keychain, with names) */
export interface AccountView {
  name?: string
  account: string
  balance: string
  nonce: number
  staked: string
  gopen: string
  votes: string
  delegate: string | null
}

/** GET /api/v1/datanets */
export interface DatanetView {
  datanet: string
  name: string
  /** the name while nobody serves the manifest */
  title: string
  description: string
  /** empty while nobody serves the manifest */
  licence: string
  curator: string
  contributions: number
  admitted: number
}

/** GET /api/v1/contributions?datanet= */
export interface ContributionView {
  contribution: string
  datanet: string
  contributor: string
  title: string
  rows: number
  bytes: number
  status: 'pending' | 'admitted' | 'rejected'
  attestations: Array<{ validator: string, verdict: 'admit' | 'reject' }>
  earned: string
  /** its contributor took it back: it enters no further adapter, and is paid up to this epoch */
  withdrawn?: { epoch: number, height: number }
}

/** GET /api/v1/bases */
export interface BaseView {
  base: string
  name: string
  licence: string
  parameters: number
  contextLength: number
}

/** Recipes for people, by name. */
export type PresetName = 'quick' | 'careful'

/** GET /api/v1/presets: recipes without base and snapshot, for people who know no machine learning */
export interface PresetView {
  preset: string
  title: string
  description: string
  rank: number
  steps: number
  batchSize: number
  sequenceLength: number
  targets: string[]
  learningRate: number
}

/** POST /api/v1/trainings */
export interface TrainingRequest {
  name: string
  base: string
  datanets: string[]
  preset: string
  /** overrides of the preset */
  steps?: number
  rank?: number
  seed?: number
  /**
   * by which answers will be attributed to contributions, and paid
   *
   * @default 'trajectory'
   */
  method?: AttributionMethod
  /** more of them, in the units of the recipe's record */
  recipe?: RecipeChanges
}

/** Changes to a preset. */
export interface RecipeChanges {
  targets?: string[]
  batchSize?: number
  sequenceLength?: number
  learningRateNano?: number
  warmupSteps?: number
  beta1Nano?: number
  beta2Nano?: number
  epsilonNano?: number
  checkpointEverySteps?: number
  optimiser?: 'adam' | 'sgd'
  schedule?: 'cosine' | 'constant' | 'linear'
  /** 0: no clipping */
  clipNormMicro?: number
  weightDecayNano?: number
  examples?: 'windows' | 'rows' | 'chat'
  /**
   * Near duplicates of earlier commitments.
   *
   * @default 'drop'
   */
  duplicates?: 'keep' | 'drop'
}

/** POST /api/v1/trainings/estimate */
export interface TrainingEstimateView {
  steps: number
  contributions: number
  /** trained weights */
  parameters: number
  /** that the run sees at most */
  tokens: number
  /** whether the columns that answers are traced by at once are published: the influence Jacobian, or what another method has in its place */
  influence: 'forward' | 'reverse'
  /** of training and Jacobian, floating point */
  operations: number
  /** of training and Jacobian, by a measurement of this machine if no training runs */
  seconds: number
  influenceSeconds: number
  tokensPerSecond: number
  /** the most that it takes */
  memoryBytes: number
  /** checkpoints, weights and columns */
  storedBytes: number
  method: AttributionMethod
  /** what its scores mean, in a sentence */
  methodMeaning: string
  /** the method's scores of one task, its receipts not counted: work, time here and memory of each assessor */
  assessmentOperations: number
  assessmentSeconds: number
  assessmentBytes: number
  /** the same of every method, for who chooses among them */
  methods: MethodEstimateView[]
}

/** What a method of attribution means, and what an assessor spends on the scores of one task by it. */
export interface MethodEstimateView {
  method: AttributionMethod
  meaning: string
  seconds: number
  bytes: number
}

/** GET /api/v1/trainings, GET /api/v1/trainings/:id, DELETE cancels */
export interface TrainingView {
  id: string
  name: string
  state: 'queued' | 'training' | 'influence' | 'publishing' | 'attesting' | 'done' | 'failed' | 'cancelled'
  step: number
  steps: number
  /** mean loss per step so far, nats per token */
  losses: number[]
  /** 0..1 of the current state's work */
  progress: number
  /** estimated, before and while it runs */
  secondsLeft?: number
  tokensPerSecond?: number
  adapter?: string
  error?: { code: string, message: string }
}

/** GET /api/v1/adapters */
export interface AdapterView {
  adapter: string
  name: string
  developer: string
  base: string
  contributions: number
  status: 'pending' | 'admitted' | 'rejected'
  losses: number[]
  /** `none` if it was trained elsewhere: its answers are not traced to data */
  influence: 'forward' | 'reverse' | 'none'
  origin: 'trained' | 'imported' | 'merged'
  /** of a merge: what is added up, and how much of each */
  parents?: Array<{ adapter: string, weight: number }>
  /** its developer advises against it; it is served and paid as before */
  deprecated: { reason: string, successor: string | null, height: number } | null
  /** of answers */
  pricePerThousandTokens: string
  /** of prompts */
  promptPricePerThousandTokens: string
  earned: string
}

/** POST /api/v1/ask: this node pays from its own account and co-signs the receipt */
export interface AskRequest {
  adapter: string
  prompt: string
  /** the conversation that ends with `prompt`; bases and adapters that lead none see the prompt alone */
  messages?: Array<{ role: string, content: string }>
  maxTokens?: number
  temperature?: number
  topK?: number
  seed?: number
  /** of the likeliest tokens, those whose share reaches this; 0 < topP <= 1 */
  topP?: number
  frequencyPenalty?: number
  presencePenalty?: number
  /** texts that end the answer, at most 4 */
  stop?: string[]
  /** tells how likely the model found each token, and so many of the likeliest in its place, at most 20 */
  logProbabilities?: number
  /** JSON Schema, as text, that the answer keeps to */
  schema?: string
  /** shows the best rows of a Datanet of the adapter's snapshot before the question: its CID, and how many at most */
  retrieval?: { datanet: string, rows: number }
}

/** A row that an answer was given, in the order in which the prompt numbers them from 1. */
export interface SourceView {
  contribution: string
  contributor: string
  title: string
  /** its place among the contribution's texts, from 0 */
  row: number
  text: string
}

/** a share of an answer: what one contribution did for it */
export interface AttributionShare {
  contribution: string
  contributor: string
  title: string
  /** derivative of the answer's log-likelihood by the contribution's weight; may be negative */
  influence: number
  /** of the positive part, 0..1 */
  share: number
}

/** Words of an answer that stand in the data as they are; a citation for people, nothing is paid by it. */
export interface SpanView {
  /** first token in the answer and the one after the last: indexes into `tokens` */
  from: number
  end: number
  text: string
  /** how often the snapshot's data has it */
  count: number
  /** bits that its tokens take by how often each stands in the data: rare is large */
  rarityBits: number
  /** rows that have it, some of them, with the text around it */
  citations: Array<{ contribution: string, contributor: string, title: string, row: number, before: string, after: string }>
}

/** A token as text (half a character may be unreadable) and bytes, and the natural logarithm of its probability. */
export interface LikelihoodView {
  text: string
  bytes: number[]
  logProbability: number
}

/** A token of an answer, and the likeliest in its place, likeliest first. */
export interface TokenLikelihoodsView extends LikelihoodView {
  top: LikelihoodView[]
}

export interface AnswerView {
  receipt: string
  adapter: string
  prompt: string
  answer: string
  /** the answer cut into tokens, each with the contribution that shaped it most (index into `shares`), and of a merge the adapter that did (index into `parents`) */
  tokens: Array<{ text: string, share: number | null, influence: number, parent?: number | null }>
  /** of a merge they sum to less than 1 where a parent was trained elsewhere or has no influence Jacobian */
  shares: AttributionShare[]
  /** of a merge: what each of its adapters did */
  parents?: AnswerParentView[]
  /** the rows that the prompt showed; each has the same part of what this answer pays for retrieval */
  sources?: SourceView[]
  /** what it repeats of the data word for word, the rarest first; left out if the data could not be had */
  spans?: SpanView[]
  method: string
  /** `exact`: what the method itself finds, from the adapter's columns, or of a merge from all that its adapters have; `preview`: there are none, so the shares are empty until the epoch's replay, and for ever if `method` is `none` */
  precision: 'exact' | 'preview'
  fee: string
  promptTokens: number
  outputTokens: number
  milliseconds: number
  /** `stop`: the model or a stop text ended it; `length`: it has as many tokens as were asked for */
  finish?: 'stop' | 'length'
  /** of each token, where the request asked for it; the model's own, before temperature and penalties */
  likelihoods?: TokenLikelihoodsView[]
}

/** GET /v1/receipts/:cid: what payer and gateway signed; hashes instead of texts */
export interface ReceiptView {
  receipt: string
  chain: string
  adapter: string
  gateway: string
  payer: string
  channel: string
  sequence: number
  promptHash: string
  outputHash: string
  promptTokens: number
  outputTokens: number
  sampler: Record<string, number>
  /** of schema and sources, under the opening's salt */
  conditionsHash?: string
  fee: string
  cumulative: string
  gatewaySignature: string
  payerSignature: string
}

/** GET /v1/attributions/:cid: which contributions shaped an answer, and each of its tokens */
export type AttributionView = Pick<AnswerView, 'receipt' | 'adapter' | 'method' | 'precision' | 'shares' | 'parents' | 'sources' | 'spans' | 'tokens'>

/** GET /api/v1/tasks */
export interface TaskView {
  task: string
  adapter: string
  epoch: number
  phase: string
  fees: string
  scoreRoot: string | null
  /** the split that its fees are paid by, in basis points; set at the cutoff */
  feeSplit?: { platform: number, developers: number, validators: number, data: number }
  /** base units that contributors may claim, once it is settled: none where nothing was scored, then the treasury has their part */
  dataPool?: string
  deadline: number
  seats: Array<{ assessor: string, state: 'drawn' | 'committed' | 'revealed' | 'opened' | 'slashed', scoreRoot: string | null, fault: string | null }>
  payouts: Array<{ account: string, reason: string, contribution?: string, amount: string }>
  /** of a merge: what the developers of its parents were paid */
  developers?: Array<{ account: string, adapter: string, amount: string }>
}

/** GET /api/v1/proposals */
export interface ProposalView {
  proposal: number
  title: string
  status: string
  proposer: string
  for: string
  against: string
  abstain: string
  voteStart: number
  voteEnd: number
  eta: number | null
  actions: unknown[]
}

/** GET /api/v1/why?contribution=&task= : every link of the chain of reasons, each checked by proof */
export interface WhyView {
  contribution: string
  contributor: string
  title: string
  task: string
  adapter: string
  epoch: number
  score: string
  totalScore: string
  sharePercent: number
  dataPool: string
  amount: string
  /** what was verified, in order, with what it was verified against */
  steps: Array<{ title: string, detail: string, verified: boolean }>
  header: { height: number, hash: string, stateRoot: string, signers: number, validators: number }
  /** what answers of the adapter that the asked node bought have word for word from it, the rarest first; of nobody's proof */
  quotes?: QuoteView[]
}

/** Words of an answer that this node bought, as a row of a contribution has them. For people: nothing is paid by them. */
export interface QuoteView {
  /** of the answer */
  receipt: string
  text: string
  /** how often the data have them */
  count: number
  /** rare is large */
  rarityBits: number
  row: number
  before: string
  after: string
}

/** Something that shaped what is above it, or whom it belongs to. */
export interface GraphNode {
  kind: 'answer' | 'adapter' | 'base' | 'contribution' | 'account' | 'work'
  /** CID or account; a word for what has neither */
  id: string
  title: string
  /** of what is above it, in millionths; left out where nothing is divided */
  sharePpm?: number
  /** base units of OPEN: what the answer's fee gives it by its own shares, or what it earned so far */
  amount?: string
  /** accounts that computed its column of the adapter's influence Jacobian and came to the same bytes, who published it included */
  checkedBy?: string[]
  /** those that came to other bytes */
  disputedBy?: string[]
  /** a contribution that was taken back */
  withdrawn?: boolean
  /** of a contribution below an answer: what the answer has word for word from it, the rarest first */
  quotes?: QuoteView[]
  children: GraphNode[]
}

/** GET /api/v1/graph/:id: who and what shaped an answer, an adapter, an account's earnings */
export interface GraphView {
  /** whether amounts are what an answer's fee gives, before the epoch's scores decide, or what was earned */
  amounts: 'expected' | 'earned'
  root: GraphNode
}

/** GET /api/v1/events (server-sent events; `data:` is one of these) */
export type NodeEvent =
  | { type: 'block', height: number, hash: string, proposer: string, transactions: number, view: number, signers: number, validators: number }
  | { type: 'peer', peerId: string, connected: boolean }
  | { type: 'datanet', datanet: string, name: string }
  | { type: 'contribution', contribution: string, datanet: string, status: string }
  | { type: 'attestation', subject: string, validator: string, verdict: string }
  | { type: 'adapter', adapter: string, status: string }
  | { type: 'training', training: TrainingView }
  | { type: 'answer', receipt: string, adapter: string, fee: string }
  | { type: 'task', task: TaskView }
  /** this node recomputes a task as a member of its committee; progress 0..1 */
  | { type: 'recompute', task: string, progress: number }
  | { type: 'payment', from: string, to: string, amount: string, reason: string, task?: string }
  | { type: 'proposal', proposal: number, status: string, title: string }
  | { type: 'params', params: Record<string, unknown> }
  | { type: 'log', level: 'info' | 'warn' | 'error', message: string }
