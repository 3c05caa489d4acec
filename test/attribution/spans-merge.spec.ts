import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { buildPart, checkPart, finish, joinParts, levelsOf, mergeParts, openPart, partRow, spansIndex } from '../../src/attribution/index.ts'
import { contributionCid } from './spans-fixtures.ts'
import type { Level, SpanPart } from '../../src/attribution/index.ts'

const VOCABULARY = 3

/** Few symbols, so that rows have much in common. */
const rowsOf = fc.array(fc.array(fc.nat({ max: VOCABULARY - 1 }), { maxLength: 12 }), { minLength: 1, maxLength: 5 })
  .filter(rows => rows.some(row => row.length > 0))

const datanetOf = fc.array(rowsOf, { minLength: 2, maxLength: 6 })

const partOf = (rows: ReadonlyArray<ArrayLike<number>>, contribution: number, vocabularySize = VOCABULARY, firstRow = 0): SpanPart => openPart(buildPart(rows, { vocabularySize, contribution: contributionCid(contribution), firstRow }))

const merged = (first: SpanPart, second: SpanPart): SpanPart => openPart(finish(mergeParts(first, second)))

/** Rows of a part in the order of their suffixes by comparison, ends of rows by their place. */
function sorted (part: SpanPart): number[] {
  const places = Array.from({ length: part.symbols }, (_, place) => place).filter(place => part.symbol(place) > 0)

  return places.sort((a, b) => {
    for (let i = 0; ; i++) {
      const [one, other] = [part.symbol(a + i), part.symbol(b + i)]

      if (one !== other) {
        return one - other
      }

      if (one === 0) {
        return a - b
      }
    }
  })
}

describe('merged parts of a span index', () => {
  it('have the order of a comparison of all suffixes, each up to the end of its row', () => {
    fc.assert(fc.property(rowsOf, rowsOf, (some, others) => {
      const part = merged(partOf(some, 0), partOf(others, 1))

      expect(Array.from({ length: part.tokens }, (_, rank) => part.suffix(rank))).to.deep.equal(sorted(part))
      expect(Array.from({ length: part.rows }, (_, row) => [...partRow(part, row)])).to.deep.equal([...some, ...others])
    }), { numRuns: 300 })
  })

  it('are the same bytes however they are put together: two by two from either side, or sorted at once', () => {
    fc.assert(fc.property(datanetOf, datanet => {
      const parts = datanet.map((rows, i) => partOf(rows, i))
      const fromLeft = parts.reduce(merged)
      const fromRight = parts.reduceRight((end, part) => merged(part, end))

      expect(fromRight.encoded).to.deep.equal(fromLeft.encoded)
      expect(joinParts(parts)).to.deep.equal(fromLeft.encoded)
    }), { numRuns: 200 })
  })

  it('are the part of one contribution where its parts are merged', () => {
    fc.assert(fc.property(rowsOf, rowsOf, (some, others) => {
      expect(merged(partOf(some, 0), partOf(others, 0, VOCABULARY, some.length)).encoded).to.deep.equal(partOf([...some, ...others], 0).encoded)
    }))
  })

  it('answer as the parts do that they are made of', () => {
    fc.assert(fc.property(datanetOf, fc.array(fc.nat({ max: VOCABULARY }), { maxLength: 25 }), (datanet, answer) => {
      const contributions = datanet.map((_, i) => contributionCid(i))
      const parts = datanet.map((rows, i) => partOf(rows, i))
      const [apart, together] = [parts, [parts.reduce(merged)]].map(some => spansIndex(some, contributions))

      expect(together.find(answer, { minTokens: 2 })).to.deep.equal(apart.find(answer, { minTokens: 2 }))
      expect(together.count(answer.slice(0, 3))).to.equal(apart.count(answer.slice(0, 3)))
    }), { numRuns: 200 })
  })

  it('bear rows that are one symbol, which a comparison of suffixes does not', () => {
    const row = new Uint32Array(100_000)
    const [one, other] = [0, 1].map(contribution => partOf([row, row], contribution, 1))
    const part = merged(one, other)

    finish(checkPart(part))
    expect(spansIndex([part], [contributionCid(0), contributionCid(1)]).count(row.subarray(0, 99_999))).to.equal(8)
  })

  it('refuse another vocabulary, and searches that would count what nobody asked for', () => {
    const part = partOf([[1]], 0)

    expect(() => finish(mergeParts(part, partOf([[1]], 1, 4)))).to.throw().with.property('code', 'ERR_SPAN_INDEX')
    expect(() => spansIndex([part], [contributionCid(1)])).to.throw().with.property('code', 'ERR_SPAN_INDEX')
  })
})

describe('a part from elsewhere', () => {
  it('passes if it is what its rows give', () => {
    fc.assert(fc.property(rowsOf, rowsOf, (some, others) => { finish(checkPart(merged(partOf(some, 0), partOf(others, 1)))) }))
  })

  it('is found out whatever bit of it is changed, unless it says of other rows what is true of them', () => {
    const whole = merged(partOf([[1, 2, 0, 1, 2], [2, 2]], 0), partOf([[0, 1, 2]], 1)).encoded

    for (let bit = 0; bit < whole.length * 8; bit++) {
      const changed = whole.slice()

      changed[bit >>> 3] ^= 128 >>> (bit & 7)
      expect(outcome(changed), `bit ${bit}`).to.be.oneOf(['ERR_SPAN_INDEX', 'true of its rows'])
    }
  })
})

/** Whether bytes are refused, and if not, whether they say what the index of their own rows would. */
function outcome (bytes: Uint8Array): string {
  try {
    const part = openPart(bytes)

    finish(checkPart(part))

    return sorted(part).every((place, rank) => part.suffix(rank) === place) ? 'true of its rows' : 'wrong'
  } catch (err) {
    return err instanceof Error && 'code' in err ? String(err.code) : String(err)
  }
}

describe('levels of a span index', () => {
  it('cover all parts in their order, each with more than twice the symbols of the next', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 2, max: 1_000 }), { minLength: 1, maxLength: 200 }), sizes => {
      const levels = levelsOf(sizes)

      expect([0, ...levels.map(({ end }) => end)]).to.deep.equal([...levels.map(({ first }) => first), sizes.length])
      levels.slice(1).forEach(({ symbols }, i) => { expect(levels[i].symbols).to.be.greaterThan(2 * symbols) })
      expect(levels.length).to.be.at.most(1 + Math.log2(sizes.reduce((sum, one) => sum + one, 0)))
    }))
  })

  it('leave what is merged as it is when a part comes after it, and merge each symbol about log₂ n times', () => {
    const parts = 512
    const known = new Set<string>()
    let work = 0

    const merge = ({ first, end, symbols, halves }: Level): void => {
      if (!known.has(`${first}-${end}`)) {
        known.add(`${first}-${end}`)
        work += halves == null ? 0 : symbols
        halves?.forEach(merge)
      }
    }

    for (let count = 1; count <= parts; count++) {
      levelsOf(Array.from({ length: count }, () => 1)).forEach(merge)
    }

    expect(work).to.be.at.most(parts * Math.log2(parts))
  })

  it('keep within a bound, so that memory does', () => {
    expect(levelsOf([6, 3, 3, 2, 1], 8).map(({ symbols }) => symbols)).to.deep.equal([6, 6, 3])
  })
})
