import { expect } from 'aegir/chai'
import { bitmapOf, voteBytes } from '../../src/consensus/index.ts'
import { bls, blsSecretKey, deriveSeed } from '../../src/identity/index.ts'
import { readBond, readCandidate, readChain, readConviction, readNextValidators, readUnbonding, readValidators } from '../../src/ledger/index.ts'
import { equalBytes, hash } from '../../src/wire/index.ts'
import { alice, bob, carol, CHAIN, Network, OPEN, payer, treasury } from './network.ts'
import type { Request } from './network.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { CertifiedStatement, SignedStatement, TransactionBody } from '../../src/interface/index.ts'

const secretOf = (who: Signer): Uint8Array => blsSecretKey(deriveSeed('double', who.account.join()))
const keyOf = (who: Signer): Uint8Array => bls.publicKeyOf(secretOf(who))

const register = (who: Signer, amount = 2_000n * OPEN, key = who): Request => [who, {
  kind: 'register-validator', blsPublicKey: keyOf(key), possession: bls.possess(secretOf(key), who.account), amount
}]

interface Case { era?: number, view?: number, kinds?: Array<SignedStatement['kind']>, blocks?: string[], signedBy?: Signer, chain?: string }

/** Two votes of one validator: two notarized blocks if nothing else is said. */
function evidence (who: Signer, { era = 0, view = 9, kinds = ['notarize', 'notarize'], blocks = ['a', 'b'], signedBy = who, chain = CHAIN }: Case = {}): TransactionBody {
  const [first, second] = kinds.map((kind, i): SignedStatement => {
    const blockHash = kind === 'nullify' ? new Uint8Array() : hash(blocks[i])

    return { kind, blockHash, signature: bls.sign(secretOf(i === 0 ? who : signedBy), voteBytes(chain, { kind, era, view, blockHash })) }
  })

  return { kind: 'report-votes', blsPublicKey: keyOf(who), era, view, first, second }
}

const untilEpoch = (network: Network, epoch: number): void => { network.until(() => readChain(network.state).epoch >= epoch) }
const sits = (network: Network, who: Signer): boolean => readValidators(network.state).some(({ account }) => equalBytes(account, who.account))

/** Alice is a validator at work, with 2,000 of her own and 300 of Carol's. */
function withAlice (): Network {
  const network = new Network({ validatorStakeMin: 500n * OPEN })

  network.must(register(alice), [carol, { kind: 'bond', validator: alice.account, amount: 300n * OPEN }])
  untilEpoch(network, readChain(network.state).epoch + 2)
  expect(sits(network, alice)).to.equal(true)

  return network
}

describe('double signing', () => {
  it('costs half of one\'s stake, rewards who reports it, and ends a validator with the era', () => {
    const network = withAlice()
    const before = [bob, treasury].map(who => network.balance(who))

    network.must([bob, evidence(alice, { era: 1 })])
    expect(readBond(network.state, alice.account, alice.account)).to.equal(1_000n * OPEN)
    expect([bob, treasury].map((who, i) => network.balance(who) - before[i])).to.deep.equal([50n * OPEN, 950n * OPEN])
    expect(readConviction(network.state, alice.account)).to.deep.include({ era: 1, view: 9, slashed: 1_000n * OPEN, reporter: bob.account })
    expect(readNextValidators(network.state).some(({ account }) => equalBytes(account, alice.account))).to.equal(false)
    expect(network.events.filter(({ type }) => type === 'conviction')).to.have.lengthOf(1)

    const { epoch } = readChain(network.state)

    untilEpoch(network, epoch + 1)
    expect(sits(network, alice)).to.equal(false)
    untilEpoch(network, epoch + 4)
    expect(sits(network, alice)).to.equal(false)
  })

  it('is judged once', () => {
    const network = withAlice()

    network.must([bob, evidence(alice, { era: 1 })])
    expect(network.try(carol, evidence(alice, { era: 1 }))).to.equal('ERR_CONVICTED')
    expect(network.try(bob, evidence(alice, { era: 1, view: 10 }))).to.equal('ERR_CONVICTED')
    expect(readBond(network.state, alice.account, alice.account)).to.equal(1_000n * OPEN)
  })

  it('is no way to be a validator again, with this key or another one', () => {
    const network = withAlice()

    network.must([bob, evidence(alice, { era: 1 })])
    network.must([alice, { kind: 'unbond', validator: alice.account, amount: 1_000n * OPEN }], [carol, { kind: 'unbond', validator: alice.account, amount: 300n * OPEN }])
    expect(readCandidate(network.state, alice.account)).to.equal(undefined)
    expect(network.block(register(alice, OPEN))[0].code).to.equal('ERR_CONVICTED')
    expect(network.block(register(alice, OPEN, carol))[0].code).to.equal('ERR_CONVICTED')
    expect(network.block(register(bob, OPEN, alice))[0].code).to.equal('ERR_VALIDATOR_KEY')
  })

  it('takes no more stake of delegators, and half of theirs when they take it out', () => {
    const network = withAlice()

    network.must([bob, evidence(alice, { era: 1 })])
    expect(network.try(carol, { kind: 'bond', validator: alice.account, amount: OPEN })).to.equal('ERR_CONVICTED')
    network.must([carol, { kind: 'unbond', validator: alice.account, amount: 300n * OPEN }])

    const [{ epoch }] = readUnbonding(network.state, carol.account)

    untilEpoch(network, epoch)
    const before = [carol, treasury].map(who => network.balance(who))

    network.must([carol, { kind: 'withdraw' }])
    expect([carol, treasury].map((who, i) => network.balance(who) - before[i])).to.deep.equal([150n * OPEN, 150n * OPEN])
  })

  it('reaches stake that is on its way out, own and delegated, as long as evidence counts', () => {
    const network = withAlice()

    network.must([alice, { kind: 'unbond', validator: alice.account, amount: 2_000n * OPEN }], [carol, { kind: 'unbond', validator: alice.account, amount: 300n * OPEN }])
    const [{ epoch: free }] = readUnbonding(network.state, alice.account)

    // the last epoch in which the stake cannot be had, two after the validator asked for it
    untilEpoch(network, free - 1)
    expect(sits(network, alice)).to.equal(false)
    network.must([bob, evidence(alice, { era: 1 })])
    expect(readUnbonding(network.state, alice.account)[0].amount).to.equal(1_000n * OPEN)

    untilEpoch(network, free)
    const before = [alice, carol].map(who => network.balance(who))

    network.must([alice, { kind: 'withdraw' }], [carol, { kind: 'withdraw' }])
    expect([alice, carol].map((who, i) => network.balance(who) - before[i])).to.deep.equal([1_000n * OPEN, 150n * OPEN])
  })

  it('is too old once the stake behind it is free', () => {
    const network = withAlice()

    network.must([alice, { kind: 'unbond', validator: alice.account, amount: 2_000n * OPEN }])
    untilEpoch(network, readUnbonding(network.state, alice.account)[0].epoch)
    expect(network.try(bob, evidence(alice, { era: 1 }))).to.equal('ERR_EVIDENCE_OLD')
    expect(network.try(bob, evidence(alice, { era: 0 }))).to.equal('ERR_EVIDENCE_OLD')
    expect(network.try(bob, evidence(alice, { era: 99 }))).to.equal('ERR_EVIDENCE_OLD')
  })

  it('is to nullify and to finalise one view, too', () => {
    const network = withAlice()

    network.must([bob, evidence(alice, { era: 1, kinds: ['nullify', 'finalize'] })])
    expect(readConviction(network.state, alice.account)?.slashed).to.equal(1_000n * OPEN)
  })

  it('is not what an honest validator does', () => {
    const network = withAlice()
    const honest: Case[] = [
      { blocks: ['a', 'a'] },
      { kinds: ['notarize', 'finalize'], blocks: ['a', 'a'] },
      { kinds: ['notarize', 'nullify'] },
      { kinds: ['nullify', 'nullify'] }
    ]

    for (const one of honest) {
      expect(network.try(bob, evidence(alice, { era: 1, ...one }))).to.equal('ERR_EVIDENCE')
    }
    expect(readConviction(network.state, alice.account)).to.equal(undefined)
  })

  it('is not believed without both signatures, for this chain and era', () => {
    const network = withAlice()
    const moved = evidence(alice, { era: 1 })

    expect(network.try(bob, evidence(alice, { era: 1, signedBy: bob }))).to.equal('ERR_EVIDENCE')
    expect(network.try(bob, evidence(alice, { era: 1, chain: 'other-1' }))).to.equal('ERR_EVIDENCE')
    expect(network.try(bob, { ...moved, view: 10 } as TransactionBody)).to.equal('ERR_EVIDENCE')
    expect(network.try(bob, evidence(bob, { era: 1 }))).to.equal('ERR_VALIDATOR_UNKNOWN')
    expect(readBond(network.state, alice.account, alice.account)).to.equal(2_000n * OPEN)
  })
})

describe('certificates that contradict each other', () => {
  const members = [alice, bob, carol]

  /** Three validators with real keys have all the stake that counts. */
  function network (): Network {
    const made = new Network({ validatorStakeMin: 1_500n * OPEN, validatorsMax: 3 })

    made.must(...members.map(who => register(who)))
    untilEpoch(made, readChain(made.state).epoch + 2)
    expect(members.map(who => sits(made, who))).to.deep.equal([true, true, true])

    return made
  }

  function certified (made: Network, block: string, signers: Signer[] = members, kind: SignedStatement['kind'] = 'finalize'): CertifiedStatement {
    const places = readValidators(made.state).map(({ account }) => signers.find(who => equalBytes(who.account, account)))
    const blockHash = hash(block)
    const bytes = voteBytes(CHAIN, { kind, era: 1, view: 4, blockHash })

    return {
      kind,
      blockHash,
      signers: bitmapOf(places.flatMap((who, i) => who === undefined ? [] : [i]), places.length),
      signature: bls.aggregate(signers.map(who => bls.sign(secretOf(who), bytes)))
    }
  }

  const report = (made: Network, first: CertifiedStatement, second: CertifiedStatement): TransactionBody =>
    ({ kind: 'report-certificates', era: 1, view: 4, first, second, validators: readValidators(made.state) })

  it('convict all who signed both, with nobody left to take over but those at work', () => {
    const made = network()

    made.must([payer, report(made, certified(made, 'a'), certified(made, 'b'))])
    expect(members.map(who => readBond(made.state, who.account, who.account))).to.deep.equal(members.map(() => 1_000n * OPEN))
    expect(made.try(payer, report(made, certified(made, 'a'), certified(made, 'c')))).to.equal('ERR_CONVICTED')
    expect(readNextValidators(made.state).length).to.be.above(0)
  })

  it('are not believed without a quorum behind each, nor of another set', () => {
    const made = network()
    const body = report(made, certified(made, 'a'), certified(made, 'b', [alice]))

    expect(made.try(payer, body)).to.equal('ERR_EVIDENCE')
    expect(made.try(payer, report(made, certified(made, 'a'), certified(made, 'a')))).to.equal('ERR_EVIDENCE')
    expect(made.try(payer, { ...report(made, certified(made, 'a'), certified(made, 'b')), validators: readValidators(made.state).slice(1) } as TransactionBody)).to.equal('ERR_EVIDENCE')
    expect(members.map(who => readConviction(made.state, who.account))).to.deep.equal([undefined, undefined, undefined])
  })
})
