import PQueue from 'p-queue'
import { QUEUE_MAX } from './constants.ts'
import { BusyError } from './errors.ts'

/** Runs what belongs to one key in order, and what belongs to different keys side by side. */
export interface Queues {
  /** @throws {BusyError} if too much waits for this key */
  run<T> (key: string, work: () => Promise<T>): Promise<T>
  onIdle (): Promise<void>
}

export function queues (): Queues {
  const lines = new Map<string, { queue: PQueue, users: number }>()

  return {
    async run (key, work) {
      const line = lines.get(key) ?? { queue: new PQueue({ concurrency: 1 }), users: 0 }

      if (line.users > QUEUE_MAX) {
        throw new BusyError(line.users)
      }

      lines.set(key, line)
      line.users++

      try {
        return await line.queue.add(work)
      } finally {
        line.users--

        if (line.users === 0) {
          lines.delete(key)
        }
      }
    },
    async onIdle () {
      await Promise.all([...lines.values()].map(async ({ queue }) => queue.onIdle()))
    }
  }
}
