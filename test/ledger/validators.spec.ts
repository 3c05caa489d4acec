import { expect } from 'aegir/chai'
import { bls, blsSecretKey, deriveSeed } from '../../src/identity/index.ts'
import { feeMin, readAccount, readBond, readCandidate, readChain, readNextValidators, readUnbonding, readValidators } from '../../src/ledger/index.ts'
import { equalBytes, signedTransactionCodec } from '../../src/wire/index.ts'
import { alice, bob, carol, Network, OPEN, treasury, validators } from './network.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { TransactionBody } from '../../src/interface/index.ts'

const register = (who: Signer, amount: bigint, owner = who): TransactionBody => {
  const secretKey = blsSecretKey(deriveSeed('validators', who.account.join()))

  return { kind: 'register-validator', blsPublicKey: bls.publicKeyOf(secretKey), possession: bls.possess(secretKey, owner.account), amount }
}

const untilEpoch = (network: Network, epoch: number): void => { network.until(() => readChain(network.state).epoch >= epoch) }
const members = (network: Network, who: Signer): number => readValidators(network.state).filter(({ account }) => equalBytes(account, who.account)).length

describe('validator sets of the ledger', () => {
  it('stay the same, era and all, while stakes do', () => {
    const network = new Network()
    const before = readValidators(network.state)

    untilEpoch(network, 3)
    expect(readChain(network.state).era).to.equal(0)
    expect(readValidators(network.state)).to.deep.equal(before)
  })

  it('change two epochs after the stake, delegated stake included', () => {
    const network = new Network({ validatorStakeMin: 500n * OPEN })

    network.block([alice, register(alice, 300n * OPEN)])
    network.block([bob, { kind: 'bond', validator: alice.account, amount: 200n * OPEN }])
    const { epoch } = readChain(network.state)

    expect(readCandidate(network.state, alice.account)?.bonded).to.equal(500n * OPEN)
    untilEpoch(network, epoch + 1)
    expect(members(network, alice)).to.equal(0)
    expect(readNextValidators(network.state).some(({ account }) => equalBytes(account, alice.account))).to.equal(true)
    untilEpoch(network, epoch + 2)
    expect(members(network, alice)).to.equal(1)
    expect(readChain(network.state).era).to.equal(1)

    network.block([bob, { kind: 'unbond', validator: alice.account, amount: 200n * OPEN }])
    untilEpoch(network, epoch + 5)
    expect(members(network, alice)).to.equal(0)
  })

  it('hold as many as there are places: those with the most stake', () => {
    const network = new Network({ validatorsMax: 4, validatorStakeMin: OPEN })

    network.block([alice, register(alice, 2000n * OPEN)], [bob, register(bob, 999n * OPEN)])
    untilEpoch(network, readChain(network.state).epoch + 2)
    expect(readValidators(network.state)).to.have.lengthOf(4)
    expect([members(network, alice), members(network, bob)]).to.deep.equal([1, 0])
  })

  it('refuse a key of somebody else, one that is registered, and stake on nobody', () => {
    const network = new Network()
    const code = (...request: [Signer, TransactionBody]): string | undefined => network.block(request)[0].code

    expect(code(bob, register(alice, OPEN))).to.equal('ERR_POSSESSION')
    expect(code(alice, register(alice, OPEN))).to.equal(undefined)
    expect(code(bob, register(alice, OPEN, bob))).to.equal('ERR_VALIDATOR_KEY')
    expect(code(alice, register(alice, OPEN))).to.equal('ERR_VALIDATOR_EXISTS')
    expect(code(bob, { kind: 'bond', validator: carol.account, amount: OPEN })).to.equal('ERR_VALIDATOR_UNKNOWN')
    expect(code(bob, { kind: 'unbond', validator: alice.account, amount: OPEN })).to.equal('ERR_INSUFFICIENT_FUNDS')
  })

  it('give stake back only when it can count no more', () => {
    const network = new Network()

    network.block([bob, { kind: 'bond', validator: validators[0].account, amount: 7n }])
    network.block([bob, { kind: 'unbond', validator: validators[0].account, amount: 5n }])
    expect(readBond(network.state, validators[0].account, bob.account)).to.equal(2n)
    const [{ epoch }] = readUnbonding(network.state, bob.account)
    const { balance } = readAccount(network.state, bob.account)

    expect(network.block([bob, { kind: 'withdraw' }])[0].code).to.equal('ERR_NOTHING_TO_WITHDRAW')
    untilEpoch(network, epoch)
    expect(network.block([bob, { kind: 'withdraw' }])[0].ok).to.equal(true)
    expect(readAccount(network.state, bob.account).balance).to.equal(balance + 5n)
  })

  it('never become empty', () => {
    const network = new Network()

    network.block(...validators.map((who): [Signer, TransactionBody] => [who, { kind: 'unbond', validator: who.account, amount: 1000n * OPEN }]))
    untilEpoch(network, readChain(network.state).epoch + 3)
    expect(readValidators(network.state)).to.have.lengthOf(4)
  })
})

describe('fees', () => {
  const feePerByte = 3n

  it('are paid to proposer and treasury whatever becomes of the transaction', () => {
    const network = new Network({ feePerByte, feeProposerBp: 2_500 })
    const proposer = validators[1]
    const signed = network.sign(alice, { kind: 'vote', proposal: 9, support: 'for' }, undefined, 1_001n)
    const [before, treasured] = [proposer, treasury].map(({ account }) => readAccount(network.state, account).balance)
    const [result] = network.execute([signed])

    expect([result.ok, result.fee]).to.deep.equal([false, 1_001n])
    expect(readAccount(network.state, proposer.account).balance - before).to.equal(250n)
    expect(readAccount(network.state, treasury.account).balance - treasured).to.equal(751n)
  })

  it('below the least keep a transaction out of blocks, except validators\' duties', () => {
    const network = new Network({ feePerByte })
    const signed = network.sign(alice, { kind: 'transfer', to: bob.account, amount: 1n }, undefined, 700n)
    const least = feeMin(readChain(network.state).params, signedTransactionCodec.encode(signed).length)

    expect(network.execute([network.sign(alice, { kind: 'transfer', to: bob.account, amount: 1n }, undefined, least - 1n)])[0].code).to.equal('ERR_FEE')
    expect(readAccount(network.state, alice.account).nonce).to.equal(0)
    expect(network.execute([network.sign(alice, { kind: 'transfer', to: bob.account, amount: 1n }, undefined, least)])[0].ok).to.equal(true)
    expect(network.execute([network.sign(validators[0], { kind: 'verdict', task: new Uint8Array(32), scoreRoot: new Uint8Array(32), total: 0n })])[0].code).to.equal('ERR_TASK_UNKNOWN')
  })

  it('that the account does not have keep it out too', () => {
    const network = new Network()

    expect(network.execute([network.sign(validators[0], { kind: 'unwrap', amount: 1n }, undefined, 1n)])[0].code).to.equal('ERR_FEE')
  })
})
