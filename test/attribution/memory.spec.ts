import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { columnsWithin, evaluator, replayBytes, reverseReplay } from '../../src/attribution/index.ts'
import { trainingPlan } from '../../src/models/index.ts'
import { fixture, RECIPE } from './objectives.ts'

describe('the memory of a replay', () => {
  it('stays within what it was given wherever that is enough', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 0, max: 2 ** 31 }), (steps, parameters, bytesMax) => {
      const least = replayBytes(steps, parameters, 0)

      expect(replayBytes(steps, parameters, bytesMax)).to.be.at.most(Math.max(bytesMax, least))
    }))
  })

  it('grows with the root of the steps where it is not', () => {
    for (const steps of [16, 400, 10_000]) {
      expect(replayBytes(steps, 1, 0) / 8).to.be.within(12 + 6 * Math.sqrt(steps), 14 + 8 * Math.sqrt(steps))
    }
  })

  it('is paid for by computing segments twice at most', async () => {
    const { objective, theta0 } = fixture()
    const plan = trainingPlan({ ...RECIPE, steps: 20 }, objective.examples)
    let gradients = 0
    const counted = evaluator({ ...objective, gradient: (theta, example, out) => { gradients++; return objective.gradient(theta, example, out) } })
    const once = await reverseReplay(counted, plan, { theta0, cotangent: theta0 })
    const needed = gradients

    gradients = 0

    expect(await reverseReplay(counted, plan, { theta0, cotangent: theta0, bytesMax: 0 })).to.deep.equal(once)
    expect(gradients).to.be.within(needed + 1, 2 * needed)
  })
})

describe('the memory of a Jacobian', () => {
  it('holds one column at least and no more than fit', () => {
    expect(columnsWithin(1_000_000, 0)).to.equal(1)
    expect(columnsWithin(1000, 10 * 48_000)).to.equal(10)
    expect(columnsWithin(1000, 10 * 48_000 - 1)).to.equal(9)
  })
})
