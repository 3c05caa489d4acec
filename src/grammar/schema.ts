import { COUNT_MAX, SCHEMA_DEPTH_MAX, SCHEMA_LENGTH_MAX } from './constants.ts'
import { UnsupportedSchemaError } from './errors.ts'
import { GrammarBuilder } from './grammar.ts'
import { jsonParts } from './json.ts'
import type { Grammar, Part } from './grammar.ts'
import type { JsonParts } from './json.ts'

type Schema = Record<string, unknown>

/** Say nothing of which texts are allowed. */
const annotations = new Set(['$schema', '$id', '$comment', '$defs', 'definitions', 'title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly'])

/** What each type may be restricted by. */
const restrictions: Record<string, readonly string[]> = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength'],
  number: [],
  integer: [],
  boolean: [],
  null: []
}

/**
 * The grammar of the JSON texts that a schema allows: some of them, in one way of writing, and no
 * others. Properties come in the schema's order, those that it does not name do not come at all.
 *
 * @param text - JSON Schema as text
 * @throws {UnsupportedSchemaError} naming the place and the keyword
 */
export function schemaGrammar (text: string): Grammar {
  const root = parse(text)
  const builder = new GrammarBuilder()

  return builder.build(new Compiler(builder, root).compile(root, '#', 0, []))
}

function parse (text: string): unknown {
  if (text.length > SCHEMA_LENGTH_MAX) {
    throw new UnsupportedSchemaError('#', `expected at most ${SCHEMA_LENGTH_MAX} characters but it has ${text.length}`)
  }

  try {
    return JSON.parse(text)
  } catch {
    throw new UnsupportedSchemaError('#', 'expected JSON')
  }
}

class Compiler {
  readonly #builder: GrammarBuilder
  readonly #json: JsonParts
  readonly #root: unknown
  readonly #references = new Map<string, Part>()

  constructor (builder: GrammarBuilder, root: unknown) {
    this.#builder = builder
    this.#json = jsonParts(builder)
    this.#root = root
  }

  /** `within`: references that are being followed */
  compile (schema: unknown, path: string, depth: number, within: readonly string[]): Part {
    if (schema === true) {
      return this.#json.any()
    }

    if (!isRecord(schema)) {
      throw new UnsupportedSchemaError(path, 'expected an object or true')
    }

    if (depth > SCHEMA_DEPTH_MAX) {
      throw new UnsupportedSchemaError(path, `expected at most ${SCHEMA_DEPTH_MAX} levels`)
    }

    const next = (one: unknown, name: string): Part => this.compile(one, `${path}/${name}`, depth + 1, within)

    if (schema.$ref !== undefined) {
      only(schema, ['$ref'], path)

      return this.#follow(schema.$ref, path, depth, within)
    }

    if (schema.anyOf !== undefined) {
      only(schema, ['anyOf'], path)

      return this.#builder.rule(...listOf(schema.anyOf, `${path}/anyOf`).map((one, i) => [next(one, `anyOf/${i}`)]))
    }

    if (schema.enum !== undefined || schema.const !== undefined) {
      return this.#values(schema, path)
    }

    return this.#typed(schema, path, next)
  }

  #follow (reference: unknown, path: string, depth: number, within: readonly string[]): Part {
    if (typeof reference !== 'string' || !/^#\/(\$defs|definitions)\/[^/]+$/.test(reference)) {
      throw new UnsupportedSchemaError(path, 'expected $ref to name one of $defs')
    }

    if (within.includes(reference)) {
      throw new UnsupportedSchemaError(path, `expected no schema within itself but ${reference} is`)
    }

    const known = this.#references.get(reference)

    if (known !== undefined) {
      return known
    }

    const [, group, name] = reference.split('/')
    const definitions = isRecord(this.#root) ? this.#root[group] : undefined
    const target = isRecord(definitions) && Object.hasOwn(definitions, name) ? definitions[name] : undefined

    if (target === undefined) {
      throw new UnsupportedSchemaError(path, `expected ${reference} to be there`)
    }

    const part = this.compile(target, reference, depth + 1, [...within, reference])

    this.#references.set(reference, part)

    return part
  }

  #values (schema: Schema, path: string): Part {
    only(schema, ['enum', 'const', 'type'], path)

    const values = schema.const === undefined ? listOf(schema.enum, `${path}/enum`) : [schema.const]

    if (schema.const !== undefined && schema.enum !== undefined) {
      throw new UnsupportedSchemaError(path, 'expected either enum or const')
    }

    if (schema.type !== undefined && !values.every(value => typesOf(schema.type, path).some(type => isOf(value, type)))) {
      throw new UnsupportedSchemaError(path, 'expected values of the type that is given')
    }

    return this.#builder.rule(...values.map(value => this.#builder.text(JSON.stringify(value))))
  }

  #typed (schema: Schema, path: string, next: (one: unknown, name: string) => Part): Part {
    // what restricts objects or arrays means one
    const implied = schema.items === undefined ? undefined : 'array'
    const types = typesOf(schema.type ?? (schema.properties === undefined ? implied : 'object'), path)

    only(schema, ['type', ...types.flatMap(type => restrictions[type])], path)

    if (types.length === 0) {
      return this.#json.any()
    }

    const parts = types.map(type => {
      switch (type) {
        case 'object':
          return this.#object(schema, path, next)
        case 'array':
          return this.#array(schema, path, next)
        case 'string':
          return this.#string(schema, path)
        default:
          return this.#json[type as 'number' | 'integer' | 'boolean' | 'null']
      }
    })

    return this.#builder.rule(...parts.map(part => [part]))
  }

  #object (schema: Schema, path: string, next: (one: unknown, name: string) => Part): Part {
    const { properties = {}, required = [], additionalProperties } = schema

    if (!isRecord(properties) || !Array.isArray(required)) {
      throw new UnsupportedSchemaError(path, 'expected properties to be an object and required to be a list')
    }

    const names = Object.keys(properties)
    const unknown = required.find(name => !names.includes(name))

    if (unknown !== undefined) {
      throw new UnsupportedSchemaError(path, `expected a property for ${JSON.stringify(unknown)}, which is required`)
    }

    if (names.length === 0) {
      if (additionalProperties === false) {
        return this.#builder.rule(this.#builder.text('{}'))
      }

      return additionalProperties === undefined || additionalProperties === true ? this.#json.object() : this.#json.objectOf(next(additionalProperties, 'additionalProperties'))
    }

    const members = names.map(name => ({
      part: this.#builder.rule([...this.#builder.text(JSON.stringify(name)), ...this.#json.colon, next(properties[name], `properties/${name}`)]),
      isRequired: required.includes(name)
    }))

    return this.#builder.rule([...this.#builder.text('{'), this.#members(members), ...this.#builder.text('}')])
  }

  /** From the last member to the first: what comes behind a member, and what comes if nothing came before. */
  #members (members: ReadonlyArray<{ part: Part, isRequired: boolean }>): Part {
    let behind = this.#builder.rule([])
    let first = behind

    for (const { part, isRequired } of members.toReversed()) {
      const after = behind

      first = this.#builder.rule([part, after], ...(isRequired ? [] : [[first]]))
      behind = this.#builder.rule([...this.#json.comma, part, after], ...(isRequired ? [] : [[after]]))
    }

    return first
  }

  #array (schema: Schema, path: string, next: (one: unknown, name: string) => Part): Part {
    const [min, max] = countsOf(schema.minItems, schema.maxItems, path)
    const items = schema.items === undefined ? this.#json.any() : next(schema.items, 'items')

    return this.#builder.rule([...this.#builder.text('['), this.#builder.repeat(items, min, max, this.#json.comma), ...this.#builder.text(']')])
  }

  #string (schema: Schema, path: string): Part {
    const [min, max] = countsOf(schema.minLength, schema.maxLength, path)

    if (min === 0 && max === undefined) {
      return this.#json.string
    }

    return this.#builder.rule([...this.#builder.text('"'), this.#builder.repeat(this.#json.character, min, max), ...this.#builder.text('"')])
  }
}

/** @throws {UnsupportedSchemaError} for a keyword that is neither one of these nor an annotation */
function only (schema: Schema, keywords: readonly string[], path: string): void {
  const foreign = Object.keys(schema).find(name => !annotations.has(name) && !keywords.includes(name))

  if (foreign !== undefined) {
    throw new UnsupportedSchemaError(path, `"${foreign}" is not known here`)
  }
}

function typesOf (type: unknown, path: string): string[] {
  const types: unknown[] = type === undefined ? [] : [type].flat()

  return types.map(one => {
    if (typeof one !== 'string' || !Object.hasOwn(restrictions, one)) {
      throw new UnsupportedSchemaError(path, `expected a type of JSON Schema but got ${JSON.stringify(one)}`)
    }

    return one
  })
}

function isOf (value: unknown, type: string): boolean {
  switch (type) {
    case 'object': return isRecord(value)
    case 'array': return Array.isArray(value)
    case 'null': return value === null
    case 'integer': return Number.isInteger(value)
    case 'string': return typeof value === 'string'
    case 'boolean': return typeof value === 'boolean'
    default: return typeof value === 'number'
  }
}

function listOf (value: unknown, path: string): unknown[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > COUNT_MAX) {
    throw new UnsupportedSchemaError(path, `expected a list of 1 to ${COUNT_MAX}`)
  }

  return value
}

function countsOf (min: unknown = 0, max: unknown, path: string): [min: number, max: number | undefined] {
  const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= COUNT_MAX

  if (!isCount(min) || (max !== undefined && (!isCount(max) || max < min))) {
    throw new UnsupportedSchemaError(path, `expected counts of 0 to ${COUNT_MAX}, the smaller one first`)
  }

  return [min, max]
}

function isRecord (value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
