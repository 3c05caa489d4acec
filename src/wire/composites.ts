import { CID } from 'multiformats/cid'
import { compareBytes } from './bytes.ts'
import { describe } from './describe.ts'
import { MalformedRecordError, OutOfRangeError } from './errors.ts'
import type { Fields, Schema, StructOf, UnionOf } from './interface.ts'

/** A list of `min` (default 0) to `max` items. */
export interface ListOptions<T> {
  min?: number
  max: number
  /** the bytes by which items must be sorted, strictly ascending: no repetition, one order */
  ascending? (item: T): Uint8Array
}

type Plain = Record<string, unknown>

function isPlain (value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && CID.asCID(value) == null
}

export function list<T> (item: Schema<T>, options: ListOptions<T>): Schema<T[]> {
  const { min = 0, max, ascending } = options
  const expects = `a list of ${min} to ${max} items`

  function bounded (value: unknown, path: string): unknown[] {
    if (!Array.isArray(value)) {
      throw new MalformedRecordError(path, expects, describe(value))
    }

    if (value.length < min || value.length > max) {
      throw new OutOfRangeError(path, expects, `${value.length} items`)
    }

    return value
  }

  function ordered (values: T[], path: string): T[] {
    if (ascending !== undefined) {
      for (let i = 1; i < values.length; i++) {
        if (compareBytes(ascending(values[i - 1]), ascending(values[i])) >= 0) {
          throw new MalformedRecordError(`${path}[${i}]`, 'items sorted by their bytes without repetition', 'an item that is not after the one before it')
        }
      }
    }

    return values
  }

  return {
    expects,
    toPlain (value, path) {
      bounded(value, path)

      return ordered(value, path).map((one, i) => item.toPlain(one, `${path}[${i}]`))
    },
    fromPlain: (plain, path) => ordered(bounded(plain, path).map((one, i) => item.fromPlain(one, `${path}[${i}]`)), path)
  }
}

/** Reads or writes the named fields of `source` and refuses all others. */
function convert (fields: Fields, names: string[], direction: 'toPlain' | 'fromPlain', source: unknown, path: string): Plain {
  if (!isPlain(source)) {
    throw new MalformedRecordError(path, `a map with the fields ${names.join(', ')}`, describe(source))
  }

  for (const name of Object.keys(source)) {
    if (!Object.hasOwn(fields, name)) {
      throw new MalformedRecordError(path, `only the fields ${names.join(', ')}`, `the unknown field ${describe(name)}`)
    }
  }

  const result: Plain = {}

  for (const name of names) {
    const value = Object.hasOwn(source, name) ? source[name] : undefined
    const converted = fields[name][direction](value, `${path}.${name}`)

    if (converted !== undefined) {
      result[name] = converted
    }
  }

  return result
}

/** A map with exactly these fields; those made by `optional` may be absent. */
export function struct<F extends Fields> (fields: F): Schema<StructOf<F>> {
  const names = Object.keys(fields)

  return {
    expects: `a map with the fields ${names.join(', ')}`,
    toPlain: (value, path) => convert(fields, names, 'toPlain', value, path),
    // the fields' own schemas made every value, so the map has the type that StructOf computes from them
    fromPlain: (plain, path) => convert(fields, names, 'fromPlain', plain, path) as StructOf<F>
  }
}

/** A list of the fields' values in their order: a struct without its names, for records of which many are kept or sent. */
export function tuple<F extends Fields> (fields: F): Schema<StructOf<F>> {
  const names = Object.keys(fields)
  const expects = `a list of ${names.join(', ')}`

  return {
    expects,
    toPlain (value, path) {
      const plain = convert(fields, names, 'toPlain', value, path)

      return names.map(name => plain[name])
    },
    fromPlain (plain, path) {
      if (!Array.isArray(plain) || plain.length !== names.length) {
        throw new MalformedRecordError(path, expects, describe(plain))
      }

      // as in struct: the fields' own schemas made every value
      return Object.fromEntries(names.map((name, i) => [name, fields[name].fromPlain(plain[i], `${path}.${name}`)])) as StructOf<F>
    }
  }
}

/** One of several structs, told apart by the text in the field `tag`. */
export function oneOf<Tag extends string, const V extends Record<string, Fields>> (tag: Tag, variants: V): Schema<UnionOf<Tag, V>> {
  const kinds = Object.keys(variants)
  const expects = `a map whose ${tag} is ${kinds.join(' or ')}`

  function direct (direction: 'toPlain' | 'fromPlain', source: unknown, path: string): Plain {
    const kind = isPlain(source) && Object.hasOwn(source, tag) ? source[tag] : undefined

    if (!isPlain(source) || typeof kind !== 'string' || !Object.hasOwn(variants, kind)) {
      throw new MalformedRecordError(`${path}.${tag}`, kinds.join(' or '), describe(kind ?? source))
    }

    const { [tag]: _, ...rest } = source
    const fields = variants[kind]

    return { [tag]: kind, ...convert(fields, Object.keys(fields), direction, rest, path) }
  }

  return {
    expects,
    toPlain: (value, path) => direct('toPlain', value, path),
    // as in struct: the variant's schemas made every value
    fromPlain: (plain, path) => direct('fromPlain', plain, path) as UnionOf<Tag, V>
  }
}

/** A map from texts to values of one schema, with at most `max` entries. */
export function record<T> (key: Schema<string>, value: Schema<T>, limits: { min?: number, max: number }): Schema<Record<string, T>> {
  const { min = 0, max } = limits
  const expects = `a map of ${min} to ${max} entries`

  function entries (source: unknown, path: string): Array<[string, unknown]> {
    if (!isPlain(source)) {
      throw new MalformedRecordError(path, expects, describe(source))
    }

    const found = Object.entries(source)

    if (found.length < min || found.length > max) {
      throw new OutOfRangeError(path, expects, `${found.length} entries`)
    }

    if (found.some(([name]) => name === '__proto__')) {
      throw new MalformedRecordError(path, 'keys that every language can hold', '"__proto__"')
    }

    return found
  }

  return {
    expects,
    toPlain (source, path) {
      entries(source, path)

      return Object.fromEntries(Object.entries(source).map(([name, one]) => [key.toPlain(name, path), value.toPlain(one, `${path}.${name}`)]))
    },
    fromPlain: (plain, path) => Object.fromEntries(entries(plain, path).map(([name, one]) => [key.fromPlain(name, path), value.fromPlain(one, `${path}.${name}`)]))
  }
}

/** Text or an integer: a cell of a row. */
export function either<A, B> (first: Schema<A>, second: Schema<B>, isFirst: (value: unknown) => boolean): Schema<A | B> {
  return {
    expects: `${first.expects} or ${second.expects}`,
    // isFirst tells the two apart by their JavaScript type, which both directions share
    toPlain: (value, path) => isFirst(value) ? first.toPlain(value as A, path) : second.toPlain(value as B, path),
    fromPlain: (plain, path) => isFirst(plain) ? first.fromPlain(plain, path) : second.fromPlain(plain, path)
  }
}

/** A schema with one more condition, e.g. that two fields fit together. `path` is added to the error's. */
export function refine<T> (schema: Schema<T>, expected: string, holds: (value: T) => boolean): Schema<T> {
  function check (value: T, path: string): T {
    if (!holds(value)) {
      throw new MalformedRecordError(path, expected, 'a value for which this does not hold')
    }

    return value
  }

  return {
    expects: `${schema.expects}: ${expected}`,
    toPlain (value, path) {
      const plain = schema.toPlain(value, path)
      check(value, path)

      return plain
    },
    fromPlain: (plain, path) => check(schema.fromPlain(plain, path), path)
  }
}
