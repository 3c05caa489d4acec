import { setImmediate } from 'node:timers/promises'
import { SPAN_WORK_AT_ONCE_MS } from './constants.ts'
import type { Work } from '../attribution/index.ts'

/** Does work of many steps so that others have their turn on the thread in between. */
export async function inTurns<T> (work: Work<T>, signal: AbortSignal): Promise<T> {
  let begun = performance.now()

  for (;;) {
    const { done, value } = work.next()

    if (done === true) {
      return value
    }

    if (performance.now() - begun > SPAN_WORK_AT_ONCE_MS) {
      await setImmediate(undefined, { signal })
      begun = performance.now()
    }
  }
}
