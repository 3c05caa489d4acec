import { expect } from 'aegir/chai'
import fc from 'fast-check'
import {
  assessmentCommit, contributionScores, divide, drawCommittee, drawOpenings, fromFixedPoint, judgeReveals, judgeVerdicts,
  payout, scoreTree, taskId, toFixedPoint, traceTree, verifyOpening, verifyScoreClaim, verifyScoreHeader
} from '../../src/scoring/index.ts'
import { rawCid, toHex } from '../../src/wire/index.ts'
import type { ScoreTable } from '../../src/interface/index.ts'

const bytes = (value: number, length = 32): Uint8Array => new Uint8Array(length).fill(value)
const byBytes = (a: { bytes: Uint8Array }, b: { bytes: Uint8Array }): number => toHex(a.bytes) < toHex(b.bytes) ? -1 : 1
const cids = (count: number): Array<ReturnType<typeof rawCid>> => Array.from({ length: count }, (_, i) => rawCid(Uint8Array.of(i, i >> 8))).sort(byBytes)
const table = (scores: bigint[]): ScoreTable => {
  const contributions = cids(scores.length)

  return {
    type: 'scores',
    version: 1,
    adapter: rawCid(bytes(9)),
    method: 'trajectory',
    engine: 'datanet-engine/1',
    entries: scores.map((score, i) => ({ contribution: contributions[i], score }))
  }
}

describe('fixed point', () => {
  it('rounds halves to even', () => {
    const unit = 2 ** -32

    expect([0.5, 1.5, 2.5, -0.5, -1.5, 0.50001, -0.75].map(x => toFixedPoint(x * unit))).to.deep.equal([0n, 2n, 2n, 0n, -2n, 1n, -1n])
    expect(toFixedPoint(1)).to.equal(2n ** 32n)
    expect(toFixedPoint(-0)).to.equal(0n)
  })

  it('refuses what is not finite or too large', () => {
    for (const x of [NaN, Infinity, -Infinity, 2 ** 31, 1e300, -(2 ** 31) - 1]) {
      expect(() => toFixedPoint(x), String(x)).to.throw().with.property('code', 'ERR_SCORE_RANGE')
    }

    expect(toFixedPoint(-(2 ** 31))).to.equal(-(2n ** 63n))
  })

  it('is within half a unit of the value', () => {
    fc.assert(fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), x => {
      expect(Math.abs(fromFixedPoint(toFixedPoint(x)) - x)).to.be.at.most(2 ** -33)
    }))
  })
})

describe('contribution scores', () => {
  const real = fc.double({ min: -10, max: 10, noNaN: true })

  it('clips negatives per example, not per contribution', () => {
    expect(contributionScores([1, -5, 2, -1], Uint32Array.of(0, 0, 1, 1), 2)).to.deep.equal([2n ** 32n, 2n ** 33n])
  })

  it('gains nothing from splitting a contribution in two', () => {
    fc.assert(fc.property(fc.array(fc.tuple(real, fc.nat(2)), { maxLength: 40 }), examples => {
      const scores = examples.map(([score]) => score)
      const whole = contributionScores(scores, Uint32Array.from(examples, ([, owner]) => Math.min(owner, 1)), 2)
      const split = contributionScores(scores, Uint32Array.from(examples, ([, owner]) => owner), 3)

      expect(split[1] + split[2]).to.equal(whole[1])
      expect(split[0]).to.equal(whole[0])
    }))
  })

  it('gives a copy nothing and the original what both earned', () => {
    // example 2 of contribution 1 is a near duplicate of example 0 of contribution 0
    expect(contributionScores([0.5, 1, 0.5], Uint32Array.of(0, 1, 1), 2, Uint32Array.of(0, 1, 0))).to.deep.equal([2n ** 32n, 2n ** 32n])
  })

  it('refuses clusters without an original and groups out of range', () => {
    expect(() => contributionScores([1, 1], Uint32Array.of(0, 0), 1, Uint32Array.of(1, 0))).to.throw().with.property('code', 'ERR_SCORE_TABLE')
    expect(() => contributionScores([1], Uint32Array.of(1), 1)).to.throw().with.property('code', 'ERR_SCORE_TABLE')
    expect(() => contributionScores([1], Uint32Array.of(0, 0), 1)).to.throw().with.property('code', 'ERR_SCORE_TABLE')
  })

  it('refuses totals beyond int64', () => {
    expect(() => contributionScores([2e9, 2e9], Uint32Array.of(0, 1), 2)).to.throw().with.property('code', 'ERR_SCORE_RANGE')
  })
})

describe('score tree', () => {
  it('proves every entry and the header', () => {
    fc.assert(fc.property(fc.array(fc.bigInt({ min: 0n, max: 2n ** 40n }), { maxLength: 20 }), scores => {
      const scored = table(scores)
      const tree = scoreTree(scored)

      expect(tree.total).to.equal(scores.reduce((sum, score) => sum + score, 0n))
      expect(verifyScoreHeader(tree.root, scored, tree.total, tree.count, tree.prove(0))).to.equal(true)
      expect(verifyScoreHeader(tree.root, scored, tree.total + 1n, tree.count, tree.prove(0))).to.equal(false)

      scores.forEach((_, i) => {
        const claim = tree.claim(i)

        expect(verifyScoreClaim(tree.root, scores.length, claim)).to.equal(true)
        expect(verifyScoreClaim(tree.root, scores.length, { ...claim, score: claim.score + 1n })).to.equal(false)
        expect(verifyScoreClaim(tree.root, scores.length, { ...claim, index: i })).to.equal(false)
        expect(verifyScoreClaim(tree.root, scores.length, { ...claim, contribution: scored.adapter })).to.equal(false)
      })
    }), { numRuns: 30 })
  })

  it('refuses entries out of order, twice or negative', () => {
    const { entries, ...rest } = table([1n, 2n])

    expect(() => scoreTree({ ...rest, entries: [entries[1], entries[0]] })).to.throw().with.property('code', 'ERR_SCORE_TABLE')
    expect(() => scoreTree({ ...rest, entries: [entries[0], entries[0]] })).to.throw().with.property('code', 'ERR_SCORE_TABLE')
    expect(() => scoreTree(table([-1n]))).to.throw().with.property('code', 'ERR_SCORE_RANGE')
  })
})

describe('assessment', () => {
  const steps = Array.from({ length: 7 }, (_, i) => bytes(i))

  it('opens every step of a trace, for its own assessor alone', () => {
    const trace = traceTree(bytes(1), steps)

    steps.forEach((_, i) => {
      const opening = trace.open(i)

      expect(verifyOpening(trace.root, 7, bytes(1), opening)).to.equal(true)
      expect(verifyOpening(trace.root, 7, bytes(2), opening)).to.equal(false)
      expect(verifyOpening(trace.root, 7, bytes(1), { ...opening, index: (i + 1) % 7 })).to.equal(false)
      expect(verifyOpening(trace.root, 7, bytes(1), { ...opening, step: bytes(99) })).to.equal(false)
    })
    expect(traceTree(bytes(2), steps).root).to.not.deep.equal(trace.root)
  })

  it('binds a commit to everything it states', () => {
    const assessment = {
      chain: 'datanet-test', epoch: 3, task: taskId('datanet-test', 3, rawCid(bytes(1))), scoreRoot: bytes(2), total: 5n, traceRoot: bytes(3), traceLength: 9, salt: bytes(4), assessor: bytes(5)
    }
    const variants = [
      assessment,
      { ...assessment, chain: 'datanet-tess' },
      { ...assessment, epoch: 4 },
      { ...assessment, task: taskId('datanet-test', 4, rawCid(bytes(1))) },
      { ...assessment, scoreRoot: bytes(3) },
      { ...assessment, total: 6n },
      { ...assessment, traceRoot: bytes(2) },
      { ...assessment, traceLength: 8 },
      { ...assessment, salt: bytes(5) },
      { ...assessment, assessor: bytes(4) }
    ]

    expect(new Set(variants.map(variant => toHex(assessmentCommit(variant))))).to.have.property('size', variants.length)
  })
})

describe('draws', () => {
  const candidates = Array.from({ length: 12 }, (_, i) => ({ account: bytes(i), stake: BigInt(i) }))

  it('draws a committee of different accounts with stake, whatever the order of candidates', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(14), fc.shuffledSubarray(candidates, { minLength: 12 }), (seed, seats, shuffled) => {
      const committee = drawCommittee(seed, shuffled, seats).map(toHex)

      expect(committee).to.deep.equal(drawCommittee(seed, candidates, seats).map(toHex))
      expect(new Set(committee)).to.have.property('size', Math.min(seats, 11))
      expect(committee).to.not.include(toHex(bytes(0)))
    }))
  })

  it('favours stake in proportion', () => {
    let heavy = 0

    for (let i = 0; i < 2000; i++) {
      const seed = bytes(0)
      new DataView(seed.buffer).setUint32(0, i)
      heavy += drawCommittee(seed, [{ account: bytes(1), stake: 3n }, { account: bytes(2), stake: 1n }], 1)[0][0] === 1 ? 1 : 0
    }

    expect(heavy).to.be.within(1420, 1580)
  })

  it('draws different openings within the trace', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(50), fc.nat(10), (seed, length, count) => {
      const openings = drawOpenings(seed, length, count)

      expect(new Set(openings)).to.have.property('size', Math.min(length, count))
      expect(openings.every((index, i) => index >= 0 && index < length && (i === 0 || index > openings[i - 1]))).to.equal(true)
    }))
  })

  it('refuses a candidate that is there twice', () => {
    expect(() => drawCommittee(bytes(0), [candidates[1], candidates[1]], 1)).to.throw().with.property('code', 'ERR_DRAW')
  })
})

describe('judgement', () => {
  const said = (root: number, total = 1n): { scoreRoot: Uint8Array, total: bigint } => ({ scoreRoot: bytes(root), total })
  const silent = { scoreRoot: null, total: 0n }

  it('accepts when two thirds revealed and all agree', () => {
    expect(judgeReveals([said(1), said(1), silent], 3)).to.deep.equal({ outcome: 'accepted', ...said(1) })
    expect(judgeReveals([said(1), silent, silent], 3)).to.deep.equal({ outcome: 'too-few' })
    expect(judgeReveals([], 0)).to.deep.equal({ outcome: 'too-few' })
  })

  it('knows no majority', () => {
    expect(judgeReveals([said(1), said(1), said(1), said(1), said(2)], 5)).to.deep.equal({ outcome: 'dissent' })
    expect(judgeReveals([said(1), said(1), said(1, 2n)], 3)).to.deep.equal({ outcome: 'dissent' })
  })

  it('lets more than two thirds of stake decide a dissent, one verdict per validator', () => {
    const validators = [1, 2, 3, 4].map(i => ({ account: bytes(i), stake: 1n }))
    const verdict = (validator: number, root: number): { validator: Uint8Array, scoreRoot: Uint8Array, total: bigint } => ({ validator: bytes(validator), ...said(root) })

    expect(judgeVerdicts([verdict(1, 1), verdict(2, 1), verdict(3, 1), verdict(4, 2)], validators)).to.deep.equal(said(1))
    expect(judgeVerdicts([verdict(1, 1), verdict(2, 1), verdict(2, 1), verdict(9, 1)], validators)).to.equal(null)
    expect(judgeVerdicts([verdict(1, 1), verdict(2, 1)], validators.slice(0, 3))).to.equal(null)
  })
})

describe('money', () => {
  const share = fc.nat(2500)

  it('divides fees exactly and never rounds up but for data', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 90n }), share, share, share, (fees, platform, developers, validators) => {
      const split = { platform, developers, validators, data: 10_000 - platform - developers - validators }
      const parts = divide(fees, split)

      expect(parts.platform + parts.developers + parts.validators + parts.data).to.equal(fees)
      expect(parts.platform * 10_000n <= fees * BigInt(platform)).to.equal(true)
      expect(parts.data * 10_000n >= fees * BigInt(split.data)).to.equal(true)
    }))
  })

  it('refuses shares that are not a whole', () => {
    for (const split of [{ platform: 1, developers: 1, validators: 1, data: 1 }, { platform: -1, developers: 1, validators: 0, data: 10_000 }, { platform: 0.5, developers: 0.5, validators: 0, data: 9_999 }]) {
      expect(() => divide(1n, split)).to.throw().with.property('code', 'ERR_FEE_SPLIT')
    }
  })

  it('never pays out more than the pool', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 90n }), fc.array(fc.bigInt({ min: 0n, max: 2n ** 50n })), (pool, scores) => {
      const total = scores.reduce((sum, score) => sum + score, 0n)
      const paid = scores.reduce((sum, score) => sum + payout(pool, score, total), 0n)

      expect(paid <= pool).to.equal(true)
      expect(total === 0n ? paid === 0n : pool - paid < BigInt(scores.length)).to.equal(true)
    }))
  })

  it('refuses a score beyond the total', () => {
    expect(() => payout(1n, 2n, 1n)).to.throw().with.property('code', 'ERR_FEE_SPLIT')
  })
})
