import assert from 'node:assert/strict'
import { bls } from '../../src/identity/index.ts'
import { readAccount, readCandidate, readChain, readUnbonding, readValidators, totalHoldings } from '../../src/ledger/index.ts'
import { lightClient } from '../../src/light-client/index.ts'
import { querySource } from '../../src/settlement/index.ts'
import { equalBytes, validatorsHash, verifyOutcome } from '../../src/wire/index.ts'
import { CHAIN, alice, genesis as base, swarm, validatorBls, validatorSigner } from './fixtures.ts'
import type { TestNode } from './fixtures.ts'
import type { Genesis } from '../../src/interface/index.ts'

const genesis: Genesis = { ...base, params: { ...base.params, epochBlocks: 4 } }
const init = { genesis, times: { blockIntervalMsMin: 20, idleIntervalMs: 60, leaderTimeoutMs: 1_500, certificationTimeoutMs: 2_500, silentTimeoutMs: 500 } }
const signal = (): AbortSignal => AbortSignal.timeout(30_000)
const era = async (node: TestNode, wanted: number): Promise<unknown> => node.chain.waitFor(state => readChain(state).era >= wanted, { signal: signal() })
const further = async (node: TestNode, blocks: number): Promise<unknown> => {
  const from = node.chain.height
  return node.chain.waitFor((_, height) => height >= from + blocks, { signal: signal() })
}
const leads = async (node: TestNode, account: Uint8Array): Promise<void> => new Promise(resolve => {
  node.chain.addEventListener('block', ({ detail }) => {
    if (equalBytes(detail.block.header.proposer, account)) {
      resolve()
    }
  })
})
const isMember = (node: TestNode, index: number): boolean => readValidators(node.chain.state()).some(({ account }) => equalBytes(account, validatorSigner(index).account))
const balanced = (node: TestNode): void => {
  const { total, supply } = totalHoldings(node.chain.state())
  assert.equal(total, supply)
}

describe('validator sets', function () {
  this.timeout(60_000)

  const nodes = swarm()
  let all: TestNode[]
  let newcomer: TestNode

  before(async () => {
    all = []
    for (const validator of [0, 1, 2, 3]) {
      all.push(await nodes.node({ validator, seed: validator + 1, init }))
    }
    newcomer = await nodes.node({ validator: 4, seed: 5, init })
    all.forEach(node => { node.chain.addEventListener('block', () => { balanced(node) }) })
  })
  after(async () => nodes.clean())

  it('take in a fifth validator two epochs after it registered, and it votes', async () => {
    const fifth = validatorSigner(4)
    await newcomer.chain.send({ kind: 'transfer', to: fifth.account, amount: 150n }, alice, { signal: signal() })
    const key = { blsPublicKey: bls.publicKeyOf(validatorBls(4)), possession: bls.possess(validatorBls(4), fifth.account) }

    const stolen = await newcomer.chain.send({ kind: 'register-validator', ...key, amount: 100n }, alice, { signal: signal() })
    assert.equal(stolen.code, 'ERR_POSSESSION')

    const registered = await newcomer.chain.send({ kind: 'register-validator', ...key, amount: 100n }, fifth, { signal: signal() })
    assert.equal(registered.ok, true)
    // the cutoff ends an epoch after the transactions of its block
    const epoch = Math.floor((registered.height - 1) / genesis.params.epochBlocks)

    await Promise.all([...all, newcomer].map(async node => era(node, 1)))
    assert.ok(readChain(newcomer.chain.state()).epoch >= epoch + 2)
    assert.equal(readValidators(all[0].chain.state()).length, 5)
    assert.equal(all[0].chain.validators().length, 5)

    // round robin: it leads one view of five, and its block is among ten
    await leads(newcomer, fifth.account)
  })

  it('let one go that unbonds its stake, which it can withdraw when the stake counts no more', async () => {
    const leaver = validatorSigner(0)
    const stake = 100n
    const result = await all[0].chain.send({ kind: 'unbond', validator: leaver.account, amount: stake }, leaver, { signal: signal() })
    assert.equal(result.ok, true)
    assert.equal(readCandidate(all[0].chain.state(), leaver.account), undefined)
    const early = await all[0].chain.send({ kind: 'withdraw' }, leaver, { signal: signal() })
    assert.equal(early.code, 'ERR_NOTHING_TO_WITHDRAW')

    await Promise.all([...all, newcomer].map(async node => era(node, 2)))
    assert.deepEqual([isMember(all[1], 0), isMember(all[1], 4)], [false, true])
    const [{ epoch: free }] = readUnbonding(all[1].chain.state(), leaver.account)
    await all[0].chain.waitFor(state => readChain(state).epoch >= free, { signal: signal() })
    const late = await all[0].chain.send({ kind: 'withdraw' }, leaver, { signal: signal() })
    assert.equal(late.ok, true)
    assert.equal(readAccount(all[0].chain.state(), leaver.account).balance, stake)
  })

  it('go on without the one that left', async () => {
    await all[0].stop()
    await further(newcomer, 10)
    assert.equal(new Set(await Promise.all([all[1], all[2], all[3], newcomer].map(async node => {
      await node.chain.waitFor((_, height) => height >= newcomer.chain.height - 5, { signal: signal() })
      return (await node.chain.header(newcomer.chain.height - 6)).stateRoot.join()
    }))).size, 1)
  })

  it('bring a node that knows the genesis only, and a light client, through all eras', async () => {
    const late = await nodes.node({ seed: 9, init })
    await late.chain.waitFor(state => readChain(state).era >= 2, { signal: signal() })
    await further(late, 2)

    const client = lightClient({ genesis, source: querySource({ network: late.net, chain: CHAIN }) })
    const newest = await client.sync()
    assert.equal(newest.header.era, readChain(newcomer.chain.state()).era)
    assert.ok(equalBytes(validatorsHash(client.validatorsOf(newest)), validatorsHash(readValidators(newcomer.chain.state()))))
    assert.equal((await client.account(alice.account)).value?.balance, 850n)
  })

  it('prove what became of a transaction against a certified header', async () => {
    const source = querySource({ network: newcomer.net, chain: CHAIN })
    const result = await newcomer.chain.send({ kind: 'unbond', validator: validatorSigner(1).account, amount: 1n }, alice, { signal: signal() })
    const proof = await source.outcome(result.id)
    const { outcomesRoot } = await newcomer.chain.header(proof.height)
    assert.deepEqual([proof.outcome.ok, proof.outcome.code], [false, 'ERR_INSUFFICIENT_FUNDS'])
    assert.ok(verifyOutcome(outcomesRoot, proof))
    assert.equal(verifyOutcome(outcomesRoot, { ...proof, outcome: { ...proof.outcome, ok: true, code: null } }), false)
  })
})
