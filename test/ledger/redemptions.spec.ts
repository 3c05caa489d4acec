import { expect } from 'aegir/chai'
import { signPayload } from '../../src/identity/index.ts'
import { channelId, listTasks, listWaiting, readAccount, readChain, readChannel, readTask, stateCodecs, stateKeys } from '../../src/ledger/index.ts'
import { taskId } from '../../src/scoring/index.ts'
import { domains, equalBytes, hash, voucherCodec } from '../../src/wire/index.ts'
import { adapter, admitAdapter, alice, attestBody, base, bob, carol, CHAIN, cid, contributions, developer, gateway, honest, Network, OPEN, payer, validators } from './network.ts'
import type { Request } from './network.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Hash, NetworkParams, TaskState, Voucher } from '../../src/interface/index.ts'

/** Somebody who redeems answers of the adapter through a channel of one payer. */
class Shop {
  readonly who: Signer
  readonly payer: Signer
  readonly channel: Hash
  cumulative = 0n

  constructor (network: Network, who: Signer, from: Signer) {
    this.who = who
    this.payer = from
    this.channel = channelId(CHAIN, from.account, readAccount(network.state, from.account).nonce)
    network.must([from, { kind: 'open-channel', gateway: who.account, amount: 1_000n * OPEN, expiresAtHeight: 10_000 }])
  }

  redeem (fees: bigint, receipts = 1, of = adapter): Request {
    this.cumulative += fees

    const voucher: Voucher = { type: 'voucher', version: 1, chain: CHAIN, channel: this.channel, cumulative: this.cumulative }

    return [this.who, {
      kind: 'redeem',
      channel: this.channel,
      cumulative: this.cumulative,
      voucherSignature: signPayload(domains.voucher, voucherCodec, voucher, this.payer),
      batches: [{ adapter: of, receiptsRoot: hash('receipts', this.channel, Uint8Array.of(Number(this.cumulative % 251n))), receipts, fees }]
    }]
  }

  /** Whether the ledger takes it; if not, the voucher is as if it had never been. */
  tries (network: Network, fees: bigint, receipts = 1): string {
    const before = this.cumulative
    const code = network.try(...this.redeem(fees, receipts))

    this.cumulative = code === 'ok' ? this.cumulative : before

    return code
  }

  in ({ sources }: TaskState): number {
    return sources.filter(({ channel }) => equalBytes(channel, this.channel)).length
  }
}

function open (params: Partial<NetworkParams> = {}): { network: Network, shop: Shop, villain: Shop } {
  const network = new Network({ epochBlocks: 12, ...params })

  admitAdapter(network)
  const villain = new Shop(network, carol, alice)
  const shop = new Shop(network, gateway, payer)
  const { epoch } = readChain(network.state)

  // a whole epoch is ahead
  network.until(() => readChain(network.state).epoch > epoch)

  return { network, shop, villain }
}

const taskOf = (network: Network, epoch = readChain(network.state).epoch): TaskState => readTask(network.state, taskId(CHAIN, epoch, adapter)) ?? expect.fail('no task')
const waiting = (network: Network): bigint[] => [...listWaiting(network.state)].map(({ source: { fees } }) => fees)

describe('a task that is full', () => {
  it('of cheap redemptions keeps nobody out who pays more', () => {
    const { network, shop, villain } = open()

    network.must(...Array.from({ length: 128 }, () => villain.redeem(1n)))
    expect(shop.tries(network, 10n * OPEN, 5)).to.equal('ok')
    expect(shop.in(taskOf(network))).to.equal(1)
    expect(taskOf(network)).to.deep.include({ fees: 10n * OPEN + 127n })
    expect(waiting(network)).to.deep.equal([1n])
  })

  it('of cheap receipts keeps nobody out who pays more for each', () => {
    const { network, shop, villain } = open()

    network.must(...Array.from({ length: 16 }, () => villain.redeem(512n, 512)))
    expect(shop.tries(network, OPEN, 300)).to.equal('ok')
    expect(taskOf(network).sources.reduce((sum, { receipts }) => sum + receipts, 0)).to.equal(15 * 512 + 300)
    // there is room for 212 more, which cost what they like
    expect(villain.tries(network, 1n, 212)).to.equal('ok')
    expect(waiting(network)).to.deep.equal([512n])
  })

  it('gives no place to who pays as much as those that are in it, or buys places with few receipts', () => {
    const { network, shop, villain } = open()

    network.must(...Array.from({ length: 128 }, () => shop.redeem(6_400n, 64)))
    expect(villain.tries(network, 6_400n, 64)).to.equal('ok')
    // more for its one receipt, and not for the place of 64
    expect(villain.tries(network, 6_400n, 1)).to.equal('ok')
    expect(villain.in(taskOf(network))).to.equal(0)
    expect(waiting(network)).to.deep.equal([6_400n, 6_400n])
    expect(villain.tries(network, 6_401n, 1)).to.equal('ok')
    expect(villain.in(taskOf(network))).to.equal(1)
  })

  it('takes nothing from who finds no place before his channel ends', () => {
    const { network, shop, villain } = open()
    const { epoch } = readChain(network.state)
    const before = network.balance(gateway)

    network.must(...Array.from({ length: 128 }, () => villain.redeem(2n * OPEN)))
    expect(shop.tries(network, OPEN)).to.equal('ok')
    expect(waiting(network)).to.deep.equal([OPEN])
    expect(network.balance(gateway)).to.equal(before - OPEN)
    // paid once, and by the channel no more
    expect(readChannel(network.state, shop.channel)).to.deep.include({ redeemed: OPEN })
    network.must([gateway, { kind: 'close-channel', channel: shop.channel }])
    network.until(() => readChain(network.state).epoch > epoch)
    expect(waiting(network)).to.deep.equal([])
    expect(taskOf(network)).to.deep.include({ fees: OPEN })
  })

  it('lets nobody push out many with one redemption', () => {
    const { network, shop } = open()

    expect(shop.tries(network, OPEN, 513)).to.equal('ERR_BATCHES')
    expect(shop.tries(network, OPEN, 512)).to.equal('ok')
  })
})

describe('a redemption that waits', () => {
  it('comes when there is room, though its adapter has no task when an epoch ends', () => {
    const { network, shop } = open()
    const others = [cid('another'), cid('a third')]

    network.must(...others.map((adapter): Request => [developer, { kind: 'publish-adapter', adapter, base, snapshot: cid('snapshot'), contributions }]))
    network.must(...others.flatMap(subject => validators.map((who): Request => [who, attestBody(network.state, subject)])))

    const stuck = Array.from({ length: 1_024 }, (_, i) => hash('stuck', Uint8Array.of(i >> 8, i)))
    const nextEpoch = (openTasks: Hash[]): void => {
      const { epoch } = readChain(network.state)
      const chain = stateCodecs.chain.encode({ ...readChain(network.state), openTasks })

      network.state = { ...network.state, map: network.state.map.set(stateKeys.chain, chain) }
      network.until(() => readChain(network.state).epoch > epoch)
    }

    nextEpoch(stuck)
    network.must(shop.redeem(OPEN), shop.redeem(2n), shop.redeem(5n, 1, others[0]), shop.redeem(3n, 1, others[1]))
    nextEpoch(stuck)
    expect(waiting(network)).to.have.members([OPEN, 2n, 5n, 3n])
    // room for two of three tasks
    nextEpoch(stuck.slice(2))
    expect([...listTasks(network.state)]).to.have.length(2)
    nextEpoch(stuck.slice(3))
    expect(waiting(network)).to.deep.equal([])
    expect([...listTasks(network.state)].map(({ state }) => state.fees)).to.have.members([OPEN + 2n, 5n, 3n])
  })

  it('is in the next task before anybody redeems, is paid there, and loses nothing', () => {
    const { network, shop, villain } = open()
    const balances = (): bigint[] => [network.balance(gateway), network.balance(payer)]
    const before = balances()
    const epoch = readChain(network.state).epoch

    network.must(shop.redeem(3n * OPEN, 3))
    network.must(...Array.from({ length: 128 }, () => villain.redeem(4n * OPEN)))
    expect(shop.in(taskOf(network))).to.equal(0)
    expect(waiting(network)).to.deep.equal([3n * OPEN])
    // a closed channel changes nothing of what was redeemed
    network.must([gateway, { kind: 'close-channel', channel: shop.channel }])
    network.until(() => readChain(network.state).epoch === epoch + 1)
    expect(waiting(network)).to.deep.equal([])
    expect(taskOf(network)).to.deep.include({ phase: 'collecting', deadline: 0, fees: 3n * OPEN })
    expect(network.events.some(event => event.type === 'task' && event.epoch === epoch + 1 && event.phase === 'collecting')).to.equal(true)

    const task = taskId(CHAIN, epoch + 1, adapter)

    network.until(() => network.task(task).phase === 'commit')
    network.must(...honest.map(one => one.commit(network, task)))
    network.must(...honest.map(one => one.reveal(task)))
    network.must(...honest.map(one => one.open(network, task)))
    network.until(() => network.task(task).phase === 'settled')
    expect(network.try(bob, honest[0].claim(task))).to.equal('ok')
    expect(network.task(task)).to.deep.include({ dataPool: 3n * OPEN / 2n, epoch: epoch + 1 })
    expect(balances()).to.deep.equal([before[0], before[1] + 1_000n * OPEN - 3n * OPEN])
  })

  it('comes by what it pays, not by when it came, and may give way again', () => {
    const { network, shop, villain } = open()
    const { epoch } = readChain(network.state)

    network.must(shop.redeem(2n * OPEN))
    // twice as many as a task takes, each dearer than the one before
    for (let i = 0; i < 4; i++) {
      network.must(...Array.from({ length: 64 }, (_, j) => villain.redeem(BigInt(1 + i * 64 + j))))
    }
    expect(waiting(network)).to.have.length(129)
    expect(shop.in(taskOf(network))).to.equal(1)
    network.until(() => readChain(network.state).epoch === epoch + 1)
    // of those that wait the best paid 128 are in, and one goes on waiting
    expect(waiting(network)).to.deep.equal([1n])
    expect(taskOf(network).sources.map(({ fees }) => fees)).to.deep.equal(Array.from({ length: 128 }, (_, i) => BigInt(129 - i)))
    expect(shop.tries(network, OPEN)).to.equal('ok')
    expect(waiting(network)).to.have.members([1n, 2n])
    network.until(() => readChain(network.state).epoch === epoch + 2)
    expect(taskOf(network).sources.map(({ fees }) => fees)).to.deep.equal([2n, 1n])
  })
})
