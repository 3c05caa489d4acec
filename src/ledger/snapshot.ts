import { concatBytes, equalBytes, STATE_VALUE_BYTES_MAX, utf8 } from '../wire/index.ts'
import { authenticatedMap } from './authenticated-map.ts'
import { STATE_KEY_LENGTH_MAX, STATE_SNAPSHOT_BYTES_MAX } from './constants.ts'
import { SnapshotError } from './errors.ts'
import type { AuthenticatedMap } from './interface.ts'
import type { Hash } from '../interface/index.ts'

/** `datanet/state-snapshot/1` and the number of entries, then per entry: lengths, key, value. */
const MAGIC = utf8('datanet/state-snapshot/1')
const HEAD_BYTES = MAGIC.length + 4
const ENTRY_HEAD_BYTES = 6

/**
 * All entries as bytes for the disk, in key order: equal maps give equal bytes.
 *
 * @throws {SnapshotError} when the map is beyond STATE_SNAPSHOT_BYTES_MAX
 */
export function encodeSnapshot (map: AuthenticatedMap): Uint8Array {
  const parts: Uint8Array[] = [MAGIC, head([4, map.size])]
  let bytes = HEAD_BYTES

  for (const [key, value] of map.entries()) {
    parts.push(head([2, key.length], [4, value.length]), utf8(key), value)
    bytes += ENTRY_HEAD_BYTES + key.length + value.length

    if (bytes > STATE_SNAPSHOT_BYTES_MAX) {
      throw new SnapshotError(`a snapshot has at most ${STATE_SNAPSHOT_BYTES_MAX} bytes`)
    }
  }

  return concatBytes(...parts)
}

/**
 * The map of a snapshot, checked against the root of a certified header.
 *
 * @throws {SnapshotError} when the bytes are malformed or the root is another
 */
export function decodeSnapshot (bytes: Uint8Array, root: Hash): AuthenticatedMap {
  if (bytes.length < HEAD_BYTES || bytes.length > STATE_SNAPSHOT_BYTES_MAX || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) {
    throw new SnapshotError(`expected a snapshot of version 1 of at most ${STATE_SNAPSHOT_BYTES_MAX} bytes`)
  }

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: Array<[string, Uint8Array]> = []
  let at = HEAD_BYTES

  for (let left = view.getUint32(MAGIC.length); left > 0; left--) {
    if (at + ENTRY_HEAD_BYTES > bytes.length) {
      throw new SnapshotError('the snapshot is cut short')
    }

    const keyBytes = view.getUint16(at)
    const valueBytes = view.getUint32(at + 2)
    const end = at + ENTRY_HEAD_BYTES + keyBytes + valueBytes

    if (keyBytes > STATE_KEY_LENGTH_MAX || valueBytes > STATE_VALUE_BYTES_MAX || end > bytes.length) {
      throw new SnapshotError('the snapshot has an entry beyond its limits or its end')
    }

    entries.push([ascii(bytes.subarray(at + ENTRY_HEAD_BYTES, end - valueBytes)), bytes.slice(end - valueBytes, end)])
    at = end
  }

  if (at !== bytes.length) {
    throw new SnapshotError('the snapshot has bytes after its last entry')
  }

  const map = authenticatedMap(entries)

  if (!equalBytes(map.root, root)) {
    throw new SnapshotError('the snapshot is of a state with another root')
  }

  return map
}

/** Other bytes than ASCII become characters that the map refuses. */
function ascii (bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

function head (...fields: Array<[bytes: 2 | 4, value: number]>): Uint8Array {
  const out = new Uint8Array(fields.reduce((sum, [bytes]) => sum + bytes, 0))
  const view = new DataView(out.buffer)
  let at = 0

  for (const [bytes, value] of fields) {
    if (bytes === 2) {
      view.setUint16(at, value)
    } else {
      view.setUint32(at, value)
    }

    at += bytes
  }

  return out
}
