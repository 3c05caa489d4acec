import { expect } from 'aegir/chai'
import fc from 'fast-check'
import {
  chooseForm, decodeState, encodeState, estimateCosts, evaluator, feeWeights, forwardInfluence, gradDot, gradDotMethod,
  hashState, influenceOfAnswer, reverseReplay, taskCotangent, train, trajectory
} from '../../src/attribution/index.ts'
import { adamState, trainingPlan } from '../../src/models/index.ts'
import { toHex } from '../../src/wire/index.ts'
import { fixture, RECIPE } from './objectives.ts'
import type { TrainOptions, TrainingState } from '../../src/attribution/index.ts'

const { objective, theta0, groups, contributions } = fixture()
const examples = evaluator(objective)
const plan = trainingPlan(RECIPE, objective.examples)

async function trained (options: Partial<TrainOptions> = {}): Promise<TrainingState> {
  let last: TrainingState | undefined

  for await (const { state } of train(examples, plan, { theta0, ...options })) {
    last = state
  }

  if (last === undefined) {
    expect.fail('no step was taken')
  }

  return last
}

/** The quantity that is attributed: minus the loss of an example that was left out of nothing. */
const answer = (theta: Float64Array): number => -objective.gradient(theta, 3, new Float32Array(objective.parameters))
const answerGradient = (theta: Float64Array): Float64Array => {
  const gradient = new Float32Array(objective.parameters)

  objective.gradient(theta, 3, gradient)

  return Float64Array.from(gradient, value => -value)
}

function byGroup (scores: ArrayLike<number>): number[] {
  const sums = new Array<number>(contributions).fill(0)

  groups.forEach((group, i) => { sums[group] += scores[i] })

  return sums
}

describe('the plan', () => {
  it('sees every example once per pass', () => {
    expect([...plan.batches[0], ...plan.batches[1], ...plan.batches[2]].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 24 }, (_, i) => i))
  })

  it('warms up, then falls to a tenth', () => {
    expect(plan.learningRates[0]).to.be.closeTo(0.02 / 3, 1e-15)
    expect(plan.learningRates[2]).to.equal(0.02)
    expect(plan.learningRates[19]).to.be.within(0.002, 0.0025)
  })

  it('is the same for the same seed and another for another', () => {
    expect(trainingPlan(RECIPE, 24)).to.deep.equal(plan)
    expect(trainingPlan({ ...RECIPE, seed: 6 }, 24).batches).to.not.deep.equal(plan.batches)
  })
})

describe('training', () => {
  it('lowers the loss', async () => {
    const losses: number[] = []

    for await (const { loss } of train(examples, plan, { theta0 })) {
      losses.push(loss)
    }

    expect(losses).to.have.length(20)
    expect(losses[19]).to.be.lessThan(losses[0] * 0.9)
  })

  it('goes on from any encoded state to the same bytes', async () => {
    const whole = hashState(await trained())

    for (const until of [1, 7, 19]) {
      const half = decodeState(encodeState(await trained({ until })))

      expect(half.step).to.equal(until)
      expect(hashState(await trained({ from: half }))).to.deep.equal(whole)
    }
  })

  it('stops when its signal aborts', async () => {
    await expect(trained({ signal: AbortSignal.abort() })).to.eventually.be.rejected.with.property('name', 'AbortError')
  })

  it('refuses a start or a plan of another shape', async () => {
    await expect(trained({ theta0: new Float64Array(3) })).to.eventually.be.rejected.with.property('code', 'ERR_ATTRIBUTION_INPUT')
    await expect(reverseReplay(examples, trainingPlan(RECIPE, 25), { theta0, cotangent: theta0 })).to.eventually.be.rejected.with.property('code', 'ERR_ATTRIBUTION_INPUT')
  })
})

describe('encoded states', () => {
  it('come back as they were', async () => {
    const state = await trained()

    expect(decodeState(encodeState(state))).to.deep.equal(state)
  })

  it('are refused when malformed', () => {
    const good = encodeState({ ...adamState(2), theta: Float64Array.of(1, -0) })
    const changed = (change: (view: DataView) => void): Uint8Array => {
      const copy = good.slice()
      change(new DataView(copy.buffer))

      return copy
    }
    const bad = [
      new Uint8Array(0),
      good.subarray(1),
      good.subarray(0, good.length - 1),
      Uint8Array.of(...good, 0),
      changed(view => { view.setUint8(0, 0) }),
      changed(view => { view.setUint32(12, 0xffffffff, true) }),
      changed(view => { view.setUint32(8, 0xffffffff, true) }),
      changed(view => { view.setFloat64(32, NaN, true) }),
      changed(view => { view.setFloat64(16, 2, true) }),
      changed(view => { view.setFloat64(good.length - 8, -1, true) })
    ]

    for (const bytes of bad) {
      expect(() => decodeState(bytes)).to.throw().with.property('code', 'ERR_TRAINING_STATE')
    }
  })

  it('never throw anything but their own error', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      expect(() => decodeState(bytes)).to.throw().with.property('code', 'ERR_TRAINING_STATE')
    }))
  })

  it('refuse to hold what is not finite', () => {
    expect(() => encodeState({ ...adamState(1), theta: Float64Array.of(Infinity) })).to.throw().with.property('code', 'ERR_DIVERGED')
  })
})

describe('trajectory attribution', () => {
  it('agrees between forward tangents and reverse replay to rounding', async () => {
    const { columns, theta } = await forwardInfluence(examples, plan, groups, contributions, { theta0 })
    const cotangent = answerGradient(theta)
    const forward = influenceOfAnswer(columns, cotangent)
    const { exampleScores } = await reverseReplay(examples, plan, { theta0, cotangent })
    const reverse = byGroup(exampleScores)
    const size = Math.max(...forward.map(Math.abs))

    forward.forEach((value, c) => { expect(Math.abs(value - reverse[c]) / size).to.be.lessThan(1e-6) })
  })

  it('agrees per example too', async () => {
    const own = Uint32Array.from(groups, (_, i) => i)
    const { columns, theta } = await forwardInfluence(examples, plan, own, own.length, { theta0 })
    const cotangent = answerGradient(theta)
    const { exampleScores } = await reverseReplay(examples, plan, { theta0, cotangent })

    influenceOfAnswer(columns, cotangent).forEach((value, i) => { expect(value).to.be.closeTo(exampleScores[i], 1e-7) })
  })

  it('agrees with retraining at weights 1 ± h', async () => {
    const h = 0.01
    const cotangent = answerGradient((await trained()).theta)
    const exact = byGroup((await reverseReplay(examples, plan, { theta0, cotangent })).exampleScores)

    for (let c = 0; c < contributions; c++) {
      const at = async (weight: number): Promise<number> => answer((await trained({ weights: Float64Array.from(groups, group => group === c ? weight : 1) })).theta)
      const difference = (await at(1 + h) - await at(1 - h)) / (2 * h)

      // central differences err by h²; the model's f32 gradients by 6e-8 / h
      expect(exact[c]).to.be.closeTo(difference, 2e-4 * Math.max(1e-2, Math.abs(difference)) + 2e-6)
    }
  })

  it('goes along the run that training takes, to the bit', async () => {
    const { theta } = await forwardInfluence(examples, plan, groups, contributions, { theta0 })

    expect(theta).to.deep.equal((await trained()).theta)
  })

  it('has the same columns computed together and apart', async () => {
    const together = await forwardInfluence(examples, plan, groups, contributions, { theta0 })

    for (const column of [0, 3]) {
      const { columns } = await forwardInfluence(examples, plan, groups, contributions, { theta0, columns: [column] })

      expect(columns).to.deep.equal([together.columns[column]])
    }
  })

  it('has the same scores and trace however much it may remember', async () => {
    const cotangent = answerGradient((await trained()).theta)
    const whole = await reverseReplay(examples, plan, { theta0, cotangent })

    expect(whole.trace).to.have.length(2 * 20 + 1)
    expect(new Set(whole.trace.map(toHex))).to.have.property('size', 41)
    expect(await reverseReplay(examples, plan, { theta0, cotangent, bytesMax: 6000 })).to.deep.equal(whole)
    expect(await reverseReplay(examples, plan, { theta0, cotangent, bytesMax: 1 })).to.deep.equal(whole)
  })

  it('traces the states of training first', async () => {
    const cotangent = answerGradient((await trained()).theta)
    const { trace } = await reverseReplay(examples, plan, { theta0, cotangent })
    const hashes: Uint8Array[] = []

    for await (const { state } of train(examples, plan, { theta0 })) {
      hashes.push(hashState(state))
    }

    expect(trace.slice(0, 20)).to.deep.equal(hashes)
  })

  it('reports each step forward and back', async () => {
    const events: string[] = []

    await reverseReplay(examples, plan, { theta0, cotangent: theta0, onProgress: ({ type, step }) => { events.push(`${type} ${step}`) } })

    expect(events).to.have.length(40)
    expect(events[0]).to.equal('attribution:forward:step 1')
    expect(events[39]).to.equal('attribution:backward:step 20')
  })

  it('stops when its signal aborts midway', async () => {
    const controller = new AbortController()
    const onProgress = ({ step }: { step: number }): void => {
      if (step === 3) {
        controller.abort()
      }
    }

    await expect(reverseReplay(examples, plan, { theta0, cotangent: theta0, signal: controller.signal, onProgress })).to.eventually.be.rejected.with.property('name', 'AbortError')
  })
})

describe('influence methods', () => {
  it('are interchangeable', async () => {
    const { theta } = await trained()
    const cotangent = answerGradient(theta)

    for (const method of [trajectory(examples, plan, theta0), gradDotMethod(examples, theta)]) {
      const { exampleScores, trace } = await method.scores(cotangent)

      expect(exampleScores).to.have.length(objective.examples)
      expect(trace).to.not.be.empty()
      expect(await method.scores(cotangent)).to.deep.equal({ exampleScores, trace })
    }
  })

  it('agree that an example helps itself', async () => {
    const { theta } = await trained()
    const cotangent = answerGradient(theta)

    expect((await gradDot(examples, theta, cotangent)).exampleScores[3]).to.be.greaterThan(0)
    expect((await trajectory(examples, plan, theta0).scores(cotangent)).exampleScores[3]).to.be.greaterThan(0)
  })
})

describe('the cotangent of a task', () => {
  it('weighs receipts by their share of the fees', async () => {
    const gradients = [Float64Array.of(1, 0), Float64Array.of(0, 4)]

    expect(await taskCotangent(2, [3n * 10n ** 18n, 10n ** 18n], i => gradients[i])).to.deep.equal(Float64Array.of(0.75, 1))
  })

  it('does not depend on the price level beyond 2^-32', () => {
    fc.assert(fc.property(fc.array(fc.bigInt({ min: 1n, max: 2n ** 60n }), { minLength: 1, maxLength: 10 }), fees => {
      const weights = feeWeights(fees)
      const sum = weights.reduce((total, weight) => total + weight, 0)

      expect(sum).to.be.within(1 - fees.length * 2 ** -32, 1)
      expect(feeWeights(fees.map(fee => fee * 1000n))).to.deep.equal(weights)
    }))
  })

  it('is zero when nothing was paid and refuses negative fees', () => {
    expect(feeWeights([0n, 0n])).to.deep.equal([0, 0])
    expect(() => feeWeights([1n, -1n])).to.throw().with.property('code', 'ERR_ATTRIBUTION_INPUT')
  })
})

describe('costs', () => {
  const shape = { parameters: 8192, tokens: 2048, flopsPerToken: 6e6, steps: 16, receipts: 10 }

  it('of the reverse form do not grow with contributions', () => {
    const few = estimateCosts({ ...shape, contributions: 2 })
    const many = estimateCosts({ ...shape, contributions: 500 })

    expect(many.reverse).to.deep.equal(few.reverse)
    expect(many.forward.flops).to.be.greaterThan(100 * few.forward.flops / 2)
    expect(many.reverse.flops / many.training.flops).to.be.within(2, 5)
  })

  it('choose the Jacobian within the budget and the replay beyond', () => {
    const costs = estimateCosts({ ...shape, contributions: 40 })

    expect(chooseForm(costs, costs.forward.flops)).to.equal('forward')
    expect(chooseForm(costs, costs.forward.flops - 1)).to.equal('reverse')
  })
})
