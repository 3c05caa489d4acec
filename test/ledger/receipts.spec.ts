import { expect } from 'aegir/chai'
import { bls, blsSecretKey, deriveSeed, signPayload } from '../../src/identity/index.ts'
import { channelId, readAccount, readChain } from '../../src/ledger/index.ts'
import { taskId } from '../../src/scoring/index.ts'
import { domains, hash, voucherCodec } from '../../src/wire/index.ts'
import { adapter, admitAdapter, alice, Assessor, assessors, bob, carol, CHAIN, gateway, honest, Network, OPEN, openChannel, payer, redeemBody, treasury, validators } from './network.ts'
import type { Request } from './network.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Hash, NetworkParams, ReceiptsFault } from '../../src/interface/index.ts'

const GOOD = 4n * OPEN
const BAD = 3n * OPEN

/** A task of two redemptions: one of Carol's gateway, then one of another. */
function start (params: Partial<NetworkParams> = {}): { network: Network, task: Hash, before: Record<string, bigint> } {
  const network = new Network(params)

  admitAdapter(network)
  const good = openChannel(network)
  const bad = channelId(CHAIN, alice.account, readAccount(network.state, alice.account).nonce)

  network.must([alice, { kind: 'open-channel', gateway: carol.account, amount: 10n * OPEN, expiresAtHeight: 10_000 }])
  const before = balances(network)
  const task = taskId(CHAIN, readChain(network.state).epoch, adapter)
  const voucher = { type: 'voucher' as const, version: 1 as const, chain: CHAIN, channel: bad, cumulative: BAD }

  network.must([gateway, redeemBody(good, GOOD)], [carol, {
    kind: 'redeem',
    channel: bad,
    cumulative: BAD,
    voucherSignature: signPayload(domains.voucher, voucherCodec, voucher, alice),
    batches: [{ adapter, receiptsRoot: hash('made up'), receipts: 1, fees: BAD }]
  }])
  network.until(() => network.task(task).phase === 'commit')

  return { network, task, before }
}

const balances = (network: Network): Record<string, bigint> =>
  Object.fromEntries(Object.entries({ payer, alice, gateway, carol, treasury }).map(([name, who]) => [name, network.balance(who)]))

const report = (who: Signer, task: Hash, fault: ReceiptsFault = 'false', source: number | null = 1): Request => [who, { kind: 'report-receipts', task, fault, source }]
const judge = (who: Signer, task: Hash, source: number | null): Request => [who, { kind: 'judge-receipts', task, source }]

/** The committee of the moment does its work. */
function assess (network: Network, task: Hash, team = honest): void {
  network.until(() => network.task(task).phase === 'commit')
  network.must(...team.map(one => one.commit(network, task)))
  network.until(() => network.task(task).phase === 'reveal')
  network.must(...team.map(one => one.reveal(task)))
  network.must(...team.map(one => one.open(network, task)))
  network.until(() => network.task(task).phase === 'settled')
}

describe('a gateway', () => {
  it('backs what it redeems with as much of its own, and has it back when the task is settled', () => {
    const { network, task, before } = start()

    expect(network.balance(gateway)).to.equal(before.gateway - GOOD)
    assess(network, task)
    expect(network.balance(gateway)).to.equal(before.gateway)
    expect(network.balance(carol)).to.equal(before.carol)
  })

  it('that has nothing to lose cannot redeem', () => {
    const network = new Network()

    admitAdapter(network)
    const channel = openChannel(network, 9_000n * OPEN)

    network.must([gateway, { kind: 'transfer', to: alice.account, amount: network.balance(gateway) - OPEN }])
    expect(network.try(gateway, redeemBody(channel, 2n * OPEN))).to.equal('ERR_INSUFFICIENT_FUNDS')
    expect(network.try(gateway, redeemBody(channel, OPEN))).to.equal('ok')
  })
})

describe('a false receipt', () => {
  it('that two thirds of the seats find costs its gateway the bond, and its payer has the fees back', () => {
    const { network, task, before } = start()

    network.must(...assessors.slice(0, 5).map(who => report(who, task)))
    expect(network.task(task)).to.deep.include({ phase: 'collecting', fees: GOOD, redraws: 0 })
    expect(network.task(task).sources.map(({ fault }) => fault)).to.deep.equal([null, 'false'])
    expect(network.balance(alice)).to.equal(before.alice + BAD)
    expect(network.balance(carol)).to.equal(before.carol - BAD)
    expect(network.balance(treasury)).to.equal(before.treasury + BAD)
    expect(assessors.map(who => network.staked(who))).to.deep.equal(assessors.map(() => 500n * OPEN))

    // the other gateway's receipts are assessed and paid as if nothing had been
    assess(network, task)
    expect(network.balance(gateway)).to.equal(before.gateway)
    expect(network.task(task).dataPool).to.equal(GOOD / 2n)
    expect(network.try(alice, honest[0].claim(task))).to.equal('ok')
  })

  it('has the next committee drawn two blocks later, so that whoever puts the last report into a block does not choose it', () => {
    const { network, task } = start()

    network.must(...assessors.slice(0, 5).map(who => report(who, task)))
    expect(network.task(task)).to.deep.include({ phase: 'collecting', deadline: network.state.height + 2 })
    expect(network.try(...honest[6].commit(network, task))).to.equal('ERR_PHASE')
    network.block()
    expect(network.task(task).phase).to.equal('commit')
  })

  it('makes a commit to the whole void, however long it waited: its honest author computes the rest', () => {
    const { network, task } = start()
    const early = honest[6].commit(network, task)

    network.must(...assessors.slice(0, 5).map(who => report(who, task)))
    network.until(() => network.task(task).phase === 'commit')
    expect(network.try(...early)).to.equal('ERR_COMMIT_OUTDATED')
    expect(network.seat(task, assessors[6]).commit).to.equal(null)
    assess(network, task)
    expect(assessors.map(who => network.staked(who))).to.deep.equal(assessors.map(() => 500n * OPEN))
  })

  it('that was all there is ends the task', () => {
    const { network, task, before } = start()

    network.must(...assessors.map(who => report(who, task)))
    network.until(() => network.task(task).phase === 'commit')
    network.must(...assessors.map(who => report(who, task, 'false', 0)))
    expect(network.task(task)).to.deep.include({ phase: 'unavailable', fees: 0n })
    expect(network.balance(payer)).to.equal(before.payer + GOOD)
    expect(network.balance(gateway)).to.equal(before.gateway - GOOD)
    expect(readChain(network.state).openTasks).to.deep.equal([])
  })

  it('that only some seats see is for the validators: lazy seats that committed are slashed', () => {
    const { network, task, before } = start()
    const [lazy, awake] = [honest.slice(0, 4), assessors.slice(4)]

    network.must(...lazy.map(one => one.commit(network, task)), ...awake.map(who => report(who, task)))
    expect(network.task(task).phase).to.equal('receipts')
    network.must(...validators.slice(0, 3).map(who => judge(who, task, 1)))
    expect(network.task(task)).to.deep.include({ phase: 'collecting', fees: GOOD })
    expect(network.balance(alice)).to.equal(before.alice + BAD)
    expect(assessors.map(who => network.staked(who))).to.deep.equal(assessors.map((_, i) => (i < 4 ? 450n : 500n) * OPEN))
    assess(network, task)
    expect(network.balance(gateway)).to.equal(before.gateway)
  })

  it('that is none costs those who cried, and the task goes on with the others', () => {
    const { network, task, before } = start()

    network.must(...honest.slice(1).map(one => one.commit(network, task)), report(assessors[0], task))
    network.must(...validators.slice(0, 3).map(who => judge(who, task, null)))
    expect(network.task(task).phase).to.equal('reveal')
    expect(network.seat(task, assessors[0]).fault).to.equal('wrong-report')
    expect(network.staked(assessors[0])).to.equal(450n * OPEN)
    network.must(...honest.slice(1).map(one => one.reveal(task)))
    network.must(...honest.slice(1).map(one => one.open(network, task)))
    network.until(() => network.task(task).phase === 'settled')
    expect(network.task(task).dataPool).to.equal((GOOD + BAD) / 2n)
    expect(network.balance(carol)).to.equal(before.carol)
  })

  it('on which the validators do not agree has another committee look', () => {
    const { network, task } = start()

    network.must(...honest.slice(1).map(one => one.commit(network, task)), report(assessors[0], task))
    network.must(...validators.map((who, i) => judge(who, task, i < 2 ? null : i - 2)))
    expect(network.task(task)).to.deep.include({ phase: 'collecting', redraws: 1, judgements: [] })
    expect(assessors.map(who => network.staked(who))).to.deep.equal(assessors.map(() => 500n * OPEN))
  })

  it('is looked at by the validators of the day: who left does not stand for who has not spoken', () => {
    const { network, task } = start({ verdictBlocks: 40, epochBlocks: 8 })
    const secret = blsSecretKey(deriveSeed('receipts', 'bob'))

    network.must(...honest.slice(1).map(one => one.commit(network, task)), report(assessors[0], task))
    network.must(judge(validators[0], task, null), [validators[0], { kind: 'unbond', validator: validators[0].account, amount: 1_000n * OPEN }], [bob, {
      kind: 'register-validator', blsPublicKey: bls.publicKeyOf(secret), possession: bls.possess(secret, bob.account), amount: 9_000n * OPEN
    }])
    network.until(() => readChain(network.state).era === 1)
    network.must(...validators.slice(1).map(who => judge(who, task, null)))
    expect(network.task(task)).to.deep.include({ phase: 'receipts', redraws: 0 })
    expect(network.task(task).judgements).to.have.length(3)
    network.must(judge(bob, task, 1))
    expect(network.task(task)).to.deep.include({ phase: 'collecting', redraws: 0, fees: GOOD })
  })

  it('is named once, in its phase, by those whose business it is', () => {
    const { network, task } = start({ commitBlocks: 20, verdictBlocks: 20 })

    expect(network.try(...report(assessors[0], task, 'false', null))).to.equal('ERR_SOURCE')
    expect(network.try(...report(assessors[0], task, 'false', 2))).to.equal('ERR_SOURCE')
    expect(network.try(...report(alice, task))).to.equal('ERR_NOT_SEATED')
    expect(network.try(...judge(validators[0], task, 1))).to.equal('ERR_PHASE')
    network.must(report(assessors[0], task))
    expect(network.try(...report(assessors[0], task))).to.equal('ERR_ALREADY_ACTED')
    expect(network.try(...new Assessor(assessors[0]).commit(network, task))).to.equal('ERR_ALREADY_ACTED')
    network.must(...honest.slice(1).map(one => one.commit(network, task)))
    expect(network.try(...judge(alice, task, 1))).to.equal('ERR_NOT_VALIDATOR')
    expect(network.try(...judge(validators[0], task, 7))).to.equal('ERR_SOURCE')
    network.must(judge(validators[0], task, 1))
    expect(network.try(...judge(validators[0], task, null))).to.equal('ERR_ALREADY_ACTED')
  })
})

describe('receipts that cannot be had', () => {
  const missing = (network: Network, task: Hash, source: number | null): void => {
    network.until(() => network.task(task).phase === 'commit')
    network.must(...assessors.slice(0, 5).map(who => report(who, task, 'missing', source)))
  }

  it('are tried again in the next two epochs, and nobody loses anything', () => {
    const { network, task, before } = start()

    for (const rollovers of [1, 2]) {
      missing(network, task, 1)
      expect(network.task(task)).to.deep.include({ phase: 'collecting', rollovers })
    }
    network.until(() => network.task(task).phase === 'commit')
    // the gateway is back
    assess(network, task)
    expect(network.task(task).feeSplit).to.deep.equal(readChain(network.state).params.feeSplit)
    expect([network.balance(gateway), network.balance(carol)]).to.deep.equal([before.gateway, before.carol])
    expect(assessors.map(who => network.staked(who))).to.deep.equal(assessors.map(() => 500n * OPEN))
  })

  it('forfeit the fees and the bond in the end, while others are paid', () => {
    const { network, task, before } = start()

    missing(network, task, 1)
    missing(network, task, 1)
    missing(network, task, 1)
    expect(network.task(task)).to.deep.include({ phase: 'collecting', fees: GOOD })
    expect(network.task(task).sources[1].fault).to.equal('missing')
    expect([network.balance(alice), network.balance(carol)]).to.deep.equal([before.alice + BAD, before.carol - BAD])
    assess(network, task)
    expect(network.balance(gateway)).to.equal(before.gateway)
  })

  it('that a gateway sends to some of the seats only cost others nothing, in the end: its redemption alone is left out', () => {
    const { network, task, before } = start()

    for (const redraws of [0, 1]) {
      network.until(() => network.task(task).phase === 'commit')
      expect(network.task(task)).to.deep.include({ phase: 'commit', redraws, fees: GOOD + BAD })
      network.must(...honest.slice(0, 4).map(one => one.commit(network, task)), ...assessors.slice(4).map(who => report(who, task, 'missing')))
    }
    expect(network.task(task)).to.deep.include({ phase: 'collecting', fees: GOOD })
    // nobody can say whose fault it was
    expect([network.balance(alice), network.balance(carol)]).to.deep.equal([before.alice + BAD, before.carol])
    assess(network, task)
    expect(network.balance(gateway)).to.equal(before.gateway)
    expect(assessors.map(who => network.staked(who))).to.deep.equal(assessors.map(() => 500n * OPEN))
  })

  it('of which nobody can say whose they are end the task, at no gateway\'s cost', () => {
    const { network, task, before } = start()

    missing(network, task, null)
    missing(network, task, null)
    missing(network, task, null)
    expect(network.task(task).phase).to.equal('unavailable')
    expect(balances(network)).to.deep.include({ payer: before.payer + GOOD, alice: before.alice + BAD, gateway: before.gateway, carol: before.carol })
  })
})
