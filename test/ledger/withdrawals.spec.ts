import { expect } from 'aegir/chai'
import { listPayouts, readChain, readContribution } from '../../src/ledger/index.ts'
import { admitAdapter, alice, attestBody, base, bob, cid, contributions, contributors, developer, honest, Network, OPEN, startTask, treasury, validators } from './network.ts'
import type { Hash, TransactionBody } from '../../src/interface/index.ts'

const FEES = 7_000_000_000_000_000_003n
const DATA = FEES - FEES / 10n - 2n * (FEES / 5n)
const withdraw = (contribution = contributions[0]): TransactionBody => ({ kind: 'withdraw-contribution', contribution })

function settled (network: Network, task: Hash): void {
  network.must(...honest.map(one => one.commit(network, task)))
  network.must(...honest.map(one => one.reveal(task)))
  network.must(...honest.map(one => one.open(network, task)))
  network.until(() => network.task(task).phase === 'settled')
  network.must([alice, honest[0].claim(task)])
}

function started (): Network {
  const network = new Network()

  admitAdapter(network)

  return network
}

describe('a withdrawal of a contribution', () => {
  it('is its contributor\'s alone, of what is admitted, and once', () => {
    const network = started()
    const [owner, other] = contributors

    expect(network.try(other, withdraw())).to.equal('ERR_NOT_CONTRIBUTOR')
    expect(network.try(developer, withdraw())).to.equal('ERR_NOT_CONTRIBUTOR')
    expect(network.try(owner, withdraw(cid('nothing')))).to.equal('ERR_CONTRIBUTION_UNKNOWN')
    expect(network.try(owner, withdraw())).to.equal('ok')
    expect(network.try(owner, withdraw())).to.equal('ERR_CONTRIBUTION_WITHDRAWN')

    const { epoch } = readChain(network.state)
    const state = readContribution(network.state, contributions[0])

    expect(state?.status).to.equal('admitted')
    expect(state?.withdrawn?.epoch).to.be.oneOf([epoch, epoch - 1])
    expect(readContribution(network.state, contributions[1])).to.not.have.property('withdrawn')
  })

  it('keeps it out of adapters from then on, whatever becomes of those before', () => {
    const network = started()
    const publish: TransactionBody = { kind: 'publish-adapter', adapter: cid('later'), base, snapshot: cid('later snapshot'), contributions }

    network.must([contributors[0], withdraw()])
    expect(network.try(developer, publish)).to.equal('ERR_CONTRIBUTION_WITHDRAWN')
    expect(network.try(developer, { ...publish, contributions: contributions.slice(1) })).to.equal('ok')
    for (const one of validators.slice(0, 3)) {
      network.must([one, attestBody(network.state, cid('later'))])
    }
  })

  it('leaves the pay of the epoch in which it came', () => {
    const network = started()
    const task = startTask(network, FEES)

    // after the cutoff of the task's epoch, before its settlement
    network.must([contributors[0], withdraw()])
    settled(network, task)
    expect(contributors.map(who => network.balance(who) - 10_000n * OPEN)).to.deep.equal([DATA * 5n / 14n, 0n, DATA * 9n / 14n])
  })

  it('gives its share of later epochs to the treasury, and changes nobody else\'s', () => {
    const network = started()

    network.must([contributors[0], withdraw()])

    const { epoch } = readChain(network.state)

    network.until(() => readChain(network.state).epoch > epoch)

    const task = startTask(network, FEES)

    expect(network.task(task).epoch).to.be.greaterThan(readContribution(network.state, contributions[0])?.withdrawn?.epoch ?? Infinity)

    const treasuryBefore = network.balance(treasury)

    settled(network, task)

    const paid = [...listPayouts(network.state, task)].find(({ contribution }) => contribution.equals(contributions[0]))

    expect(contributors.map(who => network.balance(who) - 10_000n * OPEN)).to.deep.equal([0n, 0n, DATA * 9n / 14n])
    expect(paid?.state).to.deep.include({ contributor: treasury.account, amount: DATA * 5n / 14n, score: 5n })
    expect(network.balance(treasury) - treasuryBefore >= FEES / 10n + DATA * 5n / 14n).to.equal(true)
    expect(readContribution(network.state, contributions[0])?.earned).to.equal(0n)
    expect(network.task(task)).to.deep.include({ dataPool: DATA, paid: DATA * 5n / 14n + DATA * 9n / 14n, total: 14n })
    expect(network.try(bob, honest[0].claim(task))).to.equal('ERR_ALREADY_CLAIMED')
  })
})
