import { expect } from 'aegir/chai'
import fc from 'fast-check'
import all from 'it-all'
import { ROW_BYTES_MAX, importRows } from '../../src/datanets/index.ts'
import { parseChat } from '../../src/models/index.ts'
import { parquetFile } from './parquet.ts'
import type { ImportEvent, ImportFormat, ImportOptions } from '../../src/datanets/index.ts'
import type { Row } from '../../src/interface/index.ts'

const manifest: ImportOptions['manifest'] = {
  fields: [
    { name: 'text', type: 'string', required: true },
    { name: 'year', type: 'integer', required: false }
  ],
  textField: 'text'
}

/** A source in chunks of odd sizes, so that no format may rely on their borders. */
function * chunks (bytes: Uint8Array, size = 7): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.slice(at, at + size)
  }
}

const jsonl = (rows: Row[]): Uint8Array => new TextEncoder().encode(rows.map(row => JSON.stringify(row)).join('\n'))

const caught = async (work: Promise<unknown>): Promise<unknown> => work.catch((err: unknown) => err)

const importText = async (format: ImportFormat, text: string, options: Partial<ImportOptions> = {}): Promise<Row[]> =>
  all(importRows(format, chunks(new TextEncoder().encode(text)), { manifest, ...options }))

describe('importRows', () => {
  describe('jsonl', () => {
    it('takes the fields of the manifest from one object a line', async () => {
      const rows = await importText('jsonl', '{"text":"one","year":1790,"president":"dropped"}\r\n\n{"text":"zwei ü"}')
      expect(rows).to.deep.equal([{ text: 'one', year: 1790 }, { text: 'zwei ü' }])
    })

    it('keeps conversations as JSON, as training reads them', async () => {
      const messages = [{ role: 'user', content: 'Hi' }, { role: 'assistant', content: 'Hello' }]
      const rows = await importText('jsonl', `${JSON.stringify({ messages })}\n${JSON.stringify({ messages: 'text' })}`, { manifest: { ...manifest, fields: [{ name: 'messages', type: 'string', required: true }], textField: 'messages' } })
      expect(rows).to.deep.equal([{ messages: JSON.stringify(messages) }, { messages: 'text' }])
      expect(parseChat(String(rows[0].messages))).to.deep.equal(messages)
      for (const text of [[], ['Hi'], [{ content: 'Hi' }], { role: 'user' }]) {
        expect(await caught(importText('jsonl', JSON.stringify({ text })))).to.have.property('code', 'ERR_IMPORT_FIELD')
      }
    })

    it('reads back what JSON wrote, however it is cut', async () => {
      await fc.assert(fc.asyncProperty(
        fc.array(fc.record({ text: fc.string({ unit: 'grapheme' }), year: fc.integer() }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 50 }),
        async (rows, size) => {
          expect(await all(importRows('jsonl', chunks(jsonl(rows), size), { manifest }))).to.deep.equal(rows)
        }
      ), { numRuns: 50 })
    })

    const wrong: Array<[string, string, string, Record<string, unknown>]> = [
      ['broken JSON', '{"text":"a"}\n{"text":', 'ERR_IMPORT_SYNTAX', { line: 2 }],
      ['a line that is no object', '[1]', 'ERR_IMPORT_SYNTAX', { line: 1 }],
      ['a missing field', '{"year":1}', 'ERR_IMPORT_FIELD', { line: 1, field: 'text' }],
      ['a wrong type', '{"text":"a"}\n{"text":7}', 'ERR_IMPORT_FIELD', { line: 2, field: 'text' }],
      ['a fraction where an integer belongs', '{"text":"a","year":1.5}', 'ERR_IMPORT_FIELD', { line: 1, field: 'year' }],
      ['a lone surrogate', '{"text":"\\ud800"}', 'ERR_IMPORT_FIELD', { line: 1, field: 'text' }],
      ['an empty source', '\n\n', 'ERR_IMPORT_EMPTY', {}]
    ]
    for (const [what, source, code, place] of wrong) {
      it(`names line and field of ${what}`, async () => {
        const error = await caught(importText('jsonl', source))
        expect(error).to.deep.include({ code, place })
      })
    }

    it('does not read an endless line', async () => {
      let given = 0
      function * endless (): Generator<Uint8Array> {
        while (true) {
          given += 65_536
          yield new Uint8Array(65_536).fill(0x20)
        }
      }
      const error: unknown = await all(importRows('jsonl', endless(), { manifest })).catch((err: unknown) => err)
      expect(error).to.deep.include({ code: 'ERR_IMPORT_TOO_LARGE', place: { line: 1 } })
      expect(given).to.be.lessThan(2 * ROW_BYTES_MAX)
    })

    it('says which line is not UTF-8', async () => {
      const error: unknown = await all(importRows('jsonl', [Uint8Array.of(0x7b, 0x7d, 0x0a), Uint8Array.of(0xff, 0x0a)], { manifest: { fields: [], textField: '' } })).catch((err: unknown) => err)
      expect(error).to.deep.include({ code: 'ERR_IMPORT_ENCODING', place: { line: 2 } })
    })
  })

  describe('csv', () => {
    it('reads quoted cells, line breaks in them and a byte order mark', async () => {
      const rows = await importText('csv', '\ufefftext,other,year\n"one, ""two""\nthree",x,1790\nfour,,\n')
      expect(rows).to.deep.equal([{ text: 'one, "two"\nthree', year: 1790 }, { text: 'four' }])
    })

    it('fills in constants where the source has no value', async () => {
      expect(await importText('csv', 'text\none\n', { constants: { year: 1862 } })).to.deep.equal([{ text: 'one', year: 1862 }])
    })

    it('names line and field of a wrong number and of a missing cell', async () => {
      expect(await importText('csv', 'text,year\none,1790\ntwo,MDCC\n').catch((err: unknown) => err)).to.deep.include({ code: 'ERR_IMPORT_FIELD', place: { line: 3, field: 'year' } })
      expect(await importText('csv', 'text,year\n,1790\n').catch((err: unknown) => err)).to.deep.include({ code: 'ERR_IMPORT_FIELD', place: { line: 2, field: 'text' } })
    })

    it('refuses rows with too few cells, open quotes and endless records', async () => {
      expect(await importText('csv', 'text,year\none\n').catch((err: unknown) => err)).to.have.property('code', 'ERR_IMPORT_SYNTAX')
      expect(await importText('csv', 'text,year\n"one,1\n').catch((err: unknown) => err)).to.have.property('code', 'ERR_IMPORT_SYNTAX')
      expect(await importText('csv', `text\n"${'x'.repeat(ROW_BYTES_MAX + 10)}"\n`).catch((err: unknown) => err)).to.have.property('code', 'ERR_IMPORT_TOO_LARGE')
    })

    it('passes on an error of the source', async () => {
      async function * broken (): AsyncGenerator<Uint8Array> {
        yield new TextEncoder().encode('text\none\n')
        throw new RangeError('the disk is gone')
      }
      await expect(all(importRows('csv', broken(), { manifest }))).to.eventually.be.rejectedWith('the disk is gone')
    })
  })

  describe('parquet', () => {
    const columns = { text: ['one', 'zwei ü', 'three'], year: [1790n, 1862n, -3n], other: [0.5, 1.5, 2.5] }
    const expected = [{ text: 'one', year: 1790 }, { text: 'zwei ü', year: 1862 }, { text: 'three', year: -3 }]

    it('reads the columns of the manifest, group by group, compressed or not', async () => {
      expect(await all(importRows('parquet', chunks(parquetFile(columns)), { manifest }))).to.deep.equal(expected)
      expect(await all(importRows('parquet', [parquetFile(columns, 3)], { manifest }))).to.deep.equal(expected)
      expect(await all(importRows('parquet', [parquetFile(columns, 2, true)], { manifest }))).to.deep.equal(expected)
    })

    it('reads by random access', async () => {
      const bytes = parquetFile(columns, 2)
      const file = { byteLength: bytes.byteLength, slice: async (from: number, to?: number) => new Uint8Array(bytes.slice(from, to)).buffer }
      expect(await all(importRows('parquet', file, { manifest }))).to.deep.equal(expected)
    })

    it('names row and field of a wrong type, and refuses what is no parquet', async () => {
      const floats = parquetFile({ text: ['a', 'b'], year: [1, 2.5] })
      expect(await all(importRows('parquet', [floats], { manifest })).catch((err: unknown) => err)).to.deep.include({ code: 'ERR_IMPORT_FIELD', place: { row: 2, field: 'year' } })
      const noText = parquetFile({ year: [1n] })
      expect(await all(importRows('parquet', [noText], { manifest })).catch((err: unknown) => err)).to.deep.include({ code: 'ERR_IMPORT_FIELD', place: { row: 1, field: 'text' } })
      expect(await importText('parquet', 'PAR1 but not really PAR1').catch((err: unknown) => err)).to.have.property('code', 'ERR_IMPORT_SYNTAX')
    })

    it('never hangs or crashes on damaged files', async () => {
      const good = parquetFile(columns)
      await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: good.length - 1 }), fc.integer({ min: 0, max: 255 }), async (at, value) => {
        const bad = good.slice()
        bad[at] = value
        const result: unknown = await all(importRows('parquet', [bad], { manifest })).catch((err: unknown) => err)
        expect(Array.isArray(result) || (result instanceof Error && 'code' in result && String(result.code).startsWith('ERR_IMPORT_'))).to.equal(true)
      }), { numRuns: 200 })
    })
  })

  describe('text', () => {
    it('makes one row of each paragraph and skips crumbs', async () => {
      const events: ImportEvent[] = []
      const rows = await importText('text', 'Title\n\nA paragraph\nof two lines, long enough to keep it.\n\n\n  Another paragraph that is long enough, too.', { constants: { year: 1862 }, onProgress: event => { events.push(event) } })
      expect(rows).to.deep.equal([
        { text: 'A paragraph of two lines, long enough to keep it.', year: 1862 },
        { text: 'Another paragraph that is long enough, too.', year: 1862 }
      ])
      expect(events.at(-1)).to.include({ rows: 2, skipped: 1 })
    })

    it('cuts long paragraphs at sentences and loses no word', async () => {
      await fc.assert(fc.asyncProperty(fc.array(fc.lorem({ mode: 'sentences', maxCount: 6 }), { minLength: 1, maxLength: 10 }), async sentences => {
        const text = sentences.join(' ')
        const rows = await importText('text', text, { charactersMin: 1, charactersMax: 120 })
        expect(rows.every(row => String(row.text).length <= 120)).to.equal(true)
        expect(rows.map(row => row.text).join(' ')).to.equal(text)
      }), { numRuns: 50 })
    })

    it('cuts text without spaces between characters, never within one', async () => {
      const rows = await importText('text', '😀'.repeat(100), { charactersMin: 1, charactersMax: 15 })
      expect(rows.map(row => row.text).join('')).to.equal('😀'.repeat(100))
      expect(rows.every(row => String(row.text).isWellFormed())).to.equal(true)
    })
  })

  it('ends when its signal fires', async () => {
    const controller = new AbortController()
    const rows = importRows('jsonl', [new TextEncoder().encode('{"text":"a"}\n{"text":"b"}\n')], { manifest, signal: controller.signal })
    await rows.next()
    controller.abort()
    await expect(rows.next()).to.eventually.be.rejected.with.property('name', 'AbortError')
  })
})
