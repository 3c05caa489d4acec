import { expect } from 'aegir/chai'
import { channelId, readAccount, readChain, readChannel } from '../../src/ledger/index.ts'
import { signVoucher } from '../../src/serving/index.ts'
import { toHex } from '../../src/wire/index.ts'
import { market, OPEN, people, question, signal } from './fixtures.ts'
import type { Market } from './fixtures.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Hash } from '../../src/interface/index.ts'

const strangers = people.values()
const newcomer = (): Signer => strangers.next().value ?? expect.fail('more people are needed')

describe('a channel that nobody uses', () => {
  let here: Market

  // an epoch is short, and a task that no committee judges is over within a few blocks
  before(async () => { here = await market({ epochBlocks: 20, commitBlocks: 1, revealBlocks: 1, openBlocks: 1, verdictBlocks: 1, redrawsMax: 0 }) })
  after(async () => here.clean())

  const balanceOf = ({ account }: Signer): bigint => readAccount(here.chain.state(), account).balance
  const isClosed = (channel: Hash): boolean => readChannel(here.chain.state(), channel)?.closed === true

  async function openChannel (who: Signer, gateway: Signer, blocks: number): Promise<Hash> {
    const { nonce } = readAccount(here.chain.state(), who.account)

    await here.must({ kind: 'open-channel', gateway: gateway.account, amount: OPEN, expiresAtHeight: here.chain.height + blocks }, who)

    return channelId(here.chain.id, who.account, nonce)
  }

  it('is closed by its gateway once everything is redeemed, and the rest comes back; the next question opens another', async () => {
    const [keeper, buyer] = [newcomer(), newcomer()]
    const shop = await here.shop({ who: keeper, idleBlocks: 0 })
    const { payer } = await here.customer([shop])
    const before = balanceOf(buyer)
    const { cosigned: { payload } } = await payer.ask(question(here.adapter), buyer)

    await shop.gateway.redeem({ signal: signal() })

    const { closed } = await shop.gateway.tidy({ signal: signal() })

    expect(closed).to.deep.equal([toHex(payload.channel)])
    expect(balanceOf(buyer)).to.equal(before - payload.fee)
    expect((await payer.ask(question(here.adapter), buyer)).cosigned.payload).to.deep.include({ sequence: 0 })
  })

  it('stays open while something is not redeemed, not paid, or it was used not long ago', async () => {
    const [keeper, buyer, debtor] = [newcomer(), newcomer(), newcomer()]
    const shop = await here.shop({ who: keeper, idleBlocks: 0 })
    const patient = await here.shop({ who: newcomer(), idleBlocks: 1_000_000 })
    const { payer } = await here.customer([shop])
    const { payer: other } = await here.customer([patient])
    const channel = await openChannel(debtor, keeper, 1_000)
    const voucher = { type: 'voucher' as const, version: 1 as const, chain: here.chain.id, channel, cumulative: OPEN }

    await payer.ask(question(here.adapter), buyer)
    await shop.gateway.ask({ type: 'ask', ...question(here.adapter), payer: debtor.account, channel, sequence: 0, voucher: { cumulative: OPEN, signature: signVoucher(voucher, debtor) } })
    await other.ask(question(here.adapter), buyer)
    await patient.gateway.redeem({ signal: signal() })

    expect((await patient.gateway.tidy({ signal: signal() })).closed).to.be.empty()
    // the buyer's may have been redeemed by itself before a cutoff, the debtor's answer is not paid by anybody
    expect((await shop.gateway.tidy({ signal: signal() })).closed).to.not.include(toHex(channel))
    expect(isClosed(channel)).to.equal(false)
  })

  it('is given back to its payer after its expiry if the gateway has gone, and not before', async () => {
    const [keeper, buyer] = [newcomer(), newcomer()]
    const shop = await here.shop({ who: keeper })
    const { payer } = await here.customer([shop])
    const before = balanceOf(buyer)
    const channel = await openChannel(buyer, keeper, 60)

    expect((await payer.ask(question(here.adapter), buyer)).cosigned.payload.channel).to.deep.equal(channel)
    await shop.stop()
    expect(await payer.reclaim([buyer], { signal: signal() })).to.be.empty()
    await here.chain.waitFor((state, height) => height >= (readChannel(state, channel)?.expiresAtHeight ?? 0), { signal: signal() })
    expect(await payer.reclaim([newcomer()], { signal: signal() })).to.be.empty()
    expect(await payer.reclaim([buyer], { signal: signal() })).to.deep.equal([channel])
    // a gateway that served but did not redeem in time gets nothing
    expect(balanceOf(buyer)).to.equal(before)
    expect(await payer.reclaim([buyer], { signal: signal() })).to.be.empty()
  })

  it('leaves no receipts behind once their tasks are over, and loses none before', async () => {
    const shop = await here.shop({ who: newcomer(), idleBlocks: 1_000_000 })
    const { payer } = await here.customer([shop])
    const buyer = newcomer()

    await here.chain.waitFor((_, height) => height % 20 === 1, { signal: signal() })
    await payer.ask(question(here.adapter), buyer)
    await payer.ask(question(here.adapter, 'people'), buyer)
    await shop.gateway.redeem({ signal: signal() })
    expect((await shop.gateway.tidy({ signal: signal() })).pruned).to.equal(0)
    await here.chain.waitFor(state => readChain(state).openTasks.length === 0, { signal: signal() })
    expect((await shop.gateway.tidy({ signal: signal() })).pruned).to.equal(2)
    expect((await shop.gateway.tidy({ signal: signal() })).pruned).to.equal(0)
  })
})
