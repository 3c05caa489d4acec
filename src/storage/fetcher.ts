import { setTimeout as delay } from 'node:timers/promises'
import PQueue from 'p-queue'
import { raceSignal } from 'race-signal'
import { FETCHES_MAX, FETCHES_WAITING_MAX, FETCH_BACKOFF_MS } from './constants.ts'
import { BlockUnavailableError, FetchQueueFullError } from './errors.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

export type Retrieve = (cid: CID, options: { signal: AbortSignal }) => Promise<Uint8Array>

interface Flight {
  promise: Promise<Uint8Array>
  controller: AbortController
  waiters: number
}

export interface FetchOptions extends AbortOptions {
  timeoutMs: number
  attemptsMax: number
}

/**
 * Fetches blocks with a timeout and retries. Callers for one block share one want, since bitswap
 * drops a want for all when one of its callers aborts; the first caller's timeout counts.
 */
export class Fetcher {
  private readonly flights = new Map<string, Flight>()
  private readonly queue = new PQueue({ concurrency: FETCHES_MAX })
  private readonly retrieve: Retrieve
  private readonly stopped = new AbortController()

  constructor (retrieve: Retrieve) {
    this.retrieve = retrieve
  }

  async fetch (cid: CID, options: FetchOptions): Promise<Uint8Array> {
    options.signal?.throwIfAborted()
    const key = cid.toString()
    const flight = this.flights.get(key) ?? this.launch(key, cid, options)
    flight.waiters++
    try {
      return await raceSignal(flight.promise, options.signal)
    } finally {
      flight.waiters--
      if (flight.waiters === 0) {
        flight.controller.abort()
        this.forget(key, flight)
      }
    }
  }

  stop (): void {
    this.stopped.abort()
    this.queue.clear()
  }

  private launch (key: string, cid: CID, options: FetchOptions): Flight {
    if (this.queue.size >= FETCHES_WAITING_MAX) {
      throw new FetchQueueFullError(this.queue.size)
    }
    const controller = new AbortController()
    const signal = AbortSignal.any([controller.signal, this.stopped.signal])
    const promise = raceSignal(this.queue.add(async () => this.attempt(cid, signal, options)), signal)
    const flight: Flight = { controller, waiters: 0, promise }
    this.flights.set(key, flight)
    // every waiter may have left by the time it fails
    promise.catch(() => {}).finally(() => { this.forget(key, flight) })
    return flight
  }

  private forget (key: string, flight: Flight): void {
    if (this.flights.get(key) === flight) {
      this.flights.delete(key)
    }
  }

  private async attempt (cid: CID, signal: AbortSignal, options: FetchOptions): Promise<Uint8Array> {
    let cause: unknown
    for (let attempt = 0; attempt < options.attemptsMax; attempt++) {
      if (attempt > 0) {
        await delay(FETCH_BACKOFF_MS * 2 ** (attempt - 1), undefined, { signal })
      }
      signal.throwIfAborted()
      const timeout = AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)])
      try {
        return await raceSignal(this.retrieve(cid, { signal: timeout }), timeout)
      } catch (err) {
        signal.throwIfAborted()
        cause = err
      }
    }
    throw new BlockUnavailableError(cid, options.attemptsMax, cause)
  }
}
