import PQueue from 'p-queue'
import { RETRY_AFTER_SECONDS } from './constants.ts'
import { OverloadedError, StoppingError } from './errors.ts'
import type { Load } from './metrics.ts'

/** Lets some work in, has some wait, and turns the rest away at the door. */
export interface Admission {
  /**
   * @throws {OverloadedError} if too much waits
   * @throws {StoppingError} after `drain` was called
   */
  run<T> (work: () => Promise<T>, signal: AbortSignal): Promise<T>
  load (): Load
  /** Turns everybody away from now on; resolves when what was let in has ended, or `signal` fires. */
  drain (signal: AbortSignal): Promise<void>
}

export function admission ({ atOnce, waitingMax }: { atOnce: number, waitingMax: number }): Admission {
  const queue = new PQueue({ concurrency: atOnce })
  let stopping = false

  return {
    async run (work, signal) {
      if (stopping) {
        throw new StoppingError()
      }

      if (queue.size >= waitingMax) {
        throw new OverloadedError(queue.size, RETRY_AFTER_SECONDS)
      }

      // who goes away while waiting leaves the queue
      return queue.add(work, { signal })
    },
    load: () => ({ running: queue.pending, waiting: queue.size }),
    async drain (signal) {
      stopping = true

      await Promise.race([
        queue.onIdle(),
        new Promise<void>(resolve => {
          signal.addEventListener('abort', () => { resolve() }, { once: true })
        })
      ])
    }
  }
}
