import { expect } from 'aegir/chai'
import { listAttestations, listContributions, readAdapter, readContribution, readDatanet } from '../../src/ledger/index.ts'
import { rawCid, utf8 } from '../../src/wire/index.ts'
import { adapter, admitAdapter, alice, base, bob, cid, contributions, curator, datanet, developer, Network, OPEN, sorted, treasury, validators } from './network.ts'
import type { Request } from './network.ts'
import type { TransactionBody } from '../../src/interface/index.ts'

const contribution = cid('contribution')
const contribute: TransactionBody = { kind: 'contribute', datanet, contribution, rows: 10, bytes: 1000, shards: 1 }

function attest (verdict: 'admit' | 'reject', subject = contribution, owner = alice): TransactionBody {
  return { kind: 'attest', subject, owner: owner.account, verdict, attestation: cid('attestation') }
}

function withContribution (): Network {
  const network = new Network()

  network.must([curator, { kind: 'create-datanet', datanet, name: 'speeches' }])
  network.must([alice, contribute])

  return network
}

describe('contributions', () => {
  it('hold a deposit until more than two thirds of the stake admit them, then give it back', () => {
    const network = withContribution()

    expect(network.balance(alice)).to.equal(9_999n * OPEN)
    expect(network.balance(curator)).to.equal(9_997n * OPEN)
    network.must([validators[0], attest('admit')], [validators[1], attest('admit')])
    expect(readContribution(network.state, contribution)?.status).to.equal('pending')
    network.must([validators[2], attest('admit')])

    expect(readContribution(network.state, contribution)).to.deep.include({ status: 'admitted', deposit: 0n, index: 0 })
    expect(readDatanet(network.state, datanet)).to.deep.include({ contributions: 1, admitted: 1, deposit: 0n })
    expect(network.balance(alice)).to.equal(10_000n * OPEN)
    expect(network.balance(curator)).to.equal(10_000n * OPEN)
  })

  it('lose the deposit to the treasury when more than two thirds reject them', () => {
    const network = withContribution()

    network.must(...validators.slice(0, 3).map((who): Request => [who, attest('reject')]))
    expect(readContribution(network.state, contribution)?.status).to.equal('rejected')
    expect(network.balance(alice)).to.equal(9_999n * OPEN)
    expect(network.balance(treasury)).to.equal(OPEN)
    expect(readDatanet(network.state, datanet)).to.deep.include({ admitted: 0, deposit: 3n * OPEN })
  })

  it('are rejected with their deposit given back when validators disagree', () => {
    const network = withContribution()

    network.must([validators[0], attest('reject')], [validators[1], attest('reject')], [validators[2], attest('admit')], [validators[3], attest('admit')])
    expect(readContribution(network.state, contribution)?.status).to.equal('rejected')
    expect(network.balance(alice)).to.equal(10_000n * OPEN)
  })

  it('record a late attestation without changing the decision', () => {
    const network = withContribution()

    for (const who of validators) {
      expect(network.try(who, attest(who === validators[3] ? 'reject' : 'admit'))).to.equal('ok')
    }

    expect(readContribution(network.state, contribution)?.status).to.equal('admitted')
    expect([...listAttestations(network.state, contribution)]).to.have.length(4)
  })

  it('are attested by validators alone, once each, and only if they are there', () => {
    const network = withContribution()

    expect(network.try(alice, attest('admit'))).to.equal('ERR_NOT_VALIDATOR')
    expect(network.try(validators[0], attest('admit', cid('nothing')))).to.equal('ERR_SUBJECT_UNKNOWN')
    expect(network.try(validators[0], attest('admit'))).to.equal('ok')
    expect(network.try(validators[0], attest('reject'))).to.equal('ERR_ALREADY_ATTESTED')
  })

  it('cannot be replayed, by nobody, nor go to a Datanet that is not there', () => {
    const network = withContribution()

    expect(network.try(alice, contribute)).to.equal('ERR_CONTRIBUTION_EXISTS')
    expect(network.try(bob, contribute)).to.equal('ERR_CONTRIBUTION_EXISTS')
    expect(network.try(bob, { ...contribute, contribution: cid('other'), datanet: cid('nothing') })).to.equal('ERR_DATANET_UNKNOWN')
    expect(network.try(curator, { kind: 'create-datanet', datanet, name: 'again' })).to.equal('ERR_DATANET_EXISTS')
    expect([...listContributions(network.state, datanet)]).to.have.length(1)
  })
})

describe('what a squatter entered first', () => {
  /** Alice saw the CID of a record of Bob's on its way. */
  function squatted (): Network {
    const network = withContribution()

    network.must(...validators.slice(0, 3).map((who): Request => [who, attest('reject')]))

    return network
  }

  it('is its author\'s as soon as validators rejected it, as if it had never been there', () => {
    const network = withContribution()

    expect(network.try(bob, contribute)).to.equal('ERR_CONTRIBUTION_EXISTS')
    network.must(...validators.slice(0, 3).map((who): Request => [who, attest('reject')]))
    network.must([bob, contribute])
    expect(readContribution(network.state, contribution)).to.deep.include({ contributor: bob.account, status: 'pending', deposit: OPEN, stakeFor: 0n, stakeAgainst: 0n, index: 1 })
    expect([...listAttestations(network.state, contribution)]).to.have.length(0)
    network.must(...validators.slice(0, 3).map((who): Request => [who, attest('admit', contribution, bob)]))
    expect(readContribution(network.state, contribution)).to.deep.include({ contributor: bob.account, status: 'admitted', deposit: 0n })
    expect(readDatanet(network.state, datanet)).to.deep.include({ contributions: 2, admitted: 1 })
    expect([...listContributions(network.state)]).to.have.length(1)
    // the squatter alone has paid
    expect([network.balance(alice), network.balance(bob), network.balance(treasury)]).to.deep.equal([9_999n * OPEN, 10_000n * OPEN, OPEN])
  })

  it('leaves no verdict behind: one that comes late names whose entry it is about', () => {
    const network = squatted()

    network.must([bob, contribute])
    expect(network.try(validators[3], attest('reject'))).to.equal('ERR_SUBJECT_OWNER')
    expect(readContribution(network.state, contribution)).to.deep.include({ stakeAgainst: 0n })
    expect(network.try(validators[3], attest('admit', contribution, bob))).to.equal('ok')
  })

  it('cannot be entered by the same account again, nor by another one while it is judged or once it is admitted', () => {
    const network = squatted()

    expect(network.try(alice, contribute)).to.equal('ERR_CONTRIBUTION_EXISTS')
    network.must([bob, contribute])
    expect(network.try(alice, contribute)).to.equal('ERR_CONTRIBUTION_EXISTS')
    network.must(...validators.map((who): Request => [who, attest('admit', contribution, bob)]))
    expect(network.try(alice, contribute)).to.equal('ERR_CONTRIBUTION_EXISTS')
  })

  it('as something else gives way too, to an adapter of any kind', () => {
    for (const body of [
      { kind: 'publish-adapter', adapter: contribution, base, snapshot: cid('snapshot'), contributions },
      { kind: 'import-adapter', adapter: contribution, base, weights: rawCid(utf8('weights')) }
    ] as const) {
      const network = new Network()

      admitAdapter(network)
      network.must([alice, contribute])
      expect(network.try(developer, body)).to.equal('ERR_ADAPTER_EXISTS')
      network.must(...validators.slice(0, 3).map((who): Request => [who, attest('reject')]))
      network.must([developer, body])
      expect(readContribution(network.state, contribution)).to.equal(undefined)
      network.must(...validators.slice(0, 3).map((who): Request => [who, attest('admit', contribution, developer)]))
      expect(readAdapter(network.state, contribution)?.status).to.equal('admitted')
      expect(network.balance(developer)).to.equal(10_000n * OPEN)
    }
  })
})

describe('adapters', () => {
  it('are admitted by validators and give the deposit back', () => {
    const network = new Network()

    admitAdapter(network)
    expect(readAdapter(network.state, adapter)).to.deep.include({ status: 'admitted', deposit: 0n })
    expect(network.balance(developer)).to.equal(10_000n * OPEN)
  })

  it('need a known base, admitted contributions and a new CID', () => {
    const network = new Network()
    const publish = { kind: 'publish-adapter', adapter: cid('second'), base, snapshot: cid('snapshot'), contributions } as const

    admitAdapter(network)
    network.must([alice, contribute])
    expect(network.try(developer, { ...publish, base: cid('unknown') })).to.equal('ERR_BASE_UNKNOWN')
    expect(network.try(developer, { ...publish, contributions: sorted([...contributions, contribution]) })).to.equal('ERR_CONTRIBUTION_NOT_ADMITTED')
    expect(network.try(developer, { ...publish, adapter })).to.equal('ERR_ADAPTER_EXISTS')
    expect(network.try(developer, { ...publish, adapter: contribution })).to.equal('ERR_ADAPTER_EXISTS')
    expect(network.try(developer, publish)).to.equal('ok')
  })
})
