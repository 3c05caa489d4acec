import { raceSignal } from 'race-signal'
import { LOAD_TIMEOUT_MS } from './constants.ts'
import type { AbortOptions } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** A value that is kept. */
export interface Kept {
  cid: CID
  bytes: number
  /** stays until somebody says otherwise */
  pinned: boolean
}

/** Values by CID in bounded memory. */
export interface Recent<T> {
  /**
   * The value, loaded once even when asked for at the same time; the least recently used that
   * nobody pinned make room for it.
   * What `load` throws is thrown, and tried again next time.
   */
  get (cid: CID, load: (options: AbortOptions) => Promise<T>, options?: AbortOptions): Promise<T>
  /** Keeps a value that is there, whatever else is used; false if it is not there. */
  pin (cid: CID): boolean
  /** Lets a value go, pinned or not; whoever holds it already keeps it. False if it was not there. */
  evict (cid: CID): boolean
  has (cid: CID): boolean
  /** what is loaded, the most recently used first */
  list (): Kept[]
  /** of all that is loaded */
  readonly bytes: number
}

interface Entry<T> {
  cid: CID
  value: Promise<T>
  /** undefined while it loads */
  bytes: number | undefined
  pinned: boolean
}

export function recent<T> (bytesMax: number, bytesOf: (value: T) => number): Recent<T> {
  // last is most recently used
  const entries = new Map<string, Entry<T>>()

  const load = (cid: CID, from: (options: AbortOptions) => Promise<T>): Entry<T> => {
    const key = cid.toString()
    // whoever asked first may go away while others wait for the same value
    const entry: Entry<T> = { cid, value: from({ signal: AbortSignal.timeout(LOAD_TIMEOUT_MS) }), bytes: undefined, pinned: false }

    entry.value.then(value => {
      entry.bytes = bytesOf(value)
      makeRoom(entries, bytesMax, entry)
    }, () => {
      if (entries.get(key) === entry) {
        entries.delete(key)
      }
    })

    return entry
  }

  return {
    async get (cid, from, options) {
      const key = cid.toString()
      const entry = entries.get(key) ?? load(cid, from)

      entries.delete(key)
      entries.set(key, entry)

      return raceSignal(entry.value, options?.signal)
    },
    pin (cid) {
      const entry = entries.get(cid.toString())

      if (entry != null) {
        entry.pinned = true
      }

      return entry != null
    },
    evict: cid => entries.delete(cid.toString()),
    has: cid => entries.has(cid.toString()),
    list: () => [...entries.values()].toReversed().flatMap(({ cid, bytes, pinned }) => bytes === undefined ? [] : [{ cid, bytes, pinned }]),
    get bytes () {
      return sum(entries)
    }
  }
}

function sum<T> (entries: Map<string, Entry<T>>): number {
  return [...entries.values()].reduce((sum, { bytes = 0 }) => sum + bytes, 0)
}

function makeRoom<T> (entries: Map<string, Entry<T>>, bytesMax: number, keep: Entry<T>): void {
  let bytes = sum(entries)

  for (const [key, entry] of entries) {
    if (bytes <= bytesMax) {
      return
    }

    if (entry !== keep && entry.bytes !== undefined && !entry.pinned) {
      entries.delete(key)
      bytes -= entry.bytes
    }
  }
}
