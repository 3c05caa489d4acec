import { expect } from 'aegir/chai'
import { channelId, listTasks, readAccount, readChannel } from '../../src/ledger/index.ts'
import { receiptsRoot } from '../../src/serving/index.ts'
import { equalBytes, toHex } from '../../src/wire/index.ts'
import { market, people, PRICE, question, signal } from './fixtures.ts'
import type { Market } from './fixtures.ts'
import type { Hash, TaskState } from '../../src/interface/index.ts'
import type { Gateway, PaidAnswer } from '../../src/serving/index.ts'
import type { CID } from 'multiformats/cid'

const strangers = people.values()
const newcomer = (): typeof people[0] => strangers.next().value ?? expect.fail('more people are needed')
const sum = (answers: PaidAnswer[]): bigint => answers.reduce((total, { cosigned }) => total + cosigned.payload.fee, 0n)

/** What the ledger knows that a gateway redeemed for an adapter. */
function sourcesOf (here: Market, adapter: CID, gateway: Gateway): TaskState['sources'] {
  return [...listTasks(here.chain.state())]
    .filter(({ state }) => state.adapter.equals(adapter))
    .flatMap(({ state }) => state.sources)
    .filter(source => equalBytes(source.gateway, gateway.account))
}

const redeemedOf = (here: Market, channel: Hash): bigint | undefined => readChannel(here.chain.state(), channel)?.redeemed

describe('redemption', () => {
  let here: Market

  before(async () => { here = await market() })
  after(async () => here.clean())

  it('takes one operation per channel, with one batch per adapter under the root of its receipts', async () => {
    const keeper = newcomer()
    const shop = await here.shop({ who: keeper })
    const { payer } = await here.customer([shop])
    const dearer = await here.admit({ name: 'dearer', pricePerThousandTokens: 3n * PRICE })
    const free = await here.admit({ name: 'free', pricePerThousandTokens: 0n })
    const [first, second] = [newcomer(), newcomer()]
    const cheap = [await payer.ask(question(here.adapter), first), await payer.ask(question(here.adapter, 'people'), first)]
    const dear = [await payer.ask(question(dearer), first)]
    const gift = await payer.ask(question(free), first)
    const others = [await payer.ask(question(here.adapter), second)]

    expect(gift.cosigned.payload.fee).to.equal(0n)

    const { nonce } = readAccount(here.chain.state(), keeper.account)
    const redemptions = await shop.gateway.redeem({ signal: signal() })

    expect(readAccount(here.chain.state(), keeper.account).nonce).to.equal(nonce + 2)
    expect(new Set(redemptions.map(({ fees }) => fees))).to.deep.equal(new Set([sum([...cheap, ...dear]), sum(others)]))
    expect(redeemedOf(here, cheap[0].cosigned.payload.channel)).to.equal(sum([...cheap, ...dear]))

    const expected = new Map([cheap, dear, others].map(answers => [toHex(receiptsRoot(answers.map(({ cosigned }) => cosigned))), answers]))
    const sources = [...sourcesOf(here, here.adapter, shop.gateway), ...sourcesOf(here, dearer, shop.gateway)]

    expect(sources).to.have.length(3)
    expect(sourcesOf(here, free, shop.gateway)).to.be.empty()

    for (const source of sources) {
      const answers = expected.get(toHex(source.receiptsRoot)) ?? expect.fail('an unknown root')

      expect(source.fees).to.equal(sum(answers))
      expect(source.receipts).to.equal(answers.length)
    }

    // and a second time there is nothing to take
    expect(await shop.gateway.redeem({ signal: signal() })).to.be.empty()
    expect(readAccount(here.chain.state(), keeper.account).nonce).to.equal(nonce + 2)
  })

  it('takes only what came since the last, and no answer that is not co-signed', async () => {
    const shop = await here.shop({ who: newcomer() })
    const { payer } = await here.customer([shop])
    const buyer = newcomer()
    const first = await payer.ask(question(here.adapter), buyer)

    await shop.gateway.redeem({ signal: signal() })

    const second = await payer.ask(question(here.adapter, 'people have', 3), buyer)
    const [again, twice] = await Promise.all([shop.gateway.redeem({ signal: signal() }), shop.gateway.redeem({ signal: signal() })])

    expect(again).to.deep.equal(twice)
    expect(again.map(({ receipts, fees }) => [receipts, fees])).to.deep.equal([[1, second.cosigned.payload.fee]])
    expect(redeemedOf(here, first.cosigned.payload.channel)).to.equal(sum([first, second]))
  })

  it('loses no co-signed receipt at a restart', async () => {
    const who = newcomer()
    const shop = await here.shop({ who })
    const buyer = newcomer()
    const customer = await here.customer([shop])
    const first = await customer.payer.ask(question(here.adapter), buyer)

    await shop.stop()

    const again = await here.shop({ who, folder: shop.folder })
    const returned = await here.customer([again], { folder: (await customer.stop(), customer.folder) })
    const second = await returned.payer.ask(question(here.adapter, 'people', 2), buyer)
    const [redemption] = await again.gateway.redeem({ signal: signal() })

    expect(second.cosigned.payload.sequence).to.equal(1)
    expect([redemption.receipts, redemption.fees]).to.deep.equal([2, sum([first, second])])
  })

  it('passes over channels that are closed, and says when others could not be redeemed', async () => {
    const keeper = newcomer()
    const shop = await here.shop({ who: keeper })
    const { payer } = await here.customer([shop])
    const rejected = await here.admit({ name: 'another' })
    const [first, second] = [newcomer(), newcomer()]
    const { nonce } = readAccount(here.chain.state(), first.account)

    await payer.ask(question(rejected), first)
    await payer.ask(question(here.adapter), second)

    // a channel that the gateway closed has nothing to give any more
    await here.must({ kind: 'close-channel', channel: channelId(here.chain.id, first.account, nonce) }, keeper)
    expect(await shop.gateway.redeem({ signal: signal() })).to.have.length(1)
    await expect(shop.gateway.redeem({ signal: AbortSignal.abort() })).to.eventually.be.rejected.with.property('code', 'ERR_REDEMPTION_FAILED')
  })
})

describe('redemption before a cutoff', () => {
  let here: Market

  before(async () => { here = await market({ epochBlocks: 30, commitBlocks: 2_000 }) })
  after(async () => here.clean())

  it('happens by itself, once a channel and epoch', async () => {
    const shop = await here.shop()
    const { payer } = await here.customer([shop])
    const buyer = newcomer()
    const first = await payer.ask(question(here.adapter), buyer)
    const { nonce } = readAccount(here.chain.state(), shop.gateway.account)

    await here.chain.waitFor(() => redeemedOf(here, first.cosigned.payload.channel) === first.cosigned.payload.fee, { signal: signal() })
    await here.chain.waitFor((_, height) => height % 30 === 1, { signal: signal() })
    expect(readAccount(here.chain.state(), shop.gateway.account).nonce).to.equal(nonce + 1)
    expect(sourcesOf(here, here.adapter, shop.gateway)).to.have.length(1)
  })
})
