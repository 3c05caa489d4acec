import { expect } from 'aegir/chai'
import all from 'it-all'
import { generate } from '../../src/models/index.ts'
import { engineDriver, passRows } from '../../src/serving/index.ts'
import { adapters, tinyModel } from '../inference/fixtures.ts'

const model = tinyModel({ contextLength: 256 })
const sampler = { temperatureMilli: 900, topK: 0, seed: 3 }
const [lora] = adapters(model, 1)

describe('engine driver', () => {
  it('streams answers side by side, each with the tokens that it has alone', async () => {
    const driver = engineDriver({ model })
    const requests = Array.from({ length: 10 }, (_, i) => ({ prompt: [i, 1, 2], maxTokens: 5 + i, sampler: { ...sampler, seed: i }, adapters: i % 2 === 0 ? [{ lora }] : [] }))
    const answers = await Promise.all(requests.map(async request => all(driver.generateStream(request))))
    answers.forEach((answer, i) => {
      expect(answer.map(({ token }) => token)).to.deep.equal([...generate(model, { ...requests[i], lora: requests[i].adapters })])
      expect(answer.map(({ index }) => index)).to.deep.equal(answer.map((_, index) => index))
      expect(answer.map(({ finish }) => finish)).to.deep.equal([...answer.slice(1).map(() => undefined), 'length'])
    })
    // ten answers of up to 14 tokens in hardly more passes than the longest has
    expect(driver.statistics().steps).to.be.below(25)
    expect(driver.statistics()).to.include({ running: 0, waiting: 0 })
  })

  it('gives back what an answer held when its reader leaves or its signal fires', async () => {
    const driver = engineDriver({ model })
    const controller = new AbortController()
    const taken: number[] = []
    await expect((async () => {
      for await (const { token } of driver.generateStream({ prompt: [1], maxTokens: 200, sampler }, { signal: controller.signal })) {
        taken.push(token)
        if (taken.length === 3) {
          controller.abort()
        }
      }
    })()).to.eventually.be.rejected.with.property('name', 'AbortError')
    for await (const { index } of driver.generateStream({ prompt: [1], maxTokens: 200, sampler })) {
      if (index === 3) {
        break
      }
    }
    const { running, pages, pagesFree, tokens } = driver.statistics()
    expect(taken).to.have.length(3)
    expect({ running, free: pagesFree }).to.deep.equal({ running: 0, free: pages })
    expect(tokens).to.be.below(150)
  })

  it('waits for a slow reader without holding up the others', async () => {
    const driver = engineDriver({ model })
    const slow = driver.generateStream({ prompt: [1], maxTokens: 200, sampler })
    const first = await slow.next()
    await all(driver.generateStream({ prompt: [2], maxTokens: 200, sampler }))
    expect(driver.statistics()).to.include({ running: 1, held: 1, tokens: 200 + 1 + 64 })
    const rest = await all(slow)
    expect([first.value, ...rest].map(one => one?.token)).to.deep.equal([...generate(model, { prompt: [1], maxTokens: 200, sampler })])
  })

  it('drains: refuses new answers and ends the running ones', async () => {
    const driver = engineDriver({ model })
    const running = all(driver.generateStream({ prompt: [1], maxTokens: 50, sampler }))
    await new Promise(setImmediate)
    const drained = driver.drain()
    await expect(all(driver.generateStream({ prompt: [1], maxTokens: 50, sampler }))).to.eventually.be.rejected.with.property('code', 'ERR_GATEWAY_STOPPED')
    expect(await running).to.have.length(50)
    await drained
    driver.start()
    expect(await all(driver.generateStream({ prompt: [1], maxTokens: 5, sampler }))).to.have.length(5)
  })

  it('gives large bases short passes, with room for all that run', () => {
    expect([260_000, 1_066_112, 15_000_000, 7_000_000_000].map(passRows)).to.deep.equal([128, 128, 42, 32])
  })

  it('stops at once', async () => {
    const driver = engineDriver({ model })
    const running = all(driver.generateStream({ prompt: [1], maxTokens: 200, sampler }))
    await new Promise(setImmediate)
    driver.stop()
    await expect(running).to.eventually.be.rejected.with.property('code', 'ERR_GATEWAY_STOPPED')
    expect(driver.statistics().running).to.equal(0)
  })

  it('refuses what could never run, and ends an answer of infinite numbers without hurting others', async () => {
    const driver = engineDriver({ model })
    await expect(all(driver.generateStream({ prompt: [], maxTokens: 5, sampler }))).to.eventually.be.rejected.with.property('code', 'ERR_TOKENS_INVALID')
    await expect(all(driver.generateStream({ prompt: [1], maxTokens: 0, sampler }))).to.eventually.be.rejected.with.property('code', 'ERR_INFERENCE_SETTINGS')
    const wild = { ...lora, theta: lora.theta.map(() => 1e30) }
    const request = { prompt: [1, 2, 3], maxTokens: 5, sampler }
    const [bad, good] = await Promise.allSettled([all(driver.generateStream({ ...request, adapters: [{ lora: wild }] })), all(driver.generateStream(request))])
    expect(bad).to.have.nested.property('reason.code', 'ERR_SEQUENCE_FAULT')
    expect(good).to.have.property('status', 'fulfilled')
  })
})
