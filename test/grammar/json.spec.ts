import { expect } from 'aegir/chai'
import { Ajv } from 'ajv'
import fc from 'fast-check'
import { schemaConstraint } from '../../src/grammar/index.ts'
import type { Tokenizer } from '../../src/models/index.ts'

/** Single bytes, and some tokens of several: beginnings of JSON, words, halves of characters. */
const words = ['{"', '":', '","', '"}', '": ', ', ', '[[', ']]', 'true', 'null', 'tr', 'ue', 'name', '12', '-1', '\\u', '\\"', 'é', '日本', '  ', '}}', '1.5e', 'nested"']
const bytes = [...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), ...words.map(word => new TextEncoder().encode(word)), Uint8Array.of(0xe6, 0x97)]
const BOS = 0
const EOS = 1
const empty = new Uint8Array(0)
const tokenizer: Tokenizer = {
  size: bytes.length + 2,
  bos: BOS,
  eos: EOS,
  stop: [EOS],
  special: new Map(),
  encode: text => Uint32Array.from(new TextEncoder().encode(text), byte => byte + 2),
  decode: ids => new TextDecoder().decode(Uint8Array.from(Array.from(ids).flatMap(id => [...tokenizer.tokenBytes(id)]))),
  tokenText: id => tokenizer.decode([id]),
  tokenBytes: id => id < 2 ? empty : bytes[id - 2]
}

/** Ids that are allowed. */
const idsOf = (mask: Uint32Array): number[] => Array.from({ length: tokenizer.size }, (_, id) => id).filter(id => (mask[id >>> 5] >>> (id & 31) & 1) === 1)

/** Whether every token of a text may come in its turn, and the end behind it. */
function allows (schema: string, text: string): boolean {
  const constraint = schemaConstraint(schema, tokenizer)

  for (const id of [...tokenizer.encode(text), EOS]) {
    if (!idsOf(constraint.allowed()).includes(id)) {
      return false
    }

    constraint.accept(id)
  }

  return true
}

/** A text by a walk that chooses among what is allowed, and by what shortens it after a while. */
function walk (schema: string, choices: readonly number[]): string {
  const constraint = schemaConstraint(schema, tokenizer)
  const output: number[] = []
  const closing = [EOS, ...Array.from('"]},:', character => character.charCodeAt(0) + 2)]

  for (let i = 0; i < 4_000; i++) {
    const allowed = idsOf(constraint.allowed())
    const id = i < choices.length ? allowed[choices[i] % allowed.length] : closing.find(one => allowed.includes(one)) ?? allowed[0]

    constraint.accept(id)

    if (id === EOS) {
      return tokenizer.decode(output)
    }

    output.push(id)
  }

  throw new RangeError(`no end: ${tokenizer.decode(output).slice(0, 200)}`)
}

const person = {
  type: 'object',
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 8 },
    age: { type: ['integer', 'null'] },
    tags: { type: 'array', items: { enum: ['a', 'b"c', 3, null] }, minItems: 1, maxItems: 3 },
    home: { $ref: '#/$defs/place' },
    kind: { const: 'person' },
    extra: { anyOf: [{ type: 'number' }, { $ref: '#/$defs/place' }, { type: 'boolean' }] }
  },
  required: ['name', 'tags', 'kind'],
  additionalProperties: false,
  $defs: { place: { type: 'object', properties: { street: { type: 'string' }, nested: { type: 'array', items: { type: 'array', items: { type: 'integer' } } } }, required: ['nested'], additionalProperties: false } }
}
const schemas = [{ type: 'object' }, person, { type: 'array', items: { type: 'number' } }, { type: 'object', additionalProperties: { type: 'string' } }, true, { items: { properties: { a: {} } } }]
const ajv = new Ajv({ strict: false })

describe('an answer that is held to a schema', () => {
  for (const schema of schemas) {
    it(`validates, whatever the model likes: ${JSON.stringify(schema).slice(0, 60)}`, () => {
      const validate = ajv.compile(schema)

      fc.assert(fc.property(fc.array(fc.nat(100_000), { maxLength: 60 }), choices => {
        const text = walk(JSON.stringify(schema), choices)

        expect(validate(JSON.parse(text)), text).to.equal(true)
      }), { numRuns: 60 })
    })
  }

  it('may be any object, written compactly, nested as deep as is allowed', () => {
    const open = '{"type":"object"}'

    for (const text of ['{}', '{"a":1}', '{"a": [1, -2.5e-3], "é\\u00e9\\n": {"b":null,"c":[{},[],"日"]}}', '{"a":[[[[[[[true]]]]]]]}']) {
      expect(allows(open, text), text).to.equal(true)
    }

    for (const text of ['[]', '1', '{', '{"a":01}', '{"a":1,}', '{ }', '{"a":\n1}', '{"a":"\n"}', '{"a":"\\ud800"}', '{"a":+1}', '{"a":1e999}', '{"a":[[[[[[[[true]]]]]]]]}', '{}{}']) {
      expect(allows(open, text), text).to.equal(false)
    }
  })

  it('has the properties of the schema in its order, and no other', () => {
    const text = JSON.stringify({ ...person, properties: { name: person.properties.name, age: person.properties.age, kind: person.properties.kind }, required: ['kind'] })

    for (const good of ['{"kind":"person"}', '{"name":"é日本x","kind":"person"}', '{"name":"a","age":null,"kind":"person"}', '{"age":-7,"kind":"person"}']) {
      expect(allows(text, good), good).to.equal(true)
    }

    for (const bad of ['{}', '{"kind":"people"}', '{"kind":"person","age":1}', '{"name":"","kind":"person"}', '{"name":"123456789","kind":"person"}', '{"age":1.5,"kind":"person"}', '{"kind":"person","x":1}', '{,"kind":"person"}']) {
      expect(allows(text, bad), bad).to.equal(false)
    }
  })

  it('takes no half of a character in a string, and no token that goes beyond the end', () => {
    const constraint = schemaConstraint('{"type":"string"}', tokenizer)

    constraint.accept('"'.charCodeAt(0) + 2)

    const within = idsOf(constraint.allowed()).map(id => tokenizer.tokenBytes(id).join())

    expect(within).to.include.members(['195', '230,151', '34'])
    expect(within).not.to.include.members(['128', '192', '34,125'])

    constraint.accept('"'.charCodeAt(0) + 2)
    expect(idsOf(constraint.allowed())).to.deep.equal([EOS])
    constraint.accept(EOS)
    expect(idsOf(constraint.allowed())).to.deep.equal([EOS])
  })

  it('gets the same mask first and later, alone and beside others', () => {
    const text = JSON.stringify(person)
    const fresh = (): Tokenizer => ({ ...tokenizer })
    const once = schemaConstraint(text, fresh())
    const shared = fresh()
    const before = schemaConstraint(text, shared)

    for (const id of tokenizer.encode('{"name":"x","tags":[')) {
      before.accept(id)
    }

    const again = schemaConstraint(text, shared)

    for (const id of tokenizer.encode('{"name":"x","age":12,"tags":["a"')) {
      expect(again.allowed()).to.deep.equal(once.allowed())
      once.accept(id)
      again.accept(id)
    }
  })

  it('does not go on where look-alikes within each other leave too many ways to read it, whatever was met before', () => {
    // each level has three ways to read one bracket
    const level = (of: string): unknown => ({ anyOf: [1, 2, 3].map(maxItems => ({ type: 'array', items: { $ref: `#/$defs/${of}` }, minItems: 1, maxItems })) })
    const $defs = { a: level('b'), b: level('c'), c: level('d'), d: level('e'), e: level('f'), f: level('g'), g: { type: 'null' } }
    const text = JSON.stringify({ $ref: '#/$defs/a', $defs })
    const masks = (shared: Tokenizer, depth: number): number[][] => {
      const constraint = schemaConstraint(text, shared)

      return Array.from({ length: depth }, () => {
        const ids = idsOf(constraint.allowed())

        constraint.accept('['.charCodeAt(0) + 2)

        return ids
      })
    }
    const met = { ...tokenizer }

    masks(met, 3)

    const found = masks(met, 7)

    expect(found[0]).to.include('['.charCodeAt(0) + 2)
    expect(found.at(-1)).to.deep.equal([EOS])
    expect(masks({ ...tokenizer }, 7)).to.deep.equal(found)
  })
})

describe('a schema that answers cannot be held to', () => {
  const cases: Array<[string, unknown, RegExp]> = [
    ['a keyword of another kind', { type: 'string', pattern: '^a+$' }, /#: "pattern"/],
    ['a keyword deep within', { type: 'object', properties: { a: { type: 'array', items: { type: 'number', minimum: 1 } } } }, /#\/properties\/a\/items: "minimum"/],
    ['a schema within itself', { $ref: '#/$defs/a', $defs: { a: { type: 'array', items: { $ref: '#/$defs/a' } } } }, /within itself/],
    ['a reference to elsewhere', { $ref: 'https://example.org/schema' }, /\$defs/],
    ['a reference to nothing', { $ref: '#/$defs/toString', $defs: {} }, /to be there/],
    ['a type that is none', { type: 'constructor' }, /type of JSON Schema/],
    ['nothing that fits', false, /an object or true/],
    ['counts without an end', { type: 'array', minItems: 100_000 }, /0 to 256/],
    ['required but not described', { type: 'object', properties: { a: {} }, required: ['b'] }, /"b"/],
    ['values of another type', { type: 'string', enum: ['a', 1] }, /of the type/],
    ['no values', { enum: [] }, /list of 1/],
    ['too many ways to begin', { anyOf: [0, 256, 512].map(first => ({ enum: Array.from({ length: 256 }, (_, i) => first + i) })) }, /512 ways/],
    ['too many levels', JSON.parse(`${'{"type":"array","items":'.repeat(40)}true${'}'.repeat(40)}`), /32 levels/],
    ['too many rules', JSON.parse(`{"type":"object","properties":{${Array.from({ length: 100 }, (_, i) => `"p${i}":{"type":"string","maxLength":256}`).join()}}}`), /5000 rules/]
  ]

  for (const [name, schema, message] of cases) {
    it(`is refused by name: ${name}`, () => {
      expect(() => schemaConstraint(JSON.stringify(schema), tokenizer)).to.throw(message).with.property('code', 'ERR_UNSUPPORTED_SCHEMA')
    })
  }

  it('is refused before it is read if it is long, and if it is no JSON', () => {
    expect(() => schemaConstraint(' '.repeat(8_193), tokenizer)).to.throw(/8192/).with.property('code', 'ERR_UNSUPPORTED_SCHEMA')
    expect(() => schemaConstraint('{', tokenizer)).to.throw(/JSON/).with.property('code', 'ERR_UNSUPPORTED_SCHEMA')
  })
})
