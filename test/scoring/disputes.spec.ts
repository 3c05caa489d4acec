import { expect } from 'aegir/chai'
import fc from 'fast-check'
import {
  bountyOf, chainTrace, deterredCost, deters, DISPUTE_ARITY, disputePoints, disputeRounds, drawPlanters, judgeSteps, narrowDispute, penaltyOf, plantCommit, TRACE_LENGTH_MAX, TRACE_START, withholdingCostsMore
} from '../../src/scoring/index.ts'
import { equalBytes, hash } from '../../src/wire/index.ts'
import type { Hash } from '../../src/interface/index.ts'
import type { DisputedRange, Inspection } from '../../src/scoring/index.ts'

const bytes = (value: number): Uint8Array => new Uint8Array(32).fill(value)
const steps = (count: number, name: string): Hash[] => Array.from({ length: count }, (_, i) => hash(name, Uint8Array.of(i >> 8, i & 255)))

function falseFrom (truth: Hash[], from: number, name: string): Hash[] {
  return truth.map((step, at) => at < from ? step : hash(name, step))
}

/** Every seat answers truly from its own trace until one step is left. */
function play (traces: Hash[][]): DisputedRange & { rounds: number, chain: Hash } {
  let range: DisputedRange = { agreed: 0, differing: Math.min(...traces.map(({ length }) => length)) }
  let chain = TRACE_START
  let rounds = 0

  for (; range.agreed < range.differing; rounds++) {
    const points = disputePoints(range)
    const narrowed = narrowDispute(range, traces.map(trace => points.map(i => trace[i])))

    expect(points.length).to.be.below(DISPUTE_ARITY)
    expect(narrowed.differing - narrowed.agreed).to.be.below(range.differing - range.agreed)
    chain = narrowed.chain ?? chain
    range = narrowed
  }

  return { ...range, rounds, chain }
}

describe('a dispute over traces', () => {
  it('finds the first step at which any of them differ, within its bound of rounds', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 700 }), fc.array(fc.nat(699), { minLength: 1, maxLength: 5 }), (length, places) => {
      const truth = steps(length, 'true')
      const traces = [truth, ...places.map((from, i) => falseFrom(truth, from, `lie ${i}`))].map(chainTrace)
      const first = Math.min(length, ...places)
      const { agreed, differing, rounds, chain } = play(traces)

      expect({ agreed, differing }).to.deep.equal({ agreed: first, differing: first })
      expect(rounds).to.be.at.most(disputeRounds(length))
      expect(chain).to.deep.equal(first === 0 ? TRACE_START : traces[0][first - 1])
    }), { numRuns: 60 })
  })

  it('takes as many rounds as it says', () => {
    expect([1, 15, 16, 255, 256, 4_095, 4_096, TRACE_LENGTH_MAX].map(disputeRounds)).to.deep.equal([1, 1, 2, 2, 3, 3, 4, 6])
  })

  it('agrees up to a place only if everything before it is the same', () => {
    const truth = steps(20, 'true')
    const mended = chainTrace(truth.map((step, i) => i === 3 ? hash('lie', step) : step))

    // a false step cannot be hidden behind true ones
    expect(chainTrace(truth).slice(3).some((step, i) => equalBytes(step, mended[3 + i]))).to.equal(false)
    expect(chainTrace(truth).slice(0, 3)).to.deep.equal(mended.slice(0, 3))
  })

  it('refuses what is no range, and answers to other questions', () => {
    for (const range of [{ agreed: -1, differing: 2 }, { agreed: 3, differing: 2 }, { agreed: 0, differing: TRACE_LENGTH_MAX + 1 }, { agreed: 0.5, differing: 2 }]) {
      expect(() => disputePoints(range)).to.throw().with.property('code', 'ERR_DRAW')
    }

    expect(() => narrowDispute({ agreed: 0, differing: 3 }, [[bytes(1)]])).to.throw().with.property('code', 'ERR_DRAW')
    expect(() => narrowDispute({ agreed: 0, differing: 3 }, [])).to.throw().with.property('code', 'ERR_DRAW')
    expect(() => chainTrace([])).to.throw().with.property('code', 'ERR_SCORE_TABLE')
  })

  it('is decided by more than two thirds of the stake behind one hash', () => {
    const validators = [1, 2, 3].map(i => ({ account: bytes(i), stake: 10n }))
    const said = (...values: number[]): Array<{ validator: Hash, step: Hash }> => values.map((value, i) => ({ validator: bytes(i + 1), step: bytes(value) }))

    expect(judgeSteps(said(7, 7), validators)).to.equal(null)
    expect(judgeSteps(said(7, 7, 8), validators)).to.equal(null)
    expect(judgeSteps(said(7, 7, 7), validators)).to.deep.equal(bytes(7))
    expect(judgeSteps([...said(7), ...said(7), ...said(7)], validators)).to.equal(null)
    expect(judgeSteps([{ validator: bytes(9), step: bytes(7) }, ...said(7, 7)], validators)).to.equal(null)
  })
})

const AMOUNT = fc.bigInt({ min: 0n, max: 2n ** 100n })

describe('penalties', () => {
  it('make silence after a commit dearer than a lie, wherever silence costs anything', () => {
    fc.assert(fc.property(AMOUNT, AMOUNT, (slashWrong, slashSilent) => {
      expect(withholdingCostsMore({ slashWrong, slashSilent })).to.equal(slashSilent > 0n)
      expect(penaltyOf('wrong-step', { slashWrong, slashSilent })).to.equal(slashWrong)
      expect(penaltyOf('silent', { slashWrong, slashSilent })).to.equal(slashSilent)
    }))
  })

  it('leave nothing to gain for who challenges oneself', () => {
    fc.assert(fc.property(fc.bigInt({ min: 1n, max: 2n ** 100n }), slashed => {
      expect(bountyOf(slashed) < slashed).to.equal(true)
    }))
  })

  it('deter by planted rate × detection × slash, over all that governance may set', () => {
    const inspection = fc.record<Inspection>({
      planted: fc.bigInt({ min: 0n, max: 128n }),
      tasks: fc.bigInt({ min: 1n, max: 1_024n }),
      detectionBp: fc.bigInt({ min: 0n, max: 10_000n }),
      colludingBp: fc.bigInt({ min: 0n, max: 10_000n }),
      slash: AMOUNT
    })

    fc.assert(fc.property(inspection, AMOUNT, (one, cost) => {
      const rate = one.planted < one.tasks ? one.planted : one.tasks
      // the inequality without division
      const isLess = (cost + 1n) * one.tasks * 100_000_000n <= rate * one.detectionBp * (10_000n - one.colludingBp) * one.slash

      expect(deters(one, cost)).to.equal(isLess)
      expect(deterredCost(one) <= one.slash).to.equal(true)
      expect(deterredCost({ ...one, slash: one.slash * 2n }) >= deterredCost(one)).to.equal(true)
      expect(deterredCost({ ...one, planted: one.planted + 1n }) >= deterredCost(one)).to.equal(true)
      expect(deters({ ...one, planted: 0n }, cost)).to.equal(false)
    }))
  })

  it('of the default network deter guessing at a task that costs less than a third of an OPEN, one planted in a hundred', () => {
    const OPEN = 10n ** 18n
    const inspection: Inspection = { planted: 1n, tasks: 100n, detectionBp: 10_000n, colludingBp: 3_333n, slash: 50n * OPEN }

    expect(deterredCost(inspection)).to.equal(333_350_000_000_000_000n)
  })
})

describe('plants', () => {
  it('bind chain, task, result, salt and planter', () => {
    const one = { chain: 'a', task: bytes(1), scoreRoot: bytes(2), total: 3n, salt: bytes(4), planter: bytes(5) }
    const all = [one, { ...one, chain: 'b' }, { ...one, task: bytes(9) }, { ...one, scoreRoot: bytes(9) }, { ...one, total: 4n }, { ...one, salt: bytes(9) }, { ...one, planter: bytes(9) }]

    expect(new Set(all.map(plant => plantCommit(plant).join())).size).to.equal(all.length)
  })

  it('are made by turns that follow stake and epoch alone', () => {
    const validators = [1, 2, 3, 4].map(i => ({ account: bytes(i), stake: BigInt(i) }))
    const turns = Array.from({ length: 400 }, (_, epoch) => drawPlanters('chain', epoch, validators, 1)[0][0])

    expect(drawPlanters('chain', 7, [...validators].reverse(), 2)).to.deep.equal(drawPlanters('chain', 7, validators, 2))
    expect(drawPlanters('chain', 7, validators, 0)).to.deep.equal([])
    // 4 of 10 turns, and 1 of 10
    expect(turns.filter(one => one === 4).length).to.be.within(120, 200)
    expect(turns.filter(one => one === 1).length).to.be.within(20, 65)
  })
})
