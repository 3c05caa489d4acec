import { schemaConstraint } from '../grammar/index.ts'
import { verifyPayload } from '../identity/index.ts'
import { samplerText, verifiedGradient, verifyGeneration } from '../models/index.ts'
import { domains, equalBytes, hash, receiptCodec, utf8 } from '../wire/index.ts'
import { isTraced, keepGradient } from './attribution.ts'
import { BadReceiptError } from './errors.ts'
import { lorasOf } from './loras.ts'
import { conditionsFit, conditionsHash, feeOf, tokensHash } from './receipts.ts'
import type { LoadedAdapter, ProposedAnswer } from './interface.ts'
import type { PayerPage } from './payer-book.ts'
import type { Account, AnswerConditions, Hash, SamplerSettings } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** What makes two questions one: the same adapter, prompt, sampler and conditions. */
export function questionHash (adapter: CID, prompt: number[], sampler: SamplerSettings, conditions?: AnswerConditions): Hash {
  const none = new Uint8Array(32)

  // only ever compared with what this payer itself wrote: the prompt's domain serves
  return hash(domains.prompt, adapter.bytes, tokensHash('prompt', none, prompt), utf8(samplerText(sampler)), conditionsHash(none, conditions) ?? none)
}

export interface Expected {
  chain: string
  gateway: Account
  payer: Account
  channel: Hash
  page: PayerPage
}

/**
 * Whether an answer is to a question that this payer put, charges the price of its tokens and no
 * more, and is what adapter, prompt and seed give. Only then the payer signs.
 *
 * @throws {BadReceiptError | SignatureError}
 */
export function checkAnswer (answer: ProposedAnswer, adapter: LoadedAdapter, expected: Expected): void {
  const { receipt, prompt, output, salt, gatewaySignature, conditions } = answer
  const { page } = expected
  const question = questionHash(receipt.adapter, prompt, receipt.sampler, conditions)
  const asked = page.asked.find(one => equalBytes(one.question, question) && output.length <= one.maxTokens)
  const fee = feeOf(adapter.record, prompt.length, output.length)

  const expectations: Array<[boolean, string]> = [
    [asked != null, 'the gateway answered a question that was not put'],
    [receipt.chain === expected.chain && equalBytes(receipt.gateway, expected.gateway), 'the receipt names another chain or another gateway'],
    [equalBytes(receipt.payer, expected.payer) && equalBytes(receipt.channel, expected.channel), 'the receipt names another payer or another channel'],
    [receipt.sequence === page.sequence, `expected receipt ${page.sequence} of the channel but got ${receipt.sequence}`],
    [receipt.fee === fee && receipt.cumulative === page.cumulative + fee, `expected a fee of ${fee} and ${page.cumulative + fee} base units in all but the receipt says ${receipt.fee} and ${receipt.cumulative}`],
    [receipt.cumulative <= (asked?.promised ?? 0n), 'the receipt charges more than was promised'],
    [receipt.promptTokens === prompt.length && receipt.outputTokens === output.length, 'the receipt counts other tokens than were sent'],
    [equalBytes(receipt.promptHash, tokensHash('prompt', salt, prompt)), 'the prompt does not hash to what the receipt says'],
    [equalBytes(receipt.outputHash, tokensHash('output', salt, output)), 'the output does not hash to what the receipt says'],
    [conditionsFit(receipt, salt, conditions), 'the conditions do not hash to what the receipt says']
  ]

  for (const [holds, message] of expectations) {
    if (!holds) {
      throw new BadReceiptError(message)
    }
  }

  verifyPayload(domains.receipt, receiptCodec, receipt, expected.gateway, gatewaySignature)
  checkOutput(answer, adapter)
}

/** One pass over prompt and output: the committee does the same, and would leave the receipt out. */
function checkOutput ({ receipt, prompt, output, conditions }: ProposedAnswer, adapter: LoadedAdapter): void {
  const { base } = adapter
  const end = output.indexOf(base.tokenizer.eos)

  if (output.length === 0 || (end >= 0 && end < output.length - 1)) {
    throw new BadReceiptError('expected an answer that ends where the model ends it')
  }

  const constraint = conditions?.schema == null ? undefined : schemaConstraint(conditions.schema, base.tokenizer)
  const options = { prompt, output, sampler: receipt.sampler, lora: lorasOf(adapter), stop: [base.tokenizer.eos], constraint }
  const { verification, gradient } = isTraced(adapter) ? verifiedGradient(base.model, { ...options, lora: adapter.lora }) : { verification: verifyGeneration(base.model, options) }

  if (!verification.ok) {
    throw new BadReceiptError(`the answer does not follow from adapter, prompt and seed: token ${verification.firstMismatch} should be ${verification.expected} but is ${verification.actual}`)
  }

  if (gradient != null) {
    keepGradient(adapter, { prompt, output }, gradient)
  }
}
