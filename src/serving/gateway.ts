import { readChain } from '../ledger/index.ts'
import { signedCodec, toHex } from '../wire/index.ts'
import { Answering } from './answering.ts'
import { book } from './book.ts'
import {
  ANSWER_BYTES_MAX, ASK_BYTES_MAX, ASK_PROTOCOL, ASK_STREAM_PROTOCOL, ASK_TIMEOUT_MS, CHANNEL_IDLE_BLOCKS, COSIGN_PROTOCOL, LOOKUP_TIMEOUT_MS, OFFERS_PROTOCOL, OPENINGS_BYTES_MAX, QUEUE_MAX,
  PREFETCH_EVERY_BLOCKS, RECEIPTS_CONCURRENCY_MAX, RECEIPTS_PROTOCOL, REDEEM_BLOCKS_BEFORE_CUTOFF, STREAM_TIMEOUT_MS, TIDY_EVERY_BLOCKS
} from './constants.ts'
import { checkEntitled } from './entitlement.ts'
import { GatewayStoppedError } from './errors.ts'
import { acknowledgementCodec, answerPartCodec, askCodec, cosignCodec, offersCodec, offersRequestCodec, openingsCodec, proposedAnswerCodec, receiptsRequestCodec } from './messages.ts'
import { offering } from './offering.ts'
import { pieces } from './pieces.ts'
import { prefetching } from './prefetching.ts'
import { redeemAll } from './redeeming.ts'
import { tidy } from './tidying.ts'
import type { Acknowledgement } from './answering.ts'
import type { Book } from './book.ts'
import type { ModelLibrary, Offer, ProposedAnswer, StreamOptions } from './interface.ts'
import type { AskMessage, CosignMessage, ReceiptsRequest } from './messages.ts'
import type { Offering } from './offering.ts'
import type { Prefetching } from './prefetching.ts'
import type { Redemption } from './redeeming.ts'
import type { Tidied } from './tidying.ts'
import type { Network } from '../gossip/index.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Account, Hash, ReceiptOpening, Signed, Startable } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'
import type { Level } from 'level'
import type { CID } from 'multiformats/cid'

export interface GatewayInit {
  signer: Signer
  /** 32 bytes; salts of receipts are made of it */
  secret: Uint8Array
  /**
   * blocks without a question after which a channel is closed, and its rest goes back to its payer
   *
   * @default CHANNEL_IDLE_BLOCKS
   */
  idleBlocks?: number
  /**
   * fetch adapters before somebody asks for them: those that earned most, and new ones
   *
   * @default true
   */
  prefetch?: boolean
  /** told why a redemption before a cutoff failed; it is tried again by itself */
  onError? (error: Error): void
}

export interface GatewayComponents {
  network: Network
  chain: SettlementBackend
  library: ModelLibrary
  db: Level
}

/** Serves adapters to payers and their receipts to committees. */
export interface Gateway extends Startable {
  readonly account: Account
  /**
   * What it serves now: adapters, and bases alone at no price.
   *
   * @param adapter - this one alone, if it is served; by default as many as a message holds
   */
  offers (adapter?: CID): Promise<Offer[]>
  /**
   * Puts all co-signed receipts on the ledger, one operation per channel and 512 receipts. Runs by itself before each cutoff.
   *
   * @throws {RedemptionFailedError} after all channels were tried, if some failed
   */
  redeem (options?: AbortOptions): Promise<Redemption[]>
  /** Closes channels that are over or idle, and forgets receipts of settled tasks. Runs by itself. */
  tidy (options?: AbortOptions): Promise<Tidied>
  /** Answers of a payer on the same node; the same checks as over the network. */
  ask (message: AskMessage, options?: StreamOptions): Promise<ProposedAnswer>
  cosign (message: CosignMessage): Promise<Acknowledgement>
  /**
   * Receipts of one redemption for a member of their task's committee on the same node.
   *
   * @param request - signed by the assessor
   * @param peer - the peer that asks, as text
   * @throws {NotEntitledError}
   */
  openings (request: Signed<ReceiptsRequest>, peer: string): Promise<ReceiptOpening[]>
}

export function gateway (init: GatewayInit): (components: GatewayComponents) => Gateway {
  return components => new GatewayService(init, components)
}

class GatewayService implements Gateway {
  private readonly init: GatewayInit
  private readonly components: GatewayComponents
  private readonly book: Book
  private readonly answering: Answering
  private readonly fetching: Prefetching
  private readonly offering: Offering
  private readonly onBlock = (): void => {
    this.redeemBeforeCutoff()
    this.tidyNow()

    if (this.components.chain.height % PREFETCH_EVERY_BLOCKS === 0) {
      this.fetchAhead()
    }
  }

  /** heights at which channels were used since the start */
  private readonly usedAt = new Map<string, number>()
  private tidying: Promise<Tidied> | undefined
  /** channels that were redeemed in the running epoch: one ledger operation each */
  private redeemed = { epoch: -1, channels: new Set<string>() }
  private redeeming: Promise<Redemption[]> | undefined
  private started = false
  private served = false

  get account (): Account {
    return this.init.signer.account
  }

  constructor (init: GatewayInit, components: GatewayComponents) {
    this.init = init
    this.components = components
    this.book = book(components.db)
    this.answering = new Answering({ ...init, ...components, book: this.book })
    this.fetching = prefetching(components)
    this.offering = offering(components)
  }

  async start (): Promise<void> {
    if (this.started) {
      return
    }

    this.started = true
    this.answering.start()
    this.serve()
    this.components.chain.addEventListener('block', this.onBlock)
    this.fetchAhead()
  }

  async stop (): Promise<void> {
    if (!this.started) {
      return
    }

    this.started = false
    this.components.chain.removeEventListener('block', this.onBlock)
    await this.fetching.stop()
    await this.answering.stop()
    await this.redeeming?.catch(() => {})
    await this.tidying?.catch(() => {})
  }

  async tidy (options?: AbortOptions): Promise<Tidied> {
    const { chain } = this.components
    const { idleBlocks = CHANNEL_IDLE_BLOCKS } = this.init
    const isIdle = (channel: string): boolean => {
      const usedAt = this.usedAt.get(channel)

      // what was not used since the start counts from now
      this.usedAt.set(channel, usedAt ?? chain.height)

      return chain.height - (usedAt ?? chain.height) >= idleBlocks
    }
    const exclusive = async <T>(channel: Hash, work: () => Promise<T>): Promise<T> => this.answering.exclusive(channel, work)

    this.tidying ??= tidy({ signer: this.init.signer, ...this.components, book: this.book, exclusive }, isIdle, options)
      .then(tidied => {
        tidied.closed.forEach(channel => { this.usedAt.delete(channel) })

        return tidied
      })
      .finally(() => { this.tidying = undefined })

    return this.tidying
  }

  async offers (adapter?: CID): Promise<Offer[]> {
    return adapter == null ? this.offering.all() : this.offering.of(adapter)
  }

  async ask (message: AskMessage, options?: StreamOptions): Promise<ProposedAnswer> {
    const answer = await this.answering.ask(message, options)

    this.usedAt.set(toHex(message.channel), this.components.chain.height)

    return answer
  }

  async cosign (message: CosignMessage): Promise<Acknowledgement> {
    return this.answering.cosign(message)
  }

  async redeem (options?: AbortOptions): Promise<Redemption[]> {
    // one that runs already may have passed over what was co-signed since
    await this.redeeming?.catch(() => {})

    return this.redeemOnce(new Set(), options)
  }

  async openings (request: Signed<ReceiptsRequest>, peer: string): Promise<ReceiptOpening[]> {
    const { chain } = this.components

    checkEntitled(request, { chain: chain.id, state: chain.state(), gateway: this.account, peer })

    return this.book.batchOf(request.payload.receiptsRoot)
  }

  /** Registered once: a network has no way back. While the gateway is stopped it says so. */
  private serve (): void {
    if (this.served) {
      return
    }

    this.served = true

    const { network } = this.components
    const limits = { requestBytesMax: ASK_BYTES_MAX, responseBytesMax: ANSWER_BYTES_MAX, timeoutMs: ASK_TIMEOUT_MS, concurrency: QUEUE_MAX }
    const lookups = { ...limits, responseBytesMax: offersCodec.bytesMax, timeoutMs: LOOKUP_TIMEOUT_MS }
    const receipts = { ...lookups, responseBytesMax: OPENINGS_BYTES_MAX, concurrency: RECEIPTS_CONCURRENCY_MAX }

    network.handle(ASK_PROTOCOL, limits, async (request, { signal }) =>
      proposedAnswerCodec.encode({ type: 'proposed-answer', ...await this.ask(askCodec.decode(request), { signal }) }))
    network.handle(ASK_STREAM_PROTOCOL, { ...limits, timeoutMs: STREAM_TIMEOUT_MS }, (request, { signal }) => this.stream(request, signal))
    network.handle(COSIGN_PROTOCOL, limits, async request =>
      acknowledgementCodec.encode({ type: 'acknowledged', ...await this.cosign(cosignCodec.decode(request)) }))
    network.handle(OFFERS_PROTOCOL, lookups, async request => {
      const { adapter } = offersRequestCodec.decode(request)
      this.assertStarted()

      return offersCodec.encode({ type: 'offers', gateway: this.account, offers: await this.offers(adapter) })
    })
    network.handle(RECEIPTS_PROTOCOL, receipts, async (request, { peer }) => {
      const signed = signedCodec(receiptsRequestCodec).decode(request)
      this.assertStarted()

      return openingsCodec.encode({ type: 'openings', openings: await this.openings(signed, peer.toString()) })
    })
  }

  /** An answer while it is made; as many tokens in one message as came while the last one was sent. */
  private async * stream (request: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const made = pieces<number>()
    const answer = this.ask(askCodec.decode(request), { signal, onTokens: tokens => { made.add(tokens) } }).finally(() => { made.end() })
    let from = 0

    // a stream that breaks leaves it alone; the answer is in the book by then
    answer.catch(() => {})

    for await (const tokens of made) {
      yield answerPartCodec.encode({ type: 'tokens', from, tokens })
      from += tokens.length
    }

    yield answerPartCodec.encode({ type: 'proposed-answer', ...await answer })
  }

  private assertStarted (): void {
    if (!this.started) {
      throw new GatewayStoppedError()
    }
  }

  private fetchAhead (): void {
    if (this.init.prefetch !== false) {
      this.fetching.look().catch((error: Error) => { this.init.onError?.(error) })
    }
  }

  private tidyNow (): void {
    if (this.components.chain.height % TIDY_EVERY_BLOCKS === 0) {
      this.tidy({ signal: AbortSignal.timeout(ASK_TIMEOUT_MS) }).catch((error: Error) => { this.init.onError?.(error) })
    }
  }

  private redeemBeforeCutoff (): void {
    const { chain } = this.components
    const { epoch, params: { epochBlocks } } = readChain(chain.state())

    if (this.redeemed.epoch !== epoch) {
      this.redeemed = { epoch, channels: new Set() }
    }

    if (epochBlocks - chain.height % epochBlocks <= REDEEM_BLOCKS_BEFORE_CUTOFF && this.redeeming == null) {
      // what failed is tried again one block later
      this.redeemOnce(this.redeemed.channels, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) }).catch((error: Error) => { this.init.onError?.(error) })
    }
  }

  private async redeemOnce (skip: ReadonlySet<string>, options?: AbortOptions): Promise<Redemption[]> {
    const { channels } = this.redeemed

    this.redeeming ??= redeemAll({ signer: this.init.signer, ...this.components, book: this.book }, skip, {
      ...options, onRedeemed: channel => { channels.add(channel) }
    }).finally(() => { this.redeeming = undefined })

    return this.redeeming
  }
}
