import { expect } from 'aegir/chai'
import fc from 'fast-check'
import {
  NEAR_DUPLICATE_MATCHES_MIN, RowIndex, checkContribution, findPersonalData, fingerprint, indexRows, isNear, quality, words
} from '../../src/attestation/index.ts'
import { prose, speeches } from '../datanets/fixtures.ts'
import { alice, cid, curator } from '../ledger/network.ts'
import type { ContributionCheckInput, Fingerprint } from '../../src/attestation/index.ts'
import type { CheckResult, Contribution, DatanetManifest, Row } from '../../src/interface/index.ts'

const manifest: DatanetManifest = { ...speeches, type: 'datanet', version: 1, curator: curator.account }
const contribution: Contribution = {
  type: 'contribution', version: 1, datanet: cid('datanet'), contributor: alice.account, title: 'Test', licence: speeches.licence, rows: 1, bytes: 1, shards: [cid('shard')]
}
const textsOf = (rows: Row[]): string[] => rows.map(row => String(row.text))
const prints = (rows: Row[]): Fingerprint[] => textsOf(rows).map(fingerprint)

const check = async (rows: Row[], more: Partial<ContributionCheckInput> = {}): Promise<Record<string, CheckResult>> => {
  const results = await checkContribution({ manifest, contribution, rows, index: new RowIndex(), source: 9, earlier: new Set(), ...more })
  return Object.fromEntries(results.map(result => [result.name, result]))
}
const indexOf = (...contributions: Row[][]): RowIndex => {
  const index = new RowIndex()
  contributions.forEach((rows, source) => { indexRows(index, source, prints(rows)) })
  return index
}

describe('checks of a contribution', () => {
  it('admits clean prose, with one result per check in a fixed order', async () => {
    const results = await checkContribution({ manifest, contribution, rows: prose(50, 1), index: new RowIndex(), source: 0, earlier: new Set() })
    expect(results.map(({ name }) => name)).to.deep.equal([
      'rows-min', 'rows-max', 'schema', 'licence', 'exact-duplicates', 'near-duplicates', 'personal-data', 'quality'
    ])
    expect(results.filter(({ passed }) => !passed)).to.deep.equal([])
    expect(results.every(({ measure, limit }) => Number.isSafeInteger(measure) && Number.isSafeInteger(limit))).to.equal(true)
  })

  it('counts rows that do not fit the fields and names the first', async () => {
    const { schema } = await check([{ text: 'fine' }, { text: 5 }, { year: 3 }])
    expect(schema).to.include({ passed: false, measure: 2, limit: 0 })
    expect(schema.detail).to.include('row 1, field "text"')
  })

  it('refuses another licence and too few or many rows', async () => {
    const results = await check(prose(3, 1), {
      contribution: { ...contribution, licence: 'MIT' },
      manifest: { ...manifest, admission: { ...manifest.admission, rowsMin: 4, rowsMax: 2 } }
    })
    expect(results.licence.passed).to.equal(false)
    expect(results['rows-min']).to.include({ passed: false, measure: 3, limit: 4 })
    expect(results['rows-max']).to.include({ passed: false, measure: 3, limit: 2 })
  })
})

describe('check for duplicates', () => {
  it('finds copies that differ in case, spaces and punctuation only as exact', async () => {
    const original = prose(20, 2)
    const copy = textsOf(original).map(text => ({ text: `  ${text.toUpperCase().replaceAll('.', ' !').replaceAll(' ', '  ')}` }))
    const results = await check(copy, { index: indexOf(original), earlier: new Set([0]) })
    expect(results['exact-duplicates']).to.include({ passed: false, measure: 1000 })
  })

  it('finds copies with a changed word in each row as near, not exact', async () => {
    const original = prose(20, 3)
    const copy = textsOf(original).map(text => ({ text: text.replace('every', 'each') }))
    const results = await check(copy, { index: indexOf(original), earlier: new Set([0]) })
    expect(results['exact-duplicates'].measure).to.equal(0)
    expect(results['near-duplicates'].measure).to.be.greaterThan(700)
    expect(results['near-duplicates'].passed).to.equal(false)
  })

  it('finds repetitions within a contribution', async () => {
    const results = await check([...prose(10, 4), ...prose(10, 4)])
    expect(results['exact-duplicates'].measure).to.equal(500)
  })

  it('compares with the earlier contributions it is told to, and no others', async () => {
    const rows = prose(10, 5)
    const index = indexOf(rows, prose(10, 6))
    expect((await check(rows, { index, earlier: new Set([1]) }))['near-duplicates'].measure).to.be.lessThan(1000)
    expect((await check(rows, { index, earlier: new Set([0, 1]) }))['exact-duplicates'].measure).to.equal(1000)
  })

  it('says the same when it is run again', async () => {
    const index = indexOf(prose(10, 7))
    const input = { index, earlier: new Set([0]), source: 1 }
    const rows = [...prose(10, 8), ...prose(3, 7), ...prose(2, 8)]
    expect(await check(rows, input)).to.deep.equal(await check(rows, input))
  })

  it('does not depend on the order in which earlier rows came', async () => {
    await fc.assert(fc.asyncProperty(fc.shuffledSubarray([1, 2, 3, 4, 5, 6], { minLength: 6 }), fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 4 }), async (order, seeds) => {
      const rows = seeds.flatMap(seed => prose(3, seed))
      const inOrder = new RowIndex()
      const shuffled = new RowIndex()
      for (const seed of [...order].sort((a, b) => a - b)) {
        indexRows(inOrder, seed, prints(prose(3, seed)))
      }
      for (const seed of order) {
        indexRows(shuffled, seed, prints(prose(3, seed)).reverse())
      }
      const earlier = new Set(order)
      expect(await check(rows, { index: shuffled, earlier })).to.deep.equal(await check(rows, { index: inOrder, earlier }))
    }), { numRuns: 20 })
  })

  it('finds every near duplicate that comparing all pairs finds', () => {
    // texts that share most of their words, around the threshold
    const text = fc.array(fc.constantFrom(...'a b c d e f g h i j k l'.split(' ')), { minLength: 4, maxLength: 60 }).map(list => list.join(' '))
    const edited = fc.tuple(text, fc.nat(), fc.string({ maxLength: 3 })).map(([original, at, word]) => {
      const list = original.split(' ')
      list[at % list.length] = word
      return [original, list.join(' ')]
    })
    fc.assert(fc.property(fc.array(edited, { minLength: 1, maxLength: 8 }), fc.array(text, { maxLength: 8 }), (pairs, others) => {
      const index = new RowIndex()
      const stored = [...pairs.map(([original]) => original), ...others].map(fingerprint)
      indexRows(index, 0, stored)
      for (const [, query] of pairs) {
        const print = fingerprint(query)
        const exhaustive = stored.some(other => other.exact === print.exact || isNear(other.signature, print.signature))
        expect(index.find(print, () => true) !== undefined).to.equal(exhaustive)
      }
    }), { numRuns: 100 })
  })

  it('estimates the similarity of sets of shingles', () => {
    const list = Array.from({ length: 400 }, (_, i) => `w${i}`)
    const agreement = (shared: number): number => {
      const a = fingerprint(list.slice(0, 200).join(' ')).signature
      const b = fingerprint(list.slice(200 - shared, 400 - shared).join(' ')).signature
      return a.filter((value, index) => value === b[index]).length
    }
    expect(agreement(200)).to.equal(64)
    expect(agreement(190)).to.be.greaterThan(NEAR_DUPLICATE_MATCHES_MIN)
    expect(agreement(100)).to.be.lessThan(NEAR_DUPLICATE_MATCHES_MIN)
    expect(agreement(0)).to.be.lessThan(3)
  })
})

describe('screen for personal data', () => {
  const found: Array<[string, string[]]> = [
    ['write to jane.doe+x@example.co.uk today', ['email']],
    ['call (202) 456-1111 now', ['phone']],
    ['call 202-456-1111', ['phone']],
    ['ring +44 20 7946 0958.', ['phone']],
    ['ring +49 (30) 901820', ['phone']],
    ['card 4111 1111 1111 1111 expires', ['card']],
    ['card 5500-0000-0000-0004', ['card']],
    ['number 219-09-9999', ['ssn']],
    ['account DE89 3704 0044 0532 0130 00', ['iban']],
    ['account GB82WEST12345698765432', ['iban']]
  ]
  for (const [text, kinds] of found) {
    it(`finds ${kinds.join()} in "${text}"`, () => {
      expect(findPersonalData(text)).to.deep.equal(kinds)
    })
  }

  const innocent = [
    'from 1861-1865 the war', 'a debt of $1,234,567,890.12 in 1866', 'on 12-31-1999 and 1999-12-31', 'the act of July 4, 1864, chapter 123-45',
    'card 4111 1111 1111 1112', '0000 0000 0000 0000', 'DE00 3704 0044 0532 0130 00', 'balances of 26,345,678 and 31,415,926', '000-12-3456', 'ratio 3.14159265358979',
    'cost 100.000.000.000', 'an @ sign alone'
  ]
  for (const text of innocent) {
    it(`finds none in "${text}"`, () => {
      expect(findPersonalData(text)).to.deep.equal([])
    })
  }

  it('takes linear time on hostile text', () => {
    for (const part of ['a@', '1', '1 ', '+1 ', '1-', 'A1', '(2', 'a.', '@a.', 'AA11 ']) {
      findPersonalData(part.repeat(65_536 / part.length))
    }
  })

  it('counts rows, rounding up, and looks into every column', async () => {
    const rows = [...prose(1_999, 1), { text: 'Nothing here that anybody could object to at all.', note: 'a@b.de' }]
    const results = await check(rows)
    expect(results['personal-data']).to.include({ passed: false, measure: 1, detail: 'email in 1 rows' })
  })
})

describe('quality of a row', () => {
  it('tells prose from noise', () => {
    expect(quality(textsOf(prose(1, 1))[0])).to.equal(1000)
    expect(quality('')).to.equal(0)
    expect(quality('1234 5678 9012 3456 7890 1234 5678 9012 3456')).to.equal(0)
    expect(quality('buy now '.repeat(100))).to.be.lessThan(50)
    expect(quality('Too short')).to.equal(250)
    expect(quality('$$$ %% ### @@@ &&& *** ((( ))) word and more words follow here')).to.be.lessThan(800)
  })

  it('knows letters and words of other scripts', () => {
    expect(quality('Съешь же ещё этих мягких французских булок, да выпей чаю')).to.equal(1000)
    expect(quality('人人生而自由在尊严和权利上一律平等他们赋有理性和良心')).to.equal(1000)
    expect(words('ΑΒΓ Ёж ÀÉÎ don’t 你好')).to.deep.equal(['αβγ', 'ёж', 'àéî', 'don', 't', '你', '好'])
  })

  it('is an integer from 0 to 1000 for any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
      const value = quality(text)
      expect(Number.isInteger(value) && value >= 0 && value <= 1000).to.equal(true)
    }), { numRuns: 500 })
  })
})
