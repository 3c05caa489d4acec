import { ANSWERS_KEPT_MAX, ANSWERS_SHOWN_MAX } from './constants.ts'
import type { AnswerView, ReceiptView } from '../interface/index.ts'
import type { Level } from 'level'

/** Answers that this node bought, on disk, newest first. */
export interface Answers {
  add (view: AnswerView, receipt: ReceiptView): Promise<void>
  /** the newest, at most ANSWERS_SHOWN_MAX */
  list (): Promise<AnswerView[]>
  /** By the CID of its receipt, as text; undefined if unknown or too long ago. */
  get (receipt: string): Promise<AnswerView | undefined>
  receipt (receipt: string): Promise<ReceiptView | undefined>
}

export function answers (db: Level): Answers {
  const store = db.sublevel<string, AnswerView>('answers', { valueEncoding: 'json' })
  const receipts = db.sublevel<string, { number: string, receipt: ReceiptView }>('answer-receipts', { valueEncoding: 'json' })
  let adding = Promise.resolve()

  const write = async (view: AnswerView, receipt: ReceiptView): Promise<void> => {
    const newest = (await store.keys({ reverse: true, limit: 1 }).all())[0]
    const number = newest == null ? 0 : Number(newest) + 1
    const tooOld = number < ANSWERS_KEPT_MAX ? [] : await store.iterator({ lt: key(number - ANSWERS_KEPT_MAX) }).all()

    await db.batch<string, AnswerView | { number: string, receipt: ReceiptView }>([
      { type: 'put', sublevel: store, key: key(number), value: view },
      { type: 'put', sublevel: receipts, key: view.receipt, value: { number: key(number), receipt } },
      ...tooOld.flatMap(([old, { receipt: cid }]) => [{ type: 'del' as const, sublevel: store, key: old }, { type: 'del' as const, sublevel: receipts, key: cid }])
    ], { sync: true })
  }

  return {
    async add (view, receipt) {
      // one after the other: each takes the next number
      const added = adding.then(async () => write(view, receipt))

      adding = added.catch(() => {})

      return added
    },
    async list () {
      return store.values({ reverse: true, limit: ANSWERS_SHOWN_MAX }).all()
    },
    async get (receipt) {
      const known = await receipts.get(receipt)

      return known == null ? undefined : store.get(known.number)
    },
    async receipt (receipt) {
      return (await receipts.get(receipt))?.receipt
    }
  }
}

/** Keys sort as numbers do. */
const key = (number: number): string => number.toString().padStart(12, '0')
