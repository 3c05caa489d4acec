import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { buildPart, openPart, partBuilder, spansIndex, spanWeights, suffixArray } from '../../src/attribution/index.ts'
import { contributionCid, occursAt } from './spans-fixtures.ts'
import type { Span, SpanCitation, SpanPart } from '../../src/attribution/index.ts'

const VOCABULARY = 4

const rowsOf = fc.array(fc.array(fc.nat({ max: VOCABULARY - 1 }), { maxLength: 30 }), { minLength: 1, maxLength: 6 })
  .filter(rows => rows.some(row => row.length > 0))

const contributions = Array.from({ length: 4 }, (_, i) => contributionCid(i))

const partOf = (rows: number[][], source = 0, vocabularySize = VOCABULARY): SpanPart => openPart(buildPart(rows, { vocabularySize, contribution: contributions[source] }))

const placesIn = (row: number[], tokens: number[]): number[] => row.map((_, at) => at).filter(at => occursAt(row, tokens, at))

/** The rows that have some tokens, with the first place of them. */
const citing = (rows: number[][], source: number, tokens: number[]): SpanCitation[] => rows
  .map((row, r) => ({ source, row: r, token: placesIn(row, tokens)[0] ?? -1 }))
  .filter(({ token }) => token >= 0)

/** Every part of the answer that some row has, and that is inside of no longer one. */
function naive (datanet: number[][][], answer: number[], minTokens: number): Array<Pick<Span, 'from' | 'end' | 'count'>> {
  const found: Array<Pick<Span, 'from' | 'end' | 'count'>> = []

  for (let from = 0; from < answer.length; from++) {
    for (let end = from + minTokens; end <= answer.length; end++) {
      const tokens = answer.slice(from, end)
      const count = datanet.flat().reduce((sum, row) => sum + placesIn(row, tokens).length, 0)

      if (count > 0) {
        found.push({ from, end, count })
      }
    }
  }

  return found.filter(one => !found.some(other => other !== one && other.from <= one.from && other.end >= one.end))
}

describe('suffix array', () => {
  it('has the order of a comparison of all suffixes', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 6 }), fc.array(fc.nat({ max: 1_000 }), { maxLength: 120 }), (largest, values) => {
      const text = Int32Array.from(values, value => value % (largest + 1))
      const compare = (a: number, b: number): number => {
        for (let i = 0; ; i++) {
          if (a + i >= text.length || b + i >= text.length) {
            return b - a
          }

          if (text[a + i] !== text[b + i]) {
            return text[a + i] - text[b + i]
          }
        }
      }

      expect([...suffixArray(text, largest)]).to.deep.equal([...text.keys()].sort(compare))
    }), { numRuns: 400 })
  })

  it('sorts runs of one symbol and texts that repeat, where sorting by comparison is quadratic', () => {
    const n = 50_000

    expect(suffixArray(new Int32Array(n), 0)).to.deep.equal(Int32Array.from({ length: n }, (_, i) => n - 1 - i))

    const text = Int32Array.from({ length: n }, (_, i) => i % 3)
    const order = suffixArray(text, 2)

    expect(order.slice().sort()).to.deep.equal(Int32Array.from({ length: n }, (_, i) => i))
    // of equal texts, the shorter comes first
    expect([...order.subarray(0, 3)]).to.deep.equal([49_998, 49_995, 49_992])
  })
})

describe('spans of an answer', () => {
  it('are those that a search of every row for every part of the answer finds', () => {
    fc.assert(fc.property(fc.array(rowsOf, { minLength: 1, maxLength: 3 }), fc.array(fc.nat({ max: VOCABULARY }), { maxLength: 25 }), fc.integer({ min: 1, max: 4 }), (datanet, answer, minTokens) => {
      const index = spansIndex(datanet.map((rows, source) => partOf(rows, source)), contributions)
      const spans = index.find(answer, { minTokens, max: 1_000, perRowMax: 1_000, citationsMax: 1_000 })

      expect(spans.map(({ from, end, count }) => ({ from, end, count })).sort((a, b) => a.from - b.from)).to.deep.equal(naive(datanet, answer, minTokens))

      for (const { from, end, citations } of spans) {
        const tokens = answer.slice(from, end)

        expect(citations).to.deep.equal(datanet.flatMap((rows, source) => citing(rows, source, tokens)))
      }
    }), { numRuns: 300 })
  })

  it('are the same whether a contribution is one part or many', () => {
    fc.assert(fc.property(rowsOf, fc.array(fc.nat({ max: VOCABULARY - 1 }), { maxLength: 25 }), (rows, answer) => {
      const whole = spansIndex([partOf(rows)], contributions)
      const parts = rows.flatMap((row, firstRow) => row.length === 0 ? [] : [openPart(buildPart([row], { vocabularySize: VOCABULARY, contribution: contributions[0], firstRow }))])

      expect(spansIndex(parts, contributions).find(answer, { minTokens: 2 })).to.deep.equal(whole.find(answer, { minTokens: 2 }))
    }))
  })

  it('come rarest first, and the words of everybody last', () => {
    const common = Array.from({ length: 20 }, () => [1, 1, 1, 1, 2])
    const index = spansIndex([partOf([...common, [5, 6, 7, 8]], 0, 16)], contributions)
    const spans = index.find([1, 1, 1, 1, 9, 5, 6, 7, 8], { minTokens: 4 })

    expect(spans.map(({ from, end, count }) => [from, end, count])).to.deep.equal([[5, 9, 1], [0, 4, 20]])
    // 104 tokens of which 80 are the first, and 1 each of the others
    expect(spans.map(({ rarity }) => rarity / 1024)).to.satisfy(([rare, frequent]: number[]) => Math.abs(rare - 4 * Math.log2(104)) < 0.01 && Math.abs(frequent - 4 * Math.log2(104 / 80)) < 0.01)
  })

  it('cite a row only so often, so that boilerplate does not fill the list', () => {
    const stuffed = Array.from({ length: 16 }, (_, i) => [i, i, i, 16]).flat()
    const answer = Array.from({ length: 16 }, (_, i) => [i, i, i, 17]).flat()
    const index = spansIndex([partOf([stuffed], 0, 18), partOf([[3, 3, 3]], 1, 18)], contributions)
    const spans = index.find(answer, { minTokens: 3, perRowMax: 2 })

    expect(spans.flatMap(({ citations }) => citations).filter(({ source }) => source === 0)).to.have.length(2)
    expect(spans.flatMap(({ citations }) => citations).filter(({ source }) => source === 1)).to.have.length(1)
    expect([...spanWeights(spans).keys()].sort()).to.deep.equal([0, 1])
  })

  it('never go over the end of a row', () => {
    expect(spansIndex([partOf([[1, 2], [3, 1]])], contributions).find([1, 2, 3, 1], { minTokens: 3 })).to.deep.equal([])
  })
})

describe('parts of a span index', () => {
  it('are cut where they would grow too large, and number the rows on', () => {
    const builder = partBuilder({ vocabularySize: 300, contribution: contributions[0] })
    const row = Uint32Array.from({ length: 200_000 }, (_, i) => i === 199_999 ? 299 : (i * i) % 293)
    const encoded = [row, row, row].map(tokens => builder.add(tokens))
    const parts = [...encoded, builder.end()].flatMap(bytes => bytes == null ? [] : [openPart(bytes)])

    expect(encoded.map(bytes => bytes == null)).to.deep.equal([true, true, false])
    expect(parts.map(({ sources: [{ firstRow }], rows, tokens }) => [firstRow, rows, tokens])).to.deep.equal([[0, 2, 400_000], [2, 1, 200_000]])
    expect(spansIndex(parts, contributions).count(row.subarray(199_900))).to.equal(3)
    expect(builder.end()).to.equal(undefined)
  })

  it('refuse tokens outside of the vocabulary and rows without tokens', () => {
    expect(() => buildPart([[4]], { vocabularySize: 4, contribution: contributions[0] })).to.throw().with.property('code', 'ERR_SPAN_INDEX')
    expect(() => buildPart([[]], { vocabularySize: 4, contribution: contributions[0] })).to.throw().with.property('code', 'ERR_SPAN_INDEX')
  })

  it('open or fail by name, whatever the bytes are, and never read outside of them', () => {
    const bytes = buildPart([[1, 2, 3, 1, 2]], { vocabularySize: VOCABULARY, contribution: contributions[0] })

    fc.assert(fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), fc.nat({ max: bytes.length }), (at, change, length) => {
      const damaged = bytes.slice(0, at % 2 === 0 ? length : bytes.length)

      if (at < damaged.length) {
        damaged[at] ^= change
      }

      try {
        spansIndex([openPart(damaged)], contributions).find([1, 2, 3, 1, 2], { minTokens: 1 })
      } catch (err) {
        expect(err).to.have.property('code', 'ERR_SPAN_INDEX')
      }
    }), { numRuns: 500 })
  })
})
