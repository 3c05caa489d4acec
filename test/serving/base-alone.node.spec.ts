import { expect } from 'aegir/chai'
import { channelId, readAccount } from '../../src/ledger/index.ts'
import { generate, verifyGeneration } from '../../src/models/index.ts'
import { attributeAnswer, checkOpening, payer, signVoucher } from '../../src/serving/index.ts'
import { bob, market, people, question, shopkeeper, signal } from './fixtures.ts'
import type { Market } from './fixtures.ts'
import type { AskMessage, Gateway } from '../../src/serving/index.ts'

describe('a base without adapter', () => {
  let here: Market

  before(async () => { here = await market() })
  after(async () => here.clean())

  it('is offered at no price, answers with a receipt of both sides, and is told from its adapters', async () => {
    const { base: cid } = here.record
    const shop = await here.shop()
    const { payer } = await here.customer([shop])
    const offers = await shop.gateway.offers()

    expect(offers.find(({ adapter }) => adapter.equals(cid))).to.deep.include({ base: cid, pricePerThousandTokens: 0n })

    const alone = await payer.ask(question(cid), bob)
    const { model, tokenizer } = await here.library.base(cid)
    const { prompt, output, receipt: { payload } } = alone.opening

    expect(payload.adapter.equals(cid)).to.be.true()
    expect([payload.fee, payload.cumulative]).to.deep.equal([0n, 0n])
    checkOpening(alone.opening)
    expect(output).to.deep.equal([...generate(model, { prompt, maxTokens: question(cid).maxTokens, sampler: payload.sampler, stop: [tokenizer.eos] })])

    const { lora } = await here.library.adapter(here.adapter)

    expect(verifyGeneration(model, { prompt, output, sampler: payload.sampler, lora, stop: [tokenizer.eos] }).ok).to.be.false()
    expect(attributeAnswer(await here.library.adapter(cid), alone.opening)).to.be.null()
  })

  it('costs nothing beside what is paid in the same channel, and nothing is redeemed for it', async () => {
    const shop = await here.shop()
    const { payer } = await here.customer([shop])
    const { base } = here.record

    await payer.ask(question(base), bob)

    const paid = await payer.ask(question(here.adapter), bob)

    await payer.ask(question(base), bob)

    const redemptions = await shop.gateway.redeem({ signal: signal() })
    const { payload } = paid.cosigned

    expect(redemptions.map(({ fees }) => fees)).to.deep.equal([payload.fee])
    expect(await shop.gateway.redeem({ signal: signal() })).to.deep.equal([])
    // what nobody redeems is not kept for anybody
    expect((await shop.db.keys().all()).filter(key => key.includes('serving-receipts'))).to.have.length(1)
    expect(readAccount(here.chain.state(), bob.account).balance < 1_000n * 10n ** 18n).to.be.true()
  })

  it('is not asked in a payer\'s name by who copies a voucher from the ledger', async () => {
    const shop = await here.shop()
    const { payer } = await here.customer([shop])
    const { base } = here.record
    const { cosigned: { payload: { channel, cumulative } } } = await payer.ask(question(here.adapter), bob)

    await shop.gateway.redeem({ signal: signal() })

    // the signature that the redemption shows to everybody
    const signature = signVoucher({ type: 'voucher', version: 1, chain: here.chain.id, channel, cumulative }, bob)

    await expect(shop.gateway.ask({ type: 'ask', ...question(base, 'another'), payer: bob.account, channel, sequence: 1, voucher: { cumulative, signature } })).to.eventually.be.rejected.with.property('code', 'ERR_PAYMENT_REQUIRED')
    expect((await payer.ask(question(base), bob)).cosigned.payload).to.deep.include({ sequence: 1, fee: 0n })
  })

  it('leaves room for who pays, however many ask it at once', async () => {
    const shop = await here.shop()
    const { base } = here.record
    const peer = await here.peer()
    const asked: AskMessage[] = []
    // a gateway in name, which keeps what it is asked until all have a channel
    const collecting: Gateway = {
      ...shop.gateway,
      account: shop.gateway.account,
      offers: async () => shop.gateway.offers(),
      ask: async message => {
        asked.push(message)

        throw new RangeError('later')
      }
    }
    const buyer = payer({ network: peer.net, chain: here.chain, library: here.library, db: peer.db, gateway: collecting })

    await Promise.all(people.slice(0, 38).map(async who => expect(buyer.ask(question(base, 'the', 40), who)).to.eventually.be.rejectedWith('later')))
    await expect(buyer.ask(question(here.adapter), people[38])).to.eventually.be.rejectedWith('later')

    const ends = await Promise.allSettled(asked.map(async message => shop.gateway.ask(message)))
    const refused = ends.flatMap(end => end.status === 'rejected' ? [(end.reason as { code?: string }).code] : [])

    expect(ends.at(-1)?.status).to.equal('fulfilled')
    // 16 are answered and 16 wait; a place may have become free meanwhile
    expect(refused.length).to.be.within(1, 38 - 32)
    expect(new Set(refused)).to.deep.equal(new Set(['ERR_BUSY']))
  })

  it('leaves room for others, however many channels one account asks it in at once', async () => {
    const [shop, greedy] = [await here.shop(), people[39]]
    // an adapter without a price is as free as its base
    const gift = await here.admit({ name: 'gift', pricePerThousandTokens: 0n })
    const messages: AskMessage[] = []

    for (let i = 0; i < 6; i++) {
      const { nonce } = readAccount(here.chain.state(), greedy.account)

      await here.must({ kind: 'open-channel', gateway: shopkeeper.account, amount: 10n ** 18n, expiresAtHeight: here.chain.height + 100_000 }, greedy)

      const channel = channelId(here.chain.id, greedy.account, nonce)
      const signature = signVoucher({ type: 'voucher', version: 1, chain: here.chain.id, channel, cumulative: 1n }, greedy)

      messages.push({ type: 'ask', ...question(i % 2 === 0 ? gift : here.record.base, 'the', 40), payer: greedy.account, channel, sequence: 0, voucher: { cumulative: 1n, signature } })
    }

    const ends = await Promise.allSettled(messages.map(async message => shop.gateway.ask(message)))

    expect(ends.filter(({ status }) => status === 'fulfilled').length).to.be.within(4, 5)
    expect(ends.flatMap(end => end.status === 'rejected' ? [(end.reason as { code?: string }).code] : [])).to.include('ERR_BUSY')
    // there is room again, and those that were answered get their answers once more
    expect(await Promise.all(messages.map(async message => (await shop.gateway.ask(message)).receipt.fee))).to.deep.equal(messages.map(() => 0n))
  })

  it('has to be one of the network', async () => {
    const shop = await here.shop()
    const { payer } = await here.customer([shop])
    const stranger = await here.here.storage.put(new Uint8Array([0xa0]))

    await expect(payer.ask(question(stranger), bob)).to.eventually.be.rejected()
  })
})
