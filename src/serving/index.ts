/**
 * Paid answers: a gateway that serves adapters, a payer that buys answers by signed vouchers, and
 * receipts that both sign.
 *
 * @example
 * ```ts
 * const shop = gateway({ signer, secret })({ network, chain, library, db })
 * await shop.start()
 *
 * const { text, receipt } = await payer({ network, chain, library, db }).ask({
 *   adapter, prompt: 'Fellow citizens', maxTokens: 32, sampler: { temperatureMilli: 0, topK: 0, seed: 0 }
 * }, signer)
 * ```
 */
export { attributeAnswer } from './attribution.ts'
export { attributeMerged } from './attribution-merged.ts'
export { ASK_PROTOCOL, ASK_STREAM_PROTOCOL, COSIGN_PROTOCOL, OFFERS_PROTOCOL, RECEIPTS_PROTOCOL, RECEIPTS_PER_REDEMPTION_MAX, OPENINGS_BYTES_MAX, TOKENS_DEFAULT } from './constants.ts'
export { engineDriver, engineDrivers, passRows } from './engine.ts'
export * from './errors.ts'
export { gateway } from './gateway.ts'
export { generateAnswer, promptTokens } from './generate.ts'
export { checkParents, modelLibrary, readAdapterRecord, readColumns } from './library.ts'
export { lorasOf } from './loras.ts'
export {
  acknowledgementCodec, answerPartCodec, askCodec, cosignCodec, offersCodec, offersRequestCodec, openingsCodec, proposedAnswerCodec, receiptsRequestCodec
} from './messages.ts'
export { payer } from './payer.ts'
export { pieces } from './pieces.ts'
export { prefetching, worthFetching } from './prefetching.ts'
export { reclaiming } from './reclaiming.ts'
export { checkOpening, compareReceipts, feeOf, isOpened, receiptCid, receiptsRoot, signReceipt, signVoucher, tokensHash } from './receipts.ts'
export { readAnswer, textStream } from './text-stream.ts'
export type { AnswerAttribution } from './attribution.ts'
export type { ParentAttribution } from './attribution-merged.ts'
export type { Acknowledgement } from './answering.ts'
export type { EngineDriver, StreamRequest, StreamToken } from './engine.ts'
export type { Gateway, GatewayComponents, GatewayInit } from './gateway.ts'
export type { AnswerPart, AskMessage, CosignMessage, ReceiptsRequest } from './messages.ts'
export type { Redemption } from './redeeming.ts'
export type { ReclaimingInit } from './reclaiming.ts'
export type { Tidied } from './tidying.ts'
export type { AskOptions, Finish, GeneratedAnswer, LoadedAdapter, LoadedBase, LoadedParent, ModelLibrary, Offer, Offers, PaidAnswer, Quote, StreamOptions } from './interface.ts'
export type { Payer, PayerComponents } from './payer.ts'
export type { Pieces } from './pieces.ts'
export type { Prefetching, PrefetchingComponents } from './prefetching.ts'
export type { Kept } from './recent.ts'
export type { TextStream } from './text-stream.ts'
