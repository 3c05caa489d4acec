import { expect } from 'aegir/chai'
import { answerGradient, answerTokenDerivatives, forward, generate, initialTheta, loraObjective, loraShape, parseSafetensors, peftToTheta, thetaToPeft, verifiedGradient, verifyGeneration, writeSafetensors } from '../../src/models/index.ts'
import { tape as createTape } from '../../src/numeric/index.ts'
import { dot, noise, sequences, tinyConfig, tinyModel } from './fixtures.ts'
import type { TokenConstraint } from '../../src/models/index.ts'

const model = tinyModel()
const shape = loraShape(tinyConfig, { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj'] })
const theta = noise(shape.parameters, 0.3, 1)
const examples = sequences(3, 12, tinyConfig.vocabularySize)

function along (base: Float64Array, direction: ArrayLike<number>, step: number): Float64Array {
  return base.map((value, i) => value + step * direction[i])
}

describe('LoRA', () => {
  it('lays theta out by layer and target, A before B', () => {
    const all = loraShape(tinyConfig, { rank: 3, alpha: 3, targets: ['down_proj', 'k_proj'] })
    expect(all.targets).to.deep.equal(['k_proj', 'down_proj'])
    expect(all.factors[1]).to.deep.equal({ layer: 0, target: 'down_proj', inputs: 24, outputs: 16, offsetA: 72, offsetB: 144 })
    expect(all.parameters).to.equal(2 * 3 * (16 + 8 + 24 + 16))
  })

  it('begins as no change at all', () => {
    const zero = initialTheta(shape, 1)
    const sampler = { temperatureMilli: 500, topK: 0, seed: 1 }
    expect(zero.some(value => value !== 0)).to.be.true()
    expect(initialTheta(shape, 1)).to.deep.equal(zero).and.not.deep.equal(initialTheta(shape, 2))
    expect([...generate(model, { prompt: [1], maxTokens: 20, sampler, lora: { shape, theta: zero } })])
      .to.deep.equal([...generate(model, { prompt: [1], maxTokens: 20, sampler })])
  })

  it('refuses shapes out of range', () => {
    for (const recipe of [{ rank: 0 }, { rank: 257 }, { alpha: 0 }, { targets: [] }, { targets: ['q_proj', 'q_proj'] }, { targets: ['lm_head'] }]) {
      expect(() => loraShape(tinyConfig, { rank: 2, alpha: 4, targets: ['q_proj'], ...recipe })).to.throw().with.property('code', 'ERR_LORA_SHAPE')
    }
    expect(() => thetaToPeft(shape, theta.subarray(1))).to.throw().with.property('code', 'ERR_LORA_SHAPE')
  })

  it('survives the way to PEFT files and back', () => {
    const { config, weights } = thetaToPeft(shape, theta)
    const names = [...parseSafetensors(weights).keys()]
    expect(names).to.include('base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight').and.have.length(8)
    expect(peftToTheta(shape, weights)).to.deep.equal(Float64Array.from(Float32Array.from(theta)))
    expect(JSON.parse(new TextDecoder().decode(config))).to.include({ peft_type: 'LORA', r: 2, lora_alpha: 4 })
  })

  it('refuses PEFT files of another shape', () => {
    const { weights } = thetaToPeft(shape, theta)
    const fewer = parseSafetensors(weights)
    fewer.delete('base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight')
    for (const recipe of [{ rank: 3 }, { targets: ['q_proj', 'k_proj', 'v_proj'] }, { targets: ['q_proj'] }]) {
      const other = loraShape(tinyConfig, { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj'], ...recipe })
      expect(() => peftToTheta(other, weights)).to.throw().with.property('code').that.is.oneOf(['ERR_LORA_SHAPE', 'ERR_SAFETENSORS_INVALID'])
    }
    expect(() => peftToTheta(shape, writeSafetensors(fewer))).to.throw().with.property('code', 'ERR_LORA_SHAPE')
  })
})

describe('loraObjective', () => {
  const objective = loraObjective({ model, shape, examples, directions: 2 })()
  const gradient = new Float32Array(shape.parameters)
  const gradientAt = (at: Float64Array, example: number): Float32Array => {
    const out = new Float32Array(shape.parameters)
    objective.gradient(at, example, out)
    return out
  }

  it('agrees with finite differences of the loss', () => {
    for (let example = 0; example < examples.length; example++) {
      const loss = objective.gradient(theta, example, gradient)
      expect(loss).to.be.within(1, 8)
      const direction = noise(shape.parameters, 1, 11 + example)
      const step = 2 ** -9
      const scratch = new Float32Array(shape.parameters)
      const difference = (objective.gradient(along(theta, direction, step), example, scratch) - objective.gradient(along(theta, direction, -step), example, scratch)) / (2 * step)
      expect(difference).to.be.closeTo(dot(gradient, direction), 2e-3 * Math.max(1, Math.abs(difference)))
    }
  })

  it('has Hessian-vector products that agree with finite differences of the gradient', () => {
    const tangents = [noise(shape.parameters, 1, 21), noise(shape.parameters, 1, 22), noise(shape.parameters, 1, 23)]
    const hvps = tangents.map(() => new Float32Array(shape.parameters))
    const { loss, derivatives } = objective.dual(theta, 1, tangents, gradient, hvps)
    const plain = new Float32Array(shape.parameters)
    expect(objective.gradient(theta, 1, plain)).to.equal(loss)
    expect(gradient).to.deep.equal(plain)
    tangents.forEach((tangent, k) => {
      expect(derivatives[k]).to.be.closeTo(dot(gradient, tangent), 1e-4)
      const step = 2 ** -11
      const plus = gradientAt(along(theta, tangent, step), 1)
      const minus = gradientAt(along(theta, tangent, -step), 1)
      const difference = plus.map((value, i) => (value - minus[i]) / (2 * step))
      const error = Math.sqrt(dot(difference.map((value, i) => value - hvps[k][i]), difference.map((value, i) => value - hvps[k][i])))
      expect(error).to.be.below(0.02 * Math.sqrt(dot(hvps[k], hvps[k])))
    })
  })

  it('gives each tangent the same bits alone and among others', () => {
    const tangents = [noise(shape.parameters, 1, 31), noise(shape.parameters, 1, 32)]
    const together = tangents.map(() => new Float32Array(shape.parameters))
    const both = objective.dual(theta, 2, tangents, gradient, together)
    tangents.forEach((tangent, k) => {
      const alone = new Float32Array(shape.parameters)
      const one = loraObjective({ model, shape, examples, directions: 1 })().dual(theta, 2, [tangent], gradient, [alone])
      expect(alone).to.deep.equal(together[k])
      expect(one.derivatives[0]).to.equal(both.derivatives[k])
    })
  })

  it('does not depend on what was computed before', () => {
    const before = gradientAt(theta, 0)
    gradientAt(noise(shape.parameters, 0.1, 4), 2)
    expect(gradientAt(theta, 0)).to.deep.equal(before)
  })

  it('gives examples that come again, by passes it then knows, the bits of the first time', () => {
    const mixed = [examples[0], examples[1].subarray(0, 7), examples[2], examples[0].subarray(3, 10)]
    const lossMasks = mixed.map((tokens, example) => Uint8Array.from(tokens, (_, i) => example !== 2 || i % 3 === 1 ? 1 : 0))
    const init = { model, shape, examples: mixed, lossMasks, directions: 2 }
    const often = loraObjective(init)()
    for (let round = 0; round < 4; round++) {
      const at = noise(shape.parameters, 0.2, 40 + round)
      for (let example = 0; example < mixed.length; example++) {
        for (const count of [0, 1, 2, 3]) {
          const tangents = Array.from({ length: count }, (_, k) => noise(shape.parameters, 1, 50 + round + k))
          const [ours, fresh] = [often, loraObjective(init)()].map(objective => {
            const [out, ...hvps] = Array.from({ length: count + 1 }, () => new Float32Array(shape.parameters))
            return { result: count === 0 ? objective.gradient(at, example, out) : objective.dual(at, example, tangents, out, hvps), out, hvps }
          })
          expect(ours).to.deep.equal(fresh)
        }
      }
    }
  })

  it('refuses numbers that are not finite in any of its passes, and goes on as if nothing had been', () => {
    const objective = loraObjective({ model, shape, examples })()
    const out = new Float32Array(shape.parameters)
    const tangent = noise(shape.parameters, 1, 2)
    const refused = (at: Float64Array, along: Float64Array): void => {
      expect(() => objective.dual(at, 0, [along], out, [new Float32Array(shape.parameters)])).to.throw().with.property('code', 'ERR_NON_FINITE')
    }
    const loss = loraObjective({ model, shape, examples })().gradient(theta, 0, new Float32Array(shape.parameters))
    // built, captured and replayed in turn, with a fault before each
    for (let round = 0; round < 4; round++) {
      refused(theta.with(shape.parameters - 1, Infinity), tangent)
      refused(theta, tangent.with(3, Number.NaN))
      expect(objective.dual(theta, 0, [tangent], out, [new Float32Array(shape.parameters)]).loss).to.equal(loss)
      expect(out).to.deep.equal(gradientAt(theta, 0))
    }
  })

  it('has the same bits on both backends', () => {
    const reference = new Float32Array(shape.parameters)
    loraObjective({ model, shape, examples, backend: 'reference' })().gradient(theta, 0, reference)
    expect(gradientAt(theta, 0)).to.deep.equal(reference)
  })

  it('takes the mean over the targets that a mask counts', () => {
    const mask = Uint8Array.from(examples[0], (_, i) => i === 3 || i === 7 ? 1 : 0)
    const masked = loraObjective({ model, shape, examples: [examples[0]], lossMasks: [mask] })()
    const ids = examples[0]
    const { tokenLogProbabilities } = answerGradient(model, shape, theta, ids.subarray(0, 1), ids.subarray(1))
    expect(masked.gradient(theta, 0, gradient)).to.be.closeTo(-(tokenLogProbabilities[2] + tokenLogProbabilities[6]) / 2, 1e-5)
  })

  it('refuses examples that it cannot learn from', () => {
    for (const init of [{ examples: [Uint32Array.of(1)] }, { examples: [Uint32Array.of(1, 40)] }, { examples: [new Uint32Array(34)] }, { examples, lossMasks: examples.map(() => new Uint8Array(12)) }]) {
      expect(() => loraObjective({ model, shape, ...init })).to.throw().with.property('code', 'ERR_TOKENS_INVALID')
    }
  })
})

describe('answerGradient', () => {
  const prompt = [1, 2, 3]
  const output = [4, 5, 6, 7]

  it('is the log-likelihood of the output alone', () => {
    const { logProbability, tokenLogProbabilities } = answerGradient(model, shape, theta, prompt, output)
    const zero = answerGradient(model, shape, initialTheta(shape, 1), prompt, output)
    const logits = forward(createTape(), model, [...prompt, ...output])
    const expected = output.map((id, i) => {
      const row = logits.data.subarray((prompt.length - 1 + i) * 40, (prompt.length + i) * 40)
      return row[id] - Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0))
    })
    expected.forEach((value, i) => { expect(zero.tokenLogProbabilities[i]).to.be.closeTo(value, 1e-5) })
    expect(logProbability).to.equal(tokenLogProbabilities.reduce((sum, value) => sum + value, 0))
  })

  it('comes with a verification that finds the tokens follow, with the bits that both have alone', () => {
    const lora = { shape, theta }
    const constraint = (): TokenConstraint => ({ allowed: () => Uint32Array.of(0xffff_fff0, 0xff), accept: () => {} })
    for (const settings of [{ temperatureMilli: 0, topK: 0, seed: 0 }, { temperatureMilli: 900, topK: 0, seed: 3 }]) {
      const made = [...generate(model, { prompt, maxTokens: 6, sampler: settings, lora, constraint: constraint() })]
      const { verification, gradient } = verifiedGradient(model, { prompt, output: made, sampler: settings, lora, constraint: constraint() })
      expect(verification).to.deep.equal({ ok: true })
      expect(gradient).to.deep.equal(answerGradient(model, shape, theta, prompt, made).gradient)
    }
  })

  it('does not come for tokens that do not follow', () => {
    const lora = { shape, theta }
    const settings = { temperatureMilli: 0, topK: 0, seed: 0 }
    const made = [...generate(model, { prompt, maxTokens: 6, sampler: settings, lora })]
    for (const wrong of [made.with(2, (made[2] + 1) % 40), made.with(2, 40), made.with(5, -1)]) {
      const options = { prompt, output: wrong, sampler: settings, lora }
      expect(verifiedGradient(model, options)).to.deep.equal({ verification: verifyGeneration(model, options) })
    }
    expect(() => verifiedGradient(model, { prompt, output: [], sampler: settings, lora })).to.throw().with.property('code', 'ERR_TOKENS_INVALID')
    expect(() => verifiedGradient(model, { prompt: [40], output: made, sampler: settings, lora })).to.throw().with.property('code', 'ERR_TOKENS_INVALID')
  })

  it('agrees with finite differences', () => {
    const direction = noise(shape.parameters, 1, 41)
    const step = 2 ** -8
    const at = (theta: Float64Array): number => answerGradient(model, shape, theta, prompt, output).logProbability
    const difference = (at(along(theta, direction, step)) - at(along(theta, direction, -step))) / (2 * step)
    expect(difference).to.be.closeTo(dot(answerGradient(model, shape, theta, prompt, output).gradient, direction), 5e-3 * Math.max(1, Math.abs(difference)))
  })

  it('is the sum of what its tokens say along any direction', () => {
    const { gradient } = answerGradient(model, shape, theta, prompt, output)
    // more than go through the model at once
    const directions = Array.from({ length: 11 }, (_, k) => noise(shape.parameters, 1, 50 + k))
    const tokens = answerTokenDerivatives(model, shape, theta, prompt, output, directions)

    expect(tokens.map(({ length }) => length)).to.deep.equal(output.map(() => 11))
    directions.forEach((direction, k) => {
      expect(tokens.reduce((sum, token) => sum + token[k], 0)).to.be.closeTo(dot(gradient, direction), 1e-4 * Math.max(1, Math.abs(dot(gradient, direction))))
    })
  })

  it('is, up to a token, blind to those after it', () => {
    const directions = [noise(shape.parameters, 1, 60)]
    const whole = answerTokenDerivatives(model, shape, theta, prompt, output, directions)
    const start = answerTokenDerivatives(model, shape, theta, prompt, output.slice(0, 2), directions)
    const step = 2 ** -8
    const at = (theta: Float64Array): number => answerGradient(model, shape, theta, prompt, output).tokenLogProbabilities[1]

    expect(start).to.deep.equal(whole.slice(0, 2))
    expect(whole[1][0]).to.be.closeTo((at(along(theta, directions[0], step)) - at(along(theta, directions[0], -step))) / (2 * step), 5e-3 * Math.max(1, Math.abs(whole[1][0])))
  })

  it('refuses an empty prompt or output', () => {
    expect(() => answerGradient(model, shape, theta, [], output)).to.throw().with.property('code', 'ERR_TOKENS_INVALID')
    expect(() => answerGradient(model, shape, theta, prompt, [])).to.throw().with.property('code', 'ERR_TOKENS_INVALID')
  })
})
