import { expect } from 'aegir/chai'
import { channelId, readAccount } from '../../src/ledger/index.ts'
import { signVoucher } from '../../src/serving/index.ts'
import { market, OPEN, people, PRICE, question, shopkeeper } from './fixtures.ts'
import type { Market, Peer } from './fixtures.ts'
import type { Gateway } from '../../src/serving/index.ts'

let here: Market
let shop: Peer & { gateway: Gateway }

before(async () => {
  here = await market()
  shop = await here.shop()
})

after(async () => here.clean())

describe('prices of prompts and of answers', () => {
  it('are charged apart where an adapter has both, and quoted before', async () => {
    const both = await here.admit({ name: 'both', pricePerThousandTokens: 3n * PRICE, promptPricePerThousandTokens: PRICE })
    const { payer } = await here.customer([shop])
    const quote = await payer.quote(question(both))
    const { cosigned: { payload } } = await payer.ask(question(both), people[0])

    expect(quote).to.deep.include({ pricePerThousandTokens: 3n * PRICE, promptPricePerThousandTokens: PRICE })
    expect(quote.feeMax).to.equal((PRICE * BigInt(quote.promptTokens) + 3n * PRICE * 6n + 999n) / 1_000n)
    expect(payload.fee).to.equal((PRICE * BigInt(payload.promptTokens) + 3n * PRICE * BigInt(payload.outputTokens) + 999n) / 1_000n)
    expect(payload.promptTokens).to.equal(quote.promptTokens)
  })

  it('are not avoided by a voucher over less', async () => {
    const buyer = people[1]
    const dear = await here.admit({ name: 'dear-prompt', pricePerThousandTokens: 0n, promptPricePerThousandTokens: 3n * PRICE })
    const { nonce } = readAccount(here.chain.state(), buyer.account)
    const channel = channelId(here.chain.id, buyer.account, nonce)
    const { feeMax } = await (await here.customer([shop])).payer.quote(question(dear))
    const ask = async (cumulative: bigint): ReturnType<Gateway['ask']> => shop.gateway.ask({
      type: 'ask',
      ...question(dear),
      payer: buyer.account,
      channel,
      sequence: 0,
      voucher: { cumulative, signature: signVoucher({ type: 'voucher', version: 1, chain: here.chain.id, channel, cumulative }, buyer) }
    })

    await here.must({ kind: 'open-channel', gateway: shopkeeper.account, amount: OPEN, expiresAtHeight: here.chain.height + 100_000 }, buyer)

    expect(feeMax > 0n).to.equal(true)
    await expect(ask(feeMax - 1n)).to.eventually.be.rejected.with.property('code', 'ERR_PAYMENT_REQUIRED')
    expect((await ask(feeMax)).receipt.fee).to.equal(feeMax)
  })
})
