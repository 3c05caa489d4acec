import { expect } from 'aegir/chai'
import { adapterBytes, inferenceEngine } from '../../src/inference/index.ts'
import { answerProbabilities, generate, logProbabilities } from '../../src/models/index.ts'
import { adapters, drain, tinyModel } from './fixtures.ts'

const model = tinyModel({ contextLength: 128 })
const greedy = { temperatureMilli: 0, topK: 0, seed: 0 }
const PAGE_BYTES = model.config.layers * 8 * 16 * 8
const prompt = Array.from({ length: 40 }, (_, i) => i)

describe('inference engine under pressure', () => {
  it('computes a shared prefix once, and only for the same adapters and tenant', () => {
    const [lora] = adapters(model, 1)
    const reused = (first: object, second: object, sharePrefixes = false): number => {
      const engine = inferenceEngine({ model, sharePrefixes })
      for (const [id, more] of [['a', first], ['b', second]] as const) {
        engine.add({ id, prompt, maxTokens: 4, sampler: greedy, ...more })
        drain(engine)
      }
      return engine.statistics().promptTokensReused
    }
    expect(reused({}, {})).to.equal(32)
    expect(reused({}, { prompt: [...prompt.slice(0, 20), 39, 39, 39] })).to.equal(16)
    expect(reused({ adapters: [{ lora }] }, { adapters: [{ lora }] })).to.equal(32)
    expect(reused({ adapters: [{ lora }] }, {})).to.equal(0)
    expect(reused({ adapters: [{ lora }] }, { adapters: [{ lora, weightMilli: 500 }] })).to.equal(0)
    expect(reused({ tenant: 'a' }, { tenant: 'b' })).to.equal(0)
    expect(reused({ tenant: 'a' }, { tenant: 'b' }, true)).to.equal(32)
  })

  it('goes on from what it answered before', () => {
    const engine = inferenceEngine({ model })
    engine.add({ id: 'a', prompt, maxTokens: 30, sampler: greedy })
    const answer = drain(engine).outputs.get('a') ?? []
    engine.add({ id: 'b', prompt: [...prompt, ...answer, 3], maxTokens: 2, sampler: greedy })
    drain(engine)
    expect(engine.statistics().promptTokensReused).to.equal(64)
  })

  it('lets the youngest begin again where the cache is full, with the same answers', () => {
    const engine = inferenceEngine({ model, cacheBytesMax: 9 * PAGE_BYTES })
    const requests = Array.from({ length: 6 }, (_, i) => ({ id: String(i), prompt: [i, 2, 3], maxTokens: 60, sampler: { temperatureMilli: 900, topK: 0, seed: i } }))
    requests.forEach(request => { engine.add(request) })
    const { outputs, tokens } = drain(engine)
    requests.forEach(request => { expect(outputs.get(request.id)).to.deep.equal([...generate(model, request)]) })
    expect(engine.statistics().preemptions).to.be.above(0)
    expect(tokens).to.have.length(360)
  })

  it('keeps adapters in use, and drops the least recently used when others need the room', () => {
    const [a] = adapters(model, 1)
    const [b, c] = [{ ...a }, { ...a }]
    const engine = inferenceEngine({ model, adapterBytesMax: 2 * adapterBytes(a.shape) })
    const held = (): boolean[] => [a, b, c].map(lora => engine.hasAdapter(lora))
    engine.loadAdapter(a)
    engine.loadAdapter(b)
    engine.loadAdapter(a)
    engine.loadAdapter(c)
    expect(held()).to.deep.equal([true, false, true])
    engine.add({ id: 'a', prompt: [1], maxTokens: 3, sampler: greedy, adapters: [{ lora: a }] })
    engine.step()
    engine.loadAdapter(b)
    expect(held()).to.deep.equal([true, true, false])
    expect(() => engine.unloadAdapter(a)).to.throw().with.property('code', 'ERR_ADAPTER_MEMORY')
    engine.add({ id: 'both', prompt: [1], maxTokens: 3, sampler: greedy, adapters: [{ lora: b }, { lora: c }] })
    // no room for b and c while a is in use: the running sequence goes on, the other one waits
    expect(engine.step().tokens.map(({ id }) => id)).to.deep.equal(['a'])
    expect(drain(engine).outputs.get('both')).to.have.length(3)
    expect([...held(), engine.unloadAdapter(b), engine.unloadAdapter(b)]).to.deep.equal([false, true, true, true, false])
  })

  it('shares turns between tenants, however much one asks for', () => {
    const engine = inferenceEngine({ model, batchMax: 1 })
    for (let i = 0; i < 20; i++) {
      engine.add({ id: `greedy-${i}`, tenant: 'greedy', prompt: [1], maxTokens: 100, sampler: greedy })
    }
    engine.add({ id: 'modest', tenant: 'modest', prompt: [1], maxTokens: 3, sampler: greedy })
    const finished = drain(engine).tokens.filter(({ finish }) => finish != null).map(({ id }) => id)
    expect(finished.indexOf('modest')).to.be.at.most(6)
    expect(finished).to.have.length(21)
  })

  it('ends at stop tokens, at stop sequences and with the context', () => {
    const engine = inferenceEngine({ model })
    const sampler = { temperatureMilli: 1200, topK: 0, seed: 8 }
    const whole = [...generate(model, { prompt: [1], maxTokens: 500, sampler })]
    engine.add({ id: 'context', prompt: [1], maxTokens: 500, sampler })
    engine.add({ id: 'stop', prompt: [1], maxTokens: 500, sampler, stop: [whole[9]] })
    engine.add({ id: 'sequence', prompt: [1], maxTokens: 500, sampler, stopSequences: [[whole[4], whole[5], whole[6]]] })
    const { outputs, tokens } = drain(engine)
    expect(outputs.get('context')).to.deep.equal(whole)
    expect(outputs.get('stop')).to.deep.equal(whole.slice(0, whole.indexOf(whole[9]) + 1))
    expect(outputs.get('sequence')).to.deep.equal(whole.slice(0, 7))
    expect(tokens.filter(({ finish }) => finish != null).map(({ id, finish }) => [id, finish])).to.deep.include.members([['context', 'length'], ['stop', 'stop'], ['sequence', 'stop']])
  })

  it('tells log-probabilities that follow from the model alone', () => {
    const engine = inferenceEngine({ model })
    engine.add({ id: 'a', prompt: [1], maxTokens: 5, sampler: { temperatureMilli: 2000, topK: 0, seed: 1 }, topLogProbabilities: 3 })
    for (const { logProbability = 1, top = [] } of drain(engine).tokens) {
      expect(logProbability).to.be.at.most(top[0].logProbability)
      expect(top).to.have.length(3)
      expect(top[0].logProbability).to.be.at.least(top[1].logProbability)
    }
    expect(logProbabilities(Float32Array.of(0, 0), 0, 0).logProbability).to.be.closeTo(-Math.LN2, 1e-12)
  })

  it('tells the log-probabilities that whoever has the answer finds in one prefill, bit for bit', () => {
    const prompt = [1, 2, 3]
    const chosen = adapters(model, 2).map((lora, i) => ({ lora, weightMilli: 700 - 400 * i }))
    const engine = inferenceEngine({ model })
    engine.add({ id: 'a', prompt, maxTokens: 12, sampler: { ...greedy, temperatureMilli: 1500, repetitionMilli: 1300 }, adapters: chosen, topLogProbabilities: 3 })
    const told = drain(engine).tokens.map(({ token, logProbability, top }) => ({ token, logProbability, top }))
    expect(answerProbabilities(model, { prompt, output: told.map(({ token }) => token), lora: chosen }, 3)).to.deep.equal(told)
    expect(answerProbabilities(model, { prompt, output: [] }, 3)).to.deep.equal([])
    expect(() => answerProbabilities(model, { prompt, output: [1, model.config.vocabularySize] }, 3)).to.throw().with.property('code', 'ERR_TOKENS_INVALID')
  })

  it('ends a sequence that is removed, wherever it is', () => {
    const engine = inferenceEngine({ model, batchMax: 1 })
    engine.add({ id: 'runs', prompt: [1], maxTokens: 50, sampler: greedy })
    engine.add({ id: 'waits', prompt: [1], maxTokens: 50, sampler: greedy })
    engine.step()
    expect([engine.remove('waits'), engine.remove('runs'), engine.remove('runs')]).to.deep.equal([true, true, false])
    expect(engine.busy).to.be.false()
    expect(engine.statistics()).to.include({ running: 0, waiting: 0, pagesFree: engine.statistics().pages })
  })

  it('refuses what could never run, and more than it can queue', () => {
    const [lora] = adapters(tinyModel({ dim: 32 }), 1)
    const engine = inferenceEngine({ model, queueMax: 1, adapterBytesMax: 64 })
    const request = { id: 'a', prompt: [1], maxTokens: 1, sampler: greedy }
    const codes = [
      { ...request, prompt: [99] }, { ...request, maxTokens: 0 }, { ...request, topLogProbabilities: 21 }, { ...request, adapters: [{ lora }] },
      { ...request, adapters: [{ lora: adapters(model, 2)[1] }] }, { ...request, stopSequences: [[]] }, { ...request, sampler: { ...greedy, topPMilli: 0 } }
    ].map(wrong => {
      try {
        engine.add(wrong)
        return 'none'
      } catch (err) {
        return err instanceof Error && 'code' in err ? err.code : err
      }
    })
    expect(codes).to.deep.equal(['ERR_TOKENS_INVALID', 'ERR_INFERENCE_SETTINGS', 'ERR_INFERENCE_SETTINGS', 'ERR_INFERENCE_SETTINGS', 'ERR_ADAPTER_MEMORY', 'ERR_INFERENCE_SETTINGS', 'ERR_MODEL_SETTINGS'])
    engine.add(request)
    expect(() => { engine.add({ ...request, id: 'b' }) }).to.throw().with.property('code', 'ERR_ENGINE_FULL')
    expect(() => inferenceEngine({ model, cacheBytesMax: PAGE_BYTES })).to.throw().with.property('code', 'ERR_INFERENCE_SETTINGS')
    expect(() => inferenceEngine({ model, adapterBytesMax: 5 * 2 ** 30 })).to.throw().with.property('code', 'ERR_INFERENCE_SETTINGS')
  })
})
