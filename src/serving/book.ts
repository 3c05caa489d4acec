import { amount, codec, fromHex, integer, literal, nullable, receiptOpeningCodec, signature64, struct, toHex } from '../wire/index.ts'
import { RECEIPTS_PER_REDEMPTION_MAX, REDEMPTION_BYTES_MAX } from './constants.ts'
import { proposedAnswerCodec } from './messages.ts'
import { compareReceipts } from './receipts.ts'
import type { ProposedAnswer } from './interface.ts'
import type { Amount, Hash, ReceiptOpening } from '../interface/index.ts'
import type { Infer } from '../wire/index.ts'
import type { Level } from 'level'

const pageCodec = codec('channel page', struct({
  type: literal('channel-page'),
  /** the sequence that comes next */
  sequence: integer({ min: 0 }),
  /** what the newest co-signed receipt adds up to */
  cumulative: amount,
  /** the payer's signature over the newest receipt: who repeats it, repeats that acknowledgement */
  payerSignature: nullable(signature64),
  /** an answer that was given and is not co-signed yet */
  proposed: nullable(proposedAnswerCodec.schema)
}), { bytesMax: 512 * 1024 })

/** Where a channel stands at its gateway. */
export type ChannelPage = Infer<typeof pageCodec>

const paidCodec = codec('paid receipt', struct({
  type: literal('paid-receipt'),
  opening: receiptOpeningCodec.schema,
  /** over the receipt's cumulative amount: every receipt is a place up to which one can redeem */
  voucherSignature: signature64
}), { bytesMax: receiptOpeningCodec.bytesMax + 256 })

/** A co-signed receipt with the voucher that pays it. */
export type PaidReceipt = Omit<Infer<typeof paidCodec>, 'type'>

/**
 * What a gateway remembers: the page of each channel and the openings of all receipts. Everything
 * is on disk before the payer is told.
 */
export interface Book {
  page (channel: Hash): Promise<ChannelPage>
  /** remembers the answer before it is sent */
  propose (channel: Hash, page: ChannelPage, answer: ProposedAnswer): Promise<void>
  /** stores receipt and page in one write; of an answer without a fee, which nobody redeems or asks for, the page alone */
  settle (channel: Hash, page: ChannelPage, paid: PaidReceipt): Promise<void>
  /** the oldest receipts of a channel with totals above `cumulative`, in order, as many as one redemption takes */
  unredeemed (channel: Hash, above: Amount): Promise<PaidReceipt[]>
  /** channels that have a page */
  channels (): Promise<string[]>
  /** drops the page of a channel that is closed; its receipts stay for their committees */
  forget (channel: Hash): Promise<void>
  /** remembers which openings a redemption consists of */
  batch (root: Hash, openings: ReceiptOpening[]): Promise<void>
  /**
   * Drops redemptions and their receipts.
   *
   * @param isNeeded - is told root, channel and what the redemption's receipts add up to
   * @returns the number of receipts
   */
  prune (isNeeded: (root: string, channel: Hash, cumulative: Amount) => boolean): Promise<number>
  /** openings of a redemption, in `compareReceipts` order; empty if unknown */
  batchOf (root: Hash): Promise<ReceiptOpening[]>
}

const emptyPage: ChannelPage = { type: 'channel-page', sequence: 0, cumulative: 0n, payerSignature: null, proposed: null }

/** Receipts sort by what they add up to. */
function receiptKey (channel: Hash, cumulative: Amount, sequence: number): string {
  return `${amountKey(channel, cumulative)}/${sequence.toString().padStart(16, '0')}`
}

/** 2^128 has 39 decimal digits. */
function amountKey (channel: Hash, cumulative: Amount): string {
  return `${toHex(channel)}/${cumulative.toString().padStart(39, '0')}`
}

export function book (db: Level): Book {
  const pages = db.sublevel<string, Uint8Array>('serving-pages', { valueEncoding: 'view' })
  const receipts = db.sublevel<string, Uint8Array>('serving-receipts', { valueEncoding: 'view' })
  const batches = db.sublevel<string, string[]>('serving-batches', { valueEncoding: 'json' })
  const sync = { sync: true }

  return {
    async page (channel) {
      const bytes = await pages.get(toHex(channel))

      return bytes == null ? emptyPage : pageCodec.decode(bytes)
    },

    async propose (channel, page, answer) {
      await db.batch([{ type: 'put', sublevel: pages, key: toHex(channel), value: pageCodec.encode({ ...page, proposed: { type: 'proposed-answer', ...answer } }) }], sync)
    },

    async settle (channel, page, paid) {
      const { cumulative, sequence, fee } = paid.opening.receipt.payload
      const turned = { type: 'put' as const, sublevel: pages, key: toHex(channel), value: pageCodec.encode({ ...page, proposed: null }) }
      const kept = { type: 'put' as const, sublevel: receipts, key: receiptKey(channel, cumulative, sequence), value: paidCodec.encode({ type: 'paid-receipt', ...paid }) }

      await db.batch(fee > 0n ? [turned, kept] : [turned], sync)
    },

    async unredeemed (channel, above) {
      const found: PaidReceipt[] = []
      let bytesLeft = REDEMPTION_BYTES_MAX

      for await (const bytes of receipts.values({ gt: `${amountKey(channel, above)}/~`, lte: `${toHex(channel)}/~`, limit: RECEIPTS_PER_REDEMPTION_MAX })) {
        bytesLeft -= bytes.byteLength

        if (bytesLeft < 0 && found.length > 0) {
          break
        }

        found.push(paidCodec.decode(bytes))
      }

      return found
    },

    async channels () {
      return pages.keys().all()
    },

    async forget (channel) {
      await pages.del(toHex(channel))
    },

    async batch (root, openings) {
      const keys = openings
        .toSorted((a, b) => compareReceipts(a.receipt, b.receipt))
        .map(({ receipt: { payload } }) => receiptKey(payload.channel, payload.cumulative, payload.sequence))

      await db.batch([{ type: 'put', sublevel: batches, key: toHex(root), value: keys }], sync)
    },

    async prune (isNeeded) {
      let pruned = 0

      for await (const [root, keys] of batches.iterator()) {
        // by channel, then by what they add up to
        const [channel, cumulative] = (keys.at(-1) ?? '').split('/')

        if (keys.length > 0 && !isNeeded(root, fromHex(channel), BigInt(cumulative))) {
          await db.batch([
            { type: 'del' as const, sublevel: batches, key: root },
            ...keys.map(key => ({ type: 'del' as const, sublevel: receipts, key }))
          ], sync)
          pruned += keys.length
        }
      }

      return pruned
    },

    async batchOf (root) {
      const keys = await batches.get(toHex(root)) ?? []
      const values = await receipts.getMany(keys)

      return values.filter(bytes => bytes != null).map(bytes => paidCodec.decode(bytes).opening)
    }
  }
}
