import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { schemaConstraint } from '../../src/grammar/index.ts'
import type { Tokenizer } from '../../src/models/index.ts'

const EOS = 0
const BYTES = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte))
const text = new TextEncoder()

/** Tokens by id; that of no bytes ends the text. */
const tokenizerOf = (tokens: Uint8Array[]): Tokenizer => ({
  size: tokens.length,
  bos: EOS,
  eos: EOS,
  stop: [EOS],
  special: new Map(),
  encode: () => new Uint32Array(),
  decode: () => '',
  tokenText: () => '',
  tokenBytes: id => tokens[id]
})

/** A token for each byte: its id is the byte and one. */
const single = tokenizerOf([new Uint8Array(), ...BYTES])

const has = (mask: Uint32Array, id: number): boolean => (mask[id >>> 5] >>> (id & 31) & 1) === 1

/** Whether a text may go on with some bytes, asked one after the other; and where it may end. */
function oracle (schema: string): { goesOn (before: Uint8Array, bytes: Uint8Array): boolean, ends (before: Uint8Array): boolean } {
  const after = (before: Uint8Array): ReturnType<typeof schemaConstraint> => {
    const constraint = schemaConstraint(schema, single)

    before.forEach(byte => { constraint.accept(byte + 1) })

    return constraint
  }

  return {
    goesOn (before, bytes) {
      const constraint = after(before)

      return bytes.every(byte => {
        const may = has(constraint.allowed(), byte + 1)

        constraint.accept(byte + 1)

        return may
      })
    },
    ends: before => has(after(before).allowed(), EOS)
  }
}

const schemas = [
  { type: 'object' },
  { type: 'string', maxLength: 5 },
  { type: 'array', items: { type: 'number' } },
  { enum: ['abba', 'abc', 'éa', '日本', 12, null] },
  { type: 'object', properties: { aab: { type: 'string' }, b: { enum: [1, 'ab'] }, c: { type: 'array', items: { type: 'string', maxLength: 3 } } }, required: ['b'], additionalProperties: false }
].map(schema => JSON.stringify(schema))

// many that a string takes whole, and such as end it, break a character or go beyond
const letters = fc.array(fc.constantFrom('a', 'b', 'c', 'q', ' ', 'é', '日'), { minLength: 1, maxLength: 7 })
const others = fc.array(fc.constantFrom('a', 'b', '"', '":', ',', '{', '}', '[', ']', '\\', '\\u00', '1', '.', 'e', '-', 'null', '\n'), { minLength: 1, maxLength: 5 })
const broken = fc.constantFrom([0xe6], [0xe6, 0x97], [0xa5, 0x61], [0xc3], [0xf0, 0x9f], [0xff, 0x61]).map(bytes => Uint8Array.from(bytes))
const tokens = fc.record({
  plain: fc.array(letters.map(parts => text.encode(parts.join(''))), { minLength: 20, maxLength: 120 }),
  rest: fc.array(fc.oneof(others.map(parts => text.encode(parts.join(''))), broken), { maxLength: 40 })
}).map(({ plain, rest }) => [new Uint8Array(), ...rest, ...BYTES, ...plain])

describe('the tokens that may come next', () => {
  for (const schema of schemas) {
    it(`are those whose bytes may come one after the other: ${schema.slice(0, 60)}`, () => {
      const { goesOn, ends } = oracle(schema)

      fc.assert(fc.property(tokens, fc.array(fc.nat(100_000), { maxLength: 6 }), (all, choices) => {
        const constraint = schemaConstraint(schema, tokenizerOf(all))
        let before = new Uint8Array()

        for (const choice of [...choices, 0]) {
          const mask = constraint.allowed()
          const here = before
          const expected = all.flatMap((bytes, id) => (id === EOS ? ends(here) : goesOn(here, bytes)) ? [id] : [])

          expect(all.flatMap((_, id) => has(mask, id) ? [id] : [])).to.deep.equal(expected)

          const id = expected[choice % expected.length]

          constraint.accept(id)

          if (id === EOS) {
            return
          }

          before = Uint8Array.of(...here, ...all[id])
        }
      }), { numRuns: 25 })
    })
  }
})
