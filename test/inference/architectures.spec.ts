import { expect } from 'aegir/chai'
import { inferenceEngine } from '../../src/inference/index.ts'
import { forward, generate, llama, llamaShapes } from '../../src/models/index.ts'
import { prng, quantise, tape } from '../../src/numeric/index.ts'
import { tinyConfig } from '../models/fixtures.ts'
import { adapters, drain } from './fixtures.ts'
import type { LlamaConfig } from '../../src/interface/index.ts'
import type { LlamaModel, Weight } from '../../src/models/index.ts'
import type { WeightMatrix } from '../../src/numeric/index.ts'

const sampler = { temperatureMilli: 800, topK: 0, seed: 2 }

function modelOf (config: LlamaConfig, type: WeightMatrix['type'] | undefined): LlamaModel {
  const random = prng(4)
  return llama(config, new Map([...llamaShapes(config)].map(([name, shape]): [string, Weight] => {
    const data = Float32Array.from({ length: shape[0] * (shape[1] ?? 1) }, () => (shape.length === 1 ? 1 : 0) + 0.2 * random.nextNormal())
    return [name, shape.length === 1 || type == null ? { shape, data } : quantise(type, data, shape)]
  })))
}

describe('inference engine on every architecture', () => {
  const wide = { ...tinyConfig, dim: 64, hiddenDim: 96, ropePairing: undefined }
  const configs: Record<string, LlamaConfig> = {
    llama: wide,
    'llama with its own head size and an untied head': { ...wide, headDim: 8, tied: false },
    'interleaved llama': { ...wide, ropePairing: 'interleaved' },
    'llama with scaled rotary embeddings': { ...wide, ropeScaling: { type: 'llama3', factorMilli: 8000, lowFrequencyFactorMilli: 1000, highFrequencyFactorMilli: 4000, originalContextLength: 32 } },
    'llama with rotary embeddings stretched by YaRN': { ...wide, ropeScaling: { type: 'yarn', factorMilli: 4000, lowFrequencyFactorMilli: 1000, highFrequencyFactorMilli: 32_000, originalContextLength: 16 } },
    qwen2: { ...wide, architecture: 'qwen2' },
    gpt2: { ...wide, architecture: 'gpt2', ropeTheta: 1, kvHeads: 4 }
  }
  const rounded: typeof configs = { 'llama in integers': { ...wide, activations: 'int16' }, 'gpt2 in integers': { ...configs.gpt2, activations: 'int16' } }

  for (const [name, config] of Object.entries(configs)) {
    for (const type of [undefined, 'bf16', 'q8_0', 'q4_0'] as const) {
      it(`gives the tape's bits: ${name} in ${type ?? 'f32'}`, () => {
        const model = modelOf(config, type)
        const targets = adapters(model, 4).map(lora => [{ lora }])
        const engine = inferenceEngine({ model })
        const requests = [[], ...targets].map((choices, i) => ({ id: String(i), prompt: [1, 2, 3 + i], maxTokens: 12, sampler, adapters: choices }))
        requests.forEach(request => { engine.add(request) })
        const { outputs } = drain(engine)
        requests.forEach(request => { expect(outputs.get(request.id)).to.deep.equal([...generate(model, { ...request, lora: request.adapters })]) })
      })
    }
  }

  it('computes in integers where the configuration says so, and nearly the same', () => {
    const logits = [configs.llama, rounded['llama in integers']].map(config => {
      const model = modelOf(config, 'q8_0')
      return forward(tape(), model, [1, 2, 3]).data.slice()
    })
    expect(logits[0]).to.not.deep.equal(logits[1])
    logits[0].forEach((value, i) => { expect(logits[1][i]).to.be.closeTo(value, 0.01) })
  })

  for (const [name, config] of Object.entries(rounded)) {
    for (const type of ['q8_0', 'q4_0'] as const) {
      it(`gives the tape's bits, prompt and answer cut anyhow: ${name} in ${type}`, () => {
        const model = modelOf(config, type)
        const [lora] = adapters(model, 1)
        const request = { prompt: [1, 2, 3, 9, 8], maxTokens: 12, sampler, adapters: [{ lora }] }
        const expected = [...generate(model, { ...request, lora: request.adapters })]
        for (const stepTokensMax of [2, 64]) {
          const engine = inferenceEngine({ model, stepTokensMax, batchMax: 2 })
          engine.add({ id: 'a', ...request })
          engine.add({ id: 'b', ...request, adapters: [] })
          expect(drain(engine).outputs.get('a')).to.deep.equal(expected)
        }
      })
    }
  }

  it('gives the same on the oracle', () => {
    const model = modelOf(configs.llama, undefined)
    const [, lora] = adapters(model, 2)
    const [wasm, reference] = (['wasm', 'reference'] as const).map(backend => {
      const engine = inferenceEngine({ model, backend, cacheBytesMax: 1 << 20, adapterBytesMax: 1 << 20 })
      engine.add({ id: 'a', prompt: [1, 2, 3], maxTokens: 6, sampler, adapters: [{ lora }] })
      engine.add({ id: 'b', prompt: [4], maxTokens: 6, sampler })
      return drain(engine).outputs
    })
    expect(reference).to.deep.equal(wasm)
  })
})
