import { codec } from './codec.ts'
import { list, refine, struct } from './composites.ts'
import { CONTRIBUTIONS_MAX, QUERY_LENGTH_MAX, RECEIPT_OPENING_BYTES_MAX, SCHEMA_LENGTH_MAX, SCORE_TABLE_BYTES_MAX, SOURCES_MAX, TOKENS_MAX } from './constants.ts'
import { account, counter, hash32, name, recordCid, samplerSettings, scoreMethod, signature64, uint32 } from './fields.ts'
import { amount, int64, integer, literal, optional, text } from './primitives.ts'
import type { Codec } from './interface.ts'
import type { AnswerConditions, CosignedReceipt, Receipt, ReceiptOpening, ScoreTable, Voucher } from '../interface/index.ts'

/** See protocols/receipt. What both parties sign. */
export const receiptCodec: Codec<Receipt> = codec('receipt', struct({
  type: literal('receipt'),
  version: literal(1),
  chain: name,
  adapter: recordCid,
  gateway: account,
  payer: account,
  channel: hash32,
  sequence: counter,
  promptHash: hash32,
  outputHash: hash32,
  promptTokens: integer({ min: 0, max: TOKENS_MAX }),
  outputTokens: integer({ min: 0, max: TOKENS_MAX }),
  sampler: samplerSettings,
  conditionsHash: optional(hash32),
  fee: amount,
  cumulative: amount
}))

const cosignedReceipt = struct({
  payload: receiptCodec.schema,
  gatewaySignature: signature64,
  payerSignature: signature64
})

/** See protocols/receipt. Its CID names the receipt. */
export const cosignedReceiptCodec: Codec<CosignedReceipt> = codec('cosigned receipt', cosignedReceipt)

const anyConditions = struct({
  schema: optional(text({ min: 1, max: SCHEMA_LENGTH_MAX })),
  sources: optional(struct({
    datanet: recordCid,
    query: text({ min: 1, max: QUERY_LENGTH_MAX }),
    rows: list(struct({ contribution: recordCid, row: integer({ min: 0, max: 0xffff_ffff }) }), { min: 1, max: SOURCES_MAX })
  }))
})

/** See protocols/receipt. Its salted hash is in the receipt. */
export const answerConditionsCodec: Codec<AnswerConditions> = codec('answer conditions', refine<AnswerConditions>(
  anyConditions, 'a schema or sources', ({ schema, sources }) => schema != null || sources != null
))

/** See protocols/receipt. Goes to a task's committee alone, never to gossip. */
export const receiptOpeningCodec: Codec<ReceiptOpening> = codec('receipt opening', struct({
  receipt: cosignedReceipt,
  salt: hash32,
  prompt: list(uint32, { max: TOKENS_MAX }),
  output: list(uint32, { max: TOKENS_MAX }),
  conditions: optional(answerConditionsCodec.schema)
}), { bytesMax: RECEIPT_OPENING_BYTES_MAX })

/** See protocols/voucher. */
export const voucherCodec: Codec<Voucher> = codec('voucher', struct({
  type: literal('voucher'),
  version: literal(1),
  chain: name,
  channel: hash32,
  cumulative: amount
}))

/** See protocols/score-table. */
export const scoreTableCodec: Codec<ScoreTable> = codec('scores', struct({
  type: literal('scores'),
  version: literal(1),
  adapter: recordCid,
  method: scoreMethod,
  engine: name,
  entries: list(struct({ contribution: recordCid, score: int64 }), { max: CONTRIBUTIONS_MAX, ascending: entry => entry.contribution.bytes })
}), { bytesMax: SCORE_TABLE_BYTES_MAX })
