import { expect } from 'aegir/chai'
import { readAccount, readChain, readProposal, readProposalStatus, readVotes } from '../../src/ledger/index.ts'
import { admitAdapter, alice, bob, carol, honest, Network, OPEN, PARAMS, startTask, treasury } from './network.ts'
import type { GovernanceAction, TransactionBody } from '../../src/interface/index.ts'

const split = { platform: 500, developers: 2000, validators: 2000, data: 5500 }
const actions: GovernanceAction[] = [{ kind: 'set-params', params: { feeSplit: split } }]
const propose: TransactionBody = { kind: 'propose', title: 'More for data', actions }

function withVoters (): Network {
  const network = new Network()

  network.must(
    [alice, { kind: 'wrap', amount: 100n * OPEN }],
    [alice, { kind: 'delegate', to: alice.account }],
    [bob, { kind: 'delegate', to: carol.account }],
    [bob, { kind: 'wrap', amount: 60n * OPEN }]
  )

  return network
}

function passed (network: Network, body: TransactionBody = propose): void {
  network.must([alice, body])
  network.block()
  network.must([alice, { kind: 'vote', proposal: 0, support: 'for' }])
  network.until(() => readProposalStatus(network.state, 0) === 'succeeded')
}

describe('gOPEN', () => {
  it('is OPEN one to one, there and back', () => {
    const network = withVoters()

    expect(readAccount(network.state, alice.account)).to.deep.include({ gopen: 100n * OPEN, balance: 9_900n * OPEN })
    expect(readChain(network.state).gopenSupply).to.equal(160n * OPEN)
    expect(network.try(alice, { kind: 'unwrap', amount: 101n * OPEN })).to.equal('ERR_INSUFFICIENT_FUNDS')
    expect(network.try(alice, { kind: 'unwrap', amount: 40n * OPEN })).to.equal('ok')
    expect(readAccount(network.state, alice.account)).to.deep.include({ gopen: 60n * OPEN, votes: 60n * OPEN, balance: 9_940n * OPEN })
  })

  it('votes where it is delegated, and only there', () => {
    const network = withVoters()

    expect(readAccount(network.state, bob.account).votes).to.equal(0n)
    expect(readAccount(network.state, carol.account).votes).to.equal(60n * OPEN)
    network.must([bob, { kind: 'delegate', to: alice.account }])
    expect(readAccount(network.state, carol.account).votes).to.equal(0n)
    expect(readAccount(network.state, alice.account).votes).to.equal(160n * OPEN)
  })
})

describe('a proposal', () => {
  it('is voted, queued, waits, is executed, and its split is in force for the next epoch\'s tasks', () => {
    const network = withVoters()

    admitAdapter(network)
    passed(network)
    expect(network.try(bob, { kind: 'execute', proposal: 0 })).to.equal('ERR_PROPOSAL_STATE')
    network.must([bob, { kind: 'queue', proposal: 0 }])
    expect(network.try(bob, { kind: 'execute', proposal: 0 })).to.equal('ERR_TIMELOCK')
    network.block()
    network.must([bob, { kind: 'execute', proposal: 0 }])

    expect(readProposalStatus(network.state, 0)).to.equal('executed')
    expect(readChain(network.state).params.feeSplit).to.deep.equal(split)
    network.until(() => network.state.height % 4 === 0)
    const after = startTask(network)

    expect(network.task(after).feeSplit).to.deep.equal(split)
    network.must(...honest.map(one => one.commit(network, after)))
    network.must(...honest.map(one => one.reveal(after)))
    network.must(...honest.map(one => one.open(network, after)))
    network.until(() => network.task(after).phase === 'settled')
    const { fees, dataPool } = network.task(after)

    expect(dataPool).to.equal(fees - fees * 500n / 10_000n - 2n * (fees * 2000n / 10_000n))
  })

  it('does not change the split of the epoch that runs', () => {
    const network = withVoters()

    admitAdapter(network)
    passed(network)
    network.must([bob, { kind: 'queue', proposal: 0 }])
    network.until(() => network.state.height % 4 === 0 && network.state.height > (readProposal(network.state, 0)?.eta ?? 0))
    network.must([bob, { kind: 'execute', proposal: 0 }])
    const task = startTask(network)

    expect(network.task(task).feeSplit).to.deep.equal(PARAMS.feeSplit)
    expect(network.task(startTask(network)).feeSplit).to.deep.equal(split)
  })

  it('counts votes as they were when the vote began', () => {
    const network = withVoters()

    network.must([alice, propose])
    network.block()
    // moved after the snapshot: bob's votes are still carol's
    network.must([bob, { kind: 'delegate', to: alice.account }], [alice, { kind: 'vote', proposal: 0, support: 'for' }], [carol, { kind: 'vote', proposal: 0, support: 'against' }])
    expect(readProposal(network.state, 0)).to.deep.include({ for: 100n * OPEN, against: 60n * OPEN, supply: 160n * OPEN, quorum: 16n * OPEN })
    expect(readAccount(network.state, alice.account).votes).to.equal(160n * OPEN)
  })

  it('is voted on once, by those who had votes, while it is active', () => {
    const network = withVoters()
    const vote: TransactionBody = { kind: 'vote', proposal: 0, support: 'for' }

    expect(network.try(alice, vote)).to.equal('ERR_PROPOSAL_UNKNOWN')
    network.must([alice, propose])
    expect(readProposalStatus(network.state, 0)).to.equal('pending')
    expect(network.try(alice, vote)).to.equal('ERR_PROPOSAL_STATE')
    expect(network.try(alice, vote)).to.equal('ok')
    expect(network.try(alice, vote)).to.equal('ERR_ALREADY_VOTED')
    expect(network.try(bob, vote)).to.equal('ERR_NO_VOTES')
    expect(network.try(carol, vote)).to.equal('ERR_PROPOSAL_STATE')
  })

  it('is defeated without a quorum, a majority or votes', () => {
    for (const support of ['against', 'abstain', null] as const) {
      const network = withVoters()

      network.must([alice, propose])
      network.block()

      if (support !== null) {
        network.must([alice, { kind: 'vote', proposal: 0, support }])
      }

      network.until(() => readProposalStatus(network.state, 0) === 'defeated')
      expect(network.try(alice, { kind: 'queue', proposal: 0 })).to.equal('ERR_PROPOSAL_STATE')
    }
  })

  it('needs the threshold, valid actions, and an earlier one of its proposer decided', () => {
    const network = withVoters()

    expect(network.try(bob, propose)).to.equal('ERR_THRESHOLD')
    expect(network.try(alice, { kind: 'propose', title: 'x', actions: [{ kind: 'treasury-transfer', to: bob.account, amount: 0n }] })).to.equal('ERR_ACTIONS')
    expect(network.try(alice, propose)).to.equal('ok')
    expect(network.try(alice, propose)).to.equal('ERR_TOO_MANY_PROPOSALS')
    expect(network.try(carol, propose)).to.equal('ok')
  })

  it('moves the treasury\'s money or, if there is not enough, stays queued', () => {
    const network = withVoters()

    passed(network, { kind: 'propose', title: 'Grant', actions: [{ kind: 'treasury-transfer', to: bob.account, amount: 5n * OPEN }] })
    network.must([bob, { kind: 'queue', proposal: 0 }])
    network.block()
    network.block()
    const before = network.balance(bob)

    expect(network.try(carol, { kind: 'execute', proposal: 0 })).to.equal('ERR_INSUFFICIENT_FUNDS')
    network.must([carol, { kind: 'transfer', to: treasury.account, amount: 6n * OPEN }])
    expect(network.try(carol, { kind: 'execute', proposal: 0 })).to.equal('ok')
    expect(network.balance(bob) - before).to.equal(5n * OPEN)
    expect(network.try(carol, { kind: 'execute', proposal: 0 })).to.equal('ERR_PROPOSAL_STATE')
  })

  it('keeps a history of votes no longer than the live proposals need', () => {
    const network = withVoters()

    network.must([alice, propose])

    for (let i = 0; i < 20; i++) {
      network.block([bob, { kind: 'wrap', amount: OPEN }])
      expect(readVotes(network.state, carol.account).length).to.be.at.most(2)
    }

    expect(readVotes(network.state, carol.account)).to.deep.equal([{ height: 22, votes: 80n * OPEN }])
  })
})
