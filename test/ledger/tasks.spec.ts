import { expect } from 'aegir/chai'
import { listPayouts, readAdapter, readChain, readContribution } from '../../src/ledger/index.ts'
import { assessmentCommit, taskId } from '../../src/scoring/index.ts'
import { hash } from '../../src/wire/index.ts'
import {
  adapter, admitAdapter, assessors, Assessor, baseDeveloper, carol, CHAIN, alice, bob, contributions, contributors, developer, gateway, honest, Network, OPEN, openChannel, payer, redeemBody,
  SCORES, startTask, STEPS, treasury, validators
} from './network.ts'
import type { Request } from './network.ts'
import type { Hash, NetworkParams } from '../../src/interface/index.ts'

const FEES = 7_000_000_000_000_000_003n
const LIE = { scores: [0n, 14n, 0n], steps: STEPS.map(step => hash('lie', step)) }

function start (params: Partial<NetworkParams> = {}): { network: Network, task: Hash } {
  const network = new Network(params)

  admitAdapter(network)

  return { network, task: startTask(network, FEES) }
}

/** What contributors and developers earned: what must not depend on who was in the committee. */
function earned (network: Network): bigint[] {
  return [...contributors, developer, baseDeveloper].map(who => network.balance(who))
}

function settle (network: Network, task: Hash): void {
  network.until(() => network.task(task).phase === 'settled')
  network.must([alice, honest[0].claim(task)])
}

function allHonest (): { network: Network, task: Hash } {
  const { network, task } = start()

  network.must(...honest.map(one => one.commit(network, task)))
  network.must(...honest.map(one => one.reveal(task)))
  network.must(...honest.map(one => one.open(network, task)))
  settle(network, task)

  return { network, task }
}

describe('a task of which all assessors are honest', () => {
  it('goes through its phases as soon as all have acted', () => {
    const { network, task } = start()

    expect(network.task(task)).to.deep.include({ phase: 'commit', fees: FEES })
    network.must(...honest.map(one => one.commit(network, task)))
    expect(network.task(task).phase).to.equal('reveal')
    network.must(...honest.map(one => one.reveal(task)))
    expect(network.task(task)).to.deep.include({ phase: 'open', scoreRoot: honest[0].tree.root, total: 14n })
    expect(network.task(task).openings).to.have.length(3)
    network.must(...honest.map(one => one.open(network, task)))
    expect(network.task(task).phase).to.equal('challenge')
    network.block()
    expect(network.task(task).phase).to.equal('challenge')
    network.block()
    expect(network.task(task).phase).to.equal('settled')
    expect(readChain(network.state).openTasks).to.deep.equal([])
  })

  it('pays every base unit of the fees by the split', () => {
    const { network, task } = allHonest()
    const data = FEES - FEES / 10n - 2n * (FEES / 5n)
    const developers = FEES / 5n
    const payouts = SCORES.map(score => data * score / 14n)

    expect(network.task(task)).to.deep.include({ dataPool: data, paid: payouts[0] + payouts[2] })
    expect(contributors.map(who => network.balance(who) - 10_000n * OPEN)).to.deep.equal(payouts)
    expect(network.balance(baseDeveloper)).to.equal(developers / 2n)
    expect(network.balance(developer) - 10_000n * OPEN).to.equal(developers - developers / 2n)
    expect(validators.map(who => network.balance(who))).to.deep.equal(validators.map(() => FEES / 5n / 2n / 4n))
    expect(assessors.map(who => network.balance(who) - 9_500n * OPEN)).to.deep.equal(assessors.map(() => (FEES / 5n - FEES / 5n / 2n) / 7n))
    expect([...listPayouts(network.state, task)].map(({ state: { amount } }) => amount)).to.have.members(payouts)
    expect(readContribution(network.state, contributions[0])?.earned).to.equal(payouts[0])
    expect(readAdapter(network.state, adapter)?.earned).to.equal(developers - developers / 2n)
  })

  it('pays each claim once, by proof only', () => {
    const { network, task } = start()
    const liar = new Assessor(assessors[0], LIE)

    expect(network.try(alice, honest[0].claim(task))).to.equal('ERR_PHASE')
    network.must(...honest.map(one => one.commit(network, task)))
    network.must(...honest.map(one => one.reveal(task)))
    network.must(...honest.map(one => one.open(network, task)))
    network.until(() => network.task(task).phase === 'settled')

    expect(network.try(bob, liar.claim(task))).to.equal('ERR_CLAIM')
    expect(network.try(bob, honest[0].claim(task, [0]))).to.equal('ok')
    const paid = network.balance(alice)

    expect(network.try(bob, honest[0].claim(task, [0]))).to.equal('ERR_ALREADY_CLAIMED')
    // one who claims a part first cannot spoil the whole
    expect(network.try(bob, honest[0].claim(task))).to.equal('ok')
    expect(network.balance(alice)).to.equal(paid)
    expect(network.task(task).dataPool - network.task(task).paid < 3n).to.equal(true)
  })

  it('gives the data pool to the treasury if nothing scored', () => {
    const { network, task } = start()
    const none = assessors.map(who => new Assessor(who, { scores: [0n, 0n, 0n] }))

    network.must(...none.map(one => one.commit(network, task)))
    network.must(...none.map(one => one.reveal(task)))
    network.must(...none.map(one => one.open(network, task)))
    network.until(() => network.task(task).phase === 'settled')
    expect(network.task(task).dataPool).to.equal(0n)
    expect(network.balance(treasury) > FEES / 2n).to.equal(true)
  })
})

describe('villains among seven assessors', () => {
  const expected = earned(allHonest().network)
  const others = honest.slice(1)

  it('a liar is overruled by the validators, loses stake and changes no payout', () => {
    const { network, task } = start()
    const liar = new Assessor(assessors[0], LIE)

    network.must(liar.commit(network, task), ...others.map(one => one.commit(network, task)))
    network.must(liar.reveal(task), ...others.map(one => one.reveal(task)))
    expect(network.task(task).phase).to.equal('dispute')
    network.must(...[liar, ...others].map(one => one.open(network, task)))
    expect(network.task(task)).to.deep.include({ phase: 'step', openings: [] })
    network.must(...validators.slice(0, 3).map(who => honest[0].judge(network, who, task)))
    expect(network.task(task).phase).to.equal('open')
    expect(network.try(...liar.open(network, task))).to.equal('ERR_NOT_SEATED')
    network.must(...others.map(one => one.open(network, task)))
    settle(network, task)

    expect(network.seat(task, liar.who).fault).to.equal('wrong-step')
    expect(network.staked(liar.who)).to.equal(450n * OPEN)
    expect(network.balance(liar.who)).to.equal(9_500n * OPEN)
    expect(earned(network)).to.deep.equal(expected)
  })

  it('a copier of another\'s commit cannot reveal it', () => {
    const { network, task } = start()
    const [, victim] = honest
    const [, body] = victim.commit(network, task)

    network.must([assessors[0], body], ...others.map(one => one.commit(network, task)))
    const [, revealed] = victim.reveal(task)

    expect(network.try(assessors[0], revealed)).to.equal('ERR_COMMIT_MISMATCH')
    network.must(...others.map(one => one.reveal(task)))
    network.until(() => network.task(task).phase === 'open')
    network.must(...others.map(one => one.open(network, task)))
    settle(network, task)

    expect(network.seat(task, assessors[0]).fault).to.equal('withheld')
    expect(network.staked(assessors[0])).to.equal(440n * OPEN)
    expect(earned(network)).to.deep.equal(expected)
  })

  it('a copier of scores has no trace to open', () => {
    const { network, task } = start()
    const copier = new Assessor(assessors[0], { steps: LIE.steps })
    const [, stolen] = honest[1].open(network, task)

    network.must(copier.commit(network, task), ...others.map(one => one.commit(network, task)))
    network.must(copier.reveal(task), ...others.map(one => one.reveal(task)))
    expect(network.task(task).phase).to.equal('open')
    expect(network.try(assessors[0], stolen)).to.equal('ERR_OPENING')
    network.must(copier.open(network, task), ...others.map(one => one.open(network, task)))
    settle(network, task)

    expect(network.seat(task, copier.who).fault).to.equal('bad-trace')
    expect(network.staked(copier.who)).to.equal(450n * OPEN)
    expect(earned(network)).to.deep.equal(expected)
  })

  it('a trace of another length is no trace', () => {
    const { network, task } = start()
    const copier = new Assessor(assessors[0], { steps: STEPS.slice(1) })

    network.must(copier.commit(network, task), ...others.map(one => one.commit(network, task)))
    network.must(copier.reveal(task), ...others.map(one => one.reveal(task)))
    expect(network.seat(task, copier.who).fault).to.equal('bad-trace')
    network.must(...others.map(one => one.open(network, task)))
    settle(network, task)
    expect(earned(network)).to.deep.equal(expected)
  })

  it('a silent one loses stake at the deadline and changes no payout', () => {
    const { network, task } = start()

    network.must(...others.map(one => one.commit(network, task)))
    expect(network.task(task).phase).to.equal('commit')
    network.until(() => network.task(task).phase === 'reveal')
    expect(network.seat(task, assessors[0]).fault).to.equal('silent')
    expect(network.try(...honest[0].commit(network, task))).to.equal('ERR_PHASE')
    network.must(...others.map(one => one.reveal(task)))
    network.must(...others.map(one => one.open(network, task)))
    settle(network, task)
    expect(network.staked(assessors[0])).to.equal(490n * OPEN)
    expect(earned(network)).to.deep.equal(expected)
  })

  it('a liar, a copier and a silent one together change no payout', () => {
    const { network, task } = start()
    const [, , , ...rest] = honest
    const liar = new Assessor(assessors[0], LIE)
    const copier = new Assessor(assessors[1], { steps: LIE.steps })

    network.must(...[liar, copier, ...rest].map(one => one.commit(network, task)))
    network.until(() => network.task(task).phase === 'reveal')
    network.must(...[liar, copier, ...rest].map(one => one.reveal(task)))
    network.must(...[liar, copier, ...rest].map(one => one.open(network, task)))
    network.must(...validators.slice(1).map(who => honest[0].judge(network, who, task)))
    // four of seven are too few: the validators recompute everything
    expect(network.task(task).phase).to.equal('verdict')
    network.must(...validators.slice(1).map(who => honest[0].verdict(who, task)))
    network.must(...rest.map(one => one.open(network, task)))
    settle(network, task)
    expect(assessors.slice(0, 3).map(who => network.seat(task, who).fault)).to.deep.equal(['wrong-step', 'wrong-step', 'silent'])
    expect(earned(network)).to.deep.equal(expected)
  })

  it('too many silent ones cause another draw, whose result is the same', () => {
    const { network, task } = start()

    network.must(...honest.slice(3).map(one => one.commit(network, task)))
    network.until(() => network.task(task).redraws === 1)
    network.until(() => network.task(task).phase === 'commit')
    network.must(...honest.map(one => one.commit(network, task)))
    network.must(...honest.map(one => one.reveal(task)))
    network.must(...honest.map(one => one.open(network, task)))
    settle(network, task)
    expect(earned(network)).to.deep.equal(expected)
  })
})

describe('a task that cannot be decided', () => {
  it('is redrawn, then gives the fees back to their payers', () => {
    const { network, task } = start()
    const before = network.balance(payer)

    network.until(() => network.task(task).phase === 'unavailable')
    expect(network.task(task).redraws).to.equal(1)
    expect(network.balance(payer) - before).to.equal(FEES)
    expect(assessors.map(who => network.staked(who))).to.deep.equal(assessors.map(() => 480n * OPEN))
    expect(network.try(alice, honest[0].claim(task))).to.equal('ERR_PHASE')
  })

  it('is redrawn when the validators do not agree either', () => {
    const { network, task } = start()
    const liar = new Assessor(assessors[0], LIE)

    network.must(liar.commit(network, task), ...honest.slice(1).map(one => one.commit(network, task)))
    network.must(liar.reveal(task), ...honest.slice(1).map(one => one.reveal(task)))
    network.must(liar.open(network, task), ...honest.slice(1).map(one => one.open(network, task)))
    network.must(...validators.map((who, i) => (i < 2 ? liar : honest[0]).judge(network, who, task)))
    expect(network.task(task)).to.deep.include({ phase: 'verdict' })
    network.must(...validators.map((who, i) => (i < 2 ? liar : honest[0]).verdict(who, task)))
    expect(network.task(task)).to.deep.include({ phase: 'collecting', redraws: 1, scoreRoot: null })
    network.until(() => network.task(task).phase === 'commit')
    expect(network.task(task)).to.deep.include({ redraws: 1, verdicts: [] })
  })

  it('waits for assessors when nobody has enough at stake', () => {
    const network = new Network({ assessorStakeMin: 501n * OPEN })

    admitAdapter(network)
    const task = startTask(network)

    expect(network.task(task).seats).to.deep.equal([])
    network.must([assessors[0], { kind: 'stake', amount: OPEN }])
    network.until(() => network.task(task).redraws === 1 && network.task(task).phase === 'commit')
    expect(network.task(task).seats).to.have.length(1)
  })
})

describe('seats', () => {
  it('act once, in their phase, and only if they were drawn', () => {
    const { network, task } = start({ commitBlocks: 20 })
    const outsider = new Assessor(alice)

    expect(network.try(...outsider.commit(network, task))).to.equal('ERR_NOT_SEATED')
    expect(network.try(...honest[0].reveal(task))).to.equal('ERR_PHASE')
    expect(network.try(...honest[0].verdict(validators[0], task))).to.equal('ERR_PHASE')
    network.must(honest[0].commit(network, task))
    expect(network.try(...honest[0].commit(network, task))).to.equal('ERR_ALREADY_ACTED')
    expect(network.try(assessors[0], { kind: 'report-receipts', task, fault: 'missing', source: 0 })).to.not.equal('ok')
    expect(network.try(carol, { kind: 'report-receipts', task: hash('nothing'), fault: 'missing', source: 0 })).to.equal('ERR_TASK_UNKNOWN')
  })

  it('are bound by their commit to chain, epoch, task and their own account', () => {
    const { network, task } = start()
    const { tree, trace, salt, who } = honest[0]
    const { epoch, fees } = network.task(task)
    const right = { chain: CHAIN, epoch, task, scoreRoot: tree.root, total: tree.total, traceRoot: trace.root, traceLength: trace.length, salt }
    const changes = [{ chain: 'test-2' }, { epoch: epoch + 1 }, { task: hash('another') }, { assessor: who.account }, {}]

    network.must(...changes.map((change, i): Request => [assessors[i], { kind: 'commit', task, fees, commit: assessmentCommit({ ...right, assessor: assessors[i].account, ...change }) }]))
    network.until(() => network.task(task).phase === 'reveal')
    const results = network.block(...changes.map((_, i): Request => [assessors[i], honest[0].reveal(task)[1]]))

    expect(results.map(({ code }) => code ?? 'ok')).to.deep.equal(['ERR_COMMIT_MISMATCH', 'ERR_COMMIT_MISMATCH', 'ERR_COMMIT_MISMATCH', 'ERR_COMMIT_MISMATCH', 'ok'])
  })

  it('cannot take their stake away before the task is settled', () => {
    const { network, task } = start()

    expect(network.try(assessors[0], { kind: 'unstake', amount: OPEN })).to.equal('ERR_STAKE_LOCKED')
    network.until(() => network.task(task).phase === 'unavailable')
    expect(network.try(assessors[0], { kind: 'unstake', amount: 481n * OPEN })).to.equal('ERR_INSUFFICIENT_FUNDS')
    expect(network.try(assessors[0], { kind: 'unstake', amount: 480n * OPEN })).to.equal('ok')
  })

  it('are drawn two blocks after the cutoff, when nothing can be added to the task any more', () => {
    const network = new Network()

    admitAdapter(network)
    const channel = openChannel(network)
    const { epoch } = readChain(network.state)
    const id = taskId(CHAIN, epoch, adapter)

    network.must([gateway, redeemBody(channel, OPEN)])
    network.until(() => readChain(network.state).epoch > epoch)
    expect(network.task(id)).to.deep.include({ phase: 'collecting', seats: [], deadline: network.state.height + 2 })
    // belongs to the next epoch's task
    network.must([gateway, redeemBody(channel, 3n * OPEN, 2n * OPEN)])
    expect(network.task(id)).to.deep.include({ phase: 'collecting', seats: [], fees: OPEN })
    network.block()
    expect(network.task(id)).to.deep.include({ phase: 'commit', fees: OPEN })
    expect(network.task(id).seats).to.have.length(7)
  })

  it('are drawn again two blocks after a committee ended, by a beacon that nobody knew when it did', () => {
    const committees = [1, 2].map(mark => {
      const { network, task } = start({ seats: 3, epochBlocks: 64 })

      network.until(() => network.task(task).redraws === 1)
      expect(network.task(task)).to.deep.include({ phase: 'collecting', deadline: network.state.height + 2 })
      // nobody acts for a committee that is over
      expect(network.try(...honest[0].commit(network, task))).to.equal('ERR_PHASE')
      network.execute([], mark)
      expect(network.task(task)).to.deep.include({ phase: 'commit', redraws: 1 })

      return network.task(task).seats.map(({ assessor }) => assessor.join()).sort().join(' ')
    })

    expect(committees[0]).to.not.equal(committees[1])
  })

  it('are drawn anew by each beacon', () => {
    const committees = [1, 2, 3, 4].map(blocks => {
      const network = new Network({ seats: 3 })

      admitAdapter(network)
      // another number of blocks, another beacon
      network.until(() => network.state.height >= 4 * blocks + 6)

      return network.task(startTask(network)).seats.map(({ assessor }) => assessor.join()).sort().join(' ')
    })

    expect(new Set(committees).size).to.be.above(1)
  })
})
