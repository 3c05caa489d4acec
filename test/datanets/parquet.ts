import { gzipSync } from 'node:zlib'
import { concat } from 'uint8arrays/concat'

/**
 * Just enough of a parquet writer for tests: required columns, PLAIN encoding, one page a column.
 * Thrift's compact protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
type Thrift = { i: number } | { l: number } | { s: string } | { list: Thrift[] } | { fields: Array<[number, Thrift]> }

const varint = (value: number): number[] => value < 0x80 ? [value] : [value % 0x80 + 0x80, ...varint(Math.floor(value / 0x80))]
const TAGS: Record<string, number> = { i: 5, l: 6, s: 8, list: 9, fields: 12 }
const type = (value: Thrift): number => TAGS[Object.keys(value)[0]]
const bytesOf = (value: Thrift): number[] => {
  if ('i' in value) {
    return varint(value.i * 2)
  }
  if ('l' in value) {
    return varint(value.l * 2)
  }
  if ('s' in value) {
    const text = new TextEncoder().encode(value.s)
    return [...varint(text.length), ...text]
  }
  if ('list' in value) {
    return [value.list.length * 16 + type(value.list[0]), ...value.list.flatMap(bytesOf)]
  }
  let last = 0
  return [...value.fields.flatMap(([id, field]) => {
    const head = (id - last) * 16 + type(field)
    last = id
    return [head, ...bytesOf(field)]
  }), 0]
}
const struct = (...fields: Array<[number, Thrift]>): Thrift => ({ fields })

const BYTE_ARRAY = 6
const INT64 = 2
const DOUBLE = 5

const plain = (values: Array<string | bigint | number>): Uint8Array => concat(values.map(value => {
  if (typeof value === 'string') {
    const text = new TextEncoder().encode(value)
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, text.length, true)
    return concat([length, text])
  }
  const out = new Uint8Array(8)
  const view = new DataView(out.buffer)
  if (typeof value === 'bigint') {
    view.setBigInt64(0, value, true)
  } else {
    view.setFloat64(0, value, true)
  }
  return out
}))

const TYPES: Record<string, number> = { string: BYTE_ARRAY, bigint: INT64, number: DOUBLE }
const typeOf = (value: unknown): number => TYPES[typeof value]

export const parquetFile = (columns: Record<string, Array<string | bigint | number>>, groups = 1, gzip = false): Uint8Array => {
  const parts: Uint8Array[] = [new TextEncoder().encode('PAR1')]
  let offset = 4
  const push = (part: Uint8Array): void => { parts.push(part); offset += part.length }
  const rows = Object.values(columns)[0].length
  const perGroup = Math.ceil(rows / groups)
  const rowGroups: Thrift[] = []
  for (let from = 0; from < rows; from += perGroup) {
    const chunks: Thrift[] = []
    let total = 0
    for (const [name, values] of Object.entries(columns)) {
      const slice = values.slice(from, from + perGroup)
      const data = plain(slice)
      const packed = gzip ? new Uint8Array(gzipSync(data)) : data
      const header = Uint8Array.from(bytesOf(struct(
        [1, { i: 0 }], [2, { i: data.length }], [3, { i: packed.length }],
        [5, struct([1, { i: slice.length }], [2, { i: 0 }], [3, { i: 3 }], [4, { i: 3 }])]
      )))
      const at = offset
      push(header)
      push(packed)
      total += header.length + packed.length
      chunks.push(struct([2, { l: at }], [3, struct(
        [1, { i: typeOf(slice[0]) }], [2, { list: [{ i: 0 }] }], [3, { list: [{ s: name }] }], [4, { i: gzip ? 2 : 0 }],
        [5, { l: slice.length }], [6, { l: header.length + data.length }], [7, { l: header.length + packed.length }], [9, { l: at }]
      )]))
    }
    rowGroups.push(struct([1, { list: chunks }], [2, { l: total }], [3, { l: Math.min(perGroup, rows - from) }]))
  }
  const schema: Thrift[] = [struct([4, { s: 'schema' }], [5, { i: Object.keys(columns).length }])]
  for (const [name, values] of Object.entries(columns)) {
    const fields: Array<[number, Thrift]> = [[1, { i: typeOf(values[0]) }], [3, { i: 0 }], [4, { s: name }]]
    schema.push(struct(...fields, ...(typeof values[0] === 'string' ? [[6, { i: 0 }] as [number, Thrift]] : [])))
  }
  const footer = Uint8Array.from(bytesOf(struct([1, { i: 1 }], [2, { list: schema }], [3, { l: rows }], [4, { list: rowGroups }])))
  push(footer)
  const tail = new Uint8Array(8)
  new DataView(tail.buffer).setUint32(0, footer.length, true)
  tail.set(new TextEncoder().encode('PAR1'), 4)
  push(tail)
  return concat(parts)
}
