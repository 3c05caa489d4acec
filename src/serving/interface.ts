import type { Kept } from './recent.ts'
import type { AbortOptions, Account, Amount, AnswerConditions, BaseModel, CosignedReceipt, Price, PublishedAdapter, Receipt, ReceiptOpening, Recipe, SamplerSettings, Snapshot } from '../interface/index.ts'
import type { ChatMessage, ChatTemplate, LlamaModel, Lora, Tokenizer } from '../models/index.ts'
import type { CID } from 'multiformats/cid'

/** A base model ready to compute. */
export interface LoadedBase {
  cid: CID
  record: BaseModel
  model: LlamaModel
  tokenizer: Tokenizer
  /** how the base wants a chat to be written */
  chat: ChatTemplate
}

/** A base that is asked without an adapter: it has no price, and stands on no data of the network. */
export interface BaseAlone extends Price {
  type: 'base-alone'
  name: string
  base: CID
}

/** One of the adapters of a merge, ready to serve. */
export interface LoadedParent {
  adapter: LoadedAdapter
  weightMilli: number
}

/** An adapter ready to serve, or a merge or a base alone, whose `lora` has no factors. */
export interface LoadedAdapter {
  cid: CID
  record: PublishedAdapter | BaseAlone
  /** null if it was trained elsewhere, and of a merge */
  recipe: Recipe | null
  /** empty if it was trained elsewhere; of a merge all that its parents stand on */
  snapshot: Snapshot
  base: LoadedBase
  lora: Lora
  /** of a merge, in the order in which their changes are added */
  parents?: LoadedParent[]
  /** the influence Jacobian, one column per contribution of the snapshot; null where only the replay gives scores */
  columns: Float64Array[] | null
}

/** Models by CID, fetched, verified and kept in bounded memory. */
export interface ModelLibrary {
  /** an adapter's record alone, without its weights */
  record (cid: CID, options?: AbortOptions): Promise<PublishedAdapter>
  /** what an adapter, or a base alone, is called and costs; no weights are read */
  terms (cid: CID, options?: AbortOptions): Promise<Pick<BaseAlone, 'name' | 'base' | keyof Price>>
  base (cid: CID, options?: AbortOptions): Promise<LoadedBase>
  /** by its own CID; by a base's CID, that base alone */
  adapter (cid: CID, options?: AbortOptions): Promise<LoadedAdapter>
  /** adapters in memory, the most recently used first */
  loaded (): Kept[]
  /** Loads an adapter and keeps it, whatever else is asked for, until it is evicted. */
  pin (cid: CID, options?: AbortOptions): Promise<LoadedAdapter>
  /** Gives an adapter's memory back; answers that are being made end as they would. False if it was not there. */
  evict (cid: CID): boolean
}

export interface GeneratedAnswer {
  /** token ids with BOS */
  prompt: number[]
  output: number[]
  text: string
}

/** What a gateway asks for its answers. */
export interface Offer extends Price {
  adapter: CID
  name: string
  base: CID
}

export interface Offers {
  gateway: Account
  offers: Offer[]
}

export interface AskOptions {
  adapter: CID
  prompt: string
  /** a conversation that ends with the prompt, for bases and adapters that know how to lead one */
  messages?: ChatMessage[]
  maxTokens: number
  sampler: SamplerSettings
  /**
   * texts that end the answer; they are not part of its text, but of its tokens
   *
   * @default none
   */
  stop?: string[]
  /**
   * a schema that the answer keeps to, and the rows that the prompt shows
   *
   * @default none
   */
  conditions?: AnswerConditions
}

/** What a question costs. */
export interface Quote extends Price {
  /** with BOS */
  promptTokens: number
  /** with as many tokens as were asked for; the fee is that of the tokens that came */
  feeMax: Amount
}

/** Why an answer ended: the model or a stop text ended it, or it has as many tokens as were asked for. */
export type Finish = 'stop' | 'length'

/** Options of an answer that is looked at while it is made. */
export interface StreamOptions extends AbortOptions {
  /** told each token once, in order, as it comes; the receipt, and with it the proof, comes at the end */
  onTokens? (tokens: number[]): void
}

/** An answer as the payer has it: paid, co-signed and checked. */
export interface PaidAnswer {
  receipt: CID
  cosigned: CosignedReceipt
  opening: ReceiptOpening
  /** up to the stop text, if one came */
  text: string
  finish: Finish
}

/** What a gateway answers before it is paid exactly. */
export interface ProposedAnswer {
  receipt: Receipt
  gatewaySignature: Uint8Array
  salt: Uint8Array
  prompt: number[]
  output: number[]
  conditions?: AnswerConditions
}
