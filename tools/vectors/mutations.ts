/**
 * Ways to spoil the bytes of any record.
 */
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { concatBytes } from '../../src/wire/index.ts'
import type { Fixture, Plain } from './fixtures.ts'

export interface Invalid {
  name: string
  bytes: Uint8Array
  code: string
  /** verify: it decodes, but its signature is wrong */
  stage: 'decode' | 'verify'
}

type Replace = (path: string) => Uint8Array | undefined

function isMap (value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && CID.asCID(value) == null
}

/** Encodes maps by hand, so that single values can be encoded wrongly. */
function assemble (value: unknown, replace: Replace, path: string, backwards: boolean): Uint8Array {
  const replaced = replace(path)

  if (replaced !== undefined) {
    return replaced
  }

  if (!isMap(value) || Object.keys(value).length > 23) {
    return dagCbor.encode(value)
  }

  const keys = Object.keys(dagCbor.decode<Plain>(dagCbor.encode(value)))
  const parts = (backwards ? keys.toReversed() : keys).flatMap(key => [dagCbor.encode(key), assemble(value[key], replace, path === '' ? key : `${path}.${key}`, false)])

  return concatBytes(Uint8Array.of(0xa0 + keys.length), ...parts)
}

function edited (bytes: Uint8Array, edit: (plain: Plain) => void): Uint8Array {
  const plain = dagCbor.decode<Plain>(bytes)
  edit(plain)

  return dagCbor.encode(plain)
}

/** Of a record that is a list of its fields' values. */
function listInvalids ({ valid: [{ bytes }], edits }: Fixture): Invalid[] {
  const malformed = (name: string, spoiled: Uint8Array, code = 'ERR_MALFORMED_RECORD'): Invalid => ({ name, bytes: spoiled, code, stage: 'decode' })
  const values = dagCbor.decode<unknown[]>(bytes)

  return [
    malformed('no bytes', new Uint8Array()),
    malformed('the last byte is missing', bytes.subarray(0, -1)),
    malformed('one byte too many', concatBytes(bytes, Uint8Array.of(0))),
    malformed('a value too many', dagCbor.encode([...values, 1])),
    malformed('a missing value', dagCbor.encode(values.slice(1))),
    malformed('a map instead of a list', dagCbor.encode({ values })),
    malformed('lists nested too deeply', new Uint8Array(1000).fill(0x81)),
    malformed('a count beyond the bytes', Uint8Array.of(0x9b, 0, 0, 0, 1, 0, 0, 0, 0)),
    malformed('a count in more bytes than needed', concatBytes(Uint8Array.of(0x98, values.length), bytes.subarray(1))),
    malformed('another version', dagCbor.encode(values.with(1, 2))),
    malformed('another type', dagCbor.encode(values.with(0, 'other'))),
    ...edits.map(({ name, edit, code }) => malformed(name, edited(bytes, edit), code ?? 'ERR_OUT_OF_RANGE'))
  ]
}

export function invalidsOf (fixture: Fixture): Invalid[] {
  if (Array.isArray(dagCbor.decode(fixture.valid[0].bytes))) {
    return listInvalids(fixture)
  }

  const { bytes } = fixture.valid[0]
  const plain = dagCbor.decode<Plain>(bytes)
  const [firstKey] = Object.keys(plain)
  const inPayload = isMap(plain.payload)
  const record = inPayload ? plain.payload as Plain : plain
  const at = (field: string): string => inPayload ? `payload.${field}` : field
  const malformed = (name: string, spoiled: Uint8Array, code = 'ERR_MALFORMED_RECORD'): Invalid => ({ name, bytes: spoiled, code, stage: 'decode' })
  const result = [
    malformed('no bytes', new Uint8Array()),
    malformed('the last byte is missing', bytes.subarray(0, -1)),
    malformed('one byte too many', concatBytes(bytes, Uint8Array.of(0))),
    malformed('an unknown field', edited(bytes, one => { one.extra = 1 })),
    malformed('a missing field', edited(bytes, one => { Reflect.deleteProperty(one, firstKey) })),
    malformed('a list instead of a map', dagCbor.encode([1, 2, 3])),
    malformed('lists nested too deeply', new Uint8Array(1000).fill(0x81)),
    malformed('a count beyond the bytes', Uint8Array.of(0x9b, 0, 0, 0, 1, 0, 0, 0, 0)),
    malformed('fields in another order', assemble(plain, () => undefined, '', true), 'ERR_NOT_CANONICAL'),
    malformed('a map of indefinite length', concatBytes(Uint8Array.of(0xbf), bytes.subarray(1), Uint8Array.of(0xff)), 'ERR_NOT_CANONICAL'),
    malformed('null instead of a field', assemble(plain, path => path === firstKey ? Uint8Array.of(0xf6) : undefined, '', false)),
    malformed('a float instead of a field', assemble(plain, path => path === firstKey ? Uint8Array.of(0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0) : undefined, '', false))
  ]

  if (record.version === 1) {
    result.push(
      malformed('an integer in more bytes than needed', assemble(plain, path => path === at('version') ? Uint8Array.of(0x18, 1) : undefined, '', false)),
      malformed('another version', assemble(plain, path => path === at('version') ? Uint8Array.of(2) : undefined, '', false)),
      malformed('another type', assemble(plain, path => path === at('type') ? dagCbor.encode('other') : undefined, '', false))
    )
  }

  result.push(...fixture.edits.map(({ name, edit, code }) => malformed(name, edited(bytes, edit), code ?? 'ERR_OUT_OF_RANGE')))
  result.push(...fixture.badlySigned.map(({ name, bytes: spoiled, code }): Invalid => ({ name, bytes: spoiled, code, stage: 'verify' })))

  return result
}
