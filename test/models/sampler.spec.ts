import { expect } from 'aegir/chai'
import * as fc from 'fast-check'
import { generate, logProbabilities, sampler, samplerText, verifyGeneration } from '../../src/models/index.ts'
import { prng } from '../../src/numeric/index.ts'
import { tinyModel } from './fixtures.ts'

const settings = { temperatureMilli: 1000, topK: 0, seed: 1 }
const greedy = { temperatureMilli: 0, topK: 0, seed: 0 }

function draws (sample: (logits: Float32Array) => number, logits: Float32Array, times: number): number[] {
  return Array.from({ length: times }, () => sample(logits))
}

describe('sampler', () => {
  it('draws from the likeliest, whichever way they are found', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 220 }), fc.nat(), (size, topK, seed) => {
      const random = prng(seed)
      // few distinct values, so that there are ties, and both zeros
      const logits = Float32Array.from({ length: size }, () => [-0, 0, 1.5, -2, random.nextNormal()][random.nextBelow(5)])
      const order = Array.from(logits, (_, id) => id).sort((a, b) => logits[b] - logits[a] || a - b)
      const allowed = new Set(topK === 0 ? order : order.slice(0, topK))
      expect(draws(sampler({ ...settings, topK, seed }), logits, 20).every(id => allowed.has(id))).to.be.true()
      expect(logProbabilities(logits, 0, topK).top.map(({ token }) => token)).to.deep.equal(order.slice(0, topK))
    }), { numRuns: 200 })
  })

  it('keeps to the tokens whose share reaches topP, the one that crosses it included', () => {
    const logits = Float32Array.of(0, Math.fround(2), Math.fround(1), -30)
    const shares = [1, 2, 0].map(id => logProbabilities(logits, id, 0).logProbability)
    expect(shares[0]).to.be.greaterThan(shares[1])
    expect(new Set(draws(sampler({ ...settings, topPMilli: 600 }), logits, 200))).to.deep.equal(new Set([1]))
    expect(new Set(draws(sampler({ ...settings, topPMilli: 800 }), logits, 200))).to.deep.equal(new Set([1, 2]))
    expect(new Set(draws(sampler({ ...settings, topPMilli: 1000 }), logits, 500))).to.deep.equal(new Set([0, 1, 2]))
  })

  it('draws the same with settings that are absent and with neutral ones', () => {
    const logits = Float32Array.from({ length: 50 }, (_, i) => i % 7)
    const neutral = { ...settings, topPMilli: 1000, repetitionMilli: 1000, frequencyMilli: 0, presenceMilli: 0, tokensMin: 0 }
    expect(draws(sampler(neutral), logits, 50)).to.deep.equal(draws(sampler(settings), logits, 50))
  })

  it('penalises what prompt and answer have', () => {
    const logits = Float32Array.of(3, 2.9, -1, -1.05)
    expect(draws(sampler({ ...greedy, repetitionMilli: 1100 }, { prompt: [0] }), logits, 1)).to.deep.equal([1])
    expect(draws(sampler({ ...greedy, presenceMilli: 500 }), logits, 3)).to.deep.equal([0, 1, 0])
    expect(draws(sampler({ ...greedy, frequencyMilli: 60 }), logits, 5)).to.deep.equal([0, 0, 1, 0, 1])
    expect(draws(sampler({ ...greedy, frequencyMilli: 60 }, { prompt: [0, 0, 0] }), logits, 1)).to.deep.equal([0])
    expect(draws(sampler({ ...greedy, repetitionMilli: 1100 }, { prompt: [2] }), Float32Array.of(-9, -9, -1, -1.05), 1)).to.deep.equal([3])
  })

  it('does not end before there are enough tokens', () => {
    const logits = Float32Array.of(5, 1, 0)
    expect(draws(sampler({ ...greedy, tokensMin: 2 }, { stop: [0] }), logits, 3)).to.deep.equal([1, 1, 0])
    expect(draws(sampler({ ...settings, tokensMin: 100 }, { stop: [0] }), logits, 100)).to.not.include(0)
  })

  it('gives log-probabilities that sum to one', () => {
    const logits = Float32Array.from({ length: 20 }, (_, i) => Math.fround(i / 3))
    const { top, logProbability } = logProbabilities(logits, 4, 20)
    expect(top.reduce((sum, one) => sum + Math.exp(one.logProbability), 0)).to.be.closeTo(1, 1e-12)
    expect(top.find(({ token }) => token === 4)?.logProbability).to.equal(logProbability)
  })

  it('verifies answers under every setting, and finds another setting', () => {
    const model = tinyModel()
    const prompt = [1, 2, 3]
    const stop = [7, 9]
    const all = { temperatureMilli: 900, topK: 30, seed: 4, topPMilli: 950, repetitionMilli: 1300, frequencyMilli: 200, presenceMilli: -100, tokensMin: 12 }
    for (const one of [all, { ...all, temperatureMilli: 0 }]) {
      const output = [...generate(model, { prompt, maxTokens: 20, sampler: one, stop })]
      expect(output.length).to.be.at.least(12)
      expect(verifyGeneration(model, { prompt, output, sampler: one, stop })).to.deep.equal({ ok: true })
      expect(verifyGeneration(model, { prompt, output, sampler: { ...one, repetitionMilli: 500, presenceMilli: 2000 }, stop }).ok).to.be.false()
    }
  })

  it('writes settings as texts that are equal where the settings are', () => {
    expect(samplerText(settings)).to.equal('1000 0 1')
    expect(samplerText({ ...settings, frequencyMilli: 5 })).to.not.equal(samplerText({ ...settings, presenceMilli: 5 }))
  })

  it('refuses settings out of range', () => {
    for (const wrong of [{ topPMilli: 0 }, { topPMilli: 1001 }, { repetitionMilli: 0 }, { frequencyMilli: 1e6 }, { presenceMilli: 0.5 }, { tokensMin: -1 }]) {
      expect(() => sampler({ ...settings, ...wrong })).to.throw().with.property('code', 'ERR_MODEL_SETTINGS')
    }
  })
})
