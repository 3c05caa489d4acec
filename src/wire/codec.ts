import * as dagCbor from '@ipld/dag-cbor'
import { toError } from '../utils/index.ts'
import { equalBytes } from './bytes.ts'
import { RECORD_BYTES_MAX } from './constants.ts'
import { MalformedRecordError, NotCanonicalError, RecordTooLargeError } from './errors.ts'
import { scan } from './scan.ts'
import type { Codec, Schema } from './interface.ts'

function parse (bytes: Uint8Array, name: string): unknown {
  try {
    return dagCbor.decode(bytes)
  } catch (cause) {
    throw new MalformedRecordError(name, 'strict DAG-CBOR', toError(cause).message, { cause })
  }
}

/**
 * Canonical DAG-CBOR of the values of a schema.
 * `name` is the kind of record, the first part of paths in errors.
 *
 * @example
 * ```ts
 * const pointCodec = codec('point', struct({ x: integer({ min: 0, max: 9 }), label: optional(text({ max: 20 })) }))
 * pointCodec.decode(pointCodec.encode({ x: 3 })) // { x: 3 }
 * ```
 */
export function codec<T> (name: string, schema: Schema<T>, options: { bytesMax?: number } = {}): Codec<T> {
  const bytesMax = options.bytesMax ?? RECORD_BYTES_MAX

  function encode (value: T): Uint8Array {
    const bytes = dagCbor.encode(schema.toPlain(value, name))

    if (bytes.length > bytesMax) {
      throw new RecordTooLargeError(name, bytesMax, bytes.length)
    }

    return bytes
  }

  function decode (bytes: Uint8Array): T {
    if (bytes.length > bytesMax) {
      throw new RecordTooLargeError(name, bytesMax, bytes.length)
    }

    scan(bytes, name)
    const value = schema.fromPlain(parse(bytes, name), name)

    // covers what the decoder tolerates: key order, repeated keys, invalid UTF-8
    if (!equalBytes(dagCbor.encode(schema.toPlain(value, name)), bytes)) {
      throw new NotCanonicalError(name, 'another encoding of the same value')
    }

    return value
  }

  return { name, bytesMax, schema, encode, decode }
}
