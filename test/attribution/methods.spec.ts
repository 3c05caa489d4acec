import { expect } from 'aegir/chai'
import { columnsCost, evaluator, gradDot, influenceMethod, influenceOfAnswer, lockstep, METHOD_MEANINGS, methodCosts, reverseReplay, sparseProjection, train } from '../../src/attribution/index.ts'
import { trainingPlan } from '../../src/models/index.ts'
import { toHex } from '../../src/wire/index.ts'
import { fixture, RECIPE } from './objectives.ts'
import type { CheckpointWeights, Evaluator, InfluenceRun } from '../../src/attribution/index.ts'
import type { AttributionMethod } from '../../src/interface/index.ts'

const { objective, theta0, groups } = fixture()
const examples = evaluator(objective)
const plan = trainingPlan(RECIPE, objective.examples)
const names = Object.keys(METHOD_MEANINGS) as AttributionMethod[]
// A [3, 5] and b [3, 1]
const blocks = [{ offset: 0, rows: 3, columns: 5 }, { offset: 15, rows: 3, columns: 1 }]

async function finished (): Promise<InfluenceRun & { checkpoints: CheckpointWeights[] }> {
  const checkpoints: CheckpointWeights[] = []

  for await (const { state } of train(examples, plan, { theta0 })) {
    if (state.step % 10 === 0) {
      checkpoints.push({ step: state.step, theta: state.theta.slice() })
    }
  }

  return { examples, plan, theta0, theta: checkpoints[1].theta, checkpoints, blocks, seed: 5 }
}

function gradientAt (theta: Float64Array, example: number): Float64Array {
  const gradient = new Float32Array(objective.parameters)

  objective.gradient(theta, example, gradient)

  return Float64Array.from(gradient)
}

const answerGradient = (theta: Float64Array): Float64Array => gradientAt(theta, 3).map(value => -value)

/** u with (mean of gᵢgᵢᵀ over a span + λ)·u = v by Gaussian elimination: slow and plain. */
function solve (matrix: number[][], v: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, v[i]])

  rows.forEach((pivot, i) => {
    rows.slice(i + 1).forEach(row => {
      const factor = row[i] / pivot[i]

      row.forEach((_, k) => { row[k] -= factor * pivot[k] })
    })
  })

  const x = new Array<number>(v.length).fill(0)

  for (let i = v.length - 1; i >= 0; i--) {
    x[i] = (rows[i][v.length] - x.reduce((sum, value, k) => sum + (k > i ? rows[i][k] * value : 0), 0)) / rows[i][i]
  }

  return x
}

const outer = (x: number[], damping: number): number[][] => x.map((a, i) => x.map((b, j) => a * b + (i === j ? damping : 0)))
const meanOf = (vectors: number[][]): number[] => vectors[0].map((_, i) => vectors.reduce((sum, vector) => sum + vector[i], 0) / vectors.length)
const dotOf = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0)

function expectClose (actual: ArrayLike<number>, wanted: ArrayLike<number>): void {
  const size = Math.max(...Array.from(wanted, Math.abs))

  Array.from(wanted).forEach((value, i) => { expect(actual[i]).to.be.closeTo(value, 1e-6 * size) })
}

describe('every influence method', () => {
  for (const name of names) {
    it(`${name} gives equal scores and traces to equal inputs, and says what it costs and means`, async () => {
      const run = await finished()
      const cotangent = answerGradient(run.theta)
      const method = influenceMethod(name, run)
      const first = await method.scores(cotangent)

      expect(method.name).to.equal(name)
      expect(method.meaning).to.equal(METHOD_MEANINGS[name])
      expect(method.cost.gradients).to.be.at.least(objective.examples)
      expect(method.cost.flops).to.be.greaterThan(0)
      expect(method.cost.bytes).to.be.greaterThan(0)
      expect(first.exampleScores).to.have.length(objective.examples)
      expect(await method.scores(cotangent), 'the second answer of one adapter').to.deep.equal(first)
      expect(await influenceMethod(name, run).scores(cotangent), 'another peer').to.deep.equal(first)
    })

    it(`${name} says that an example helps itself`, async () => {
      const run = await finished()
      const { exampleScores } = await influenceMethod(name, run).scores(answerGradient(run.theta))

      expect(exampleScores[3]).to.be.greaterThan(0)
    })

    it(`${name} traces another answer otherwise`, async () => {
      const run = await finished()
      const method = influenceMethod(name, run)
      const { trace } = await method.scores(answerGradient(run.theta))
      const other = await method.scores(gradientAt(run.theta, 4))

      expect(other.trace.map(toHex)).to.not.deep.equal(trace.map(toHex))
      expect(other.trace).to.have.length(trace.length)
    })

    it(`${name} has columns that give each contribution the sum of its examples' scores`, async () => {
      const run = await finished()
      const method = influenceMethod(name, run)
      const cotangent = answerGradient(run.theta)
      const { exampleScores } = await method.scores(cotangent)
      const columns = await method.columns(groups, [3, 0, 1])
      const sumOf = (group: number): number => exampleScores.reduce((sum, score, i) => groups[i] === group ? sum + score : sum, 0)

      // those of group 2 are in no column
      expectClose(influenceOfAnswer(columns, cotangent), [sumOf(3), sumOf(0), sumOf(1)])
      expect(await influenceMethod(name, run).columns(groups, [0]), 'alone').to.deep.equal([columns[1]])
      await expect(method.columns(groups.subarray(1), [0])).to.eventually.be.rejected.with.property('code', 'ERR_ATTRIBUTION_INPUT')
    })

    it(`${name} is linear: the scores of a sum are the sum of the scores`, async () => {
      const run = await finished()
      const method = influenceMethod(name, run)
      const [a, b] = [answerGradient(run.theta), gradientAt(run.theta, 4)]
      const sum = await method.scores(a.map((value, i) => 2 * value - b[i]))
      const [ofA, ofB] = [await method.scores(a), await method.scores(b)]

      expectClose(sum.exampleScores, ofA.exampleScores.map((value, i) => 2 * value - ofB.exampleScores[i]))
    })
  }
})

describe('columns of methods that look at gradients', () => {
  it('cost what the scores of one cotangent do, and a direction each', () => {
    const shape = { parameters: 10_000, examples: 500, steps: 20, seen: 800, blocks: [{ offset: 0, rows: 100, columns: 100 }], checkpoints: 3 }
    const costs = methodCosts(shape)

    for (const name of names) {
      if (name !== 'trajectory') {
        const [few, many] = [4, 40].map(contributions => columnsCost(name, shape, contributions))

        expect(few.gradients).to.equal(costs[name].gradients)
        expect(few.flops).to.be.at.least(costs[name].flops)
        expect(many.flops > few.flops, name).to.equal(name !== 'graddot' && name !== 'tracin')
        expect(many.bytes).to.be.greaterThan(few.bytes)
      }
    }

    // gradients that are not kept are computed again for each direction of datainf
    expect(columnsCost('datainf', { ...shape, examples: 10_000 }, 4).gradients).to.equal(methodCosts({ ...shape, examples: 10_000 }).datainf.gradients + 4 * 10_000)
  })
})

describe('tracin', () => {
  it('at the end alone is GradDot', async () => {
    const { checkpoints, ...run } = await finished()
    const cotangent = answerGradient(run.theta)

    expectClose((await influenceMethod('tracin', run).scores(cotangent)).exampleScores, (await gradDot(examples, run.theta, cotangent)).exampleScores)
    expect(checkpoints).to.have.length(2)
  })

  it('weighs checkpoints by the learning rates that led there', async () => {
    const run = await finished()
    const cotangent = answerGradient(run.theta)
    const rates = [plan.learningRates.subarray(0, 10), plan.learningRates.subarray(10)].map(part => part.reduce((sum, rate) => sum + rate, 0))
    const dots = await Promise.all(run.checkpoints.map(async ({ theta }) => (await gradDot(examples, theta, cotangent)).exampleScores))

    expectClose((await influenceMethod('tracin', run).scores(cotangent)).exampleScores, dots[0].map((value, i) => (rates[0] * value + rates[1] * dots[1][i]) / (rates[0] + rates[1])))
  })

  it('refuses checkpoints that are out of order or beyond the run', async () => {
    const run = await finished()

    for (const steps of [[], [10, 10], [20, 10], [0, 20], [21]]) {
      const checkpoints = steps.map(step => ({ step, theta: run.theta }))

      expect(() => influenceMethod('tracin', { ...run, checkpoints }), steps.join()).to.throw().with.property('code', 'ERR_ATTRIBUTION_INPUT')
    }
  })
})

describe('curvature', () => {
  it('of datainf is the mean of damped inverses, block by block', async () => {
    const run = await finished()
    const cotangent = answerGradient(run.theta)
    const gradients = Array.from({ length: objective.examples }, (_, i) => gradientAt(run.theta, i))
    const lambdas: number[] = []
    const direction = blocks.flatMap(({ offset, rows, columns }) => {
      const size = rows * columns
      const parts = gradients.map(gradient => Array.from(gradient.subarray(offset, offset + size)))
      const lambda = 0.1 * parts.reduce((sum, part) => sum + dotOf(part, part), 0) / parts.length / size
      const v = Array.from(cotangent.subarray(offset, offset + size))
      const solutions = parts.map(part => solve(outer(part, lambda), v))

      lambdas.push(...v.map(() => lambda))

      return meanOf(solutions)
    })
    const scale = lambdas.reduce((sum, lambda) => sum + lambda, 0) / lambdas.length

    expectClose((await influenceMethod('datainf', run).scores(cotangent)).exampleScores, gradients.map(gradient => -scale * dotOf(gradient, direction)))
  })

  it('of fisher is the damped mean of outer products', async () => {
    const run = await finished()
    const cotangent = answerGradient(run.theta)
    const gradients = Array.from({ length: objective.examples }, (_, i) => Array.from(gradientAt(run.theta, i)))
    const n = gradients.length
    const lambda = 0.1 * gradients.reduce((sum, gradient) => sum + dotOf(gradient, gradient), 0) / n / n
    const rows = gradients.map(gradient => outer(gradient, lambda))
    const kernel = rows[0].map((_, i) => meanOf(rows.map(matrix => matrix[i])))
    const direction = solve(kernel, Array.from(cotangent))

    expectClose((await influenceMethod('fisher', run).scores(cotangent)).exampleScores, gradients.map(gradient => -lambda * dotOf(gradient, direction)))
  })

  it('of ekfac is the whole Fisher where a block is one row and gradients are orthogonal', async () => {
    // gradients along the axes: the eigenbasis is the axes, the eigenvalues the mean squares
    const sizes = [1, 2, 3]
    const axes: Evaluator = {
      parameters: 3,
      examples: 3,
      async gradients (theta, batch, visit) {
        batch.forEach((example, position) => { visit(position, 0, Float32Array.from(sizes, (size, i) => i === example ? size : 0)) })
      },
      async duals () {}
    }
    const values = sizes.map(size => size * size / 3)
    const damping = 0.1 * (values[0] + values[1] + values[2]) / 3
    const run = { examples: axes, plan, theta0: new Float64Array(3), theta: new Float64Array(3) }
    const { exampleScores } = await influenceMethod('ekfac', run).scores(Float64Array.of(1, 1, 1))

    expectClose(exampleScores, sizes.map((size, i) => -damping * size / (values[i] + damping)))
  })

  it('of fisher-projected is close to that of fisher for more parameters than features', async () => {
    // random gradients of 6,000 parameters
    const vectors = Array.from({ length: 20 }, (_, i) => sparseProjection(6000, 6000, i).project(Float64Array.from({ length: 6000 }, (_, k) => k % (i + 2) === 0 ? 1 : 0.1)))
    const wide: Evaluator = {
      parameters: 6000,
      examples: 20,
      async gradients (theta, batch, visit) {
        batch.forEach((example, position) => { visit(position, 0, Float32Array.from(vectors[example])) })
      },
      async duals () {}
    }
    const run = { examples: wide, plan, theta0: new Float64Array(6000), theta: new Float64Array(6000) }
    const [whole, projected] = await Promise.all(['fisher', 'fisher-projected'].map(async name => (await influenceMethod(name as AttributionMethod, run).scores(vectors[7])).exampleScores))
    const norm = (x: Float64Array): number => Math.sqrt(dotOf(x, x))

    expect(dotOf(whole, projected) / norm(whole) / norm(projected)).to.be.greaterThan(0.9)
    expect(projected.indexOf(Math.min(...projected))).to.equal(7)
  })
})

describe('runs in lockstep', () => {
  const cotangents = [0, 3, 7].map(example => gradientAt(theta0, example))

  it('have the scores and traces of each run alone', async () => {
    const together = await lockstep(examples, 3, async (shared, i) => reverseReplay(shared, plan, { theta0, cotangent: cotangents[i] }))
    const alone = await Promise.all(cotangents.map(async cotangent => reverseReplay(examples, plan, { theta0, cotangent })))

    expect(together).to.deep.equal(alone)
  })

  it('compute what is common once', async () => {
    let passes = 0
    const counted: Evaluator = { ...examples, gradients: async (...args) => { passes++; await examples.gradients(...args) }, duals: async (...args) => { passes++; await examples.duals(...args) } }

    await lockstep(counted, 3, async (shared, i) => reverseReplay(shared, plan, { theta0, cotangent: cotangents[i] }))

    expect(passes).to.equal(2 * plan.batches.length)
  })

  it('fail together, and go on when one of them is done', async () => {
    await expect(lockstep(examples, 3, async (shared, i) => reverseReplay(shared, plan, { theta0, cotangent: i === 1 ? new Float64Array(2) : cotangents[i] })))
      .to.eventually.be.rejected.with.property('code', 'ERR_ATTRIBUTION_INPUT')
    expect(await lockstep(examples, 2, async (shared, i) => i === 0 ? undefined : gradDot(shared, theta0, cotangents[0]))).to.deep.equal([undefined, await gradDot(examples, theta0, cotangents[0])])
  })

  it('are refused when they part', async () => {
    const { theta } = await finished()

    await expect(lockstep(examples, 2, async (shared, i) => gradDot(shared, i === 0 ? theta : theta0, cotangents[0]))).to.eventually.be.rejected.with.property('code', 'ERR_ATTRIBUTION_INPUT')
  })
})

describe('bad input to influence methods', () => {
  const still: Evaluator = { ...examples, gradients: async (theta, batch, visit) => { batch.forEach((_, position) => { visit(position, 0, new Float32Array(objective.parameters)) }) } }

  for (const name of names.filter(method => method !== 'trajectory')) {
    it(`${name} scores zero where all gradients are zero`, async () => {
      const run = await finished()
      const { exampleScores } = await influenceMethod(name, { ...run, examples: still }).scores(answerGradient(run.theta))

      expect(exampleScores.every(score => score === 0)).to.equal(true)
    })

    it(`${name} names gradients that are not finite`, async () => {
      const run = await finished()
      const broken: Evaluator = { ...examples, gradients: async (theta, batch, visit) => { batch.forEach((_, position) => { visit(position, NaN, new Float32Array(objective.parameters).fill(NaN)) }) } }

      await expect(influenceMethod(name, { ...run, examples: broken }).scores(theta0)).to.eventually.be.rejected.with.property('code', 'ERR_DIVERGED')
    })
  }

  for (const name of names) {
    it(`${name} gives a zero answer zero scores and one example its own`, async () => {
      const run = await finished()
      const one = trainingPlan(RECIPE, 1)
      const { exampleScores } = await influenceMethod(name, run).scores(new Float64Array(objective.parameters))
      const single = await influenceMethod(name, { ...run, plan: one, examples: { ...examples, examples: 1 } }).scores(gradientAt(run.theta, 0).map(value => -value))

      expect(exampleScores.every(score => score === 0)).to.equal(true)
      expect(single.exampleScores).to.have.length(1)
      expect(single.exampleScores[0]).to.be.greaterThan(0)
    })

    it(`${name} gives duplicates equal scores in equal places`, async () => {
      const run = await finished()
      const twice: Evaluator = { ...examples, gradients: async (theta, batch, visit, options) => examples.gradients(theta, batch.map(example => example % 12), visit, options), duals: async (theta, batch, tangents, visit, options) => examples.duals(theta, batch.map(example => example % 12), tangents, visit, options) }
      // each batch holds an example and its copy
      const pairs = { ...plan, batches: plan.batches.map((_, step) => Uint32Array.from({ length: 8 }, (_, i) => (4 * step + i % 4) % 12 + (i < 4 ? 0 : 12))) }
      const { exampleScores } = await influenceMethod(name, { ...run, plan: pairs, examples: twice }).scores(answerGradient(run.theta))

      expectClose(exampleScores.subarray(12), exampleScores.subarray(0, 12))
    })

    it(`${name} refuses empty data, a cotangent of another adapter and one that is not finite`, async () => {
      const run = await finished()

      expect(() => influenceMethod(name, { ...run, examples: { ...examples, examples: 0 } })).to.throw().with.property('code', 'ERR_ATTRIBUTION_INPUT')
      await expect(influenceMethod(name, run).scores(new Float64Array(2))).to.eventually.be.rejected.with.property('code', 'ERR_ATTRIBUTION_INPUT')
      await expect(influenceMethod(name, run).scores(new Float64Array(objective.parameters).fill(Infinity))).to.eventually.be.rejected.with.property('code', 'ERR_DIVERGED')
    })
  }

  it('names a run that diverges', async () => {
    const run = await finished()
    const steep = { ...plan, learningRates: plan.learningRates.map(() => 1e300) }

    await expect(influenceMethod('trajectory', { ...run, plan: steep }).scores(theta0)).to.eventually.be.rejected.with.property('code', 'ERR_DIVERGED')
  })

  it('names a method that does not exist and blocks of another adapter', async () => {
    const run = await finished()

    expect(() => influenceMethod('shapley' as AttributionMethod, run)).to.throw().with.property('code', 'ERR_ATTRIBUTION_INPUT')
    await expect(influenceMethod('datainf', { ...run, blocks: blocks.slice(1) }).scores(theta0)).to.eventually.be.rejected.with.property('code', 'ERR_ATTRIBUTION_INPUT')
    await expect(influenceMethod('ekfac', { ...run, blocks: blocks.slice(0, 1) }).scores(theta0)).to.eventually.be.rejected.with.property('code', 'ERR_ATTRIBUTION_INPUT')
  })
})
