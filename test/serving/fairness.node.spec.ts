import { expect } from 'aegir/chai'
import { readAccount, readChannel } from '../../src/ledger/index.ts'
import { payer, signVoucher } from '../../src/serving/index.ts'
import { cidOf } from '../../src/wire/index.ts'
import { market, OPEN, people, question, signal } from './fixtures.ts'
import type { Market, Peer } from './fixtures.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { AskMessage, Gateway, ModelLibrary, Payer } from '../../src/serving/index.ts'

const strangers = people.values()
const newcomer = (): Signer => strangers.next().value ?? expect.fail('more people are needed')

describe('payers and gateways that want something for nothing', () => {
  let here: Market

  // an epoch is short, and a task that no committee judges is over within a few blocks
  before(async () => { here = await market({ epochBlocks: 20, commitBlocks: 1, revealBlocks: 1, openBlocks: 1, verdictBlocks: 1, redrawsMax: 0 }) })
  after(async () => here.clean())

  const balanceOf = ({ account }: Signer): bigint => readAccount(here.chain.state(), account).balance

  /** A payer whose only gateway is `answer` under the name of `keeper`, on a peer of its own. */
  async function customerOf (keeper: Signer, answer: Gateway['ask'], library: ModelLibrary = here.library): Promise<Peer & { payer: Payer }> {
    const peer = await here.peer()
    const offers: Gateway['offers'] = async () => [{ adapter: here.adapter, name: 'tiny', base: here.record.base, pricePerThousandTokens: here.record.pricePerThousandTokens }]
    const gateway: Gateway = {
      account: keeper.account, offers, ask: answer, cosign: async () => expect.fail('nothing to sign'), redeem: async () => [], tidy: async () => ({ closed: [], pruned: 0 }), openings: async () => [], start: async () => {}, stop: async () => {}
    }

    return { ...peer, payer: payer({ network: peer.net, chain: here.chain, library, db: peer.db, gateway }) }
  }

  it('a client that underpays is served nothing: not a token, and no place in its channel', async () => {
    const [keeper, miser] = [newcomer(), newcomer()]
    const shop = await here.shop({ who: keeper })
    const seen: number[] = []
    const told = { signal: signal(), onTokens: (tokens: number[]) => { seen.push(...tokens) } }
    let honest: AskMessage | undefined

    const { payer } = await customerOf(keeper, async (message, options) => {
      honest = message

      // one base unit less than the answer may cost
      const cumulative = message.voucher.cumulative - 1n
      const signature = signVoucher({ type: 'voucher', version: 1, chain: here.chain.id, channel: message.channel, cumulative }, miser)

      return shop.gateway.ask({ ...message, voucher: { cumulative, signature } }, { ...options, ...told })
    })

    await expect(payer.ask(question(here.adapter), miser)).to.eventually.be.rejected.with.property('code', 'ERR_PAYMENT_REQUIRED')
    expect(seen).to.be.empty()
    expect(await shop.gateway.redeem({ signal: signal() })).to.be.empty()

    // the same question at its price is answered in the same place
    const { receipt } = await shop.gateway.ask(honest ?? expect.fail('nothing was asked'), told)

    expect(receipt.sequence).to.equal(0)
    expect(seen).to.have.length(receipt.outputTokens)
  })

  it('a gateway that serves nothing is paid nothing: it has nothing to redeem, and the deposit comes back', async () => {
    const [keeper, buyer] = [newcomer(), newcomer()]
    const shop = await here.shop({ who: keeper })
    const before = [balanceOf(keeper), balanceOf(buyer)]
    let channel: Uint8Array | undefined

    const { payer } = await customerOf(keeper, async message => {
      channel = message.channel

      throw new RangeError('it takes the voucher and says nothing')
    })

    await expect(payer.ask(question(here.adapter), buyer)).to.eventually.be.rejectedWith(RangeError)
    expect(await shop.gateway.redeem({ signal: signal() })).to.be.empty()
    await here.must({ kind: 'close-channel', channel: channel ?? expect.fail('no channel') }, keeper)
    expect([balanceOf(keeper), balanceOf(buyer)]).to.deep.equal(before)
  })

  it('a gateway that redeems a voucher for an answer that it never gave is paid nothing either', async () => {
    const [thief, buyer] = [newcomer(), newcomer()]
    const before = [balanceOf(thief), balanceOf(buyer)]
    let taken: AskMessage | undefined

    const { payer } = await customerOf(thief, async message => {
      taken = message

      throw new RangeError('it keeps the voucher')
    })

    await expect(payer.ask(question(here.adapter), buyer)).to.eventually.be.rejectedWith(RangeError)

    const { channel, voucher: { cumulative, signature } } = taken ?? expect.fail('no voucher')

    // the ledger takes the voucher, but whoever looks for the receipt finds none
    await here.must({ kind: 'redeem', channel, cumulative, voucherSignature: signature, batches: [{ adapter: here.adapter, receiptsRoot: cidOf(Uint8Array.of(7)).multihash.digest, receipts: 1, fees: cumulative }] }, thief)
    await here.chain.waitFor(() => readChannel(here.chain.state(), channel)?.redeemed === cumulative ? true : undefined, { signal: signal() })
    await here.must({ kind: 'close-channel', channel }, thief)
    await here.chain.waitFor(() => balanceOf(buyer) === before[1] ? true : undefined, { signal: signal(50_000) })
    expect(balanceOf(thief) <= before[0]).to.equal(true)
    expect(before[1]).to.equal(1_000n * OPEN)
  })
})
