import { amount, codec, integer, literal, nullable, receiptOpeningCodec, signature64, struct, toHex } from '../wire/index.ts'
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
  voucherSignature: nullable(signature64),
  /** an answer that was given and is not co-signed yet */
  proposed: nullable(proposedAnswerCodec.schema)
}), { bytesMax: 512 * 1024 })

/** Where a channel stands at its gateway. */
export type ChannelPage = Infer<typeof pageCodec>

/**
 * What a gateway remembers: the page of each channel and the openings of all receipts. Everything
 * is on disk before the payer is told.
 */
export interface Book {
  page (channel: Hash): Promise<ChannelPage>
  /** remembers the answer before it is sent */
  propose (channel: Hash, page: ChannelPage, answer: ProposedAnswer): Promise<void>
  /** stores receipt and page in one write */
  settle (channel: Hash, page: ChannelPage, opening: ReceiptOpening): Promise<void>
  /** openings of a channel with totals above `cumulative`, in order of their sequence */
  openings (channel: Hash, above: Amount): Promise<ReceiptOpening[]>
  /** channels that have a page */
  channels (): Promise<string[]>
  /** remembers which openings a redemption consists of */
  batch (root: Hash, openings: ReceiptOpening[]): Promise<void>
  /** openings of a redemption, in `compareReceipts` order; empty if unknown */
  batchOf (root: Hash): Promise<ReceiptOpening[]>
}

const emptyPage: ChannelPage = { type: 'channel-page', sequence: 0, cumulative: 0n, voucherSignature: null, proposed: null }

export function book (db: Level): Book {
  const pages = db.sublevel<string, Uint8Array>('serving-pages', { valueEncoding: 'view' })
  const receipts = db.sublevel<string, Uint8Array>('serving-receipts', { valueEncoding: 'view' })
  const batches = db.sublevel<string, string[]>('serving-batches', { valueEncoding: 'json' })
  const sync = { sync: true }

  /** Keys sort by sequence within a channel. */
  const receiptKey = (channel: Hash, sequence: number): string => `${toHex(channel)}/${sequence.toString().padStart(12, '0')}`

  return {
    async page (channel) {
      const bytes = await pages.get(toHex(channel))

      return bytes == null ? emptyPage : pageCodec.decode(bytes)
    },

    async propose (channel, page, answer) {
      await db.batch([{ type: 'put', sublevel: pages, key: toHex(channel), value: pageCodec.encode({ ...page, proposed: { type: 'proposed-answer', ...answer } }) }], sync)
    },

    async settle (channel, page, opening) {
      await db.batch([
        { type: 'put', sublevel: pages, key: toHex(channel), value: pageCodec.encode({ ...page, proposed: null }) },
        { type: 'put', sublevel: receipts, key: receiptKey(channel, opening.receipt.payload.sequence), value: receiptOpeningCodec.encode(opening) }
      ], sync)
    },

    async openings (channel, above) {
      const found: ReceiptOpening[] = []

      for await (const bytes of receipts.values({ gte: receiptKey(channel, 0), lte: `${toHex(channel)}/~` })) {
        const opening = receiptOpeningCodec.decode(bytes)

        if (opening.receipt.payload.cumulative > above) {
          found.push(opening)
        }
      }

      return found
    },

    async channels () {
      return pages.keys().all()
    },

    async batch (root, openings) {
      const keys = openings
        .toSorted((a, b) => compareReceipts(a.receipt, b.receipt))
        .map(({ receipt: { payload } }) => receiptKey(payload.channel, payload.sequence))

      await db.batch([{ type: 'put', sublevel: batches, key: toHex(root), value: keys }], sync)
    },

    async batchOf (root) {
      const keys = await batches.get(toHex(root)) ?? []
      const values = await receipts.getMany(keys)

      return values.filter(bytes => bytes != null).map(bytes => receiptOpeningCodec.decode(bytes))
    }
  }
}
