import { expect } from 'aegir/chai'
import { checkTransaction, decodeState, encodeState, executeBlock, genesisState, isIncludable, readAccount, readChain, stateKeys, stateRoot, verifyStateProof } from '../../src/ledger/index.ts'
import { alice, bob, CHAIN, genesis, Network, OPEN, parentOf, PARAMS, signer, treasury, validators } from './network.ts'
import type { Signed, Transaction } from '../../src/interface/index.ts'

const proposer = validators[0].account
const beaconSignature = new Uint8Array(96)
const parent = parentOf(1)

describe('genesisState', () => {
  it('holds what the genesis says and proves it', () => {
    const state = genesisState(genesis())
    const { supply, chain, height } = readChain(state)

    expect({ chain, height }).to.deep.equal({ chain: CHAIN, height: 0 })
    expect(supply).to.equal(14n * 10_000n * OPEN + 4n * 1000n * OPEN)
    expect(readAccount(state, alice.account).balance).to.equal(10_000n * OPEN)
    expect(verifyStateProof(stateRoot(state), state.map.prove(stateKeys.account(alice.account)))).to.equal(true)
  })

  it('refuses parameters under which the network could not go on', () => {
    expect(() => genesisState(genesis({ feeSplit: { platform: 1, developers: 1, validators: 1, data: 1 } }))).to.throw()
    expect(() => genesisState(genesis({ epochBlocks: 0 }))).to.throw()
  })
})

describe('executeBlock', () => {
  it('refuses a block that does not follow the state or breaks its limits', () => {
    const network = new Network()
    const { state } = network
    const one = network.sign(alice, { kind: 'transfer', to: bob.account, amount: 1n })
    const code = (block: Partial<Parameters<typeof executeBlock>[1]>): unknown => {
      try {
        executeBlock(state, { height: 1, parent, proposer, beaconSignature, transactions: [], ...block })
      } catch (err) {
        return err instanceof Error && 'code' in err ? err.code : err
      }
    }

    expect(code({})).to.equal(undefined)
    expect(code({ height: 2 })).to.equal('ERR_BLOCK_HEIGHT')
    expect(code({ proposer: alice.account })).to.equal('ERR_BLOCK_PROPOSER')
    expect(code({ parent: new Uint8Array(31) })).to.equal('ERR_BLOCK_PARENT')
    expect(code({ beaconSignature: new Uint8Array(95) })).to.equal('ERR_BLOCK_BEACON')
    expect(code({ transactions: new Array<Signed<Transaction>>(513).fill(one) })).to.equal('ERR_BLOCK_TRANSACTIONS')
  })

  it('refuses more than 1 MiB of transactions', () => {
    const network = new Network()
    const big = network.sign(alice, {
      kind: 'propose',
      title: 'x'.repeat(120),
      actions: Array.from({ length: 16 }, () => ({ kind: 'set-params' as const, params: { ...PARAMS, quorumBp: 7 } }))
    })

    expect(() => executeBlock(network.state, { height: 1, parent, proposer, beaconSignature, transactions: new Array<Signed<Transaction>>(512).fill(big) }))
      .to.throw().with.property('code', 'ERR_BLOCK_BYTES')
  })

  it('spends the nonce of a transaction that breaks a rule and changes nothing else', () => {
    const network = new Network()
    const before = readAccount(network.state, alice.account)

    expect(network.try(alice, { kind: 'transfer', to: bob.account, amount: 10_001n * OPEN })).to.equal('ERR_INSUFFICIENT_FUNDS')
    expect(network.try(alice, { kind: 'transfer', to: bob.account, amount: 0n })).to.equal('ERR_AMOUNT')
    expect(readAccount(network.state, alice.account)).to.deep.equal({ ...before, nonce: 2 })
    expect(network.balance(bob)).to.equal(10_000n * OPEN)
  })

  it('lets no transaction through that is replayed, early, forged, foreign or of an unknown account', () => {
    const network = new Network()
    const paid = network.sign(alice, { kind: 'transfer', to: bob.account, amount: 1n })
    const stranger = signer('stranger')
    const foreign = { ...paid, payload: { ...paid.payload, chain: 'other' } }
    const forged = { ...network.sign(bob, { kind: 'transfer', to: alice.account, amount: 1n }), signature: new Uint8Array(64) }
    const results = network.execute([
      paid,
      paid,
      network.sign(alice, { kind: 'transfer', to: bob.account, amount: 1n }, 5),
      foreign,
      forged,
      network.sign(stranger, { kind: 'transfer', to: bob.account, amount: 1n })
    ])

    expect(results.map(({ ok, code }) => ok ? 'ok' : code)).to.deep.equal(['ok', 'ERR_NONCE', 'ERR_NONCE', 'ERR_CHAIN', 'ERR_SIGNATURE', 'ERR_UNKNOWN_ACCOUNT'])
    expect(results.map(isIncludable)).to.deep.equal([true, false, false, false, false, false])
    expect(readAccount(network.state, alice.account).nonce).to.equal(1)
    expect(readAccount(network.state, bob.account).nonce).to.equal(0)
    expect(network.state.map.get(stateKeys.account(stranger.account))).to.equal(undefined)
  })

  it('is not changed by what callers do with their transactions afterwards', () => {
    const network = new Network()
    const to = Uint8Array.from(bob.account)
    const { state } = executeBlock(network.state, { height: 1, parent, proposer, beaconSignature, transactions: [network.sign(alice, { kind: 'delegate', to })] })

    to.fill(0)
    expect(readAccount(state, alice.account).delegate).to.deep.equal(bob.account)
  })

  it('mixes the beacon with every block', () => {
    const state = genesisState(genesis())
    const a = executeBlock(state, { height: 1, parent, proposer, beaconSignature, transactions: [] })
    const b = executeBlock(state, { height: 1, parent, proposer, beaconSignature: new Uint8Array(96).fill(1), transactions: [] })

    expect(readChain(a.state).beacon).to.not.deep.equal(readChain(state).beacon)
    expect(readChain(a.state).beacon).to.not.deep.equal(readChain(b.state).beacon)
  })

  it('comes back from a snapshot and goes on to the same root', () => {
    const network = new Network()

    network.must([alice, { kind: 'transfer', to: treasury.account, amount: OPEN }])
    const back = decodeState(encodeState(network.state), stateRoot(network.state))
    const block = { height: 2, parent: parentOf(2), proposer, beaconSignature, transactions: [network.sign(bob, { kind: 'stake', amount: OPEN })] }

    expect(back.height).to.equal(1)
    expect(stateRoot(executeBlock(back, block).state)).to.deep.equal(stateRoot(executeBlock(network.state, block).state))
  })
})

describe('checkTransaction', () => {
  it('takes what could be executed, some nonces ahead', () => {
    const network = new Network()

    for (const nonce of [0, 1, 64]) {
      checkTransaction(network.state, network.sign(alice, { kind: 'transfer', to: bob.account, amount: OPEN }, nonce))
    }
  })

  it('names what is wrong', () => {
    const network = new Network()
    const good = network.sign(alice, { kind: 'transfer', to: bob.account, amount: OPEN })
    const bad: Array<[Signed<Transaction>, string]> = [
      [network.sign(alice, { kind: 'transfer', to: bob.account, amount: OPEN }, 65), 'ERR_NONCE'],
      [{ ...good, signature: new Uint8Array(64) }, 'ERR_SIGNATURE'],
      [{ ...good, signer: bob.account }, 'ERR_SIGNATURE'],
      [{ ...good, signature: new Uint8Array(63) }, 'ERR_OUT_OF_RANGE'],
      [{ ...good, payload: { ...good.payload, chain: 'other' } }, 'ERR_CHAIN'],
      [network.sign(signer('stranger'), { kind: 'transfer', to: bob.account, amount: OPEN }), 'ERR_UNKNOWN_ACCOUNT'],
      [network.sign(alice, { kind: 'wrap', amount: 10_001n * OPEN }), 'ERR_INSUFFICIENT_FUNDS'],
      [network.sign(validators[0], { kind: 'create-datanet', datanet: genesis().bases[0].base, name: 'x' }), 'ERR_INSUFFICIENT_FUNDS']
    ]

    for (const [transaction, code] of bad) {
      expect(() => { checkTransaction(network.state, transaction) }).to.throw().with.property('code', code)
    }

    network.execute([good])
    expect(() => { checkTransaction(network.state, good) }).to.throw().with.property('code', 'ERR_NONCE')
  })
})
