import {
  account, amount, answerConditionsCodec, bytes, cid, codec, hash32, integer, list, literal, oneOf, optional, receiptCodec, receiptOpeningCodec, signature64, struct, text, uint32
} from '../wire/index.ts'
import { ANSWER_BYTES_MAX, ASK_BYTES_MAX, OFFERS_MAX, OPENINGS_BYTES_MAX, RECEIPTS_PER_REDEMPTION_MAX, ROLE_LENGTH_MAX, STOP_LENGTH_MAX, STOPS_MAX, TOKENS_MAX, TURNS_MAX } from './constants.ts'
import type { SamplerSettings } from '../interface/index.ts'
import type { Infer, Schema } from '../wire/index.ts'

// Messages between payer, gateway and committee; protocols/serving/serving.md describes them.

const sampler: Schema<SamplerSettings> = struct({
  temperatureMilli: integer({ min: 0, max: 10_000 }),
  topK: integer({ min: 0, max: 65_536 }),
  seed: uint32,
  topPMilli: optional(integer({ min: 1, max: 1_000 })),
  repetitionMilli: optional(integer({ min: 100, max: 10_000 })),
  frequencyMilli: optional(integer({ min: -2_000, max: 2_000 })),
  presenceMilli: optional(integer({ min: -2_000, max: 2_000 })),
  tokensMin: optional(integer({ min: 0, max: TOKENS_MAX }))
})

const token = integer({ min: 0, max: 1 << 20 })
const tokens = list(token, { max: TOKENS_MAX })

/** A voucher's amount and the payer's signature over it. */
const promise = struct({ cumulative: amount, signature: signature64 })

export const askCodec = codec('ask', struct({
  type: literal('ask'),
  adapter: cid(),
  prompt: text({ max: 16_384 }),
  /** the conversation that the prompt ends, for bases and adapters that lead one */
  messages: optional(list(struct({ role: text({ min: 1, max: ROLE_LENGTH_MAX }), content: text({ max: 16_384 }) }), { min: 1, max: TURNS_MAX })),
  maxTokens: integer({ min: 1, max: TOKENS_MAX }),
  sampler,
  /** texts behind which the answer ends; the tokens that complete one are part of it, and paid */
  stop: optional(list(text({ min: 1, max: STOP_LENGTH_MAX }), { min: 1, max: STOPS_MAX })),
  /** what shapes the answer beside them; the receipt has its hash */
  conditions: optional(answerConditionsCodec.schema),
  payer: account,
  channel: hash32,
  sequence: integer({ min: 0 }),
  /** covers the most that this answer can cost */
  voucher: promise
}), { bytesMax: ASK_BYTES_MAX })

export type AskMessage = Infer<typeof askCodec>

const proposed = {
  receipt: receiptCodec.schema,
  gatewaySignature: signature64,
  salt: bytes({ length: 32 }),
  prompt: tokens,
  output: tokens,
  conditions: optional(answerConditionsCodec.schema)
}

export const proposedAnswerCodec = codec('proposed answer', struct({ type: literal('proposed-answer'), ...proposed }), { bytesMax: ANSWER_BYTES_MAX })

/** A piece of an answer while it is made, and at the end the answer with its receipt. */
export const answerPartCodec = codec('answer part', oneOf('type', {
  /** `from`: how many tokens were sent before */
  tokens: { from: integer({ min: 0, max: TOKENS_MAX }), tokens: list(token, { min: 1, max: TOKENS_MAX }) },
  'proposed-answer': proposed
}), { bytesMax: ANSWER_BYTES_MAX })

export type AnswerPart = Infer<typeof answerPartCodec>

export const cosignCodec = codec('cosign', struct({
  type: literal('cosign'),
  channel: hash32,
  sequence: integer({ min: 0 }),
  payerSignature: signature64,
  /** over the exact total */
  voucherSignature: signature64
}), { bytesMax: ASK_BYTES_MAX })

export type CosignMessage = Infer<typeof cosignCodec>

export const acknowledgementCodec = codec('acknowledgement', struct({
  type: literal('acknowledged'),
  sequence: integer({ min: 0 }),
  cumulative: amount
}), { bytesMax: 1_024 })

export const offersRequestCodec = codec('offers request', struct({
  type: literal('offers-request'),
  /** whether this one is served, and at what price; all that is if left out */
  adapter: optional(cid())
}), { bytesMax: 1_024 })

export const offersCodec = codec('offers', struct({
  type: literal('offers'),
  gateway: account,
  offers: list(struct({ adapter: cid(), name: text({ max: 120 }), base: cid(), pricePerThousandTokens: amount, promptPricePerThousandTokens: optional(amount) }), { max: OFFERS_MAX })
}), { bytesMax: 1024 * 1024 })

/** Signed by a committee member, so that only the committee reads prompts. */
export const receiptsRequestCodec = codec('receipts request', struct({
  type: literal('receipts-request'),
  chain: text({ max: 64 }),
  task: hash32,
  receiptsRoot: hash32,
  assessor: account,
  /** the peer that sends the request: nobody else can use it */
  peer: text({ max: 128 })
}), { bytesMax: 1_024 })

export type ReceiptsRequest = Infer<typeof receiptsRequestCodec>

export const openingsCodec = codec('openings', struct({
  type: literal('openings'),
  openings: list(receiptOpeningCodec.schema, { max: RECEIPTS_PER_REDEMPTION_MAX })
}), { bytesMax: OPENINGS_BYTES_MAX })
