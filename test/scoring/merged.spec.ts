import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { dataTotal, MERGED_TOTAL, mergedPrice, mergedScores, unitedSnapshot } from '../../src/scoring/index.ts'
import { cidOf, utf8 } from '../../src/wire/index.ts'
import type { Snapshot } from '../../src/interface/index.ts'

const cid = (name: string): ReturnType<typeof cidOf> => cidOf(utf8(name))

describe('scores of merged adapters', () => {
  it('divide by measured effect first, then by each parent\'s own scores', () => {
    const { parents, contributions } = mergedScores([
      { effect: 3n, scores: [1n, 3n], places: [0, 1] },
      // a thousand times larger scores, by its recipe: they count no more for it
      { effect: 1n, scores: [1000n, 1000n], places: [1, 2] }
    ], 3)

    expect(parents).to.deep.equal([MERGED_TOTAL * 3n / 4n, MERGED_TOTAL / 4n])
    expect(contributions).to.deep.equal([MERGED_TOTAL * 3n / 16n, MERGED_TOTAL * 9n / 16n + MERGED_TOTAL / 8n, MERGED_TOTAL / 8n])
  })

  it('give the part of parents without scores to no contribution', () => {
    const { parents, contributions } = mergedScores([{ effect: 1n, scores: [7n], places: [0] }, { effect: 1n, scores: [], places: [] }, { effect: 2n, scores: [0n, 0n], places: [0, 1] }], 2)

    expect(parents).to.deep.equal([MERGED_TOTAL / 4n, MERGED_TOTAL / 4n, MERGED_TOTAL / 2n])
    expect(contributions).to.deep.equal([MERGED_TOTAL / 4n, 0n])
  })

  it('give parents exactly the whole, and contributions never more', () => {
    const parent = fc.record({ effect: fc.bigInt({ min: 0n, max: 1n << 80n }), scores: fc.array(fc.bigInt({ min: 0n, max: 1n << 60n }), { maxLength: 8 }) })

    fc.assert(fc.property(fc.array(parent, { minLength: 2, maxLength: 4 }), some => {
      fc.pre(some.some(({ effect }) => effect > 0n))

      const { parents, contributions } = mergedScores(some.map(one => ({ ...one, places: [...one.scores.keys()] })), 8)
      const sum = (values: bigint[]): bigint => values.reduce((sum, value) => sum + value, 0n)

      expect(sum(parents)).to.equal(MERGED_TOTAL)
      expect(sum(contributions) <= MERGED_TOTAL).to.equal(true)
      expect([...parents, ...contributions].every(value => value >= 0n)).to.equal(true)
    }))
  })

  it('need an effect, and a place for each score', () => {
    expect(() => mergedScores([{ effect: 0n, scores: [], places: [] }], 0)).to.throw().with.property('code', 'ERR_SCORE_TABLE')
    expect(() => mergedScores([{ effect: 1n, scores: [1n], places: [1] }], 1)).to.throw().with.property('code', 'ERR_SCORE_TABLE')
    expect(() => mergedScores([{ effect: 1n, scores: [1n], places: [] }], 1)).to.throw().with.property('code', 'ERR_SCORE_TABLE')
    expect(() => mergedScores([{ effect: -1n, scores: [], places: [] }, { effect: 2n, scores: [], places: [] }], 1)).to.throw().with.property('code', 'ERR_SCORE_TABLE')
  })

  it('leave of a total what is of contributions', () => {
    expect(dataTotal(MERGED_TOTAL + 5n, true)).to.equal(5n)
    expect(dataTotal(5n, true)).to.equal(0n)
    expect(dataTotal(5n, false)).to.equal(5n)
  })
})

describe('the price of merged adapters', () => {
  it('is that of the dearest parent, for answers and for prompts apart', () => {
    expect(mergedPrice([{ pricePerThousandTokens: 5n }, { pricePerThousandTokens: 3n, promptPricePerThousandTokens: 9n }])).to.deep.equal({ pricePerThousandTokens: 5n, promptPricePerThousandTokens: 9n })
    expect(mergedPrice([{ pricePerThousandTokens: 5n, promptPricePerThousandTokens: 1n }, { pricePerThousandTokens: 3n }])).to.deep.equal({ pricePerThousandTokens: 5n, promptPricePerThousandTokens: 3n })
  })

  it('is written in one way only', () => {
    expect(mergedPrice([{ pricePerThousandTokens: 5n }, { pricePerThousandTokens: 3n, promptPricePerThousandTokens: 5n }])).to.deep.equal({ pricePerThousandTokens: 5n })
  })
})

describe('what merged adapters stand on', () => {
  it('is everything once, in order, however the parents are ordered', () => {
    const [a, b, c] = ['a', 'b', 'c'].map(cid)
    const one: Snapshot = { type: 'snapshot', version: 1, datanets: [a], contributions: [a, b] }
    const other: Snapshot = { type: 'snapshot', version: 1, datanets: [a], contributions: [b, c] }
    const united = unitedSnapshot([one, other])

    expect(united).to.deep.equal(unitedSnapshot([other, one]))
    expect(united.contributions.map(String).toSorted()).to.deep.equal([a, b, c].map(String).toSorted())
    expect(united.datanets.map(String)).to.deep.equal([a.toString()])
  })
})
