import { codec, hash32, list, literal, scoreTableCodec, struct, toHex } from '../wire/index.ts'
import type { Assessment } from './interface.ts'
import type { Hash } from '../interface/index.ts'
import type { Level } from 'level'

const entryCodec = codec('assessment', struct({
  type: literal('assessment'),
  table: scoreTableCodec.schema,
  trace: list(hash32, { max: 1_048_576 }),
  salt: hash32
}), { bytesMax: 64 * 1024 * 1024 })

/** An assessment and the salt that its commit was made with. */
export interface SaltedAssessment extends Assessment {
  salt: Hash
}

/**
 * Assessments on disk, written before they are committed: an assessor that is killed between
 * commit and reveal still knows its salt.
 */
export interface Journal {
  get (task: Hash): Promise<SaltedAssessment | undefined>
  put (task: Hash, assessment: SaltedAssessment): Promise<void>
  /** what this node has assessed, oldest first */
  tasks (): Promise<string[]>
  delete (task: string): Promise<void>
}

export function journal (db: Level): Journal {
  const entries = db.sublevel<string, Uint8Array>('assessments', { valueEncoding: 'view' })

  return {
    async get (task) {
      const bytes = await entries.get(toHex(task))

      return bytes == null ? undefined : entryCodec.decode(bytes)
    },
    async put (task, { table, trace, salt }) {
      await db.batch([{ type: 'put', sublevel: entries, key: toHex(task), value: entryCodec.encode({ type: 'assessment', table, trace, salt }) }], { sync: true })
    },
    async tasks () {
      return entries.keys().all()
    },
    async delete (task) {
      await entries.del(task)
    }
  }
}
