import PQueue from 'p-queue'
import { verifySignature } from '../identity/index.ts'
import { readAdapter, readBase, readChain, readChannel } from '../ledger/index.ts'
import { domains, equalBytes, receiptCodec, signingBytes, toHex } from '../wire/index.ts'
import { computeAnswer } from './computing.ts'
import { ANSWERS_AT_ONCE, EXPIRY_MARGIN_EPOCHS, LOOKUP_TIMEOUT_MS, QUEUE_MAX } from './constants.ts'
import { engineDrivers } from './engine.ts'
import { BadReceiptError, BusyError, GatewayStoppedError, PaymentRequiredError, SequenceError, UnknownAdapterError } from './errors.ts'
import { FreeTurns } from './free-turns.ts'
import { promptTokens } from './generate.ts'
import { queues } from './queues.ts'
import { conditionsHash, feeOf, openingOf, promisedFor, receiptSalt, signReceipt, tokensHash, voucherVerifies } from './receipts.ts'
import type { Book, ChannelPage } from './book.ts'
import type { ComputingOptions } from './computing.ts'
import type { LoadedAdapter, ModelLibrary, ProposedAnswer, StreamOptions } from './interface.ts'
import type { AskMessage, CosignMessage } from './messages.ts'
import type { Signer } from '../identity/index.ts'
import type { Amount, ChannelState, Hash, Receipt } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { CID } from 'multiformats/cid'

export interface AnsweringInit {
  signer: Signer
  /** 32 bytes; salts of receipts are made of it */
  secret: Uint8Array
  chain: SettlementBackend
  library: ModelLibrary
  book: Book
}

export interface Acknowledgement {
  sequence: number
  cumulative: Amount
}

/**
 * First and last height at which a channel takes questions: behind it there may be no time to
 * redeem before the payer can take its deposit back.
 */
export function channelServedUntil (state: LedgerState, channel: ChannelState): number {
  return channel.expiresAtHeight - EXPIRY_MARGIN_EPOCHS * readChain(state).params.epochBlocks
}

/** Answers and co-signatures of all channels: of each channel one at a time, of all together as many as the engine's passes take. */
export class Answering {
  readonly #init: AnsweringInit
  readonly #engine = new PQueue({ concurrency: ANSWERS_AT_ONCE })
  /** those that nobody pays for, on their way to the engine */
  readonly #free = new FreeTurns()
  readonly #drivers = engineDrivers()
  readonly #channels = queues()
  #stopped = new AbortController()

  constructor (init: AnsweringInit) {
    this.#init = init
    this.#stopped.abort(new GatewayStoppedError())
  }

  start (): void {
    if (this.#stopped.signal.aborted) {
      this.#stopped = new AbortController()
    }
  }

  /** What waits is refused; what is being computed ends at its next token. */
  async stop (): Promise<void> {
    this.#stopped.abort(new GatewayStoppedError())
    await this.#channels.onIdle()
  }

  /**
   * Answers a question, or hands out again the answer that is not paid yet.
   *
   * @param message - what a payer sent
   * @param options - `onTokens` is told the tokens of a new answer; if `signal` fires meanwhile, the answer ends there and is paid next time
   */
  async ask (message: AskMessage, options: StreamOptions = {}): Promise<ProposedAnswer> {
    const stopped = this.#stopped.signal
    const signal = options.signal == null ? stopped : AbortSignal.any([stopped, options.signal])

    signal.throwIfAborted()

    if (this.#engine.size >= QUEUE_MAX) {
      throw new BusyError(this.#engine.size)
    }

    // strangers take no place in a payer's line
    this.#channelOf(message)
    this.#checkSigned(message)

    return this.#channels.run(toHex(message.channel), async () => {
      // who went away while it waited is not answered
      signal.throwIfAborted()

      return this.#answer(message, stopped, options)
    })
  }

  async cosign (message: CosignMessage): Promise<Acknowledgement> {
    this.#stopped.signal.throwIfAborted()

    return this.#channels.run(toHex(message.channel), async () => this.#settle(message))
  }

  /** Work for which a channel stands still. */
  async exclusive<T> (channel: Hash, work: () => Promise<T>): Promise<T> {
    return this.#channels.run(toHex(channel), work)
  }

  async #answer (message: AskMessage, stopped: AbortSignal, options: StreamOptions): Promise<ProposedAnswer> {
    const { book } = this.#init
    const channel = this.#channelOf(message)
    const page = await book.page(message.channel)

    if (message.sequence !== page.sequence) {
      throw new SequenceError(page.sequence, message.sequence)
    }

    // the payer did not get or did not sign its last answer: it gets that one, and pays for it, first;
    // its voucher shows that it is the payer
    if (page.proposed != null) {
      this.#checkVoucher(message, channel, page, page.proposed.receipt.fee)

      return page.proposed
    }

    this.#checkServed(message.adapter)
    // before anything is fetched for it; whether it pays the answer too is known with the adapter
    this.#checkVoucher(message, channel, page, 0n)

    const adapter = await this.#init.library.adapter(message.adapter, { signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS) })
    const prompt = promptTokens(adapter, message)

    const quote = feeOf(adapter.record, prompt.length, message.maxTokens)

    this.#checkVoucher(message, channel, page, quote)

    const compute = async (): Promise<ProposedAnswer> => this.#engine.add(async () => this.#compute(adapter, message, prompt, page, { ...options, stopped }))
    const answer = await (quote === 0n ? this.#free.run(toHex(message.payer), compute) : compute())

    await book.propose(message.channel, page, answer)

    return answer
  }

  /** What is admitted is served, and the network's bases alone, free of charge: they have no price of their own. */
  #checkServed (adapter: CID): void {
    const ledger = this.#init.chain.state()
    const state = readAdapter(ledger, adapter)

    if (state?.status !== 'admitted' && readBase(ledger, adapter) == null) {
      throw new UnknownAdapterError(adapter.toString(), state == null ? 'is not on the ledger' : `is ${state.status}`)
    }
  }

  async #compute (adapter: LoadedAdapter, message: AskMessage, prompt: number[], page: ChannelPage, options: ComputingOptions): Promise<ProposedAnswer> {
    options.stopped.throwIfAborted()
    options.signal?.throwIfAborted()

    const { signer, secret, chain } = this.#init
    const { conditions } = message
    const output = await computeAnswer(this.#drivers(adapter.base.model), {
      adapter, prompt, maxTokens: message.maxTokens, sampler: message.sampler, stop: message.stop, schema: message.conditions?.schema, tenant: toHex(message.payer)
    }, options)
    const salt = receiptSalt(secret, message.channel, page.sequence)
    const fee = feeOf(adapter.record, prompt.length, output.length)
    const receipt: Receipt = {
      type: 'receipt',
      version: 1,
      chain: chain.id,
      adapter: message.adapter,
      gateway: signer.account,
      payer: message.payer,
      channel: message.channel,
      sequence: page.sequence,
      promptHash: tokensHash('prompt', salt, prompt),
      outputHash: tokensHash('output', salt, output),
      promptTokens: prompt.length,
      outputTokens: output.length,
      sampler: message.sampler,
      ...(conditions == null ? {} : { conditionsHash: conditionsHash(salt, conditions) }),
      fee,
      cumulative: page.cumulative + fee
    }

    return { receipt, gatewaySignature: signReceipt(receipt, signer), salt, prompt, output, ...(conditions == null ? {} : { conditions }) }
  }

  async #settle ({ channel, sequence, payerSignature, voucherSignature }: CosignMessage): Promise<Acknowledgement> {
    const page = await this.#init.book.page(channel)

    // said again because our acknowledgement was lost
    if (sequence === page.sequence - 1 && page.payerSignature != null && equalBytes(page.payerSignature, payerSignature)) {
      return { sequence: page.sequence, cumulative: page.cumulative }
    }

    const { proposed } = page

    if (proposed == null || sequence !== page.sequence) {
      throw new SequenceError(page.sequence, sequence)
    }

    const { receipt, gatewaySignature, ...shown } = proposed
    const voucher = { type: 'voucher' as const, version: 1 as const, chain: receipt.chain, channel, cumulative: receipt.cumulative }

    if (!verifySignature(receipt.payer, signingBytes(domains.receipt, receiptCodec.encode(receipt)), payerSignature)) {
      throw new BadReceiptError('the payer\'s signature over the receipt does not verify: sign the receipt as it was sent')
    }

    if (!voucherVerifies(voucher, receipt.payer, voucherSignature)) {
      throw new PaymentRequiredError(`expected a voucher over ${receipt.cumulative} base units in all, its signature does not verify`)
    }

    const next: ChannelPage = { type: 'channel-page', sequence: sequence + 1, cumulative: receipt.cumulative, payerSignature, proposed: null }
    const opening = { receipt: { payload: receipt, gatewaySignature, payerSignature }, ...openingOf(shown) }

    await this.#init.book.settle(channel, next, { opening, voucherSignature })

    return { sequence: next.sequence, cumulative: next.cumulative }
  }

  #channelOf (message: AskMessage): ChannelState {
    const state = this.#init.chain.state()
    const channel = readChannel(state, message.channel)

    if (channel == null || channel.closed || !equalBytes(channel.gateway, this.#init.signer.account) || !equalBytes(channel.payer, message.payer)) {
      throw new PaymentRequiredError(`expected an open channel from this payer to this gateway, but ${toHex(message.channel)} is none`, 'open one with an open-channel transaction and wait until it is final')
    }

    if (state.height > channelServedUntil(state, channel)) {
      throw new PaymentRequiredError(`the channel expires at height ${channel.expiresAtHeight}, too soon to redeem an answer of height ${state.height} before it`, 'open a channel that lasts longer')
    }

    return channel
  }

  /** @throws {PaymentRequiredError} */
  #checkSigned ({ channel, payer, voucher: { cumulative, signature } }: AskMessage): void {
    if (!voucherVerifies({ type: 'voucher', version: 1, chain: this.#init.chain.id, channel, cumulative }, payer, signature)) {
      throw new PaymentRequiredError('the payer\'s signature over the voucher does not verify')
    }
  }

  /** Whether a voucher, which is signed, pays this much beside all before. */
  #checkVoucher ({ voucher: { cumulative } }: AskMessage, { deposit }: ChannelState, page: ChannelPage, quote: Amount): void {
    const needed = page.cumulative + promisedFor(quote)

    if (cumulative < needed) {
      throw new PaymentRequiredError(`this answer may cost ${quote} base units, so the voucher should say at least ${needed} in all, but says ${cumulative}`)
    }

    if (cumulative > deposit) {
      throw new PaymentRequiredError(`the voucher says ${cumulative} base units, the channel holds ${deposit}`, 'open a channel with a larger deposit')
    }
  }
}
