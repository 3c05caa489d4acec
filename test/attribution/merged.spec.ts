import { expect } from 'aegir/chai'
import { dividedTokens, MERGED_ADAPTERS_MAX, mergedEffects } from '../../src/attribution/index.ts'
import { answerProbabilities, initialTheta, loraShape } from '../../src/models/index.ts'
import { noise, tinyConfig, tinyModel } from '../models/fixtures.ts'
import type { WeightedLora } from '../../src/models/index.ts'

const model = tinyModel()
const shape = loraShape(tinyConfig, { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj'] })
const adapter = (seed: number, weightMilli?: number): WeightedLora => ({ lora: { shape, theta: noise(shape.parameters, 0.5, seed) }, weightMilli })
const prompt = [1, 2, 3]
const output = [4, 5, 6, 7, 8]

const likelihood = (adapters: WeightedLora[]): number => answerProbabilities(model, { prompt, output, lora: adapters }, 1).reduce((sum, { logProbability }) => sum + logProbability, 0)
const effects = (...adapters: WeightedLora[]): number[] => mergedEffects(model, { prompt, output, adapters }).map(({ effect }) => effect)
const shares = (...adapters: WeightedLora[]): number[] => mergedEffects(model, { prompt, output, adapters }).map(({ sharePpm }) => sharePpm)

describe('an answer of merged adapters', () => {
  it('is all the one\'s that made it alone', () => {
    expect(effects(adapter(1))).to.deep.equal([likelihood([adapter(1)]) - likelihood([])])
    expect(shares(adapter(1))).to.deep.equal([1_000_000])
  })

  it('is split into parts that sum to what all together changed', () => {
    const all = [adapter(1, 700), adapter(2, 300), adapter(3), adapter(4, 500)]

    expect(effects(...all).reduce((sum, effect) => sum + effect, 0)).to.be.closeTo(likelihood(all) - likelihood([]), 1e-6)
    expect(shares(...all).reduce((sum, share) => sum + share, 0)).to.equal(1_000_000)
    expect(mergedEffects(model, { prompt, output, adapters: all })).to.deep.equal(mergedEffects(model, { prompt, output, adapters: all }))
  })

  it('tells of each pass before it is made', () => {
    let passes = 0

    mergedEffects(model, { prompt, output, adapters: [adapter(1), adapter(2), adapter(3)], onPass: () => { passes++ } })
    expect(passes).to.equal(8)
  })

  it('gives two that say the same the same, and one that says nothing nothing', () => {
    const [one, same, silent, unused] = effects(adapter(1), adapter(1), { lora: { shape, theta: initialTheta(shape, 9) } }, adapter(5, 0))

    expect(same).to.be.closeTo(one, 1e-6)
    expect(one).to.not.be.closeTo(0, 1e-3)
    expect(silent).to.be.closeTo(0, 1e-6)
    expect(unused).to.be.closeTo(0, 1e-6)
  })

  it('gives nothing for harm, and alike where nobody helped', () => {
    const seeds = Array.from({ length: 12 }, (_, i) => i + 1)
    const alone = seeds.map(seed => effects(adapter(seed))[0])
    const help = seeds[alone.indexOf(Math.max(...alone))]
    const harm = seeds[alone.indexOf(Math.min(...alone))]

    expect([Math.max(...alone) > 0, Math.min(...alone) < 0]).to.deep.equal([true, true])

    const [helped, harmed] = mergedEffects(model, { prompt, output, adapters: [adapter(help, 100), adapter(harm, 100)] })

    expect([helped.effect > 0, harmed.effect < 0]).to.deep.equal([true, true])
    expect([helped.sharePpm, harmed.sharePpm]).to.deep.equal([1_000_000, 0])
    expect(shares(...[1, 2, 3].map(seed => adapter(seed, 0)))).to.have.members([333_334, 333_333, 333_333])
  })

  it('has each token split into parts that sum to what all together changed of it, and over the tokens to the whole', () => {
    const all = [adapter(1, 700), adapter(2, 300), adapter(3)]
    const parts = mergedEffects(model, { prompt, output, adapters: all })
    const tokens = (lora: WeightedLora[]): number[] => answerProbabilities(model, { prompt, output, lora }, 1).map(({ logProbability }) => logProbability)
    const base = tokens([])

    tokens(all).forEach((value, i) => { expect(parts.reduce((sum, { tokens }) => sum + tokens[i], 0)).to.be.closeTo(value - base[i], 1e-6) })
    parts.forEach(({ effect, tokens }) => { expect(tokens.reduce((sum, one) => sum + one, 0)).to.be.closeTo(effect, 1e-9) })
  })

  it('has tokens that are divided by effect first, then among those who raised them', () => {
    const [first, second, unknown] = dividedTokens([
      { effects: [2, 1, -1], derivatives: [[3, 1, -5], [-1, -2, 0], [4, 4, 4]] },
      { effects: [0.5, 0, 3], derivatives: [[10], [10], [10]] },
      { effects: [9, 9, 9], derivatives: null }
    ])

    // the second adapter's derivatives are larger, its effect is not
    expect(first).to.deep.equal([[1.5, 0.5, 0], [0, 0, 0], [0, 0, 0]])
    expect(second).to.deep.equal([[0.5], [0], [3]])
    expect(unknown).to.deep.equal([])
  })

  it('is refused without adapters and with too many', () => {
    expect(() => effects()).to.throw().with.property('code', 'ERR_ATTRIBUTION_INPUT')
    expect(() => effects(...Array.from({ length: MERGED_ADAPTERS_MAX + 1 }, (_, i) => adapter(i)))).to.throw().with.property('code', 'ERR_ATTRIBUTION_INPUT')
    expect(() => mergedEffects(model, { prompt: [], output, adapters: [adapter(1)] })).to.throw().with.property('code', 'ERR_TOKENS_INVALID')
  })
})
