import { expect } from 'aegir/chai'
import { influenceMethod, influenceOfAnswer } from '../../src/attribution/index.ts'
import { prng } from '../../src/numeric/index.ts'
import { domains, hash, toHex } from '../../src/wire/index.ts'
import type { Evaluator, InfluenceMethod, MatrixBlock } from '../../src/attribution/index.ts'
import type { AttributionMethod } from '../../src/interface/index.ts'

/** Numbers in place of gradients: what a curvature makes of them needs no model. */
function evaluatorOf (count: number, parameters: number): Evaluator {
  const gradients = Array.from({ length: count }, (_, example) => {
    const random = prng(example + 1)

    return Float32Array.from({ length: parameters }, () => (random.nextUint32() / 2 ** 32 - 0.5) * (1 + example % 5))
  })

  return {
    parameters,
    examples: count,
    async gradients (theta, batch, visit) {
      batch.forEach((example, i) => { visit(i, 0, gradients[example]) })
    },
    async duals () {}
  }
}

function methodOf (name: AttributionMethod, count: number, blocks: MatrixBlock[]): { method: InfluenceMethod, theta: Float64Array } {
  const parameters = blocks.reduce((sum, { rows, columns }) => sum + rows * columns, 0)
  const random = prng(99)
  const theta = Float64Array.from({ length: parameters }, () => random.nextUint32() / 2 ** 32)
  const plan = { batches: [], learningRates: new Float64Array(0), beta1: 0, beta2: 0, epsilon: 0, checkpointEverySteps: 1 }

  return { method: influenceMethod(name, { examples: evaluatorOf(count, parameters), plan, theta0: theta, theta, blocks, seed: 7 }), theta }
}

/** Hash of scores and trace. */
async function bitsOf (name: AttributionMethod, count: number, blocks: MatrixBlock[]): Promise<string> {
  const { method, theta } = methodOf(name, count, blocks)
  const { exampleScores, trace } = await method.scores(theta)

  return toHex(hash(domains.traceStep, new Uint8Array(exampleScores.buffer), ...trace))
}

/**
 * Made by plain sequential loops, before kernels took their place. Another hash is another score for
 * some assessor: sums must keep their order.
 */
const GOLDEN: Array<[method: AttributionMethod, examples: number, blocks: MatrixBlock[], bits: string]> = [
  ['ekfac', 70, [{ offset: 0, rows: 3, columns: 37 }, { offset: 111, rows: 41, columns: 5 }], 'ec8e857798e1bccd9d2430dec26f8196006758d2cbdcc44047f4f5ab331418cd'],
  ['fisher', 290, [{ offset: 0, rows: 1, columns: 611 }], '720110dae33a0f71a68b1a661ebc56609677140001d3808def7e2fa15e9ad5a6'],
  ['fisher-projected', 70, [{ offset: 0, rows: 1, columns: 111 }], '1043e2413a0ba0c12bb503fa3d1f9aa2e50f745bd99bff6b24a181949c57804b'],
  ['fisher-projected', 600, [{ offset: 0, rows: 1, columns: 700 }], '66e4b7d2fa96fd1e3a9529ff204055d3cd0583a5b0297ac2f7351050a78ac406'],
  ['datainf', 70, [{ offset: 0, rows: 3, columns: 37 }, { offset: 111, rows: 41, columns: 5 }], 'e80feb8d22d2791c27bd9862907271af5fc3142f8c85ea4e1b74358e6ad2d438']
]

describe('the bits of curvatures', () => {
  for (const [method, examples, blocks, bits] of GOLDEN) {
    it(`are those of plain loops: ${method}, ${examples} examples`, async () => {
      expect(await bitsOf(method, examples, blocks)).to.equal(bits)
    })

    it(`are in columns too, up to rounding: ${method}, ${examples} examples`, async () => {
      const { method: influence, theta } = methodOf(method, examples, blocks)
      const { exampleScores } = await influence.scores(theta)
      const groups = Uint32Array.from(exampleScores, (_, i) => i % 3)
      const sums = influenceOfAnswer(await influence.columns(groups, [2, 0]), theta)
      const size = exampleScores.reduce((sum, score) => sum + Math.abs(score), 0)

      for (const [column, group] of [2, 0].entries()) {
        expect(sums[column]).to.be.closeTo(exampleScores.reduce((sum, score, i) => groups[i] === group ? sum + score : sum, 0), 1e-9 * size)
      }
    })
  }
})
