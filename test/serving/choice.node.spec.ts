import { expect } from 'aegir/chai'
import { ASK_PROTOCOL, OFFERS_PROTOCOL, offersCodec, offersRequestCodec } from '../../src/serving/index.ts'
import { acquaint, market, people, question, signal, signer } from './fixtures.ts'
import type { Market, Peer } from './fixtures.ts'
import type { Network } from '../../src/gossip/index.ts'
import type { Offers } from '../../src/serving/index.ts'
import type { CID } from 'multiformats/cid'

describe('which gateway a payer asks', () => {
  let here: Market

  before(async () => { here = await market() })
  after(async () => here.clean())

  /** A peer that says it is a gateway. */
  const impostor = async (offers: () => Promise<Uint8Array>): Promise<Peer> => here.peer({}, async net => {
    const limits = { requestBytesMax: 65_536, responseBytesMax: 1_048_576, timeoutMs: 60_000 }

    net.handle(OFFERS_PROTOCOL, limits, offers)
    net.handle(ASK_PROTOCOL, limits, async () => { throw new RangeError('no answer') })

    return async () => {}
  })

  it('is one that says what it serves, while another says nothing', async () => {
    const [shop, silent] = [await here.shop(), await impostor(async () => new Promise(() => {}))]
    const { payer } = await here.customer([silent, shop])

    // a silent one is given up after 20 s, and is not waited for that long
    const { text } = await payer.ask(question(here.adapter), people[0], { signal: signal(15_000) })

    expect(text).to.not.be.empty()
  })

  it('is asked for one adapter, however many it lists', async () => {
    const shop = await here.shop()
    const asked = async (net: Network, adapter?: CID): Promise<Offers['offers']> => {
      const { net: own } = await here.peer()
      const request = offersRequestCodec.encode({ type: 'offers-request', ...(adapter == null ? {} : { adapter }) })

      return offersCodec.decode(await own.request(await acquaint(own, net), OFFERS_PROTOCOL, request, { responseBytesMax: offersCodec.bytesMax, signal: signal() })).offers
    }
    const cids = (offers: Offers['offers']): string[] => offers.map(({ adapter }) => adapter.toString())

    expect(cids(await asked(shop.net))).to.deep.equal([here.record.base.toString(), here.adapter.toString()])
    expect(cids(await asked(shop.net, here.adapter))).to.deep.equal([here.adapter.toString()])
    expect(cids(await asked(shop.net, here.record.base))).to.deep.equal([here.record.base.toString()])
    expect(await asked(shop.net, here.record.recipe)).to.be.empty()
  })

  it('is another one after it gave no answer, though a channel with it is open', async () => {
    const { adapter, record: { base } } = here
    const offers = offersCodec.encode({ type: 'offers', gateway: signer('impostor').account, offers: [{ adapter, name: 'tiny', base, pricePerThousandTokens: here.record.pricePerThousandTokens }] })
    const [shop, liar] = [await here.shop(), await impostor(async () => offers)]
    const { payer, net } = await here.customer([liar])

    await expect(payer.ask(question(adapter), people[1])).to.eventually.be.rejected.with.property('code', 'ERR_GATEWAY_REFUSED')
    await acquaint(net, shop.net)
    expect((await payer.ask(question(adapter), people[1])).text).to.not.be.empty()
  })
})
