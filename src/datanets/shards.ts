import * as dagCbor from '@ipld/dag-cbor'
import { ROWS_MAX, shardCodec } from '../wire/index.ts'
import { SHARD_BYTES_TARGET } from './constants.ts'
import { assertRow } from './rows.ts'
import type { FieldSchema, Row } from '../interface/index.ts'

export interface EncodedShard {
  bytes: Uint8Array
  rows: number
}

/** An empty shard and the largest head of a list. */
const ENVELOPE_BYTES = dagCbor.encode({ type: 'shard', version: 1, rows: [] }).byteLength + 8

/**
 * Cuts rows into shards. The same rows make the same shards, wherever and however they come in.
 *
 * @throws {InvalidRowError}
 */
export async function * cutShards (rows: AsyncIterable<Row> | Iterable<Row>, fields: FieldSchema[]): AsyncGenerator<EncodedShard> {
  let batch: Row[] = []
  let bytes = ENVELOPE_BYTES
  let index = 0
  const close = (): EncodedShard => {
    const shard = { bytes: shardCodec.encode({ type: 'shard', version: 1, rows: batch }), rows: batch.length }
    batch = []
    bytes = ENVELOPE_BYTES
    return shard
  }
  for await (const row of rows) {
    assertRow(fields, row, index++)
    const rowBytes = dagCbor.encode(row).byteLength
    if (batch.length > 0 && (bytes + rowBytes > SHARD_BYTES_TARGET || batch.length === ROWS_MAX)) {
      yield close()
    }
    batch.push(row)
    bytes += rowBytes
  }
  if (batch.length > 0) {
    yield close()
  }
}
