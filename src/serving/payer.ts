import { schemaConstraint } from '../grammar/index.ts'
import { readChannel } from '../ledger/index.ts'
import { DatanetError } from '../utils/index.ts'
import { equalBytes, fromHex, toHex } from '../wire/index.ts'
import { checkAnswer, questionHash } from './check-answer.ts'
import { LANES_MAX, NEW_CHANNEL_ATTEMPTS_MAX, UNANSWERED_MAX } from './constants.ts'
import { reachableCounters } from './counters.ts'
import { BadReceiptError, ChannelBrokenError } from './errors.ts'
import { gatewayChoice } from './gateway-choice.ts'
import { promptTokens } from './generate.ts'
import { lanes } from './lanes.ts'
import { emptyPayerPage, payerBook } from './payer-book.ts'
import { payerChannels } from './payer-channels.ts'
import { feeOf, openingOf, promisedFor, receiptCid, signReceipt, signVoucher } from './receipts.ts'
import { readAnswer } from './text-stream.ts'
import { tokenListener } from './token-listener.ts'
import type { Counter } from './counters.ts'
import type { GatewayChoice } from './gateway-choice.ts'
import type { Gateway } from './gateway.ts'
import type { AskOptions, LoadedAdapter, ModelLibrary, Offers, PaidAnswer, ProposedAnswer, Quote, StreamOptions } from './interface.ts'
import type { AskMessage } from './messages.ts'
import type { PayerBook, PayerPage } from './payer-book.ts'
import type { PayerChannels } from './payer-channels.ts'
import type { TokenListener } from './token-listener.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Amount, Hash, ReceiptOpening, Voucher } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { Level } from 'level'

export interface PayerComponents {
  network: Network
  chain: SettlementBackend
  library: ModelLibrary
  db: Level
  /** a gateway on this node, asked without a stream */
  gateway?: Gateway
}

/** Buys answers: channels, vouchers and co-signatures for the accounts of one node. */
export interface Payer {
  /** gateways that are connected, with what they serve */
  offers (options?: AbortOptions): Promise<Offers[]>
  /**
   * What an answer costs at most, in base units; nothing is sent.
   *
   * @throws {PromptTooLongError | UnsupportedSchemaError}
   */
  quote (question: AskOptions, options?: AbortOptions): Promise<Quote>
  /**
   * Asks, checks and pays. The first question to a gateway opens a channel. If `signal` fires while
   * the answer is made, the gateway stops there, and what it had made is paid with the next question.
   *
   * @throws {NoGatewayError | PromptTooLongError | PaymentRequiredError | RefusedByGatewayError | ChannelBrokenError}
   * @throws {BadReceiptError} if the answer is not what was asked for at its price
   */
  ask (question: AskOptions, signer: Signer, options?: StreamOptions): Promise<PaidAnswer>
  /**
   * Closes channels of these accounts that have expired, and forgets those that are closed.
   *
   * @returns the channels whose rest came back
   */
  reclaim (signers: Signer[], options?: AbortOptions): Promise<Hash[]>
}

export function payer (components: PayerComponents): Payer {
  return new PayerService(components)
}

/** One question in one channel. */
interface Purchase {
  counter: Counter
  adapter: LoadedAdapter
  channel: Hash
  question: AskOptions
  prompt: number[]
  /** what a voucher for it adds: the most that it can cost, more than 0 */
  quote: Amount
  signer: Signer
}

type Bought = Omit<PaidAnswer, 'text' | 'finish'>

class PayerService implements Payer {
  private readonly components: PayerComponents
  private readonly book: PayerBook
  private readonly channels: PayerChannels
  private readonly choice: GatewayChoice
  /** a channel is used by one question at a time; who asks more at once opens more of them */
  private readonly lanes = lanes(LANES_MAX)

  constructor (components: PayerComponents) {
    this.components = components
    this.book = payerBook(components.db)
    this.channels = payerChannels({ chain: components.chain, book: this.book })
    this.choice = gatewayChoice({ ...components, channels: this.channels })
  }

  async offers (options?: AbortOptions): Promise<Offers[]> {
    return (await reachableCounters(this.components.network, this.components.gateway, options)).map(counter => counter.offers)
  }

  async quote (question: AskOptions, options?: AbortOptions): Promise<Quote> {
    const { adapter, prompt, quote } = await this.prepare(question, options)

    const { pricePerThousandTokens, promptPricePerThousandTokens } = adapter.record

    return { promptTokens: prompt.length, pricePerThousandTokens, ...(promptPricePerThousandTokens == null ? {} : { promptPricePerThousandTokens }), feeMax: quote }
  }

  async ask (question: AskOptions, signer: Signer, options?: StreamOptions): Promise<PaidAnswer> {
    const { adapter, prompt, quote: price } = await this.prepare(question, options)
    const quote = promisedFor(price)
    const counter = await this.choice.counterFor(question.adapter, signer.account, quote, options)

    return this.lanes.run(`${toHex(signer.account)}/${toHex(counter.offers.gateway)}`, async lane => {
      options?.signal?.throwIfAborted()

      const channel = await this.channels.get(counter.offers.gateway, signer, quote, lane, options)

      return this.told(counter, this.buy({ counter, adapter, channel, question, prompt, quote, signer }, options), options)
    }, async lane => this.channels.affords(counter.offers.gateway, signer.account, quote, lane))
  }

  async reclaim (signers: Signer[], options?: AbortOptions): Promise<Hash[]> {
    const { chain } = this.components
    const reclaimed: Hash[] = []

    for (const hex of await this.book.all()) {
      options?.signal?.throwIfAborted()

      const channel = fromHex(hex)
      const state = readChannel(chain.state(), channel)
      const signer = signers.find(({ account }) => state != null && equalBytes(account, state.payer))

      if (state?.closed === true) {
        await this.book.forget(channel)
      } else if (state != null && signer != null && chain.height >= state.expiresAtHeight) {
        const { ok } = await chain.send({ kind: 'close-channel', channel }, signer, options)

        if (ok) {
          await this.book.forget(channel)
          reclaimed.push(channel)
        }
      }
    }

    return reclaimed
  }

  private async prepare (question: AskOptions, options?: AbortOptions): Promise<Pick<Purchase, 'adapter' | 'prompt' | 'quote'>> {
    const adapter = await this.components.library.adapter(question.adapter, options)
    const prompt = promptTokens(adapter, question)
    const schema = question.conditions?.schema

    if (schema != null) {
      // throws for one that cannot be kept to, before anything is sent
      schemaConstraint(schema, adapter.base.tokenizer)
    }

    return { adapter, prompt, quote: feeOf(adapter.record, prompt.length, question.maxTokens) }
  }

  /** Who gave no answer that could be paid is asked last from now on. */
  private async told (counter: Counter, buying: Promise<PaidAnswer>, options?: AbortOptions): Promise<PaidAnswer> {
    try {
      const answer = await buying

      this.choice.ended(counter, 'answered')

      return answer
    } catch (err) {
      if (options?.signal?.aborted !== true) {
        this.choice.ended(counter, 'failed')
      }

      throw err
    }
  }

  private async buy (purchase: Purchase, options?: StreamOptions): Promise<PaidAnswer> {
    const { question, adapter } = purchase
    const wanted = questionHash(question.adapter, purchase.prompt, question.sampler, question.conditions)
    const told = tokenListener(options)

    await this.repeatCosignature(purchase, options)

    // an answer that was lost or left on its way earlier comes, and is paid, first; there is at most one
    for (let attempt = 0; attempt < 2; attempt++) {
      const bought = await this.buyNext(purchase, wanted, told, options)
      const { receipt: { payload }, prompt, output, conditions } = bought.opening
      const { text, finish } = readAnswer(adapter.base.tokenizer, output, question)

      if (equalBytes(questionHash(payload.adapter, prompt, payload.sampler, conditions), wanted) && output.length <= question.maxTokens && finish !== undefined) {
        // an answer that was ready came in one piece
        told.rest(output)

        return { ...bought, text, finish }
      }

      if (told.count > 0) {
        break
      }
    }

    throw new BadReceiptError('the gateway answered another question than the one that was put, or not to its end')
  }

  private async buyNext (purchase: Purchase, question: Hash, told: TokenListener, options?: StreamOptions): Promise<Bought> {
    const { channel, quote, signer } = purchase
    const page = await this.pageOf(channel)
    const before = page.asked.filter(one => !equalBytes(one.question, question) || one.maxTokens !== purchase.question.maxTokens)
    // enough for whichever of them the gateway has answered
    const promised = before.reduce((most, one) => one.promised > most ? one.promised : most, page.cumulative + quote)
    const asked = [...before, { question, maxTokens: purchase.question.maxTokens, promised: page.cumulative + quote }].slice(-UNANSWERED_MAX)

    await this.book.write(channel, { ...page, asked })

    const voucher = this.voucher(channel, promised)
    const answer = await this.put(purchase, {
      type: 'ask',
      ...purchase.question,
      payer: signer.account,
      channel,
      sequence: page.sequence,
      voucher: { cumulative: voucher.cumulative, signature: signVoucher(voucher, signer) }
    }, told.options)

    told.checkBegins(answer.output)

    return this.cosign(purchase, { ...page, asked }, answer, options)
  }

  /** Puts a question; while the gateway has not seen the channel yet, once a block. */
  private async put ({ counter, channel }: Purchase, message: AskMessage, options?: StreamOptions): Promise<ProposedAnswer> {
    const { chain } = this.components

    for (let attempt = 1; ; attempt++) {
      try {
        return await counter.ask(message, options)
      } catch (err) {
        if (codeOf(err) === 'ERR_SEQUENCE') {
          await this.breakOff(channel, err)
        }

        const isNew = message.sequence === 0 && readChannel(chain.state(), channel)?.redeemed === 0n

        if (codeOf(err) !== 'ERR_PAYMENT_REQUIRED' || !isNew || attempt === NEW_CHANNEL_ATTEMPTS_MAX) {
          throw err
        }

        const { height } = chain

        await chain.waitFor((_, newest) => newest > height, options)
      }
    }
  }

  private async cosign (purchase: Purchase, page: PayerPage, answer: ProposedAnswer, options?: AbortOptions): Promise<Bought> {
    const { channel, counter, signer } = purchase
    const { receipt, gatewaySignature } = answer
    const adapter = receipt.adapter.equals(purchase.question.adapter) ? purchase.adapter : await this.components.library.adapter(receipt.adapter, options)

    checkAnswer(answer, adapter, { chain: this.components.chain.id, gateway: counter.offers.gateway, payer: signer.account, channel, page })

    const payerSignature = signReceipt(receipt, signer)
    const opening: ReceiptOpening = { receipt: { payload: receipt, gatewaySignature, payerSignature }, ...openingOf(answer) }
    const voucherSignature = signVoucher(this.voucher(channel, receipt.cumulative), signer)

    await this.book.write(channel, {
      ...page, sequence: receipt.sequence + 1, cumulative: receipt.cumulative, asked: [], unacknowledged: { sequence: receipt.sequence, payerSignature, voucherSignature }
    })
    await this.repeatCosignature(purchase, options)

    return { receipt: receiptCid(opening.receipt), cosigned: opening.receipt, opening }
  }

  private async repeatCosignature ({ counter, channel }: Purchase, options?: AbortOptions): Promise<void> {
    const page = await this.pageOf(channel)

    if (page.unacknowledged == null) {
      return
    }

    try {
      await counter.cosign({ type: 'cosign', channel, ...page.unacknowledged }, options)
    } catch (err) {
      if (['ERR_SEQUENCE', 'ERR_BAD_RECEIPT', 'ERR_PAYMENT_REQUIRED'].includes(codeOf(err))) {
        await this.breakOff(channel, err)
      }

      throw err
    }

    await this.book.write(channel, { ...page, unacknowledged: null })
  }

  /** @throws {ChannelBrokenError} always */
  private async breakOff (channel: Hash, cause: unknown): Promise<never> {
    await this.book.write(channel, { ...await this.pageOf(channel), broken: true })

    throw new ChannelBrokenError(toHex(channel), cause)
  }

  private async pageOf (channel: Hash): Promise<PayerPage> {
    return await this.book.page(channel) ?? emptyPayerPage
  }

  private voucher (channel: Hash, cumulative: Amount): Voucher {
    return { type: 'voucher', version: 1, chain: this.components.chain.id, channel, cumulative }
  }
}

function codeOf (err: unknown): string {
  return err instanceof DatanetError ? err.code : ''
}
