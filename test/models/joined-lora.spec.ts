import { expect } from 'aegir/chai'
import { answerProbabilities, exportPeft, generate, importPeft, joinedLora, loraShape } from '../../src/models/index.ts'
import { noise, tinyModel } from './fixtures.ts'
import type { LlamaConfig } from '../../src/interface/index.ts'
import type { LlamaModel, Lora, WeightedLora } from '../../src/models/index.ts'

const GPT2: Partial<LlamaConfig> = { architecture: 'gpt2', kvHeads: 4, ropeTheta: 1 }
const prompt = [3, 1, 4]
const sampler = { temperatureMilli: 0, topK: 0, seed: 0 }

function adapter (model: LlamaModel, seed: number, recipe: { rank: number, alpha: number, targets: string[] }): Lora {
  const shape = loraShape(model.config, recipe)

  return { shape, theta: noise(shape.parameters, 0.2, seed).map(Math.fround) }
}

/** Out as a PEFT directory and in again. */
const returned = (model: LlamaModel, merge: WeightedLora[]): Lora => importPeft(model.config, exportPeft(model.config, joinedLora(model.config, merge)))

function logProbabilities (model: LlamaModel, output: number[], lora: WeightedLora[]): number[] {
  return answerProbabilities(model, { prompt, output, lora }, 1).map(({ logProbability }) => logProbability)
}

describe('merged adapters as one', () => {
  const models: Array<[string, LlamaModel]> = [
    ['llama', tinyModel()],
    ['a model that pairs neighbours', tinyModel({ ropePairing: 'interleaved' })],
    ['gpt2', tinyModel(GPT2)]
  ]

  for (const [title, model] of models) {
    it(`answer with the same tokens after they went out and came in again: ${title}`, () => {
      const merge = [
        { lora: adapter(model, 1, { rank: 2, alpha: 6, targets: ['q_proj', 'v_proj'] }), weightMilli: 700 },
        { lora: adapter(model, 2, { rank: 3, alpha: 3, targets: ['v_proj', 'o_proj', 'down_proj'] }), weightMilli: -300 }
      ]
      const output = [...generate(model, { prompt, maxTokens: 16, sampler, lora: merge })]
      const back = [{ lora: returned(model, merge) }]
      const merged = logProbabilities(model, output, merge)

      expect([...generate(model, { prompt, maxTokens: 16, sampler, lora: back })]).to.deep.equal(output)
      // the weights matter: neither adapter alone says this
      expect(logProbabilities(model, output, merge.slice(0, 1))).to.not.deep.equal(merged)
      logProbabilities(model, output, back).forEach((value, i) => { expect(value).to.be.closeTo(merged[i], 1e-4) })
    })
  }

  it('have the same bits where no two change one projection, by powers of two', () => {
    const [[, model]] = models
    const merge = [
      { lora: adapter(model, 1, { rank: 2, alpha: 4, targets: ['q_proj', 'up_proj'] }), weightMilli: 500 },
      { lora: adapter(model, 2, { rank: 3, alpha: 6, targets: ['v_proj', 'down_proj'] }), weightMilli: 2000 }
    ]
    const output = [...generate(model, { prompt, maxTokens: 8, sampler, lora: merge })]

    expect(logProbabilities(model, output, [{ lora: returned(model, merge) }])).to.deep.equal(logProbabilities(model, output, merge))
  })

  it('have the ranks of all in their order, with factor and weight in B', () => {
    const [[, model]] = models
    const first = adapter(model, 1, { rank: 2, alpha: 6, targets: ['q_proj'] })
    const second = adapter(model, 2, { rank: 1, alpha: 1, targets: ['q_proj', 'v_proj'] })
    const { shape, theta } = joinedLora(model.config, [{ lora: first, weightMilli: 700 }, { lora: second }])
    const [q, v] = shape.factors
    const factor = Math.fround(3 * 0.7)

    expect({ rank: shape.rank, alpha: shape.alpha, targets: shape.targets }).to.deep.equal({ rank: 3, alpha: 3, targets: ['q_proj', 'v_proj'] })
    expect(theta.subarray(q.offsetA, q.offsetA + 2 * q.inputs)).to.deep.equal(first.theta.subarray(0, 2 * q.inputs))
    expect(theta.subarray(q.offsetA + 2 * q.inputs, q.offsetB)).to.deep.equal(second.theta.subarray(0, q.inputs))
    expect([...theta.subarray(q.offsetB, q.offsetB + 3)]).to.deep.equal([
      ...[0, 1].map(i => Math.fround(first.theta[2 * q.inputs + i] * factor)), second.theta[q.inputs]
    ])
    // the first leaves values alone
    expect(theta.subarray(v.offsetA, v.offsetA + 2 * v.inputs).every(value => value === 0)).to.equal(true)
  })

  it('are refused where one adapter cannot hold them', () => {
    const [[, model]] = models
    const large = { lora: adapter(model, 1, { rank: 200, alpha: 1, targets: ['q_proj'] }) }
    const other = tinyModel({ dim: 32 })

    expect(() => joinedLora(model.config, [large, large])).to.throw('at most 256 ranks').with.property('code', 'ERR_LORA_SHAPE')
    expect(() => joinedLora(other.config, [{ lora: adapter(model, 1, { rank: 2, alpha: 2, targets: ['q_proj'] }) }])).to.throw().with.property('code', 'ERR_LORA_SHAPE')
    expect(() => joinedLora(model.config, [])).to.throw().with.property('code', 'ERR_LORA_SHAPE')
  })
})
