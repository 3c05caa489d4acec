import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { decodeState, encodeState, evaluator, forwardInfluence, hashState, influenceOfAnswer, reverseReplay, train } from '../../src/attribution/index.ts'
import { trainingPlan } from '../../src/models/index.ts'
import { fixture, RECIPE } from './objectives.ts'
import type { TrainingState } from '../../src/attribution/index.ts'
import type { Recipe } from '../../src/interface/index.ts'
import type { TrainingPlan } from '../../src/models/index.ts'

type Options = Pick<Recipe, 'optimiser' | 'schedule' | 'clipNormMicro' | 'weightDecayNano'>

const { objective, theta0, groups, contributions } = fixture()
const examples = evaluator(objective)

const RECIPES: Record<string, Options> = {
  'a constant rate': { schedule: 'constant' },
  'a linear rate': { schedule: 'linear' },
  // half of the batch gradients are longer than this
  'clipping of some gradients': { clipNormMicro: 180_000 },
  'clipping of all gradients': { clipNormMicro: 10_000 },
  'weight decay': { weightDecayNano: 500_000_000 },
  momentum: { optimiser: 'sgd' },
  'momentum, clipping and decay at a constant rate': { optimiser: 'sgd', schedule: 'constant', clipNormMicro: 100_000, weightDecayNano: 100_000_000 }
}

function planOf (options: Options): TrainingPlan {
  return trainingPlan({ ...RECIPE, ...options, ...(options.optimiser === 'sgd' ? { learningRateNano: 100_000_000 } : {}) }, objective.examples)
}

async function trained (plan: TrainingPlan, options: { until?: number, from?: TrainingState, weights?: Float64Array } = {}): Promise<TrainingState> {
  let last: TrainingState | undefined

  for await (const { state } of train(examples, plan, { theta0, ...options })) {
    last = state
  }

  if (last === undefined) {
    expect.fail('no step was taken')
  }

  return last
}

function answer (theta: Float64Array): { value: number, gradient: Float64Array } {
  const gradient = new Float32Array(objective.parameters)
  const loss = objective.gradient(theta, 3, gradient)

  return { value: -loss, gradient: Float64Array.from(gradient, value => -value) }
}

const byGroup = (scores: Float64Array): number[] => Array.from({ length: contributions }, (_, c) => scores.reduce((sum, score, i) => groups[i] === c ? sum + score : sum, 0))

async function norms (plan: TrainingPlan): Promise<number[]> {
  const found: number[] = []

  for await (const { gradient } of train(examples, plan, { theta0 })) {
    found.push(Math.hypot(...gradient))
  }

  return found
}

for (const [name, options] of Object.entries(RECIPES)) {
  describe(`a recipe with ${name}`, () => {
    const plan = planOf(options)

    it('is attributed alike forward, backward and by retraining', async () => {
      const { columns, theta } = await forwardInfluence(examples, plan, groups, contributions, { theta0 })
      const forward = influenceOfAnswer(columns, answer(theta).gradient)
      const reverse = byGroup((await reverseReplay(examples, plan, { theta0, cotangent: answer(theta).gradient })).exampleScores)
      const size = Math.max(...forward.map(Math.abs))
      const h = 0.01

      expect(theta).to.deep.equal((await trained(plan)).theta)

      for (let c = 0; c < contributions; c++) {
        const at = async (weight: number): Promise<number> => answer((await trained(plan, { weights: Float64Array.from(groups, group => group === c ? weight : 1) })).theta).value
        const difference = (await at(1 + h) - await at(1 - h)) / (2 * h)

        expect(Math.abs(forward[c] - reverse[c]) / size).to.be.lessThan(1e-6)
        // central differences err by h², and by a little more where a gradient is near the bend of clipping
        expect(Math.abs(reverse[c] - difference) / size).to.be.lessThan(2e-3)
      }
    })

    it('goes on from any encoded state to the same bytes', async () => {
      const whole = hashState(await trained(plan))

      for (const until of [1, 10, 19]) {
        const half = decodeState(encodeState(await trained(plan, { until })))

        expect(hashState(await trained(plan, { from: half }))).to.deep.equal(whole)
      }
    })

    it('trains to other weights than without it', async () => {
      expect((await trained(plan)).theta).to.not.deep.equal((await trained(planOf({}))).theta)
    })
  })
}

describe('schedules', () => {
  it('are held, or fall along a line or a cosine to a tenth', () => {
    const rates = (options: Options): number[] => [...planOf(options).learningRates]

    expect(rates({ schedule: 'constant' }).slice(2)).to.deep.equal(new Array(18).fill(0.02))
    expect(rates({ schedule: 'linear' })[2]).to.equal(0.02)
    expect(rates({ schedule: 'linear' })[11]).to.be.closeTo(0.011, 1e-12)
    expect(rates({})[11]).to.be.closeTo(0.011, 1e-12)

    for (const options of [{}, { schedule: 'constant' as const }, { schedule: 'linear' as const }]) {
      expect(rates(options).slice(0, 2)).to.deep.equal([0.02 * (1 / 3), 0.02 * (2 / 3)])
    }
  })
})

describe('clipping', () => {
  it('bends some steps of the test above and leaves others', async () => {
    const long = (await norms(planOf({ clipNormMicro: 180_000 }))).filter(norm => norm > 0.18)

    expect(long.length).to.be.within(3, 17)
  })

  it('changes nothing where no gradient is as long', async () => {
    const longest = Math.max(...await norms(planOf({})))

    expect((await trained(planOf({ clipNormMicro: Math.ceil(longest * 1e6) }))).theta).to.deep.equal((await trained(planOf({}))).theta)
  })

  it('makes plain gradient descent move by learning rate times the norm at most', async () => {
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 200_000 }), async clipNormMicro => {
      const plan = trainingPlan({ ...RECIPE, optimiser: 'sgd', beta1Nano: 0, clipNormMicro, steps: 2, warmupSteps: 0 }, objective.examples)
      const { theta } = await trained(plan, { until: 1 })

      expect(Math.hypot(...theta.map((value, i) => value - theta0[i]))).to.be.at.most(plan.learningRates[0] * clipNormMicro / 1e6 * (1 + 1e-12) + 1e-15)
    }), { numRuns: 20 })
  })
})

describe('weight decay', () => {
  it('shrinks the weights geometrically where there is nothing to learn', async () => {
    const still = evaluator({ parameters: 2, examples: 1, gradient: (_theta, _example, out) => { out.fill(0); return 0 }, dual: () => ({ loss: 0, derivatives: new Float64Array(0) }) })
    const plan = trainingPlan({ ...RECIPE, steps: 3, batchSize: 1, warmupSteps: 0, schedule: 'constant', weightDecayNano: 500_000_000 }, 1)
    const values: number[] = []

    for await (const { state } of train(still, plan, { theta0: Float64Array.of(1, -2) })) {
      values.push(state.theta[0])
    }

    expect(values[2]).to.be.closeTo(0.99 ** 3, 1e-15)
  })
})
