import { expect } from 'aegir/chai'
import { raceSignal } from 'race-signal'
import { cleanTemporary } from '../node/fixtures.ts'
import { openShop } from './fixtures.ts'
import type { Shop } from './fixtures.ts'
import type { AttributionShare, AttributionView } from '../../src/interface/index.ts'

describe('a streamed answer', function () {
  this.timeout(90_000)

  let here: Shop

  before(async () => { here = await openShop() })
  after(async () => {
    await here.stop()
    await cleanTemporary()
  })

  it('is followed by its scores at once, and ends when its citations can be had', async () => {
    const { citations } = here.home.node
    const find = citations.of
    const scored = Promise.withResolvers<void>()

    // no citation is looked for before the client has its scores
    citations.of = async (...args) => {
      await scored.promise

      return find(...args)
    }

    const { body } = await here.call('/v1/completions', { method: 'POST', body: JSON.stringify({ model: 'speeches', prompt: 'The people of', max_tokens: 12, stream: true }) })
    const text = body?.pipeThrough(new TextDecoderStream()) ?? expect.fail('there is an answer')
    let received = ''
    let receipt = ''

    for await (const piece of text) {
      received += piece

      const last = received.split('\n\n').find(event => event.includes('"datanet"'))

      if (receipt === '' && last != null) {
        const { datanet } = JSON.parse(last.slice('data: '.length)) as { datanet: { receipt: string, precision: string, shares: AttributionShare[] } }

        expect(datanet.precision).to.equal('exact')
        expect(datanet.shares).to.have.length(1)
        expect(received).to.not.include('[DONE]')
        receipt = datanet.receipt
        scored.resolve()
      }
    }

    expect(received).to.match(/data: \[DONE\]\n\n$/)
    expect((await here.home.http.get<AttributionView>(`/v1/attributions/${receipt}`)).spans).to.be.an('array')
    citations.of = find
  })

  it('is kept for who paid it and leaves when it has its scores', async () => {
    const { citations, answers } = here.home.node
    const [find, add] = [citations.of, answers.add]
    const looking = Promise.withResolvers<void>()
    const stored = Promise.withResolvers<string>()

    citations.of = async (_, __, options) => {
      looking.resolve()

      // until the client has gone
      return raceSignal(new Promise<never>(() => {}), options?.signal)
    }
    answers.add = async (view, receipt) => {
      await add(view, receipt)
      stored.resolve(view.receipt)
    }

    const leaving = new AbortController()
    const { body } = await here.call('/v1/completions', { method: 'POST', signal: leaving.signal, body: JSON.stringify({ model: 'speeches', prompt: 'The people of', max_tokens: 12, stream: true }) })

    expect(body).to.not.equal(null)
    await looking.promise
    leaving.abort()

    const receipt = await stored.promise

    expect((await here.home.http.get<AttributionView>(`/v1/attributions/${receipt}`)).shares).to.have.length(1)
    Object.assign(citations, { of: find })
    Object.assign(answers, { add })
  })
})
