import { CID } from 'multiformats/cid'
import { DAG_CBOR, SHA2_256 } from './cid.ts'
import { AMOUNT_BYTES_MAX } from './constants.ts'
import { describe } from './describe.ts'
import { MalformedRecordError, OutOfRangeError } from './errors.ts'
import type { OptionalSchema, Schema } from './interface.ts'

/** A schema whose values stand for themselves in the data model. */
function same<T> (expects: string, check: (value: unknown, path: string) => T): Schema<T> {
  return { expects, toPlain: check, fromPlain: check }
}

/** A whole number that a JavaScript number holds exactly. Limits are inclusive. */
export function integer (limits: { min?: number, max?: number } = {}): Schema<number> {
  const min = limits.min ?? 0
  const max = limits.max ?? Number.MAX_SAFE_INTEGER
  const expects = `an integer from ${min} to ${max}`

  return same(expects, (value, path) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      throw new MalformedRecordError(path, expects, describe(value))
    }

    if (value < min || value > max) {
      throw new OutOfRangeError(path, expects, describe(value))
    }

    // -0 and 0 are one integer
    return value + 0
  })
}

/** Code points; beyond twice `max` code units the exact number does not matter and is not counted. */
function characters (value: string, max: number): number {
  if (value.length > 2 * max) {
    return value.length
  }

  let count = 0

  for (let i = 0; i < value.length; i++) {
    // of each pair of surrogates, count the first
    count += (value.charCodeAt(i) & 0xfc00) === 0xdc00 ? 0 : 1
  }

  return count
}

/** Text of `min` (default 0) to `max` Unicode code points. `line` refuses control characters, also line ends. */
export function text (limits: { min?: number, max: number, line?: boolean }): Schema<string> {
  const min = limits.min ?? 0
  const expects = `${limits.line === true ? 'one line of' : 'text of'} ${min} to ${limits.max} characters`

  return same(expects, (value, path) => {
    if (typeof value !== 'string' || !value.isWellFormed()) {
      throw new MalformedRecordError(path, expects, describe(value))
    }

    const length = characters(value, limits.max)

    if (length < min || length > limits.max) {
      throw new OutOfRangeError(path, expects, `${length} characters`)
    }

    // eslint-disable-next-line no-control-regex
    if (limits.line === true && /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(value)) {
      throw new MalformedRecordError(path, expects, `control characters in ${describe(value)}`)
    }

    return value
  })
}

/** Bytes of exactly `length`, or of `min` (default 0) to `max`. */
export function bytes (limits: { length: number } | { min?: number, max: number }): Schema<Uint8Array> {
  const [min, max] = 'length' in limits ? [limits.length, limits.length] : [limits.min ?? 0, limits.max]
  const expects = min === max ? `${min} bytes` : `${min} to ${max} bytes`

  return same(expects, (value, path) => {
    if (!(value instanceof Uint8Array)) {
      throw new MalformedRecordError(path, expects, describe(value))
    }

    if (value.length < min || value.length > max) {
      throw new OutOfRangeError(path, expects, `${value.length} bytes`)
    }

    // a Node Buffer becomes plain, so that what was encoded and what was decoded look alike
    return value.constructor === Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  })
}

/** Base units of OPEN: the minimal big-endian bytes, none for 0, at most 16. DAG-CBOR has no big integers. */
export const amount: Schema<bigint> = {
  expects: 'an amount from 0 to 2^128 - 1',

  toPlain (value, path) {
    if (typeof value !== 'bigint') {
      throw new MalformedRecordError(path, amount.expects, describe(value))
    }

    if (value < 0n || value >= 1n << BigInt(8 * AMOUNT_BYTES_MAX)) {
      throw new OutOfRangeError(path, amount.expects, describe(value))
    }

    const plain: number[] = []

    for (let rest = value; rest > 0n; rest >>= 8n) {
      plain.push(Number(rest & 0xffn))
    }

    return Uint8Array.from(plain.reverse())
  },

  fromPlain (plain, path) {
    if (!(plain instanceof Uint8Array)) {
      throw new MalformedRecordError(path, amount.expects, describe(plain))
    }

    if (plain.length > AMOUNT_BYTES_MAX) {
      throw new OutOfRangeError(path, amount.expects, `${plain.length} bytes`)
    }

    if (plain.length > 0 && plain[0] === 0) {
      throw new MalformedRecordError(path, 'an amount without leading zero bytes', describe(plain))
    }

    return plain.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
  }
}

/** A signed 64-bit integer: 8 bytes, two's complement, big-endian. For scores. */
export const int64: Schema<bigint> = {
  expects: 'an integer from -2^63 to 2^63 - 1',

  toPlain (value, path) {
    if (typeof value !== 'bigint') {
      throw new MalformedRecordError(path, int64.expects, describe(value))
    }

    if (BigInt.asIntN(64, value) !== value) {
      throw new OutOfRangeError(path, int64.expects, describe(value))
    }

    const plain = new Uint8Array(8)
    new DataView(plain.buffer).setBigInt64(0, value)

    return plain
  },

  fromPlain (plain, path) {
    if (!(plain instanceof Uint8Array) || plain.length !== 8) {
      throw new MalformedRecordError(path, '8 bytes, two\'s complement', describe(plain))
    }

    return new DataView(plain.buffer, plain.byteOffset, 8).getBigInt64(0)
  }
}

/** A CIDv1 with SHA-256 and one of these multicodecs, DAG-CBOR alone by default. */
export function cid (options: { codes?: number[] } = {}): Schema<CID> {
  const codes = options.codes ?? [DAG_CBOR]
  const expects = `a CIDv1 with SHA-256 and multicodec ${codes.map(code => `0x${code.toString(16)}`).join(' or ')}`

  return same(expects, (value, path) => {
    const link = CID.asCID(value)

    if (link == null || link.version !== 1 || link.multihash.code !== SHA2_256 || link.multihash.digest.length !== 32 || !codes.includes(link.code)) {
      throw new MalformedRecordError(path, expects, describe(value))
    }

    return link
  })
}

export const boolean: Schema<boolean> = same('true or false', (value, path) => {
  if (typeof value !== 'boolean') {
    throw new MalformedRecordError(path, 'true or false', describe(value))
  }

  return value
})

/** One of these values and nothing else. */
export function literal<const T extends string | number | boolean> (...values: T[]): Schema<T> {
  const expects = values.map(value => JSON.stringify(value)).join(' or ')

  return same(expects, (value, path) => {
    const found = values.find(one => one === value)

    if (found === undefined) {
      throw new MalformedRecordError(path, expects, describe(value))
    }

    return found
  })
}

/** The schema's value or null. */
export function nullable<T> (schema: Schema<T>): Schema<T | null> {
  return {
    expects: `${schema.expects} or null`,
    toPlain: (value, path) => value === null ? null : schema.toPlain(value, path),
    fromPlain: (plain, path) => plain === null ? null : schema.fromPlain(plain, path)
  }
}

/** A field of a struct that may be absent. */
export function optional<T> (schema: Schema<T>): OptionalSchema<T> {
  return {
    optional: true,
    expects: `${schema.expects} or nothing`,
    toPlain: (value, path) => value === undefined ? undefined : schema.toPlain(value, path),
    fromPlain: (plain, path) => plain === undefined ? undefined : schema.fromPlain(plain, path)
  }
}
