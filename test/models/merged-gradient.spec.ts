import { expect } from 'aegir/chai'
import { answerProbabilities, answerTokenDerivatives, generate, loraShape, mergedTokenDerivatives, verifiedGradient, verifiedGradients, verifyGeneration } from '../../src/models/index.ts'
import { dot, noise, tinyConfig, tinyModel } from './fixtures.ts'
import type { WeightedLora } from '../../src/models/index.ts'

const model = tinyModel()
const shape = loraShape(tinyConfig, { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj'] })
const wide = loraShape(tinyConfig, { rank: 3, alpha: 3, targets: ['k_proj', 'down_proj'] })
const one = { shape, theta: noise(shape.parameters, 0.3, 1) }
const other = { shape: wide, theta: noise(wide.parameters, 0.3, 2) }
const prompt = [1, 5, 9]
const sampler = { temperatureMilli: 0, topK: 0, seed: 0 }

describe('gradients of an answer of several adapters', () => {
  const lora: WeightedLora[] = [{ lora: one, weightMilli: 700 }, { lora: other, weightMilli: -1500 }]
  const output = [...generate(model, { prompt, maxTokens: 6, sampler, lora })]

  it('are those of one where there is one, with its bits', () => {
    const alone = [...generate(model, { prompt, maxTokens: 6, sampler, lora: one })]

    expect(verifiedGradients(model, { prompt, output: alone, sampler, lora: [{ lora: one }] }).gradients).to.deep.equal([verifiedGradient(model, { prompt, output: alone, sampler, lora: one }).gradient])
  })

  it('agree with finite differences along each, the weight included', () => {
    const { verification, gradients = [] } = verifiedGradients(model, { prompt, output, sampler, lora })
    const step = 2 ** -7

    expect(verification).to.deep.equal({ ok: true })

    for (const which of [0, 1]) {
      const direction = noise(lora[which].lora.theta.length, 1, 40 + which)
      const at = (step: number): number => {
        const moved = lora.map((placed, i) => i === which ? { ...placed, lora: { ...placed.lora, theta: placed.lora.theta.map((value, k) => value + step * direction[k]) } } : placed)

        return answerProbabilities(model, { prompt, output, lora: moved }, 1).reduce((sum, { logProbability }) => sum + logProbability, 0)
      }
      const difference = (at(step) - at(-step)) / (2 * step)

      expect(Math.abs(difference)).to.be.above(0.01)
      expect(dot(gradients[which], direction)).to.be.closeTo(difference, 1e-2 * Math.max(1, Math.abs(difference)))
    }
  })

  it('are the sums of what each token has along a direction in one of them', () => {
    const { gradients = [] } = verifiedGradients(model, { prompt, output, sampler, lora })
    // more than one pass carries, and both adapters in it
    const directions = Array.from({ length: 11 }, (_, k) => ({ adapter: k % 2, direction: noise(lora[k % 2].lora.theta.length, 0.5, 60 + k) }))
    const tokens = mergedTokenDerivatives(model, lora, prompt, output, directions)

    expect(tokens).to.have.length(output.length)
    directions.forEach(({ adapter, direction }, k) => {
      const whole = dot(gradients[adapter], direction)

      expect(tokens.reduce((sum, row) => sum + row[k], 0)).to.be.closeTo(whole, 1e-4 * Math.max(1, Math.abs(whole)))
    })

    const alone = directions.slice(0, 1).map(({ direction }) => direction)

    expect(mergedTokenDerivatives(model, [{ lora: one }], prompt, output, directions.slice(0, 1))).to.deep.equal(answerTokenDerivatives(model, shape, one.theta, prompt, output, alone))
  })

  it('do not come for an answer of other weights', () => {
    const wrong = { prompt, output: output.with(2, (output[2] + 1) % 40), sampler, lora }

    expect(verifiedGradients(model, wrong)).to.deep.equal({ verification: verifyGeneration(model, wrong) })
    expect(verifiedGradients(model, { ...wrong, output: output.with(5, -1) }).verification.ok).to.equal(false)
    expect(() => verifiedGradients(model, { ...wrong, output: [] })).to.throw().with.property('code', 'ERR_TOKENS_INVALID')
    expect(() => verifiedGradients(model, { ...wrong, prompt: [] })).to.throw().with.property('code', 'ERR_TOKENS_INVALID')
  })
})
