import { DatanetError } from '../utils/index.ts'

/** A schema says something that answers cannot be held to here. */
export class UnsupportedSchemaError extends DatanetError {
  constructor (path: string, message: string) {
    super('ERR_UNSUPPORTED_SCHEMA', `the schema at ${path}: ${message}`, {
      hint: 'use type, properties, required, items, minItems, maxItems, minLength, maxLength, enum, const, anyOf and $ref to $defs'
    })
  }
}
