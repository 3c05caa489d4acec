import { equalBytes } from '../wire/index.ts'
import type { AuthenticatedMap } from './interface.ts'
import type { LedgerEvent } from '../interface/index.ts'
import type { Codec } from '../wire/index.ts'

interface Change {
  value: unknown
  encode (): Uint8Array
}

/**
 * Values decoded before, by their bytes: the map never changes bytes in place, and rules never
 * change values in place, so both may be shared by all versions of the state.
 */
const decoded = new WeakMap<Uint8Array, unknown>()

/**
 * The state while a block is executed: changes over a map, and events. A fork takes the changes of
 * one transaction and is merged only when the transaction succeeds.
 *
 * Values that come out of a draft must not be changed in place.
 */
export class Draft {
  readonly height: number
  readonly #base: AuthenticatedMap
  readonly #parent: Draft | null
  readonly #changes = new Map<string, Change | null>()
  readonly #events: LedgerEvent[] = []

  constructor (base: AuthenticatedMap, height: number, parent: Draft | null = null) {
    this.#base = base
    this.#parent = parent
    this.height = height
  }

  /** The value under a key, which must be one of this codec's kind. */
  get<T> (codec: Codec<T>, key: string): T | undefined {
    for (let draft: Draft | null = this; draft !== null; draft = draft.#parent) {
      const change = draft.#changes.get(key)

      if (change !== undefined) {
        // a key has one codec for ever, so what was put under it is a T
        return change === null ? undefined : change.value as T
      }
    }

    const bytes = this.#base.get(key)

    if (bytes === undefined) {
      return undefined
    }

    if (!decoded.has(bytes)) {
      decoded.set(bytes, codec.decode(bytes))
    }

    // as above: these bytes were decoded with the key's only codec
    return decoded.get(bytes) as T
  }

  put<T> (codec: Codec<T>, key: string, value: NoInfer<T>): void {
    this.#changes.set(key, { value, encode: () => codec.encode(value) })
  }

  delete (key: string): void {
    this.#changes.set(key, null)
  }

  has (key: string): boolean {
    for (let draft: Draft | null = this; draft !== null; draft = draft.#parent) {
      const change = draft.#changes.get(key)

      if (change !== undefined) {
        return change !== null
      }
    }

    return this.#base.get(key) !== undefined
  }

  /** The first `max` keys that start with `prefix`, in order, none before `from`; all by default. */
  keys (prefix: string, max = Infinity, from = prefix): string[] {
    const changed = new Set<string>()
    const unchanged: string[] = []

    for (let draft: Draft | null = this; draft !== null; draft = draft.#parent) {
      for (const key of draft.#changes.keys()) {
        if (key >= from && key.startsWith(prefix)) {
          changed.add(key)
        }
      }
    }

    for (const [key] of this.#base.entries(prefix, from)) {
      if (unchanged.length >= max) {
        break
      }

      if (!changed.has(key)) {
        unchanged.push(key)
      }
    }

    return [...unchanged, ...[...changed].filter(key => this.has(key))].sort().slice(0, max)
  }

  emit (event: LedgerEvent): void {
    this.#events.push(event)
  }

  get events (): LedgerEvent[] {
    return [...this.#events]
  }

  fork (): Draft {
    return new Draft(this.#base, this.height, this)
  }

  /** Hands changes and events to the draft that this one is a fork of. */
  merge (): void {
    const parent = this.#parent

    if (parent === null) {
      return
    }

    for (const [key, change] of this.#changes) {
      parent.#changes.set(key, change)
    }

    parent.#events.push(...this.#events)
  }

  /** The map with all changes. */
  apply (): AuthenticatedMap {
    let map = this.#base

    for (const [key, change] of this.#changes) {
      if (change === null) {
        map = map.delete(key)
        continue
      }

      const bytes = change.encode()
      const before = map.get(key)

      if (before === undefined || !equalBytes(before, bytes)) {
        // what was put may still belong to a caller, so it is not kept: the next reader decodes the bytes
        map = map.set(key, bytes)
      }
    }

    return map
  }
}
