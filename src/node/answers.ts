import { ANSWERS_KEPT_MAX } from './constants.ts'
import type { AnswerView } from '../interface/index.ts'
import type { Level } from 'level'

/** Answers that this node bought, on disk, newest first. */
export interface Answers {
  add (view: AnswerView): Promise<void>
  list (): Promise<AnswerView[]>
}

export function answers (db: Level): Answers {
  const store = db.sublevel<string, AnswerView>('answers', { valueEncoding: 'json' })

  return {
    async add (view) {
      const newest = (await store.keys({ reverse: true, limit: 1 }).all())[0]
      const number = newest == null ? 0 : Number(newest) + 1

      await db.batch([{ type: 'put', sublevel: store, key: key(number), value: view }], { sync: true })
      await store.clear({ lt: key(Math.max(0, number - ANSWERS_KEPT_MAX)) })
    },
    async list () {
      return store.values({ reverse: true, limit: ANSWERS_KEPT_MAX }).all()
    }
  }
}

/** Keys sort as numbers do. */
const key = (number: number): string => number.toString().padStart(12, '0')
