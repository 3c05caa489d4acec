import { CID } from 'multiformats/cid'
import { LET_GO_MAX } from './constants.ts'

/** Where it is written down what was let go, so that it goes after a restart too. */
export interface LetGoJournal {
  /** CIDs, and when they were let go */
  load (max: number): Promise<Array<[cid: string, atMs: number]>>
  add (cids: string[], atMs: number): Promise<void>
  remove (cid: string): Promise<void>
}

export interface LetGoStore {
  isPinned (cid: CID): Promise<boolean>
  delete (cid: CID): Promise<void>
}

/** Blocks of one content, under whatever codec. */
const keyOf = (cid: CID): string => Buffer.from(cid.multihash.bytes).toString('latin1')

/**
 * Blocks whose pins were let go, to be deleted when nobody has read, written or pinned them for some
 * time. Only these: what was fetched and never pinned is a cache on which others may depend.
 */
export class LetGo {
  private readonly store: LetGoStore
  private readonly journal?: LetGoJournal
  private readonly entries = new Map<string, { cid: CID, atMs: number }>()
  private readonly deleting = new Map<string, Promise<void>>()

  constructor (store: LetGoStore, journal?: LetGoJournal) {
    this.store = store
    this.journal = journal
  }

  async load (): Promise<void> {
    for (const [cid, atMs] of await this.journal?.load(LET_GO_MAX) ?? []) {
      this.remember(CID.parse(cid), atMs)
    }
  }

  /** Notes blocks that a pin held. Beyond LET_GO_MAX they stay where they are. */
  async add (cids: CID[]): Promise<void> {
    const atMs = Date.now()
    const noted = cids.filter(cid => this.remember(cid, atMs))
    await this.journal?.add(noted.map(String), atMs)
  }

  private remember (cid: CID, atMs: number): boolean {
    const key = keyOf(cid)
    if (this.entries.size >= LET_GO_MAX && !this.entries.has(key)) {
      return false
    }
    this.entries.set(key, { cid, atMs })
    return true
  }

  /** To be awaited before a block is read or written: from now on it is in use, and no deletion is under way. */
  async use (cid: CID): Promise<void> {
    const key = keyOf(cid)
    const entry = this.entries.get(key)
    if (entry !== undefined) {
      entry.atMs = Date.now()
    }
    await this.deleting.get(key)?.catch(() => {})
  }

  /**
   * Deletes what was let go and not used from a time on, unless it is pinned again.
   *
   * @returns how many blocks
   */
  async sweep (beforeMs: number, signal?: AbortSignal): Promise<number> {
    let deleted = 0
    for (const [key, { cid, atMs }] of [...this.entries]) {
      if (signal?.aborted === true) {
        break
      }
      if (atMs < beforeMs) {
        const isPinned = await this.store.isPinned(cid)
        // it may have been used meanwhile; from here to the deletion nothing comes between
        if (isPinned || (this.entries.get(key)?.atMs ?? beforeMs) < beforeMs) {
          deleted += isPinned ? 0 : 1
          await this.forget(key, cid, isPinned)
        }
      }
    }
    return deleted
  }

  private async forget (key: string, cid: CID, isPinned: boolean): Promise<void> {
    this.entries.delete(key)
    if (!isPinned) {
      const gone = this.store.delete(cid).finally(() => { this.deleting.delete(key) })
      this.deleting.set(key, gone)
      await gone
    }
    await this.journal?.remove(cid.toString())
  }
}
