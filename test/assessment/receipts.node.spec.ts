import { expect } from 'aegir/chai'
import { assess } from '../../src/assessment/index.ts'
import { signRecord } from '../../src/identity/index.ts'
import { channelId, listTasks, readAccount, readTask } from '../../src/ledger/index.ts'
import {
  openingsCodec, RECEIPTS_PROTOCOL, receiptsRequestCodec, receiptsRoot, signReceipt, signVoucher, tokensHash
} from '../../src/serving/index.ts'
import { training } from '../../src/training/index.ts'
import { domains, signedCodec } from '../../src/wire/index.ts'
import { acquaint, assessors, OPEN, people, SAMPLER, signal, validator } from '../serving/fixtures.ts'
import { court, inPhase, seat, trade } from './fixtures.ts'
import type { Shop } from './fixtures.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Hash, ReceiptOpening, TaskState } from '../../src/interface/index.ts'
import type { ReceiptsRequest } from '../../src/serving/index.ts'
import type { Market } from '../serving/fixtures.ts'
import type { CID } from 'multiformats/cid'

const requestCodec = signedCodec(receiptsRequestCodec)

describe('receipts of a task', () => {
  const [member, ...rest] = assessors.slice(0, 3)
  const outsider = assessors[5]
  let here: Market
  let shop: Shop
  let task: Hash
  let state: TaskState

  before(async () => {
    ({ here, shop } = await court({ plantsPerEpoch: 0 }, [member, ...rest]))
    await trade(here, shop);
    ({ task, state } = await inPhase(here, 'commit'))
  })

  after(async () => here.clean())

  /** What a peer gets for a request that was made for `peer`. */
  async function ask (who: Signer, change: Partial<ReceiptsRequest> = {}): Promise<ReceiptOpening[]> {
    const { net } = await here.peer()
    const to = await acquaint(net, shop.net)
    const payload: ReceiptsRequest = {
      type: 'receipts-request', chain: here.chain.id, task, receiptsRoot: state.sources[0].receiptsRoot, assessor: who.account, peer: net.peerId.toString(), ...change
    }
    const request = requestCodec.encode(signRecord(domains.receiptsRequest, receiptsRequestCodec, payload, who))

    return openingsCodec.decode(await net.request(to, RECEIPTS_PROTOCOL, request, { responseBytesMax: openingsCodec.bytesMax, signal: signal() })).openings
  }

  it('are opened to a seat of its committee, as they were redeemed', async () => {
    const openings = await ask(member)

    expect(receiptsRoot(openings.map(({ receipt }) => receipt))).to.deep.equal(state.sources[0].receiptsRoot)
    expect(openings).to.have.length(state.sources[0].receipts)
  })

  it('are opened to nobody else, not even with a member\'s request', async () => {
    for (const [who, change] of [
      [outsider, {}],
      // validators read receipts only while they judge a dissent
      [validator, {}],
      [member, { task: new Uint8Array(32) }],
      [member, { receiptsRoot: new Uint8Array(32) }],
      [member, { chain: 'elsewhere' }],
      // what another gateway was sent by a member
      [member, { peer: shop.net.peerId.toString() }]
    ] as const) {
      await expect(ask(who, change), JSON.stringify(Object.keys(change))).to.eventually.be.rejected.with.property('remoteCode', 'ERR_NOT_ENTITLED')
    }

    await expect(ask(outsider, { assessor: member.account })).to.eventually.be.rejected.with.property('remoteCode').that.matches(/AUTHOR|SIGNATURE/)
  })

  it('are missing, not false, where a peer sends other tokens with them: another seat may get the true ones', async () => {
    const openings = (await ask(member)).map(one => ({ ...one, output: one.output.toReversed() }))
    const liar = await here.peer({}, async net => {
      net.handle(RECEIPTS_PROTOCOL, { requestBytesMax: 2_000, responseBytesMax: 100_000 }, async () => openingsCodec.encode({ type: 'openings', openings }))

      return async () => {}
    })
    const { net } = await here.peer()
    const jobs = { assess: async () => expect.fail('nothing is there to be recomputed') }

    await acquaint(net, liar.net)
    await expect(assess({ network: net, storage: here.here.storage, training: jobs }, here.chain.state(), task, state, member, { signal: signal() }))
      .to.eventually.be.rejected.with.property('code', 'ERR_RECEIPTS_UNAVAILABLE')
  })
})

describe('a gateway that redeems what did not happen', () => {
  const three = assessors.slice(0, 3)
  const [crook, accomplice, victim] = people.slice(10)
  let here: Market

  afterEach(async () => here.clean())

  interface Fields { adapter: CID, channel: Hash, sequence: number, fee: bigint, payer: Signer, cumulative?: bigint }

  function opening ({ adapter, channel, sequence, fee, payer, cumulative = fee }: Fields): ReceiptOpening {
    const salt = new Uint8Array(32).fill(sequence)
    const [prompt, output] = [[0, 2, 3], [4, 5]]
    const payload: ReceiptOpening['receipt']['payload'] = {
      type: 'receipt',
      version: 1,
      chain: here.chain.id,
      adapter,
      gateway: crook.account,
      payer: payer.account,
      channel,
      sequence,
      promptHash: tokensHash('prompt', salt, prompt),
      outputHash: tokensHash('output', salt, output),
      promptTokens: prompt.length,
      outputTokens: output.length,
      sampler: SAMPLER,
      fee,
      cumulative
    }

    return { receipt: { payload, gatewaySignature: signReceipt(payload, crook), payerSignature: signReceipt(payload, payer) }, salt, prompt, output }
  }

  /** Redeems 10 base units of a channel for these openings. */
  async function redeem (channel: Hash, payer: Signer, adapter: CID, openings: ReceiptOpening[], receipts = openings.length): Promise<void> {
    const voucher = { type: 'voucher' as const, version: 1 as const, chain: here.chain.id, channel, cumulative: 10n }
    const root = receiptsRoot(openings.map(({ receipt }) => receipt))

    await here.must({ kind: 'redeem', channel, cumulative: 10n, voucherSignature: signVoucher(voucher, payer), batches: [{ adapter, receiptsRoot: root, receipts, fees: 10n }] }, crook)
  }

  it('loses its bonds: payers get their money back', async () => {
    const made = await court({ epochBlocks: 60 }, three)

    here = made.here

    const adapters = [here.adapter, await here.admit({ name: 'second' }), await here.admit({ name: 'third' }), await here.admit({ name: 'fourth' }), await here.admit({ name: 'fifth' }), await here.admit({ name: 'sixth' })]
    const channels: Hash[] = []

    for (let i = 0; i <= adapters.length; i++) {
      const payer = i < adapters.length ? victim : accomplice
      const { nonce } = readAccount(here.chain.state(), payer.account)

      await here.must({ kind: 'open-channel', gateway: crook.account, amount: OPEN, expiresAtHeight: 100_000 }, payer)
      channels.push(channelId(here.chain.id, payer.account, nonce))
    }

    const receipt = (i: number, fields: Partial<Fields> = {}): ReceiptOpening => opening({ adapter: adapters[i], channel: channels[i], sequence: 0, fee: 10n, payer: victim, ...fields })
    const unsigned = receipt(4)
    const sets = [
      // signed by an accomplice, paid from the victim's voucher
      [receipt(0, { payer: accomplice })],
      // beside a true receipt one that nobody paid, whose fee would outweigh all others
      [receipt(1), receipt(1, { channel: channels[6], payer: accomplice, fee: OPEN })],
      // one receipt twice
      [receipt(2, { fee: 5n }), receipt(2, { fee: 5n })],
      // of another adapter
      [receipt(0, { channel: channels[3] })],
      // signed by nobody for the payer
      [{ ...unsigned, receipt: { ...unsigned.receipt, payerSignature: new Uint8Array(64) } }],
      // of the same count and fees, but of another redemption of the channel
      [receipt(5, { cumulative: 30n })]
    ]
    const answers = new Map(sets.map(openings => [receiptsRoot(openings.map(one => one.receipt)).join(), openings]))
    const peer = await here.peer({}, async net => {
      net.handle(RECEIPTS_PROTOCOL, { requestBytesMax: 2_000, responseBytesMax: 100_000 }, async bytes =>
        openingsCodec.encode({ type: 'openings', openings: answers.get(requestCodec.decode(bytes).payload.receiptsRoot.join()) ?? [] }))

      return async () => {}
    })

    await here.chain.waitFor((_, height) => height % 60 < 20, { signal: signal() })

    for (const [i, openings] of sets.entries()) {
      await redeem(channels[i], victim, adapters[i], openings, i === 1 ? 1 : openings.length)
    }

    const [before, backed] = [victim, crook].map(who => readAccount(here.chain.state(), who.account).balance)
    const jobs = { assess: async () => expect.fail('no false receipt is recomputed') }

    await Promise.all(three.map(async who => seat(here, { ...made.shop, ...peer }, who, { training: jobs })))
    await here.chain.waitFor(ledger => [...listTasks(ledger)].every(({ state }) => state.phase === 'unavailable'), { signal: signal(60_000) })

    for (const { task } of listTasks(here.chain.state())) {
      // the third may come too late: two thirds end the phase
      expect(readTask(here.chain.state(), task)?.seats.filter(({ report, fault }) => report?.fault === 'false' && fault == null)).to.have.length.of.at.least(2)
    }

    expect([...listTasks(here.chain.state())]).to.have.length(sets.length)
    expect(readAccount(here.chain.state(), victim.account).balance).to.equal(before + 60n)
    // what backed the redemptions is gone
    expect(readAccount(here.chain.state(), crook.account).balance).to.equal(backed)
    expect([...listTasks(here.chain.state())].flatMap(({ state }) => state.sources.map(({ fault, bond }) => [fault, bond]))).to.deep.equal(sets.map(() => ['false', 10n]))
  })

  it('loses its bond for an answer that the adapter never gave, and for one above its price', async () => {
    const made = await court({ epochBlocks: 60 }, three)

    here = made.here

    const second = await here.admit({ name: 'second' })
    const cases: Array<[CID, bigint, bigint]> = [[here.adapter, 10n, 10n], [second, OPEN / 2n, OPEN / 2n]]
    const answers = new Map<string, ReceiptOpening[]>()
    const redeemed: Hash[] = []

    for (const [adapter, fee] of cases) {
      const { nonce } = readAccount(here.chain.state(), victim.account)

      await here.must({ kind: 'open-channel', gateway: crook.account, amount: OPEN, expiresAtHeight: 100_000 }, victim)
      const channel = channelId(here.chain.id, victim.account, nonce)
      const openings = [opening({ adapter, channel, sequence: 0, fee, payer: victim })]

      answers.set(receiptsRoot(openings.map(one => one.receipt)).join(), openings)
      redeemed.push(channel)
    }

    const peer = await here.peer({}, async net => {
      net.handle(RECEIPTS_PROTOCOL, { requestBytesMax: 2_000, responseBytesMax: 100_000 }, async bytes =>
        openingsCodec.encode({ type: 'openings', openings: answers.get(requestCodec.decode(bytes).payload.receiptsRoot.join()) ?? [] }))

      return async () => {}
    })

    await here.chain.waitFor((_, height) => height % 60 < 20, { signal: signal() })
    const [before, backed] = [victim, crook].map(who => readAccount(here.chain.state(), who.account).balance)

    for (const [i, [adapter, fee, cumulative]] of cases.entries()) {
      const voucher = { type: 'voucher' as const, version: 1 as const, chain: here.chain.id, channel: redeemed[i], cumulative }
      const [openings] = [...answers.values()].slice(i)

      await here.must({ kind: 'redeem', channel: redeemed[i], cumulative, voucherSignature: signVoucher(voucher, victim), batches: [{ adapter, receiptsRoot: receiptsRoot(openings.map(({ receipt }) => receipt)), receipts: 1, fees: fee }] }, crook)
    }

    const jobs = training({ threads: 1 })(here.here.components)
    const seats = await Promise.all(three.map(async who => seat(here, { ...made.shop, ...peer }, who, { training: jobs })))

    await here.chain.waitFor(ledger => [...listTasks(ledger)].every(({ state }) => state.phase === 'unavailable'), { signal: signal(60_000) })
    expect([...listTasks(here.chain.state())].flatMap(({ state }) => state.sources.map(({ fault }) => fault))).to.deep.equal(['false', 'false'])
    expect([victim, crook].map(who => readAccount(here.chain.state(), who.account).balance)).to.deep.equal([before + 10n + OPEN / 2n, backed - 10n - OPEN / 2n])
    expect(seats.flatMap(({ events }) => events).flatMap(event => event.type === 'assessor:unavailable' ? [event.reason] : []).toSorted()).to.satisfy((reasons: string[]) =>
      reasons.some(reason => reason.includes('does not follow')) && reasons.some(reason => reason.includes('price')))
  })
})
