import { expect } from 'aegir/chai'
import { forward, generate, keyValueCache, llama, loraShape, parameterCount, parseLlama2c, verifyGeneration } from '../../src/models/index.ts'
import { tape as createTape } from '../../src/numeric/index.ts'
import { noise, sequences, tinyConfig, tinyModel } from './fixtures.ts'

const sampler = { temperatureMilli: 800, topK: 12, seed: 5 }
const prompt = [1, 2, 3]

describe('llama', () => {
  const model = tinyModel()
  const shape = loraShape(model.config, { rank: 2, alpha: 4, targets: ['q_proj', 'v_proj', 'down_proj'] })
  const lora = { shape, theta: noise(shape.parameters, 0.3, 1) }

  it('gives the bits of one prefill however the tokens are cut into calls', () => {
    for (const model of [tinyModel(), tinyModel({ tied: false, kvHeads: 4 })]) {
      const [ids] = sequences(1, 20, model.config.vocabularySize)
      const tape = createTape()
      const whole = forward(tape, model, ids).data.slice()
      for (const cuts of [[20], [7, 13], [5, 1, 1, 1, 12], new Array<number>(20).fill(1)]) {
        const cache = keyValueCache(model.config)
        const parts: number[] = []
        for (const cut of cuts) {
          tape.reset()
          parts.push(...forward(tape, model, ids.subarray(cache.length, cache.length + cut), { cache }).data)
        }
        expect(Float32Array.from(parts)).to.deep.equal(whole)
      }
    }
  })

  it('looks at what came before and not at what comes after', () => {
    const tape = createTape()
    const size = model.config.vocabularySize
    const first = forward(tape, model, [1, 2, 3, 4]).data.slice()
    const second = forward(tape, model, [1, 2, 9, 4]).data.slice()
    expect(second.subarray(0, 2 * size)).to.deep.equal(first.subarray(0, 2 * size))
    expect(second.subarray(3 * size)).to.not.deep.equal(first.subarray(3 * size))
  })

  it('repeats an answer by its seed, whatever else the model answers meanwhile', () => {
    const alone = [...generate(model, { prompt, maxTokens: 20, sampler, lora })]
    const one = generate(model, { prompt, maxTokens: 20, sampler, lora })
    const other = generate(model, { prompt: [9, 8], maxTokens: 20, sampler: { ...sampler, seed: 6 } })
    const mixed: number[] = []
    for (const id of one) {
      mixed.push(id)
      other.next()
    }
    expect(mixed).to.deep.equal(alone)
    expect([...generate(model, { prompt, maxTokens: 20, sampler: { ...sampler, seed: 6 }, lora })]).to.not.deep.equal(alone)
    expect([...generate(model, { prompt, maxTokens: 20, sampler })]).to.not.deep.equal(alone)
  })

  it('verifies what it generated, greedy or sampled, with and without an adapter', () => {
    for (const settings of [sampler, { temperatureMilli: 0, topK: 0, seed: 0 }, { temperatureMilli: 1500, topK: 0, seed: 9 }]) {
      for (const adapter of [undefined, lora]) {
        const output = [...generate(model, { prompt, maxTokens: 20, sampler: settings, lora: adapter })]
        expect(verifyGeneration(model, { prompt, output, sampler: settings, lora: adapter })).to.deep.equal({ ok: true })
      }
    }
  })

  it('finds any one token that was changed', () => {
    const output = [...generate(model, { prompt, maxTokens: 16, sampler, lora })]
    for (let i = 0; i < output.length; i++) {
      const actual = (output[i] + 1) % model.config.vocabularySize
      expect(verifyGeneration(model, { prompt, output: output.with(i, actual), sampler, lora }))
        .to.deep.equal({ ok: false, firstMismatch: i, expected: output[i], actual })
    }
  })

  it('finds another seed, another prompt and another adapter', () => {
    const output = [...generate(model, { prompt, maxTokens: 16, sampler, lora })]
    expect(verifyGeneration(model, { prompt, output, sampler: { ...sampler, seed: 6 }, lora }).ok).to.be.false()
    expect(verifyGeneration(model, { prompt: [1, 2, 4], output, sampler, lora }).ok).to.be.false()
    expect(verifyGeneration(model, { prompt, output, sampler }).ok).to.be.false()
  })

  it('ends after a stop token, which is the last of the output', () => {
    const output = [...generate(model, { prompt, maxTokens: 20, sampler })]
    const seen: number[] = []
    const stop = output[5]
    expect([...generate(model, { prompt, maxTokens: 20, sampler, stop: [stop], onToken: id => seen.push(id) })])
      .to.deep.equal(output.slice(0, output.indexOf(stop) + 1))
    expect(seen).to.deep.equal(output.slice(0, output.indexOf(stop) + 1))
  })

  it('ends when the context is full, with an output that verifies', () => {
    const output = [...generate(model, { prompt, maxTokens: 1000, sampler })]
    expect(output).to.have.length(tinyConfig.contextLength - prompt.length + 1)
    expect(verifyGeneration(model, { prompt, output, sampler }).ok).to.be.true()
  })

  it('refuses tokens that it cannot see', () => {
    for (const ids of [[], [40], [-1], [0.5], new Array(33).fill(1)]) {
      expect(() => [...generate(model, { prompt: ids, maxTokens: 1, sampler })]).to.throw().with.property('code', 'ERR_TOKENS_INVALID')
    }
    expect(() => verifyGeneration(model, { prompt, output: new Array(40).fill(1), sampler })).to.throw().with.property('code', 'ERR_TOKENS_INVALID')
    const output = [...generate(model, { prompt, maxTokens: 5, sampler })]
    for (const at of [2, 4]) {
      expect(verifyGeneration(model, { prompt, output: output.with(at, 40), sampler })).to.include({ ok: false, firstMismatch: at, actual: 40 })
    }
  })

  it('refuses sampler settings out of range', () => {
    for (const settings of [{ temperatureMilli: -1 }, { topK: 1.5 }, { seed: 2 ** 32 }, { temperatureMilli: NaN }]) {
      expect(() => [...generate(model, { prompt, maxTokens: 1, sampler: { ...sampler, ...settings } })]).to.throw().with.property('code', 'ERR_MODEL_SETTINGS')
    }
  })

  it('refuses weights that do not fit the configuration', () => {
    const without = new Map(model.weights)
    without.delete('model.norm.weight')
    const more = new Map(model.weights).set('model.extra', { shape: [1], data: new Float32Array(1) })
    for (const weights of [without, more, tinyModel({ hiddenDim: 32 }).weights]) {
      expect(() => llama(tinyConfig, weights)).to.throw().with.property('code', 'ERR_MODEL_SHAPE')
    }
    for (const config of [{ dim: 12 }, { heads: 3 }, { kvHeads: 3 }, { layers: 0 }, { vocabularySize: 1e9 }]) {
      expect(() => llama({ ...tinyConfig, ...config }, model.weights)).to.throw().with.property('code', 'ERR_MODEL_SHAPE')
    }
  })

  it('counts its parameters', () => {
    expect(parameterCount(tinyConfig)).to.equal([...model.weights.values()].reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0))
  })

  it('refuses a llama2.c checkpoint that is cut or absurd', () => {
    const header = new Uint8Array(Int32Array.of(16, 24, 2, 4, 2, 40, 32).buffer)
    const absurd = new Uint8Array(Int32Array.of(16384, 24, 256, 4, 2, 262144, 32).buffer)
    for (const bytes of [new Uint8Array(3), header, absurd, new Uint8Array(28)]) {
      expect(() => parseLlama2c(bytes)).to.throw().with.property('code', 'ERR_MODEL_SHAPE')
    }
  })
})
