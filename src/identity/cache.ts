import { toHex } from '../wire/index.ts'

/** Enough for several validator sets, 1 KB each. */
const ENTRIES_MAX = 1024

/**
 * Parses each key once: decompression and the subgroup check cost more than the use. Bounded:
 * the oldest is forgotten. `null` (no such point) is not kept, so that garbage evicts nothing.
 * `trusted` parses instead, with fewer checks, what the caller knows to be good.
 */
export function cached<T> (parse: (bytes: Uint8Array) => T | null): (bytes: Uint8Array, trusted?: (bytes: Uint8Array) => T | null) => T | null {
  const entries = new Map<string, T>()

  return (bytes, trusted) => {
    const key = toHex(bytes)
    const known = entries.get(key)

    if (known !== undefined) {
      return known
    }

    const value = (trusted ?? parse)(bytes)

    if (value !== null) {
      if (entries.size >= ENTRIES_MAX) {
        entries.delete(entries.keys().next().value ?? '')
      }

      entries.set(key, value)
    }

    return value
  }
}
