import { ROW_BYTES_MAX } from './constants.ts'
import { InvalidRowError } from './errors.ts'
import type { FieldSchema, Row } from '../interface/index.ts'

const describe = (value: unknown): string => {
  if (typeof value === 'string') {
    return `the text "${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`
  }
  return value === null || value === undefined ? 'nothing' : `${typeof value} ${String(value).slice(0, 40)}`
}

const fits = (field: FieldSchema, value: unknown): boolean =>
  field.type === 'string' ? typeof value === 'string' && value.isWellFormed() : Number.isSafeInteger(value)

const expectation = (field: FieldSchema): string => field.type === 'string' ? 'well-formed text' : 'a whole number up to 2^53'

/**
 * Checks one row against the fields of a Datanet: exactly these fields, of their types. `index` is the row's position, for the message.
 *
 * @throws {InvalidRowError}
 */
export function assertRow (fields: FieldSchema[], row: Row, index: number): void {
  let bytes = 0
  for (const field of fields) {
    const value = row[field.name]
    if (value === undefined) {
      if (field.required) {
        throw new InvalidRowError(index, field.name, expectation(field), 'nothing')
      }
      continue
    }
    if (!fits(field, value)) {
      throw new InvalidRowError(index, field.name, expectation(field), describe(value))
    }
    // at most three bytes of UTF-8 per UTF-16 unit
    bytes += typeof value === 'string' ? value.length * 3 : 9
  }
  for (const name of Object.keys(row)) {
    if (!fields.some(field => field.name === name)) {
      throw new InvalidRowError(index, name, `one of the fields ${fields.map(field => field.name).join(', ')}`, 'a field of another name')
    }
  }
  if (bytes > 3 * ROW_BYTES_MAX) {
    throw new InvalidRowError(index, '*', `at most ${ROW_BYTES_MAX} bytes of values`, `${bytes / 3} or more`)
  }
}

export { describe as describeValue, expectation as expectField, fits as fitsField }
