import { amount, boolean, codec, fromHex, hash32, integer, list, literal, nullable, signature64, struct, toHex } from '../wire/index.ts'
import { UNANSWERED_MAX } from './constants.ts'
import type { Hash } from '../interface/index.ts'
import type { Infer } from '../wire/index.ts'
import type { Level } from 'level'

const cosignature = struct({ sequence: integer({ min: 0 }), payerSignature: signature64, voucherSignature: signature64 })

const pageCodec = codec('payer page', struct({
  type: literal('payer-page'),
  /** of the next receipt */
  sequence: integer({ min: 0 }),
  /** what all receipts so far add up to */
  cumulative: amount,
  /** questions put at this sequence: the answer is to one of them, and costs at most what was promised for it */
  asked: list(struct({ question: hash32, maxTokens: integer({ min: 1 }), promised: amount }), { max: UNANSWERED_MAX }),
  /** sent, or about to be; said again until the gateway acknowledges */
  unacknowledged: nullable(cosignature),
  /** the gateway does not agree on where it stands */
  broken: boolean
}), { bytesMax: 8_192 })

/** Where a channel stands at its payer. */
export type PayerPage = Infer<typeof pageCodec>

/** What a payer remembers of its channels, on disk before the gateway hears of it. */
export interface PayerBook {
  /** undefined if nothing was asked in the channel yet */
  page (channel: Hash): Promise<PayerPage | undefined>
  write (channel: Hash, page: PayerPage): Promise<void>
  /** the channel that is in use between two accounts */
  channel (key: string): Promise<Hash | undefined>
  use (key: string, channel: Hash): Promise<void>
  /** every channel that was ever used, in hexadecimal */
  all (): Promise<string[]>
  /** drops a channel that is closed */
  forget (channel: Hash): Promise<void>
}

export const emptyPayerPage: PayerPage = { type: 'payer-page', sequence: 0, cumulative: 0n, asked: [], unacknowledged: null, broken: false }

export function payerBook (db: Level): PayerBook {
  const pages = db.sublevel<string, Uint8Array>('payer-pages', { valueEncoding: 'view' })
  const channels = db.sublevel('payer-channels', {})
  const sync = { sync: true }

  return {
    async page (channel) {
      const bytes = await pages.get(toHex(channel))

      return bytes == null ? undefined : pageCodec.decode(bytes)
    },
    async write (channel, page) {
      await db.batch([{ type: 'put', sublevel: pages, key: toHex(channel), value: pageCodec.encode(page) }], sync)
    },
    async channel (key) {
      const known = await channels.get(key)

      return known == null ? undefined : fromHex(known)
    },
    async all () {
      return [...new Set([...await pages.keys().all(), ...await channels.values().all()])]
    },
    async forget (channel) {
      const names = (await channels.iterator().all()).filter(([, value]) => value === toHex(channel))

      await db.batch([
        { type: 'del' as const, sublevel: pages, key: toHex(channel) },
        ...names.map(([key]) => ({ type: 'del' as const, sublevel: channels, key }))
      ], sync)
    },
    async use (key, channel) {
      await db.batch([{ type: 'put', sublevel: channels, key, value: toHex(channel) }], sync)
    }
  }
}
