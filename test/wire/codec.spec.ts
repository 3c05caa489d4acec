import * as dagCbor from '@ipld/dag-cbor'
import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { DatanetError } from '../../src/utils/index.ts'
import {
  amount, boolean, bytes, cid, cidOf, codec, either, int64, integer, list, literal, MalformedRecordError, nullable, oneOf, optional, OutOfRangeError,
  RAW, rawCid, record, RecordTooLargeError, refine, shardCodec, signedTransactionCodec, struct, text, transactionCodec, utf8
} from '../../src/wire/index.ts'
import type { Codec, Infer } from '../../src/wire/index.ts'

const everything = codec('everything', struct({
  count: integer({ min: -10, max: 10 }),
  title: text({ min: 1, max: 5, line: true }),
  key: bytes({ length: 3 }),
  data: bytes({ max: 4 }),
  paid: amount,
  score: int64,
  link: cid({ codes: [RAW] }),
  flag: boolean,
  kind: literal('a', 'b'),
  maybe: nullable(integer()),
  extra: optional(text({ max: 3 })),
  items: list(integer(), { min: 1, max: 3 }),
  sorted: list(text({ max: 3 }), { max: 3, ascending: utf8 }),
  choice: oneOf('form', { one: { x: integer() }, none: {} }),
  cells: record(text({ max: 3 }), either(text({ max: 3 }), integer(), value => typeof value === 'string'), { max: 2 }),
  pair: refine(struct({ low: integer(), high: integer() }), 'low ≤ high', ({ low, high }) => low <= high)
}))

type Everything = Infer<typeof everything>

const value: Everything = {
  count: -3,
  title: 'abc',
  key: Uint8Array.of(1, 2, 3),
  data: new Uint8Array(),
  paid: 10n ** 18n,
  score: -5n,
  link: rawCid(Uint8Array.of(1)),
  flag: true,
  kind: 'a',
  maybe: null,
  items: [1],
  sorted: ['a', 'b'],
  choice: { form: 'one', x: 1 },
  cells: { a: 'abc', b: 7 },
  pair: { low: 1, high: 2 }
}

function errorOf (run: () => unknown): MalformedRecordError {
  try {
    run()
  } catch (error) {
    if (error instanceof MalformedRecordError) {
      return error
    }

    throw error
  }

  throw new RangeError('expected an error')
}

describe('codecs', () => {
  it('give back what they were given', () => {
    expect(everything.decode(everything.encode(value))).to.deep.equal(value)
    expect(everything.decode(everything.encode({ ...value, extra: 'x', maybe: 3, choice: { form: 'none' } }))).to.deep.equal({ ...value, extra: 'x', maybe: 3, choice: { form: 'none' } })
  })

  it('give the same bytes whatever the order of keys', () => {
    const backwards = Object.fromEntries(Object.entries(value).reverse())

    expect(everything.encode({ ...value, ...backwards })).to.deep.equal(everything.encode(value))
  })

  it('take a missing field and one that is undefined for the same', () => {
    expect(everything.encode({ ...value, extra: undefined })).to.deep.equal(everything.encode(value))
  })

  it('take subclasses of Uint8Array as bytes', () => {
    class Special extends Uint8Array {}

    expect(everything.encode({ ...value, key: Special.of(1, 2, 3) })).to.deep.equal(everything.encode(value))
  })

  it('say where, what was expected and what came', () => {
    const error = errorOf(() => everything.encode({ ...value, items: [1, -1] }))

    expect(error).to.be.instanceOf(OutOfRangeError)
    expect(error).to.include({ code: 'ERR_OUT_OF_RANGE', path: 'everything.items[1]', expected: 'an integer from 0 to 9007199254740991', got: '-1' })
    expect(error.message).to.equal('everything.items[1]: expected an integer from 0 to 9007199254740991, got -1')
  })

  const refused: Array<[string, Partial<Everything> | { cells: Record<string, string | number> }, string, string]> = [
    ['an integer above its limit', { count: 11 }, 'everything.count', 'ERR_OUT_OF_RANGE'],
    ['a fraction', { count: 1.5 }, 'everything.count', 'ERR_MALFORMED_RECORD'],
    ['not a number', { count: NaN }, 'everything.count', 'ERR_MALFORMED_RECORD'],
    ['an integer that is not exact', { maybe: 2 ** 53 }, 'everything.maybe', 'ERR_MALFORMED_RECORD'],
    ['text that is too short', { title: '' }, 'everything.title', 'ERR_OUT_OF_RANGE'],
    ['text that is too long', { title: 'abcdef' }, 'everything.title', 'ERR_OUT_OF_RANGE'],
    ['a line end in a line', { title: 'a\nb' }, 'everything.title', 'ERR_MALFORMED_RECORD'],
    ['half a character', { title: '\ud800' }, 'everything.title', 'ERR_MALFORMED_RECORD'],
    ['too few bytes', { key: new Uint8Array(2) }, 'everything.key', 'ERR_OUT_OF_RANGE'],
    ['too many bytes', { data: new Uint8Array(5) }, 'everything.data', 'ERR_OUT_OF_RANGE'],
    ['a negative amount', { paid: -1n }, 'everything.paid', 'ERR_OUT_OF_RANGE'],
    ['an amount of 129 bits', { paid: 1n << 128n }, 'everything.paid', 'ERR_OUT_OF_RANGE'],
    ['a score of 65 bits', { score: 1n << 63n }, 'everything.score', 'ERR_OUT_OF_RANGE'],
    ['a link with another codec', { link: cidOf(Uint8Array.of(1)) }, 'everything.link', 'ERR_MALFORMED_RECORD'],
    ['too few items', { items: [] }, 'everything.items', 'ERR_OUT_OF_RANGE'],
    ['too many items', { items: [1, 2, 3, 4] }, 'everything.items', 'ERR_OUT_OF_RANGE'],
    ['items out of order', { sorted: ['b', 'a'] }, 'everything.sorted[1]', 'ERR_MALFORMED_RECORD'],
    ['an item twice', { sorted: ['a', 'a'] }, 'everything.sorted[1]', 'ERR_MALFORMED_RECORD'],
    ['too many entries', { cells: { a: 1, b: 2, c: 3 } }, 'everything.cells', 'ERR_OUT_OF_RANGE'],
    ['a condition that does not hold', { pair: { low: 2, high: 1 } }, 'everything.pair', 'ERR_MALFORMED_RECORD']
  ]

  for (const [name, change, path, code] of refused) {
    it(`refuse to write ${name}`, () => {
      const written = errorOf(() => everything.encode({ ...value, ...change }))

      expect(written).to.include({ path, code })
    })
  }

  it('count characters, not code units', () => {
    expect(everything.decode(everything.encode({ ...value, title: '🦉🦉🦉🦉🦉' })).title).to.equal('🦉🦉🦉🦉🦉')
    expect(errorOf(() => everything.encode({ ...value, title: '🦉🦉🦉🦉🦉🦉' })).code).to.equal('ERR_OUT_OF_RANGE')
  })

  it('refuse too many bytes without reading them', () => {
    const small = codec('small', bytes({ max: 100 }), { bytesMax: 50 })

    expect(errorOf(() => small.decode(new Uint8Array(51).fill(0xff)))).to.be.instanceOf(RecordTooLargeError)
    expect(errorOf(() => small.encode(new Uint8Array(60)))).to.be.instanceOf(RecordTooLargeError)
  })

  it('refuse keys that would change an object\'s prototype', () => {
    const spoiled = Uint8Array.from([0xa3, 0x64, ...utf8('rows'), 0x81, 0xa1, 0x69, ...utf8('__proto__'), 0x01, 0x64, ...utf8('type'), 0x65, ...utf8('shard'), 0x67, ...utf8('version'), 0x01])

    expect(() => shardCodec.decode(spoiled)).to.throw(MalformedRecordError)
  })

  it('refuse invalid UTF-8', () => {
    const encoded = everything.encode(value)
    const at = encoded.findIndex((_, i) => encoded[i] === 0x63 && encoded[i + 1] === 0x61 && encoded[i + 2] === 0x62 && encoded[i + 3] === 0x63)
    encoded[at + 1] = 0xff

    expect(() => everything.decode(encoded)).to.throw(MalformedRecordError)
  })

  it('refuse whatever is no record by a named error, and accept one encoding of a value', () => {
    const valid = everything.encode(value)

    fc.assert(fc.property(fc.nat(valid.length - 1), fc.integer({ min: 1, max: 255 }), (position, flip) => {
      const spoiled = Uint8Array.from(valid)
      spoiled[position] ^= flip

      try {
        expect(everything.encode(everything.decode(spoiled))).to.deep.equal(spoiled)
      } catch (error) {
        expect(error).to.be.instanceOf(MalformedRecordError)
      }
    }), { numRuns: 500 })
  })

  it('refuse random bytes and random DAG-CBOR by a named error', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.anything({ maxDepth: 3, withBigInt: false }).map(one => {
        try {
          return dagCbor.encode(one)
        } catch {
          return new Uint8Array()
        }
      })
    )

    fc.assert(fc.property(anything, spoiled => {
      for (const one of [everything, transactionCodec, signedTransactionCodec, shardCodec] as Array<Codec<unknown>>) {
        try {
          one.decode(spoiled)
        } catch (error) {
          expect(error).to.be.instanceOf(DatanetError)
        }
      }
    }), { numRuns: 500 })
  })

  it('keep amounts and scores exact', () => {
    const money = codec('money', struct({ paid: amount, score: int64 }))

    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (paid, score) => {
      expect(money.decode(money.encode({ paid, score }))).to.deep.equal({ paid, score })
    }), { numRuns: 200 })
  })

  it('keep rows of any text and integers', () => {
    const cell = fc.oneof(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger())
    const row = fc.dictionary(fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' }).filter(key => key !== '__proto__'), cell, { minKeys: 1, maxKeys: 8, noNullPrototype: true })

    fc.assert(fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), rows => {
      expect(shardCodec.decode(shardCodec.encode({ type: 'shard', version: 1, rows })).rows).to.deep.equal(rows)
    }), { numRuns: 100 })
  })
})
