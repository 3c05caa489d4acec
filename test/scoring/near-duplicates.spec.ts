import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { contributionScores, nearDuplicates } from '../../src/scoring/index.ts'

/** A text of 64 tokens that shares no run with others of another seed. */
const text = (seed: number, length = 64): Uint32Array => Uint32Array.from({ length }, (_, i) => (Math.imul(seed * 7919 + i, 0x9e3779b1) >>> 8) % 2000)
/** The text with every n-th token replaced. */
const reworded = (tokens: Uint32Array, every: number): Uint32Array => tokens.map((token, i) => i % every === every - 1 ? token + 5000 : token)

describe('near duplicates', () => {
  it('go to the earliest commitment, wherever it stands in the snapshot', () => {
    const examples = [text(1), text(2), text(1), text(3)]
    const groups = Uint32Array.of(0, 0, 1, 1)

    expect([...nearDuplicates(examples, groups, [0, 1])]).to.deep.equal([0, 1, 0, 3])
    expect([...nearDuplicates(examples, groups, [1, 0])]).to.deep.equal([2, 1, 2, 3])
  })

  it('are found where one token in eight was replaced, and not where every second was', () => {
    const examples = [text(1), reworded(text(1), 8), reworded(text(1), 2)]

    expect([...nearDuplicates(examples, Uint32Array.of(0, 1, 2), [0, 1, 2])]).to.deep.equal([0, 0, 2])
  })

  it('are found where one token in three was replaced, wherever the copy is cut', () => {
    const windows = [0, 64, 128].map(at => text(1, 256).subarray(at, at + 64))
    const copies = [20, 84].map(at => reworded(text(1, 256).subarray(at, at + 64), 3))

    expect([...nearDuplicates([...windows, ...copies], Uint32Array.of(0, 0, 0, 1, 1), [0, 1])].slice(3)).to.deep.equal([0, 1])
  })

  it('are not found in short rows of one form, nor where a contribution ends', () => {
    const row = (answer: number): Uint32Array => Uint32Array.of(1, 2, answer, 3, 4, answer + 1, 5, 6)

    expect([...nearDuplicates([row(10), row(20), row(30)], Uint32Array.of(0, 0, 1), [0, 1])]).to.deep.equal([0, 1, 2])

    // half of it ends one contribution, half begins another
    const [end, begin] = [text(1, 32), text(2, 32)]
    const both = Uint32Array.of(...reworded(end.subarray(16), 3), ...reworded(begin.subarray(0, 16), 3))

    expect([...nearDuplicates([end, begin, both], Uint32Array.of(0, 1, 2), [0, 1, 2])]).to.deep.equal([0, 1, 2])
  })

  it('are found where a copy is cut elsewhere', () => {
    const whole = text(1, 256)
    const windows = [0, 64, 128, 192].map(at => whole.subarray(at, at + 64))
    // 31 tokens of something else in front
    const shifted = Uint32Array.of(...text(9, 31), ...whole)
    const copies = [64, 128, 192].map(at => shifted.subarray(at, at + 64))

    expect([...nearDuplicates([...windows, ...copies], Uint32Array.of(0, 0, 0, 0, 1, 1, 1), [0, 1])].slice(4)).to.deep.equal([1, 2, 3])
  })

  it('do not lead away from the original by a chain of small changes', () => {
    const first = text(1)
    const chain = [first]

    for (let i = 0; i < 6; i++) {
      chain.push(chain[i].map((token, at) => Math.floor(at / 10) === i ? token + 7000 : token))
    }

    const found = nearDuplicates(chain, Uint32Array.from(chain, (_, i) => i), chain.map((_, i) => i))

    // the last ones share too little with the first and stand for themselves, but never for its followers
    expect([...found].every(one => found[one] === one)).to.equal(true)
    expect([...found].slice(0, 4)).to.deep.equal([0, 0, 0, 0])
    expect(found[6]).to.not.equal(0)
  })

  it('leave strangers alone and take short texts whole', () => {
    const strangers = Array.from({ length: 50 }, (_, i) => text(i))

    expect([...nearDuplicates(strangers, Uint32Array.from(strangers, (_, i) => i % 5), [0, 1, 2, 3, 4])]).to.deep.equal(strangers.map((_, i) => i))
    expect([...nearDuplicates([Uint32Array.of(1, 2), Uint32Array.of(1, 2), Uint32Array.of(2, 1)], Uint32Array.of(0, 0, 0), [0])]).to.deep.equal([0, 0, 2])
    expect(nearDuplicates([], new Uint32Array(0), [])).to.have.length(0)
  })

  it('pay the same however a copier splits his copies', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 12, maxLength: 12 }), fc.integer({ min: 1, max: 6 }), (scores, identities) => {
      const originals = Array.from({ length: 6 }, (_, i) => text(i))
      const examples = [...originals, ...originals.map(tokens => reworded(tokens, 10))]
      const groups = Uint32Array.from(examples, (_, i) => i < 6 ? 0 : 1 + i % identities)
      const commitments = Array.from({ length: identities + 1 }, (_, i) => i)
      const paid = contributionScores(scores, groups, identities + 1, nearDuplicates(examples, groups, commitments))

      expect(paid.slice(1).every(score => score === 0n)).to.equal(true)
    }))
  })

  it('refuse lengths and places that do not fit', () => {
    for (const [groups, commitments] of [[[0], [0]], [[0, 1], [0]], [[0, 1], [0, 0]]]) {
      expect(() => nearDuplicates([text(1), text(2)], Uint32Array.from(groups), commitments)).to.throw().with.property('code', 'ERR_SCORE_TABLE')
    }
  })
})
