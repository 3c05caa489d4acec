import { ImportError } from './errors.ts'
import { describeValue, expectField, fitsField } from './rows.ts'
import type { ImportPlace } from './errors.ts'
import type { ImportOptions } from './import-interface.ts'
import type { FieldSchema, Row } from '../interface/index.ts'

const INTEGER = /^-?\d{1,16}$/

/** Conversations as JSON; numbers as CSV writes and 64-bit integers as parquet has them. */
const convert = (field: FieldSchema, value: unknown, lenient: boolean): unknown => {
  if (field.type === 'string' && isConversation(value)) {
    return JSON.stringify(value)
  }
  if (!lenient && typeof value !== 'bigint') {
    return value
  }
  if (field.type !== 'integer') {
    return value
  }
  if (typeof value === 'bigint') {
    return Number(value)
  }
  return typeof value === 'string' && INTEGER.test(value) ? Number(value) : value
}

/** Turns with their roles, as files of conversations have them in a list; training reads them as JSON. */
const isConversation = (value: unknown): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(turn => typeof turn === 'object' && turn !== null && typeof turn.role === 'string')

/**
 * A row with the manifest's fields out of what a source gave.
 *
 * `lenient` takes empty text for absent and digits for numbers, as CSV has no types.
 *
 * @throws {ImportError} with the field, what was expected and what came
 */
export function toRow (source: Record<string, unknown>, options: ImportOptions, place: ImportPlace, lenient = false): Row {
  const row: Row = {}
  for (const field of options.manifest.fields) {
    const given = Object.hasOwn(source, field.name) ? source[field.name] : undefined
    const absent = given === undefined || given === null || (lenient && given === '')
    const value = absent ? options.constants?.[field.name] : convert(field, given, lenient)
    if (value === undefined) {
      if (field.required) {
        throw new ImportError('ERR_IMPORT_FIELD', { ...place, field: field.name }, `expected ${expectField(field)}, got nothing`)
      }
      continue
    }
    if (!fitsField(field, value)) {
      throw new ImportError('ERR_IMPORT_FIELD', { ...place, field: field.name }, `expected ${expectField(field)}, got ${describeValue(given)}`)
    }
    row[field.name] = value as string | number
  }
  return row
}
