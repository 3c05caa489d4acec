import PQueue from 'p-queue'
import { verifyRecord, verifySignature } from '../identity/index.ts'
import { listAdapters, readAdapter, readChain, readChannel, readTask } from '../ledger/index.ts'
import { compareBytes, domains, equalBytes, fromHex, receiptCodec, signedCodec, signingBytes, toHex } from '../wire/index.ts'
import { book } from './book.ts'
import {
  ANSWER_BYTES_MAX, ASK_BYTES_MAX, ASK_PROTOCOL, ASK_TIMEOUT_MS, COSIGN_PROTOCOL, LOOKUP_TIMEOUT_MS, OFFERS_PROTOCOL, OPENINGS_BYTES_MAX, QUEUE_MAX,
  RECEIPTS_PER_REDEMPTION_MAX, RECEIPTS_PROTOCOL, REDEEM_BLOCKS_BEFORE_CUTOFF
} from './constants.ts'
import { BadReceiptError, BusyError, NotEntitledError, PaymentRequiredError, SequenceError, UnknownAdapterError } from './errors.ts'
import { generateAnswer, promptTokens } from './generate.ts'
import {
  acknowledgementCodec, askCodec, cosignCodec, offersCodec, offersRequestCodec, openingsCodec, proposedAnswerCodec, receiptsRequestCodec
} from './messages.ts'
import { feeOf, receiptSalt, receiptsRoot, signReceipt, tokensHash, voucherVerifies } from './receipts.ts'
import type { Book, ChannelPage } from './book.ts'
import type { LoadedAdapter, ModelLibrary, Offer, ProposedAnswer } from './interface.ts'
import type { AskMessage, CosignMessage } from './messages.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Account, Amount, ChannelState, Hash, RedeemBody, ReceiptOpening, Startable } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { Level } from 'level'
import type { CID } from 'multiformats/cid'

export interface GatewayInit {
  signer: Signer
  /** 32 bytes; salts of receipts are made of it */
  secret: Uint8Array
}

export interface GatewayComponents {
  network: Network
  chain: SettlementBackend
  library: ModelLibrary
  db: Level
}

export interface Redemption {
  channel: Hash
  receipts: number
  fees: Amount
}

/** Serves adapters to payers and their receipts to committees. */
export interface Gateway extends Startable {
  readonly account: Account
  /** what it serves now */
  offers (): Promise<Offer[]>
  /** Puts all co-signed receipts on the ledger, one operation per channel. Runs by itself before each cutoff. */
  redeem (options?: AbortOptions): Promise<Redemption[]>
  /** Answers of a payer on the same node; the same checks as over the network. */
  ask (message: AskMessage): Promise<ProposedAnswer>
  cosign (message: CosignMessage): Promise<{ sequence: number, cumulative: Amount }>
}

export function gateway (init: GatewayInit): (components: GatewayComponents) => Gateway {
  return components => new GatewayService(init, components)
}

class GatewayService implements Gateway {
  private readonly init: GatewayInit
  private readonly components: GatewayComponents
  private readonly book: Book
  /** one answer at a time: the engine has one thread here */
  private readonly engine = new PQueue({ concurrency: 1 })
  /** what touches a channel's page goes in order */
  private readonly pages = new Map<string, PQueue>()
  private started = false
  private redeeming: Promise<Redemption[]> | undefined
  private readonly onBlock = (): void => { this.redeemBeforeCutoff() }

  get account (): Account {
    return this.init.signer.account
  }

  constructor (init: GatewayInit, components: GatewayComponents) {
    this.init = init
    this.components = components
    this.book = book(components.db)
  }

  async start (): Promise<void> {
    if (this.started) {
      return
    }

    this.started = true
    this.serve()
    this.components.chain.addEventListener('block', this.onBlock)
  }

  async stop (): Promise<void> {
    if (!this.started) {
      return
    }

    this.started = false
    this.components.chain.removeEventListener('block', this.onBlock)
    this.engine.clear()
    await this.redeeming?.catch(() => {})
    await this.engine.onIdle()
  }

  async offers (): Promise<Offer[]> {
    const offers: Offer[] = []

    for (const adapter of this.admitted()) {
      const { record } = await this.components.library.adapter(adapter, { signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS) })

      offers.push({ adapter, name: record.name, base: record.base, pricePerThousandTokens: record.pricePerThousandTokens })
    }

    return offers
  }

  async ask (message: AskMessage): Promise<ProposedAnswer> {
    if (this.engine.size >= QUEUE_MAX) {
      throw new BusyError(this.engine.size)
    }

    return this.inOrder(message.channel, async () => this.answer(message))
  }

  async cosign (message: CosignMessage): Promise<{ sequence: number, cumulative: Amount }> {
    return this.inOrder(message.channel, async () => this.settle(message))
  }

  async redeem (options?: AbortOptions): Promise<Redemption[]> {
    this.redeeming ??= this.redeemAll(options).finally(() => { this.redeeming = undefined })

    return this.redeeming
  }

  /** admitted adapters, in key order */
  private admitted (): CID[] {
    return [...listAdapters(this.components.chain.state())].filter(({ state }) => state.status === 'admitted').map(({ adapter }) => adapter)
  }

  private serve (): void {
    const { network } = this.components
    const limits = { requestBytesMax: ASK_BYTES_MAX, responseBytesMax: ANSWER_BYTES_MAX, timeoutMs: ASK_TIMEOUT_MS, concurrency: QUEUE_MAX }

    network.handle(ASK_PROTOCOL, limits, async request =>
      proposedAnswerCodec.encode({ type: 'proposed-answer', ...await this.ask(askCodec.decode(request)) }))
    network.handle(COSIGN_PROTOCOL, limits, async request =>
      acknowledgementCodec.encode({ type: 'acknowledged', ...await this.cosign(cosignCodec.decode(request)) }))
    network.handle(OFFERS_PROTOCOL, { requestBytesMax: ASK_BYTES_MAX, responseBytesMax: offersCodec.bytesMax, timeoutMs: LOOKUP_TIMEOUT_MS }, async request => {
      const { channel } = offersRequestCodec.decode(request)
      const page = channel == null ? null : await this.book.page(channel)

      return offersCodec.encode({
        type: 'offers',
        gateway: this.init.signer.account,
        offers: await this.offers(),
        channel: page == null ? null : { sequence: page.sequence, cumulative: page.cumulative }
      })
    })
    network.handle(RECEIPTS_PROTOCOL, { requestBytesMax: ASK_BYTES_MAX, responseBytesMax: OPENINGS_BYTES_MAX, timeoutMs: LOOKUP_TIMEOUT_MS }, async request =>
      openingsCodec.encode({ type: 'openings', openings: await this.openingsFor(request) }))
  }

  private async answer (message: AskMessage): Promise<ProposedAnswer> {
    const channel = this.channelOf(message)
    const page = await this.book.page(message.channel)

    if (message.sequence !== page.sequence) {
      throw new SequenceError(page.sequence, message.sequence)
    }

    // the payer did not get or did not sign its last answer: it gets that one, and pays for it, first
    if (page.proposed != null) {
      return page.proposed
    }

    const adapter = await this.loadAdmitted(message.adapter)
    const prompt = promptTokens(adapter, message.prompt, message.maxTokens)

    this.checkVoucher(message, channel, page, feeOf(adapter.record.pricePerThousandTokens, prompt.length + message.maxTokens))

    const answer = await this.engine.add(async () => this.compute(adapter, message, prompt, page))
    await this.book.propose(message.channel, page, answer)

    return answer
  }

  private async compute (adapter: LoadedAdapter, message: AskMessage, prompt: number[], page: ChannelPage): Promise<ProposedAnswer> {
    const { output } = generateAnswer(adapter, { prompt, maxTokens: message.maxTokens, sampler: message.sampler })
    const salt = receiptSalt(this.init.secret, message.channel, page.sequence)
    const fee = feeOf(adapter.record.pricePerThousandTokens, prompt.length + output.length)
    const receipt: ProposedAnswer['receipt'] = {
      type: 'receipt',
      version: 1,
      chain: this.components.chain.id,
      adapter: message.adapter,
      gateway: this.init.signer.account,
      payer: message.payer,
      channel: message.channel,
      sequence: page.sequence,
      promptHash: tokensHash('prompt', salt, prompt),
      outputHash: tokensHash('output', salt, output),
      promptTokens: prompt.length,
      outputTokens: output.length,
      sampler: message.sampler,
      fee,
      cumulative: page.cumulative + fee
    }

    return { receipt, gatewaySignature: signReceipt(receipt, this.init.signer), salt, prompt, output }
  }

  private async settle ({ channel, sequence, payerSignature, voucherSignature }: CosignMessage): Promise<{ sequence: number, cumulative: Amount }> {
    const page = await this.book.page(channel)

    // said again because our acknowledgement was lost
    if (sequence < page.sequence) {
      return { sequence: page.sequence, cumulative: page.cumulative }
    }

    const { proposed } = page

    if (proposed == null || sequence !== page.sequence) {
      throw new SequenceError(page.sequence, sequence)
    }

    const { receipt, gatewaySignature, salt, prompt, output } = proposed
    const voucher = { type: 'voucher' as const, version: 1 as const, chain: receipt.chain, channel, cumulative: receipt.cumulative }

    if (!verifySignature(receipt.payer, signingBytes(domains.receipt, receiptCodec.encode(receipt)), payerSignature)) {
      throw new BadReceiptError('the payer\'s signature over the receipt does not verify: sign the receipt as it was sent')
    }

    if (!voucherVerifies(voucher, receipt.payer, voucherSignature)) {
      throw new PaymentRequiredError(`expected a voucher over ${receipt.cumulative} base units in all, its signature does not verify`)
    }

    const next: ChannelPage = { type: 'channel-page', sequence: sequence + 1, cumulative: receipt.cumulative, voucherSignature, proposed: null }
    await this.book.settle(channel, next, { receipt: { payload: receipt, gatewaySignature, payerSignature }, salt, prompt, output })

    return { sequence: next.sequence, cumulative: next.cumulative }
  }

  private channelOf (message: AskMessage): ChannelState {
    const channel = readChannel(this.components.chain.state(), message.channel)

    if (channel == null || channel.closed || !equalBytes(channel.gateway, this.init.signer.account) || !equalBytes(channel.payer, message.payer)) {
      throw new PaymentRequiredError(`expected an open channel from this payer to this gateway, but ${toHex(message.channel)} is none`, 'open one with an open-channel transaction and wait until it is final')
    }

    return channel
  }

  private checkVoucher (message: AskMessage, channel: ChannelState, page: ChannelPage, quote: Amount): void {
    const { cumulative, signature } = message.voucher
    const needed = page.cumulative + quote

    if (cumulative < needed) {
      throw new PaymentRequiredError(`this answer may cost ${quote} base units, so the voucher should say at least ${needed} in all, but says ${cumulative}`)
    }

    if (cumulative > channel.deposit) {
      throw new PaymentRequiredError(`the voucher says ${cumulative} base units, the channel holds ${channel.deposit}`, 'open a channel with a larger deposit')
    }

    if (!voucherVerifies({ type: 'voucher', version: 1, chain: this.components.chain.id, channel: message.channel, cumulative }, message.payer, signature)) {
      throw new PaymentRequiredError('the payer\'s signature over the voucher does not verify')
    }
  }

  private async loadAdmitted (adapter: CID): Promise<LoadedAdapter> {
    const state = readAdapter(this.components.chain.state(), adapter)

    if (state?.status !== 'admitted') {
      throw new UnknownAdapterError(adapter.toString(), state == null ? 'is not on the ledger' : `is ${state.status}`)
    }

    return this.components.library.adapter(adapter, { signal: AbortSignal.timeout(LOOKUP_TIMEOUT_MS) })
  }

  /** @throws NotEntitledError unless a seat of the task's committee asks for receipts that we redeemed */
  private async openingsFor (request: Uint8Array): Promise<ReceiptOpening[]> {
    const signed = signedCodec(receiptsRequestCodec).decode(request)

    verifyRecord(domains.receiptsRequest, receiptsRequestCodec, signed)

    const { payload } = signed
    const task = readTask(this.components.chain.state(), payload.task)

    if (!equalBytes(signed.signer, payload.assessor) || payload.chain !== this.components.chain.id) {
      throw new NotEntitledError('expected a request for this chain, signed by the assessor that it names')
    }

    if (task == null || !task.seats.some(seat => equalBytes(seat.assessor, payload.assessor))) {
      throw new NotEntitledError('receipts are opened to the committee of their task only, and this assessor has no seat in it')
    }

    if (!task.sources.some(source => equalBytes(source.receiptsRoot, payload.receiptsRoot) && equalBytes(source.gateway, this.init.signer.account))) {
      throw new NotEntitledError('the task has no receipts of this gateway under this root')
    }

    return this.book.batchOf(payload.receiptsRoot)
  }

  private redeemBeforeCutoff (): void {
    const { chain } = this.components
    const { epochBlocks } = readChain(chain.state()).params

    if (epochBlocks - chain.height % epochBlocks <= REDEEM_BLOCKS_BEFORE_CUTOFF) {
      // a failure shows in the next attempt, one block later
      this.redeem({ signal: AbortSignal.timeout(ASK_TIMEOUT_MS) }).catch(() => {})
    }
  }

  private async redeemAll (options?: AbortOptions): Promise<Redemption[]> {
    const done: Redemption[] = []

    for (const hex of await this.book.channels()) {
      const redemption = await this.redeemChannel(fromHex(hex), options)

      if (redemption != null) {
        done.push(redemption)
      }
    }

    return done
  }

  private async redeemChannel (channel: Hash, options?: AbortOptions): Promise<Redemption | undefined> {
    const { chain } = this.components
    const state = readChannel(chain.state(), channel)
    const page = await this.book.page(channel)

    if (state == null || state.closed || page.voucherSignature == null || page.cumulative <= state.redeemed) {
      return undefined
    }

    const openings = await this.book.openings(channel, state.redeemed)

    // the voucher covers all of them; more than a committee replays at once would need vouchers in between
    if (openings.length > RECEIPTS_PER_REDEMPTION_MAX) {
      throw new BadReceiptError(`${openings.length} receipts wait in one channel, at most ${RECEIPTS_PER_REDEMPTION_MAX} are redeemed at once`)
    }

    const batches = await this.batchesOf(openings)
    const body: RedeemBody = { kind: 'redeem', channel, cumulative: page.cumulative, voucherSignature: page.voucherSignature, batches }
    const result = await chain.send(body, this.init.signer, options)

    if (!result.ok) {
      throw new PaymentRequiredError(`the ledger refused the redemption: ${result.message ?? result.code ?? 'without a reason'}`)
    }

    return { channel, receipts: openings.length, fees: page.cumulative - state.redeemed }
  }

  /** One batch per adapter, in the order of CIDs; each is remembered before the ledger hears of it. */
  private async batchesOf (openings: ReceiptOpening[]): Promise<RedeemBody['batches']> {
    const groups = Map.groupBy(openings, opening => opening.receipt.payload.adapter.toString())
    const batches: RedeemBody['batches'] = []

    for (const group of groups.values()) {
      const receipts = group.map(opening => opening.receipt)
      const root = receiptsRoot(receipts)

      await this.book.batch(root, group)
      batches.push({
        adapter: receipts[0].payload.adapter,
        receiptsRoot: root,
        receipts: receipts.length,
        fees: receipts.reduce((sum, { payload }) => sum + payload.fee, 0n)
      })
    }

    return batches.toSorted((a, b) => compareBytes(a.adapter.bytes, b.adapter.bytes))
  }

  private async inOrder<T> (channel: Hash, work: () => Promise<T>): Promise<T> {
    const key = toHex(channel)
    const queue = this.pages.get(key) ?? new PQueue({ concurrency: 1 })

    if (queue.size >= QUEUE_MAX) {
      throw new BusyError(queue.size)
    }

    this.pages.set(key, queue)

    try {
      return await queue.add(work)
    } finally {
      if (queue.size === 0 && queue.pending === 0) {
        this.pages.delete(key)
      }
    }
  }
}
