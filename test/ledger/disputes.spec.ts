import { expect } from 'aegir/chai'
import { listPlants, readChain, stateKeys, statePrefixes } from '../../src/ledger/index.ts'
import { drawPlanters, plantCommit, resultStep } from '../../src/scoring/index.ts'
import { equalBytes, hash } from '../../src/wire/index.ts'
import { admitAdapter, alice, assessors, Assessor, bob, CHAIN, contributors, honest, Network, OPEN, startTask, STEPS, treasury, validators } from './network.ts'
import type { Request, Work } from './network.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Hash, LedgerEvent, NetworkParams } from '../../src/interface/index.ts'

const FEES = 7_000_000_000_000_000_003n
const FALSE_SCORES = [0n, 14n, 0n]

/** Three rounds long. */
const LONG = Array.from({ length: 260 }, (_, i) => hash('long', Uint8Array.of(i >> 8, i & 255)))

/** True until `from`, false from there on. */
function falseFrom (steps: Hash[], from: number, name = 'false'): Hash[] {
  return steps.map((step, i) => i < from ? step : hash(name, step))
}

function start (params: Partial<NetworkParams> = {}): { network: Network, task: Hash } {
  const network = new Network(params)

  admitAdapter(network)

  return { network, task: startTask(network, FEES) }
}

function revealed (team: Assessor[], params?: Partial<NetworkParams>): { network: Network, task: Hash } {
  const { network, task } = start(params)

  network.must(...team.map(one => one.commit(network, task)))
  network.must(...team.map(one => one.reveal(task)))

  return { network, task }
}

/** Answers rounds until the phase is another one; returns how many there were. */
function bisect (network: Network, task: Hash, team: Assessor[]): number {
  let rounds = 0

  for (; network.task(task).phase === 'dispute'; rounds++) {
    network.must(...team.filter(({ who }) => network.seat(task, who).fault === null).map(one => one.open(network, task)))
  }

  return rounds
}

function team (steps: Hash[], ...villains: Work[]): Assessor[] {
  return assessors.map((who, i) => new Assessor(who, { steps, ...villains[i] }))
}

const faults = (network: Network, task: Hash): Array<string | null> => assessors.map(who => network.seat(task, who).fault)

const finish = (network: Network, task: Hash, seats: Assessor[]): void => {
  network.must(...seats.map(one => one.open(network, task)))
  network.until(() => network.task(task).phase === 'settled')
  network.must([bob, seats[0].claim(task)])
}

describe('a dispute', () => {
  const expected = ((): bigint[] => {
    const { network, task } = revealed(honest)

    finish(network, task, honest)

    return contributors.map(who => network.balance(who))
  })()

  for (const from of [0, 1, 130, 258, 259]) {
    it(`finds the first false step, ${from} of 260, in at most three rounds, and validators compute that one alone`, () => {
      const all = team(LONG, { scores: FALSE_SCORES, steps: falseFrom(LONG, from) })
      const { network, task } = revealed(all)

      expect(bisect(network, task, all)).to.be.within(1, 3)
      expect(network.task(task)).to.deep.include({ phase: 'step', verdicts: [] })
      expect(network.task(task).dispute).to.deep.include({ agreed: from, differing: from, count: 1 })
      network.must(...validators.slice(0, 3).map(who => all[1].judge(network, who, task)))
      expect(network.seat(task, all[0].who).fault).to.equal('wrong-step')
      finish(network, task, all.slice(1))
      expect(network.task(task).verdicts).to.deep.equal([])
      expect(contributors.map(who => network.balance(who))).to.deep.equal(expected)
    })
  }

  it('is lost by who does not answer, at more than a proven lie costs', () => {
    const all = team(LONG, { scores: FALSE_SCORES, steps: falseFrom(LONG, 150) })
    const { network, task } = revealed(all)

    network.must(...all.map(one => one.open(network, task)))
    network.must(...all.slice(1).map(one => one.open(network, task)))
    network.until(() => network.task(task).phase !== 'dispute')
    expect(faults(network, task)).to.deep.equal(['withheld', null, null, null, null, null, null])
    expect(network.staked(all[0].who)).to.equal(440n * OPEN)
    finish(network, task, all.slice(1))
    expect(contributors.map(who => network.balance(who))).to.deep.equal(expected)
  })

  it('takes no other answers than those that were committed', () => {
    const all = team(LONG, { scores: FALSE_SCORES, steps: falseFrom(LONG, 150) })
    const { network, task } = revealed(all)
    const [, theirs] = all[1].open(network, task)

    const mine = all[0].open(network, task)
    const results = network.block([assessors[0], theirs], [assessors[0], { kind: 'open', task, openings: [] }], all[0].judge(network, validators[0], task), mine, mine)

    expect(results.map(({ code }) => code ?? 'ok')).to.deep.equal(['ERR_OPENING', 'ERR_OPENING', 'ERR_PHASE', 'ok', 'ERR_ALREADY_ACTED'])
  })

  it('slashes two who lie at different places, one after the other', () => {
    const all = team(LONG, { scores: FALSE_SCORES, steps: falseFrom(LONG, 10) }, { scores: FALSE_SCORES, steps: falseFrom(LONG, 200) })
    const { network, task } = revealed(all)

    for (const dispute of [1, 2]) {
      bisect(network, task, all)
      expect(network.task(task).dispute?.count).to.equal(dispute)
      network.must(...validators.map(who => all[6].judge(network, who, task)))
    }

    expect(faults(network, task).slice(0, 3)).to.deep.equal(['wrong-step', 'wrong-step', null])
    finish(network, task, all.slice(2))
    expect(contributors.map(who => network.balance(who))).to.deep.equal(expected)
  })

  it('does not hurt an honest seat whose result a saboteur with a false trace shares', () => {
    const all = team(LONG, { scores: FALSE_SCORES, steps: falseFrom(LONG, 200) }, { steps: falseFrom(LONG, 20, 'sabotage') })
    const { network, task } = revealed(all)

    for (let i = 0; i < 2; i++) {
      bisect(network, task, all)
      network.must(...validators.map(who => all[6].judge(network, who, task)))
    }

    expect(faults(network, task)).to.deep.equal(['wrong-step', 'wrong-step', null, null, null, null, null])
  })

  it('comes down to the results if traces agree, of which validators compute the one that follows', () => {
    for (const steps of [STEPS, LONG, LONG.slice(0, 1)]) {
      const all = team(steps, { scores: FALSE_SCORES })
      const { network, task } = revealed(all)

      bisect(network, task, all)
      expect(network.task(task)).to.deep.include({ phase: 'step', openings: [] })
      expect(network.task(task).dispute).to.deep.include({ agreed: steps.length, differing: steps.length })
      network.must(...validators.map(who => all[1].judge(network, who, task)))
      expect(faults(network, task)).to.deep.equal(['wrong-score', null, null, null, null, null, null])
      finish(network, task, all.slice(1))
      expect(network.task(task).verdicts).to.deep.equal([])
      expect(contributors.map(who => network.balance(who))).to.deep.equal(expected)
    }
  })

  it('over results is lost by all of two who agree on nothing true, and needs both of root and sum', () => {
    const all = team(STEPS, { scores: FALSE_SCORES }, { scores: [1n, 0n, 0n] })
    const { network, task } = revealed(all)

    bisect(network, task, all)
    network.must(...validators.map(who => all[2].judge(network, who, task)))
    expect(faults(network, task).slice(0, 3)).to.deep.equal(['wrong-score', 'wrong-score', null])
    expect(resultStep(all[0].tree.root, 1n)).to.not.deep.equal(resultStep(all[0].tree.root, 2n))
  })

  it('falls back to the whole task if one trace ends before it differs', () => {
    const all = team(STEPS, { scores: FALSE_SCORES, steps: STEPS.slice(0, 5) })
    const { network, task } = revealed(all)

    bisect(network, task, all)
    expect(network.task(task)).to.deep.include({ phase: 'verdict' })
  })

  it('falls back to the whole task if the validators do not agree on the step', () => {
    const all = team(STEPS, { scores: FALSE_SCORES, steps: falseFrom(STEPS, 3) })
    const { network, task } = revealed(all)

    bisect(network, task, all)
    network.must(all[1].judge(network, validators[0], task), all[0].judge(network, validators[1], task))
    expect(network.try(...all[1].judge(network, validators[0], task))).to.equal('ERR_ALREADY_ACTED')
    expect(network.try(...all[1].judge(network, alice, task))).to.equal('ERR_NOT_VALIDATOR')
    network.until(() => network.task(task).phase === 'verdict')
    expect(faults(network, task)).to.deep.equal(assessors.map(() => null))
  })

  it('leaves no answers in the state', () => {
    const all = team(LONG, { scores: FALSE_SCORES, steps: falseFrom(LONG, 150) })
    const { network, task } = revealed(all)

    network.must(all[0].open(network, task))
    expect(network.state.map.get(stateKeys.answer(task, assessors[0].account))).to.not.equal(undefined)
    network.must(...all.slice(1).map(one => one.open(network, task)))
    bisect(network, task, all)
    expect([...network.state.map.entries(statePrefixes.answer)]).to.deep.equal([])
  })
})

const outcomes = (network: Network): string[] =>
  network.events.filter((event): event is Extract<LedgerEvent, { type: 'challenge' }> => event.type === 'challenge').map(({ outcome }) => outcome)

/** All seats agree on these scores; the task waits for payout. */
function accepted (scores?: bigint[], params?: Partial<NetworkParams>): { network: Network, task: Hash, all: Assessor[] } {
  const all = assessors.map(who => new Assessor(who, { scores }))
  const { network, task } = revealed(all, params)

  network.must(...all.map(one => one.open(network, task)))
  expect(network.task(task).phase).to.equal('challenge')

  return { network, task, all }
}

describe('a challenge', () => {
  it('that is right overturns unanimous seats, gives back the bond and pays a part of what they lose', () => {
    const { network, task, all } = accepted(FALSE_SCORES)
    const before = network.balance(alice)

    network.must([alice, { kind: 'challenge', task }])
    expect(network.task(task)).to.deep.include({ phase: 'verdict', challenge: { challenger: alice.account, bond: 20n * OPEN, planted: false } })
    expect(network.balance(alice)).to.equal(before - 20n * OPEN)
    network.must(...validators.slice(1).map(who => honest[0].verdict(who, task)))

    expect(network.task(task)).to.deep.include({ phase: 'settled', scoreRoot: honest[0].tree.root })
    expect(faults(network, task)).to.deep.equal(assessors.map(() => 'wrong-score'))
    // half of seven times 50
    expect(network.balance(alice)).to.equal(before + 175n * OPEN)
    expect(network.try(bob, all[0].claim(task))).to.equal('ERR_CLAIM')
    network.must([bob, honest[0].claim(task)])
    expect(outcomes(network)).to.deep.equal(['open', 'right'])
  })

  it('that is wrong costs its bond and changes no payout', () => {
    const { network, task } = accepted()
    const before = network.balance(alice)
    const platform = network.balance(treasury)

    network.must([alice, { kind: 'challenge', task }])
    network.must(...validators.slice(1).map(who => honest[0].verdict(who, task)))
    expect(network.balance(alice)).to.equal(before - 20n * OPEN)
    expect(network.balance(treasury) - platform >= 20n * OPEN).to.equal(true)
    expect(network.task(task)).to.deep.include({ phase: 'settled', scoreRoot: honest[0].tree.root, challenge: { challenger: alice.account, bond: 0n, planted: false } })
    expect(faults(network, task)).to.deep.equal(assessors.map(() => null))
    expect(outcomes(network)).to.deep.equal(['open', 'wrong'])
  })

  it('gets its bond back if the validators cannot agree, and the task another committee', () => {
    const { network, task } = accepted()
    const before = network.balance(alice)

    network.must([alice, { kind: 'challenge', task }])
    network.until(() => network.task(task).phase === 'commit')
    expect(network.balance(alice)).to.equal(before)
    expect(network.task(task)).to.deep.include({ redraws: 1, challenge: null })
    expect(outcomes(network)).to.deep.equal(['open', 'undecided'])
  })

  it('is for results that wait for payout, once, by who has the bond', () => {
    const { network, task } = accepted()
    const poor = validators[0]

    expect(network.try(alice, { kind: 'challenge', task: hash('none') })).to.equal('ERR_TASK_UNKNOWN')
    expect(network.try(poor, { kind: 'challenge', task })).to.equal('ERR_INSUFFICIENT_FUNDS')
    network.until(() => network.task(task).phase === 'settled')
    expect(network.try(alice, { kind: 'challenge', task })).to.equal('ERR_PHASE')
  })
})

describe('a planted answer', () => {
  const salt = hash('planter\'s salt')

  const candidates = validators.map(({ account }) => ({ account, stake: 1000n * OPEN }))

  /** Plants before the reveals, and brings the task to its challenge period. */
  function planted (scores?: bigint[], answer = honest[0]): { network: Network, task: Hash, planter: Signer, epoch: number, expose: Request } {
    const { network, task } = start({ plantsPerEpoch: 1, challengeBlocks: 20 })
    const all = assessors.map(who => new Assessor(who, { scores }))
    const { epoch } = readChain(network.state)
    const [account] = drawPlanters(CHAIN, epoch, candidates, 1)
    const planter = validators.find(one => equalBytes(one.account, account)) ?? expect.fail()
    const { root: scoreRoot, total } = answer.tree

    network.must([alice, { kind: 'transfer', to: planter.account, amount: 100n * OPEN }], [alice, { kind: 'transfer', to: treasury.account, amount: 100n * OPEN }])
    network.must([planter, { kind: 'plant', commit: plantCommit({ chain: CHAIN, task, scoreRoot, total, salt, planter: planter.account }) }], ...all.map(one => one.commit(network, task)))
    network.must(...all.map(one => one.reveal(task)))
    network.must(...all.map(one => one.open(network, task)))

    return { network, task, planter, epoch, expose: [planter, { kind: 'expose', epoch, task, scoreRoot, total, salt }] }
  }

  it('says nothing of its task before it is exposed', () => {
    const { network, task } = planted()
    const [{ state }] = listPlants(network.state)

    expect(state.bond).to.equal(20n * OPEN)
    expect(Object.keys(state)).to.have.members(['commit', 'bond', 'height'])
    expect(network.task(task).challenge).to.equal(null)
  })

  it('that seats agree with is paid by the treasury, so that planting pays while all are honest', () => {
    const { network, task, planter, expose } = planted()
    const before = network.balance(planter)

    network.must(expose)
    expect(network.balance(planter) - before).to.equal(21n * OPEN)
    expect([...listPlants(network.state)]).to.deep.equal([])
    expect(network.task(task).phase).to.equal('challenge')
    expect(network.try(...expose)).to.equal('ERR_PLANT_UNKNOWN')
  })

  it('catches seats that agreed on a guess', () => {
    const { network, task, planter, expose } = planted(FALSE_SCORES)
    const before = network.balance(planter)

    network.must(expose)
    expect(network.task(task)).to.deep.include({ phase: 'verdict' })
    network.must(...validators.map(who => honest[0].verdict(who, task)))
    expect(faults(network, task)).to.deep.equal(assessors.map(() => 'wrong-score'))
    expect(network.task(task)).to.deep.include({ phase: 'settled', scoreRoot: honest[0].tree.root })
    // bond, reward and half of seven times 50; and a validator's share of the fees
    expect(network.balance(planter) - before - 196n * OPEN).to.equal(FEES / 5n / 2n / 4n)
  })

  it('is waited for, for two blocks after the last commit and no longer than the deadline', () => {
    for (const [commitBlocks, blocks] of [[20, 2], [3, 1]]) {
      const { network, task } = start({ plantsPerEpoch: 1, commitBlocks })

      network.block()
      network.must(...honest.map(one => one.commit(network, task)))
      const { height } = network.state

      network.until(() => network.task(task).phase === 'reveal')
      expect(network.state.height - height).to.equal(blocks)
    }
  })

  it('that is false costs its bond', () => {
    const { network, task, planter, expose } = planted(undefined, new Assessor(assessors[0], { scores: FALSE_SCORES }))
    const before = network.balance(planter)

    network.must(expose)
    network.must(...validators.map(who => honest[0].verdict(who, task)))
    expect(network.balance(planter) - before).to.equal(FEES / 5n / 2n / 4n)
    expect(faults(network, task)).to.deep.equal(assessors.map(() => null))
  })

  it('is of who planted it, as it was planted, and from before the reveals', () => {
    const { network, task, planter, epoch, expose: [, body] } = planted()
    const { root: scoreRoot, total } = honest[0].tree
    const other = validators.find(one => one !== planter) ?? expect.fail()

    expect(network.try(other, body)).to.equal('ERR_PLANT_UNKNOWN')
    expect(network.try(planter, { kind: 'expose', epoch, task, scoreRoot, total: total + 1n, salt })).to.equal('ERR_COMMIT_MISMATCH')

    network.until(() => readChain(network.state).epoch > epoch)
    const now = readChain(network.state).epoch
    const [turn] = drawPlanters(CHAIN, now, candidates, 1)
    const late = validators.find(one => equalBytes(one.account, turn)) ?? expect.fail()

    network.must([alice, { kind: 'transfer', to: late.account, amount: 100n * OPEN }], [late, { kind: 'plant', commit: plantCommit({ chain: CHAIN, task, scoreRoot, total, salt, planter: late.account }) }])
    expect(network.try(late, { kind: 'expose', epoch: now, task, scoreRoot, total, salt })).to.equal('ERR_PLANT_LATE')
  })

  it('can be withdrawn without gain or loss, and is for those whose turn it is', () => {
    const { network, planter, epoch } = planted()
    const before = network.balance(planter)

    expect(network.try(alice, { kind: 'plant', commit: salt })).to.equal('ERR_NOT_PLANTER')
    network.must([planter, { kind: 'withdraw-plant', epoch }])
    expect(network.balance(planter) - before).to.equal(20n * OPEN)
    expect(network.try(planter, { kind: 'withdraw-plant', epoch })).to.equal('ERR_PLANT_UNKNOWN')
  })
})
