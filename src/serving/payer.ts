import PQueue from 'p-queue'
import { channelId, readAccount, readChannel } from '../ledger/index.ts'
import { amount, codec, domains, equalBytes, fromHex, integer, literal, nullable, receiptCodec, signature64, struct, toHex } from '../wire/index.ts'
import { accountToString, verifyPayload } from '../identity/index.ts'
import { ANSWER_BYTES_MAX, ASK_PROTOCOL, ASK_TIMEOUT_MS, CHANNEL_BLOCKS, CHANNEL_DEPOSIT, COSIGN_PROTOCOL, LOOKUP_TIMEOUT_MS, NONCES_SEARCHED_MAX, OFFERS_PROTOCOL } from './constants.ts'
import { BadReceiptError, NoGatewayError, PaymentRequiredError } from './errors.ts'
import { promptTokens } from './generate.ts'
import { acknowledgementCodec, askCodec, cosignCodec, offersCodec, offersRequestCodec, proposedAnswerCodec } from './messages.ts'
import { checkOpening, feeOf, receiptCid, signReceipt, signVoucher } from './receipts.ts'
import type { Gateway } from './gateway.ts'
import type { AskOptions, LoadedAdapter, ModelLibrary, Offers, PaidAnswer, ProposedAnswer } from './interface.ts'
import type { AskMessage, CosignMessage } from './messages.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Amount, Hash, Voucher } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { Infer } from '../wire/index.ts'
import type { PeerId } from '@libp2p/interface'
import type { Level } from 'level'

const cosignature = struct({ sequence: integer({ min: 0 }), payerSignature: signature64, voucherSignature: signature64 })

const pageCodec = codec('payer page', struct({
  type: literal('payer-page'),
  sequence: integer({ min: 0 }),
  cumulative: amount,
  /** sent, or about to be; said again until the gateway acknowledges */
  unacknowledged: nullable(cosignature)
}), { bytesMax: 4_096 })

type Page = Infer<typeof pageCodec>

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
  /** Asks, checks and pays. The first question to a gateway opens a channel. */
  ask (question: AskOptions, signer: Signer, options?: AbortOptions): Promise<PaidAnswer>
}

/** How a gateway is reached: over a stream, or on this node. */
interface Counter {
  offers: Offers
  ask (message: AskMessage, options?: AbortOptions): Promise<ProposedAnswer>
  cosign (message: CosignMessage, options?: AbortOptions): Promise<void>
}

export function payer (components: PayerComponents): Payer {
  return new PayerService(components)
}

class PayerService implements Payer {
  private readonly components: PayerComponents
  private readonly pages
  private readonly channels
  /** channels are used by one question at a time */
  private readonly queue = new PQueue({ concurrency: 1 })

  constructor (components: PayerComponents) {
    this.components = components
    this.pages = components.db.sublevel<string, Uint8Array>('payer-pages', { valueEncoding: 'view' })
    this.channels = components.db.sublevel('payer-channels', {})
  }

  async offers (options?: AbortOptions): Promise<Offers[]> {
    return (await this.counters(options)).map(counter => counter.offers)
  }

  async ask (question: AskOptions, signer: Signer, options?: AbortOptions): Promise<PaidAnswer> {
    return this.queue.add(async () => {
      const adapter = await this.components.library.adapter(question.adapter, options)
      const counter = (await this.counters(options)).find(({ offers }) => offers.offers.some(offer => offer.adapter.equals(question.adapter)))

      if (counter == null) {
        throw new NoGatewayError()
      }

      return this.buy(counter, adapter, question, signer, options)
    })
  }

  private async buy (counter: Counter, adapter: LoadedAdapter, question: AskOptions, signer: Signer, options?: AbortOptions): Promise<PaidAnswer> {
    const prompt = promptTokens(adapter, question.prompt, question.maxTokens)
    const quote = feeOf(adapter.record.pricePerThousandTokens, prompt.length + question.maxTokens)
    const channel = await this.channel(counter.offers.gateway, signer, quote, options)

    await this.repeatCosignature(counter, channel, options)

    let paid = await this.askOnce(counter, channel, question, quote, signer, options)

    // an answer that was lost on its way earlier comes, and is paid, first
    if (!sameTokens(paid.opening.prompt, prompt) || !paid.cosigned.payload.adapter.equals(question.adapter)) {
      paid = await this.askOnce(counter, channel, question, quote, signer, options)
    }

    if (!sameTokens(paid.opening.prompt, prompt)) {
      throw new BadReceiptError('the gateway answered another prompt than the one asked')
    }

    return { ...paid, text: adapter.base.tokenizer.decode(paid.opening.output) }
  }

  private async askOnce (counter: Counter, channel: Hash, question: AskOptions, quote: Amount, signer: Signer, options?: AbortOptions): Promise<Omit<PaidAnswer, 'text'>> {
    const page = await this.page(channel)
    const voucher = this.voucher(channel, page.cumulative + quote)
    const answer = await counter.ask({
      type: 'ask',
      ...question,
      payer: signer.account,
      channel,
      sequence: page.sequence,
      voucher: { cumulative: voucher.cumulative, signature: signVoucher(voucher, signer) }
    }, options)

    return this.cosign(counter, channel, page, answer, voucher.cumulative, signer, options)
  }

  private async cosign (counter: Counter, channel: Hash, page: Page, answer: ProposedAnswer, promised: Amount, signer: Signer, options?: AbortOptions): Promise<Omit<PaidAnswer, 'text'>> {
    const { receipt, gatewaySignature, salt, prompt, output } = answer

    await this.checkReceipt(answer, counter, page, promised)

    const payerSignature = signReceipt(receipt, signer)
    const cosigned = { payload: receipt, gatewaySignature, payerSignature }
    const opening = { receipt: cosigned, salt, prompt, output }

    checkOpening(opening)

    const voucherSignature = signVoucher(this.voucher(channel, receipt.cumulative), signer)
    const unacknowledged = { sequence: receipt.sequence, payerSignature, voucherSignature }

    await this.write(channel, { type: 'payer-page', sequence: receipt.sequence + 1, cumulative: receipt.cumulative, unacknowledged })
    await this.repeatCosignature(counter, channel, options)

    return { receipt: receiptCid(cosigned), cosigned, opening }
  }

  /** @throws BadReceiptError if the receipt charges anything but the price of its tokens */
  private async checkReceipt ({ receipt, prompt, output, gatewaySignature }: ProposedAnswer, counter: Counter, page: Page, promised: Amount): Promise<void> {
    const { record } = await this.components.library.adapter(receipt.adapter)
    const fee = feeOf(record.pricePerThousandTokens, prompt.length + output.length)

    verifyPayload(domains.receipt, receiptCodec, receipt, counter.offers.gateway, gatewaySignature)

    if (receipt.fee !== fee || receipt.cumulative !== page.cumulative + fee || receipt.cumulative > promised || receipt.sequence !== page.sequence) {
      throw new BadReceiptError(`expected receipt ${page.sequence} over ${fee} and ${page.cumulative + fee} base units in all, but got receipt ${receipt.sequence} over ${receipt.fee} and ${receipt.cumulative}`)
    }

    if (receipt.chain !== this.components.chain.id || !equalBytes(receipt.gateway, counter.offers.gateway)) {
      throw new BadReceiptError('the receipt names another chain or another gateway')
    }
  }

  private async repeatCosignature (counter: Counter, channel: Hash, options?: AbortOptions): Promise<void> {
    const page = await this.page(channel)

    if (page.unacknowledged != null) {
      await counter.cosign({ type: 'cosign', channel, ...page.unacknowledged }, options)
      await this.write(channel, { ...page, unacknowledged: null })
    }
  }

  /** The channel to a gateway with enough left in it; opened if there is none. */
  private async channel (gateway: Uint8Array, signer: Signer, quote: Amount, options?: AbortOptions): Promise<Hash> {
    const { chain } = this.components
    const key = `${accountToString(signer.account)}/${accountToString(gateway)}`
    const known = await this.channels.get(key)

    if (known != null) {
      const channel = fromHex(known)
      const state = readChannel(chain.state(), channel)

      if (state != null && !state.closed && (await this.page(channel)).cumulative + quote <= state.deposit) {
        return channel
      }
    }

    const deposit = quote * 4n > CHANNEL_DEPOSIT ? quote * 4n : CHANNEL_DEPOSIT
    const opened = await this.open(gateway, signer, deposit, options)

    await this.components.db.batch([{ type: 'put', sublevel: this.channels, key, value: toHex(opened) }], { sync: true })

    return opened
  }

  private async open (gateway: Uint8Array, signer: Signer, deposit: Amount, options?: AbortOptions): Promise<Hash> {
    const { chain } = this.components
    const result = await chain.send({ kind: 'open-channel', gateway, amount: deposit, expiresAtHeight: chain.height + CHANNEL_BLOCKS }, signer, options)

    if (!result.ok) {
      throw new PaymentRequiredError(`the channel could not be opened: ${result.message ?? result.code ?? 'without a reason'}`)
    }

    const opened = await this.newest(gateway, signer)

    if (opened == null) {
      throw new PaymentRequiredError('the channel was opened but is not on the ledger')
    }

    return opened
  }

  /** The payer's newest open channel to a gateway among its last transactions; found again after a crash. */
  private async newest (gateway: Uint8Array, signer: Signer): Promise<Hash | undefined> {
    const state = this.components.chain.state()
    const { nonce } = readAccount(state, signer.account)

    for (let n = nonce - 1; n >= Math.max(0, nonce - NONCES_SEARCHED_MAX); n--) {
      const channel = channelId(this.components.chain.id, signer.account, n)
      const found = readChannel(state, channel)

      if (found != null && !found.closed && equalBytes(found.gateway, gateway)) {
        return channel
      }
    }

    return undefined
  }

  private voucher (channel: Hash, cumulative: Amount): Voucher {
    return { type: 'voucher', version: 1, chain: this.components.chain.id, channel, cumulative }
  }

  private async page (channel: Hash): Promise<Page> {
    const bytes = await this.pages.get(toHex(channel))

    return bytes == null ? { type: 'payer-page', sequence: 0, cumulative: 0n, unacknowledged: null } : pageCodec.decode(bytes)
  }

  private async write (channel: Hash, page: Page): Promise<void> {
    await this.components.db.batch([{ type: 'put', sublevel: this.pages, key: toHex(channel), value: pageCodec.encode(page) }], { sync: true })
  }

  private async counters (options?: AbortOptions): Promise<Counter[]> {
    const { network, gateway } = this.components
    const found: Counter[] = []

    if (gateway != null) {
      found.push({
        offers: { gateway: gateway.account, offers: await gateway.offers() },
        ask: async message => gateway.ask(message),
        cosign: async message => { await gateway.cosign(message) }
      })
    }

    for (const peer of await gatewayPeers(network)) {
      // one that does not answer is not a gateway now
      const counter = await remoteCounter(network, peer, options).catch(() => undefined)

      if (counter != null) {
        found.push(counter)
      }
    }

    return found
  }
}

async function gatewayPeers (network: Network): Promise<PeerId[]> {
  const peers: PeerId[] = []

  for (const { peer } of network.peers()) {
    const { protocols } = await network.libp2p.peerStore.get(peer)

    if (protocols.includes(ASK_PROTOCOL)) {
      peers.push(peer)
    }
  }

  return peers
}

async function remoteCounter (network: Network, peer: PeerId, options?: AbortOptions): Promise<Counter> {
  const lookup = { ...options, timeoutMs: LOOKUP_TIMEOUT_MS, responseBytesMax: offersCodec.bytesMax }
  const patient = { ...options, timeoutMs: ASK_TIMEOUT_MS, responseBytesMax: ANSWER_BYTES_MAX }
  const offers = offersCodec.decode(await network.request(peer, OFFERS_PROTOCOL, offersRequestCodec.encode({ type: 'offers-request', channel: null }), lookup))

  return {
    offers,
    ask: async message => proposedAnswerCodec.decode(await network.request(peer, ASK_PROTOCOL, askCodec.encode(message), patient)),
    cosign: async message => {
      acknowledgementCodec.decode(await network.request(peer, COSIGN_PROTOCOL, cosignCodec.encode(message), patient))
    }
  }
}

function sameTokens (a: number[], b: number[]): boolean {
  return a.length === b.length && a.every((token, i) => token === b[i])
}
