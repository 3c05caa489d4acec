import { signRecord, verifyRecord } from '../identity/index.ts'
import { account, codec, fileCid, integer, list, literal, name, recordCid, signedCodec, struct } from '../wire/index.ts'
import { COLUMN_DOMAIN, COLUMN_STATEMENTS_PER_MESSAGE, COLUMN_STATEMENT_BYTES_MAX } from './constants.ts'
import type { Signer } from '../identity/index.ts'
import type { Signed } from '../interface/index.ts'
import type { Codec, Infer } from '../wire/index.ts'

/** See protocols/column. Travels signed. */
export const columnCodec = codec('column', struct({
  type: literal('column'),
  version: literal(1),
  adapter: recordCid,
  column: integer({ min: 0, max: 1023 }),
  file: fileCid,
  engine: name,
  computer: account
}), { bytesMax: COLUMN_STATEMENT_BYTES_MAX })

/** Somebody's word that a column of an adapter's influence Jacobian, which it computed, is this file. */
export type ColumnStatement = Infer<typeof columnCodec>

export const signedColumnCodec: Codec<Signed<ColumnStatement>> = signedCodec(columnCodec)

export const columnsRequestCodec = codec('columns request', struct({
  type: literal('columns-request'),
  adapter: recordCid
}), { bytesMax: COLUMN_STATEMENT_BYTES_MAX })

/** A part of the answer: what is known of an adapter's columns, in no order that matters. */
export const columnsPartCodec = codec('columns part', struct({
  type: literal('columns-part'),
  statements: list(signedColumnCodec.schema, { max: COLUMN_STATEMENTS_PER_MESSAGE })
}), { bytesMax: COLUMN_STATEMENTS_PER_MESSAGE * COLUMN_STATEMENT_BYTES_MAX })

export function signColumn (statement: Omit<ColumnStatement, 'type' | 'version' | 'computer'>, signer: Signer): Signed<ColumnStatement> {
  return signRecord(COLUMN_DOMAIN, columnCodec, { type: 'column', version: 1, ...statement, computer: signer.account }, signer)
}

/**
 * @throws {WrongAuthorError}
 * @throws {SignatureError}
 */
export function verifyColumn (signed: Signed<ColumnStatement>): void {
  verifyRecord(COLUMN_DOMAIN, columnCodec, signed, signed.payload.computer)
}
