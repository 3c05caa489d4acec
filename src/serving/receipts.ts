import { signPayload, verifySignature } from '../identity/index.ts'
import { answerConditionsCodec, cidOf, compareBytes, cosignedReceiptCodec, domains, equalBytes, hash, merkleRoot, receiptCodec, signingBytes, voucherCodec } from '../wire/index.ts'
import { BadReceiptError } from './errors.ts'
import type { Signer } from '../identity/index.ts'
import type { Amount, AnswerConditions, CosignedReceipt, Hash, Price, Receipt, ReceiptOpening, Voucher } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** Price of an answer: tokens of prompt and output at the adapter's prices for them, rounded up to a base unit. */
export function feeOf ({ pricePerThousandTokens, promptPricePerThousandTokens = pricePerThousandTokens }: Price, promptTokens: number, outputTokens: number): Amount {
  return (promptPricePerThousandTokens * BigInt(promptTokens) + pricePerThousandTokens * BigInt(outputTokens) + 999n) / 1_000n
}

/**
 * What a voucher adds for an answer of this price, at least. One base unit where the answer is free,
 * which is never redeemed: vouchers that the ledger shows add nothing, so that whoever copied one from
 * there can neither ask in the payer's name nor read its last answer.
 */
export function promisedFor (quote: Amount): Amount {
  return quote > 0n ? quote : 1n
}

/** Salted hash of tokens: 4 bytes each, big-endian. */
export function tokensHash (domain: 'prompt' | 'output', salt: Uint8Array, tokens: ArrayLike<number>): Hash {
  const bytes = new Uint8Array(tokens.length * 4)
  const view = new DataView(bytes.buffer)

  for (let i = 0; i < tokens.length; i++) {
    view.setUint32(i * 4, tokens[i])
  }

  return hash(domains[domain], salt, bytes)
}

/** Salted hash of what shaped an answer beside adapter, prompt and sampler; undefined if nothing did. */
export function conditionsHash (salt: Uint8Array, conditions: AnswerConditions | undefined): Hash | undefined {
  return conditions == null ? undefined : hash(domains.conditions, salt, answerConditionsCodec.encode(conditions))
}

/**
 * The salt of one receipt. Made of the gateway's secret, so that nobody else can guess it and the
 * gateway need not remember it.
 */
export function receiptSalt (secret: Uint8Array, channel: Hash, sequence: number): Uint8Array {
  const position = new Uint8Array(8)

  new DataView(position.buffer).setBigUint64(0, BigInt(sequence))

  return hash(domains.salt, secret, channel, position)
}

export function signReceipt (receipt: Receipt, signer: Signer): Uint8Array {
  return signPayload(domains.receipt, receiptCodec, receipt, signer)
}

export function signVoucher (voucher: Voucher, signer: Signer): Uint8Array {
  return signPayload(domains.voucher, voucherCodec, voucher, signer)
}

export function voucherVerifies (voucher: Voucher, payer: Uint8Array, signature: Uint8Array): boolean {
  return verifySignature(payer, signingBytes(domains.voucher, voucherCodec.encode(voucher)), signature)
}

export function receiptCid (receipt: CosignedReceipt): CID {
  return cidOf(cosignedReceiptCodec.encode(receipt))
}

/**
 * What anybody can check of an opening without the model: both signatures, the salted hashes and
 * the counts.
 *
 * @throws {BadReceiptError} naming what does not fit
 */
export function checkOpening ({ receipt, salt, prompt, output, conditions }: ReceiptOpening): void {
  const { payload, gatewaySignature, payerSignature } = receipt
  const signed = signingBytes(domains.receipt, receiptCodec.encode(payload))
  const expectations: Array<[boolean, string]> = [
    [payload.promptTokens === prompt.length, `the receipt counts ${payload.promptTokens} prompt tokens, the opening has ${prompt.length}`],
    [payload.outputTokens === output.length, `the receipt counts ${payload.outputTokens} output tokens, the opening has ${output.length}`],
    [equalBytes(payload.promptHash, tokensHash('prompt', salt, prompt)), 'the prompt does not hash to what the receipt says'],
    [equalBytes(payload.outputHash, tokensHash('output', salt, output)), 'the output does not hash to what the receipt says'],
    [conditionsFit(payload, salt, conditions), 'the conditions do not hash to what the receipt says'],
    [verifySignature(payload.gateway, signed, gatewaySignature), 'the gateway\'s signature over the receipt does not verify'],
    [verifySignature(payload.payer, signed, payerSignature), 'the payer\'s signature over the receipt does not verify']
  ]

  for (const [holds, message] of expectations) {
    if (!holds) {
      throw new BadReceiptError(message)
    }
  }
}

/** Whether salt, tokens and conditions are those that a receipt was made of: nobody finds others that hash to the same. */
export function isOpened ({ receipt: { payload }, salt, prompt, output, conditions }: ReceiptOpening): boolean {
  return equalBytes(payload.promptHash, tokensHash('prompt', salt, prompt)) && equalBytes(payload.outputHash, tokensHash('output', salt, output)) && conditionsFit(payload, salt, conditions)
}

/** Whether a receipt has the hash of these conditions, or none where there are none. */
export function conditionsFit ({ conditionsHash: said }: Receipt, salt: Uint8Array, conditions: AnswerConditions | undefined): boolean {
  const expected = conditionsHash(salt, conditions)

  return said == null || expected == null ? said === expected : equalBytes(said, expected)
}

/** What an opening says beside the receipt. */
export function openingOf ({ salt, prompt, output, conditions }: Omit<ReceiptOpening, 'receipt'>): Omit<ReceiptOpening, 'receipt'> {
  return { salt, prompt, output, ...(conditions == null ? {} : { conditions }) }
}

/** The order in which a committee adds receipts up: by channel, then by position in it. */
export function compareReceipts (a: CosignedReceipt, b: CosignedReceipt): number {
  return compareBytes(a.payload.channel, b.payload.channel) || a.payload.sequence - b.payload.sequence
}

/** Root over the CIDs of receipts in `compareReceipts` order. */
export function receiptsRoot (receipts: CosignedReceipt[]): Hash {
  return merkleRoot(receipts.toSorted(compareReceipts).map(receipt => receiptCid(receipt).bytes))
}
