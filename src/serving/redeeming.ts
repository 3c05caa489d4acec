import PQueue from 'p-queue'
import { readChannel } from '../ledger/index.ts'
import { compareBytes, fromHex, toHex } from '../wire/index.ts'
import { REDEMPTIONS_AT_ONCE } from './constants.ts'
import { PaymentRequiredError, RedemptionFailedError } from './errors.ts'
import { receiptsRoot } from './receipts.ts'
import type { Book, PaidReceipt } from './book.ts'
import type { Signer } from '../identity/index.ts'
import type { AbortOptions, Amount, ChannelState, Hash, RedeemBody } from '../interface/index.ts'
import type { SettlementBackend } from '../settlement/index.ts'

export interface Redemption {
  channel: Hash
  receipts: number
  fees: Amount
}

export interface RedeemingComponents {
  signer: Signer
  chain: SettlementBackend
  book: Book
}

export interface RedeemOptions extends AbortOptions {
  /** told the channel, in hexadecimal, once its redemption is final */
  onRedeemed? (channel: string): void
}

/**
 * Puts what was co-signed on the ledger, one operation per channel and RECEIPTS_PER_REDEMPTION_MAX receipts, many channels at a time.
 *
 * @param components - whose channels
 * @param skip - channels that had their turn, in hexadecimal
 * @param options - signal, and who is told
 * @throws {RedemptionFailedError} after all were tried, if some failed
 */
export async function redeemAll (components: RedeemingComponents, skip: ReadonlySet<string>, options: RedeemOptions = {}): Promise<Redemption[]> {
  const done: Redemption[] = []
  const failures: unknown[] = []
  const queue = new PQueue({ concurrency: REDEMPTIONS_AT_ONCE })
  const channels = (await components.book.channels()).filter(hex => !skip.has(hex))

  await Promise.all(channels.map(async hex => queue.add(async () => {
    try {
      options.signal?.throwIfAborted()

      const redemption = await redeemChannel(components, fromHex(hex), options)

      if (redemption != null) {
        done.push(redemption)
        options.onRedeemed?.(hex)
      }
    } catch (err) {
      failures.push(err)
    }
  })))

  if (failures.length > 0) {
    throw new RedemptionFailedError(failures.length, channels.length, failures)
  }

  return done
}

async function redeemChannel (components: RedeemingComponents, channel: Hash, options?: AbortOptions): Promise<Redemption | undefined> {
  const { book, chain } = components
  const state = readChannel(chain.state(), channel)

  if (state?.closed === true) {
    await book.forget(channel)
  }

  if (state == null || state.closed) {
    return undefined
  }

  let done: Redemption | undefined

  // the book gives as many at a time as one redemption takes
  for (let redeemed = state.redeemed; ;) {
    const paid = await book.unredeemed(channel, redeemed)

    if (paid.length === 0) {
      return done
    }

    const redemption = await redeemPaid(components, channel, redeemed, paid, options)

    redeemed = paid[paid.length - 1].opening.receipt.payload.cumulative
    done = redemption == null ? done : { channel, receipts: (done?.receipts ?? 0) + redemption.receipts, fees: (done?.fees ?? 0n) + redemption.fees }
  }
}

/** One redemption; undefined if an earlier attempt, whose end we did not see, was executed first. */
async function redeemPaid ({ book, chain, signer }: RedeemingComponents, channel: Hash, redeemed: Amount, paid: PaidReceipt[], options?: AbortOptions): Promise<Redemption | undefined> {
  const last = paid[paid.length - 1]
  const { cumulative } = last.opening.receipt.payload
  const batches = await batchesOf(book, paid)
  const body: RedeemBody = { kind: 'redeem', channel, cumulative, voucherSignature: last.voucherSignature, batches }
  const result = await chain.send(body, signer, options)

  if (result.ok) {
    return { channel, receipts: paid.length, fees: cumulative - redeemed }
  }

  if (isRedeemed(readChannel(chain.state(), channel), cumulative)) {
    return undefined
  }

  throw new PaymentRequiredError(`the ledger refused to redeem channel ${toHex(channel)}: ${result.message ?? result.code ?? 'without a reason'}`)
}

function isRedeemed (state: ChannelState | undefined, cumulative: Amount): boolean {
  return state != null && state.redeemed >= cumulative
}

/** One batch per adapter, in the order of CIDs; each is remembered before the ledger hears of it. */
async function batchesOf (book: Book, paid: PaidReceipt[]): Promise<RedeemBody['batches']> {
  const groups = Map.groupBy(paid, ({ opening }) => opening.receipt.payload.adapter.toString())
  const batches: RedeemBody['batches'] = []

  for (const group of groups.values()) {
    const openings = group.map(({ opening }) => opening)
    const receipts = openings.map(({ receipt }) => receipt)
    const root = receiptsRoot(receipts)

    await book.batch(root, openings)
    batches.push({
      adapter: receipts[0].payload.adapter,
      receiptsRoot: root,
      receipts: receipts.length,
      fees: receipts.reduce((sum, { payload }) => sum + payload.fee, 0n)
    })
  }

  return batches.toSorted((a, b) => compareBytes(a.adapter.bytes, b.adapter.bytes))
}
