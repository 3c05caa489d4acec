import { expect } from 'aegir/chai'
import { checkOpening, payer } from '../../src/serving/index.ts'
import { training } from '../../src/training/index.ts'
import { bob, market, people, question, shopkeeper, signal } from './fixtures.ts'
import type { Market, Peer } from './fixtures.ts'
import type { AskOptions, Gateway } from '../../src/serving/index.ts'
import type { Training } from '../../src/training/index.ts'

const SCHEMA = JSON.stringify({ type: 'object', properties: { word: { type: 'string', maxLength: 4 }, sure: { type: 'boolean' } }, required: ['word', 'sure'], additionalProperties: false })

let here: Market
const jobs = (): Training => training({ threads: 1 })(here.here.components)
let shop: Peer & { gateway: Gateway }

before(async () => {
  here = await market()
  shop = await here.shop()
})

after(async () => here.clean())

const asking = (schema: string, maxTokens = 40): AskOptions => ({ ...question(here.adapter, 'the state', maxTokens), sampler: { temperatureMilli: 900, topK: 0, seed: 3 }, conditions: { schema } })

describe('an answer under a schema', () => {
  it('keeps to it, and its receipt has the schema under a salt', async () => {
    const { payer } = await here.customer([shop])
    const { text, finish, opening } = await payer.ask(asking(SCHEMA), people[0])

    expect(finish).to.equal('stop')
    expect(JSON.parse(text)).to.have.all.keys('word', 'sure')
    expect(opening.conditions).to.deep.equal({ schema: SCHEMA })
    checkOpening(opening)
    expect(() => { checkOpening({ ...opening, conditions: { schema: '{}' } }) }).to.throw(/conditions/).with.property('code', 'ERR_BAD_RECEIPT')
    expect(() => { checkOpening({ ...opening, conditions: undefined }) }).to.throw(/conditions/)
  })

  it('is another question than the one without', async () => {
    const { payer } = await here.customer([shop])
    const free = await payer.ask({ ...asking(SCHEMA), conditions: undefined }, people[1])
    const held = await payer.ask(asking(SCHEMA), people[1])

    expect(free.cosigned.payload).not.to.have.property('conditionsHash')
    expect(held.text).not.to.equal(free.text)
  })

  it('weighs in the scores where it keeps to the schema, and not where it does not', async () => {
    const { payer } = await here.customer([shop])
    const { opening } = await payer.ask(asking(SCHEMA), people[2])
    const record = here.record
    const assess = async (schema: string): Promise<number> => {
      const { refused } = await jobs().assess(here.adapter, record, [{ ...opening, conditions: { schema } }], { signal: signal(60_000) })

      return refused.length
    }

    expect(await assess(SCHEMA)).to.equal(0)
    expect(await assess('{"type":"array"}')).to.equal(1)
    expect(await assess('no schema')).to.equal(1)
  })

  it('is refused before it is paid if the schema cannot be kept to', async () => {
    const { payer } = await here.customer([shop])

    await expect(payer.ask(asking('{"type":"string","pattern":"a"}'), people[3])).to.eventually.be.rejected.with.property('code', 'ERR_UNSUPPORTED_SCHEMA')
  })

  it('is not paid if the gateway left the schema out of its choices', async () => {
    const peer = await here.peer()
    // computes without the schema, and signs as if it had not
    const careless: Gateway = {
      ...shop.gateway,
      account: shopkeeper.account,
      offers: async () => shop.gateway.offers(),
      cosign: async message => shop.gateway.cosign(message),
      ask: async ({ conditions, ...message }, options) => ({ ...await shop.gateway.ask(message, options), conditions })
    }
    const cheated = payer({ network: peer.net, chain: here.chain, library: here.library, db: peer.db, gateway: careless })

    await expect(cheated.ask(asking(SCHEMA), bob)).to.eventually.be.rejected.with.property('code', 'ERR_BAD_RECEIPT')
  })
})
