import { NESTING_MAX } from './constants.ts'
import { MalformedRecordError, NotCanonicalError } from './errors.ts'

const BYTES = 2
const TEXT = 3
const LIST = 4
const MAP = 5
const TAG = 6
const SIMPLE = 7

/** bytes of the argument for the low bits 24 to 27 */
const LENGTHS: Array<number | undefined> = [1, 2, 4, 8]

/** How many items follow a head that opens a list, a map or a tag. */
function itemsOf (major: number, value: number): number {
  if (major === TAG) {
    return 1
  }

  return major === MAP ? 2 * value : value
}

/** The argument of a CBOR head: its value and how many bytes the head has. */
function argument (bytes: Uint8Array, at: number, name: string): { value: number, headBytes: number } {
  const low = bytes[at] & 0x1f

  if (low < 24) {
    return { value: low, headBytes: 1 }
  }

  const length = LENGTHS[low - 24]

  if (length === undefined) {
    throw new NotCanonicalError(name, `an indefinite or reserved length at byte ${at}`)
  }

  if (at + 1 + length > bytes.length) {
    throw new MalformedRecordError(name, 'whole DAG-CBOR', `bytes that end within the item at byte ${at}`)
  }

  let value = 0

  for (let i = 1; i <= length; i++) {
    value = value * 256 + bytes[at + i]
  }

  return { value, headBytes: 1 + length }
}

/**
 * Reads the structure without building anything: bounds the nesting and the counts before the
 * general decoder, which is recursive and allocates, sees the bytes.
 *
 * @throws {MalformedRecordError}
 */
export function scan (bytes: Uint8Array, name: string): void {
  // items still to come at each level
  const open: number[] = [1]
  let at = 0

  while (open.length > 0) {
    if (open[open.length - 1] === 0) {
      open.pop()
      continue
    }

    open[open.length - 1]--

    if (at >= bytes.length) {
      throw new MalformedRecordError(name, 'whole DAG-CBOR', `${bytes.length} bytes that end too early`)
    }

    const major = bytes[at] >> 5

    if (major === SIMPLE && (bytes[at] < 0xf4 || bytes[at] > 0xf6)) {
      throw new MalformedRecordError(name, 'integers, bytes, text, lists, maps, links, booleans or null', `byte 0x${bytes[at].toString(16)} at ${at}: floats are not allowed`)
    }

    const { value, headBytes } = argument(bytes, at, name)
    at += headBytes

    if (major === BYTES || major === TEXT) {
      at += value
    } else if (major === LIST || major === MAP || major === TAG) {
      const items = itemsOf(major, value)

      // every item has a byte at least
      if (items > bytes.length - at) {
        throw new MalformedRecordError(name, `at most ${bytes.length - at} items in the remaining bytes`, `a count of ${items}`)
      }

      open.push(items)

      if (open.length > NESTING_MAX) {
        throw new MalformedRecordError(name, `at most ${NESTING_MAX} levels`, 'more')
      }
    }
  }

  if (at !== bytes.length) {
    throw new MalformedRecordError(name, `one item of ${bytes.length} bytes`, at > bytes.length ? 'bytes that end too early' : `${bytes.length - at} bytes too many`)
  }
}
