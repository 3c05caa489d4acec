import { amount, codec, hash32, list, literal, scoreTableCodec, struct, toHex } from '../wire/index.ts'
import type { Assessment } from './interface.ts'
import type { Amount, Hash } from '../interface/index.ts'
import type { Level } from 'level'

const entryCodec = codec('assessment', struct({
  type: literal('assessment'),
  table: scoreTableCodec.schema,
  trace: list(hash32, { max: 1_048_576 }),
  salt: hash32,
  fees: amount
}), { bytesMax: 64 * 1024 * 1024 })

/** An assessment and the salt that its commit was made with. */
export interface SaltedAssessment extends Assessment {
  salt: Hash
  /** of the task: less, once a redemption is out of it, and then there is another result */
  fees: Amount
}

/**
 * Assessments on disk, written before they are committed: an assessor that is killed between
 * commit and reveal still knows its salt.
 */
export interface Journal {
  get (task: Hash): Promise<SaltedAssessment | undefined>
  put (task: Hash, epoch: number, assessment: SaltedAssessment): Promise<void>
  /** what this node has assessed, oldest epoch first */
  tasks (): Promise<string[]>
  /** deletes the oldest of those that `mayGo` until at most `max` are left */
  keep (max: number, mayGo: (task: string) => boolean): Promise<void>
}

export function journal (db: Level): Journal {
  const entries = db.sublevel<string, Uint8Array>('assessments', { valueEncoding: 'view' })
  const order = db.sublevel('assessments-by-epoch', {})

  const tasks: Journal['tasks'] = async () => order.values().all()

  return {
    tasks,
    async get (task) {
      const bytes = await entries.get(toHex(task))

      return bytes == null ? undefined : entryCodec.decode(bytes)
    },
    async put (task, epoch, { table, trace, salt, fees }) {
      const key = toHex(task)

      // the place in the order first: what is in no order would never be dropped
      await order.put(`${epoch.toString().padStart(12, '0')}/${key}`, key)
      await db.batch([{ type: 'put', sublevel: entries, key, value: entryCodec.encode({ type: 'assessment', table, trace, salt, fees }) }], { sync: true })
    },
    async keep (max, mayGo) {
      const all = await order.iterator().all()
      const old = all.filter(([, task]) => mayGo(task)).slice(0, Math.max(0, all.length - max))

      // the place in the order last: a crash in between is made good the next time
      await entries.batch(old.map(([, task]) => ({ type: 'del', key: task })))
      await order.batch(old.map(([key]) => ({ type: 'del', key })))
    }
  }
}
