import type { FinalisedTransaction } from './interface.ts'
import type { CID } from 'multiformats/cid'

type Waiter = PromiseWithResolvers<FinalisedTransaction>

/** Those who wait for transactions to be final. */
export interface WaitingRoom {
  wait (id: CID): { promise: Promise<FinalisedTransaction>, leave (): void }
  settle (id: CID, then: (waiter: Waiter) => void): void
  /** nobody waits any longer */
  clear (error: Error): void
}

export function waitingRoom (): WaitingRoom {
  const waiters = new Map<string, Set<Waiter>>()

  const settle = (key: string, then: (waiter: Waiter) => void): void => {
    waiters.get(key)?.forEach(then)
    waiters.delete(key)
  }

  return {
    wait: (id) => {
      const key = id.toString()
      const waiter = Promise.withResolvers<FinalisedTransaction>()
      // whoever waits sees it; nobody else has to
      waiter.promise.catch(() => {})
      const set = waiters.get(key) ?? new Set()
      waiters.set(key, set.add(waiter))
      return {
        promise: waiter.promise,
        leave: () => {
          set.delete(waiter)
          if (set.size === 0 && waiters.get(key) === set) {
            waiters.delete(key)
          }
        }
      }
    },
    settle: (id, then) => { settle(id.toString(), then) },
    clear: (error) => { [...waiters.keys()].forEach(key => { settle(key, waiter => { waiter.reject(error) }) }) }
  }
}
