import { setTimeout as delay } from 'node:timers/promises'
import PQueue from 'p-queue'
import { DatanetError, toError } from '../utils/index.ts'
import { HOLDING_CONCURRENCY, HOLD_RETRY_MS, HOLD_RETRY_MS_MAX } from './constants.ts'
import { signedContributionCodec } from './records.ts'
import type { ContributionEntry, DatanetsComponents } from './interface.ts'
import type { Records } from './records.ts'
import type { CID } from 'multiformats/cid'

/** Errors of the network and of ourselves. */
const PASSING = new Set([
  'ERR_BLOCK_UNAVAILABLE', 'ERR_BLOCK_MISMATCH', 'ERR_FETCH_QUEUE_FULL', 'ERR_STORAGE_NOT_STARTED', 'ERR_DATANETS_NOT_STARTED',
  'ERR_UNKNOWN_CONTRIBUTION'
])

/** Whether an error says nothing about the content, so that trying again makes sense. */
export const isPassing = (err: unknown): boolean => !(err instanceof DatanetError) || PASSING.has(err.code)

export interface HolderEvents {
  onHeld (contribution: CID): void
  onRefused (contribution: CID, error: Error): void
}

/**
 * Fetches and pins contributions that are on the ledger (so a deposit stands for their bytes), each
 * record with all its shards. Rows that somebody repeats are the same shards: they are kept until the
 * last contribution that has them is let go, so that a rejected copy takes nothing from its original.
 */
export class Holder {
  private readonly storage: DatanetsComponents['storage']
  private readonly records: Records
  private readonly events: HolderEvents
  private readonly queue = new PQueue({ concurrency: HOLDING_CONCURRENCY })
  private readonly working = new Set<string>()
  private stopped = new AbortController()

  constructor (storage: DatanetsComponents['storage'], records: Records, events: HolderEvents) {
    this.storage = storage
    this.records = records
    this.events = events
  }

  start (): void {
    this.stopped = new AbortController()
  }

  async stop (): Promise<void> {
    this.stopped.abort()
    this.queue.clear()
    await this.queue.onIdle()
    this.working.clear()
  }

  /** Takes care of a contribution until it is held, refused or rejected. Repeating it is fine. */
  hold (contribution: CID, entry: () => ContributionEntry | undefined): void {
    const key = contribution.toString()
    if (this.working.has(key) || this.stopped.signal.aborted) {
      return
    }
    this.working.add(key)
    this.work(contribution, entry, this.stopped.signal)
      .catch(() => {
        // only our own end breaks the loop below
      })
      .finally(() => { this.working.delete(key) })
  }

  /** A rejected contribution is nobody's to keep. */
  async letGo (contribution: CID): Promise<void> {
    await this.storage.unpin(contribution)
  }

  private async work (contribution: CID, entry: () => ContributionEntry | undefined, signal: AbortSignal): Promise<void> {
    for (let pauseMs = HOLD_RETRY_MS; ; pauseMs = Math.min(pauseMs * 2, HOLD_RETRY_MS_MAX)) {
      const known = entry()
      if (known === undefined || known.state.status === 'rejected') {
        return
      }
      try {
        const done = await this.queue.add(async () => this.bringHome(contribution, known, signal), { signal })
        if (done) {
          this.events.onHeld(contribution)
        }
        return
      } catch (err) {
        signal.throwIfAborted()
        if (!isPassing(err)) {
          this.events.onRefused(contribution, toError(err))
          return
        }
      }
      await delay(pauseMs, undefined, { signal, ref: false })
    }
  }

  /** Whether it is news that we hold it. */
  private async bringHome (contribution: CID, entry: ContributionEntry, signal: AbortSignal): Promise<boolean> {
    if (await this.storage.isPinned(contribution)) {
      return false
    }
    const record = await this.records.record(contribution, entry, { signal })
    // reads every shard into our store and checks all counts on the way
    for await (const row of this.records.rows(contribution, record, { signal })) {
      if (row === undefined) {
        break
      }
    }
    await this.storage.put(signedContributionCodec.encode(record), { signal })
    // a record links to its shards and its Datanet's manifest alone
    await this.storage.pin(contribution, { depth: 1, signal })
    return true
  }
}
