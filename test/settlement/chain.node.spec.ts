import assert from 'node:assert/strict'
import { certificateValid } from '../../src/consensus/index.ts'
import { bls } from '../../src/identity/index.ts'
import { readAccount, stateKeys, stateRoot, totalHoldings, verifyStateProof } from '../../src/ledger/index.ts'
import { lightClient } from '../../src/light-client/index.ts'
import { querySource } from '../../src/settlement/index.ts'
import { equalBytes, headerHash, toHex } from '../../src/wire/index.ts'
import { CHAIN, alice, bob, carol, genesis, sign, swarm, validatorBls, validatorSigner } from './fixtures.ts'
import type { TestNode, TestSwarm } from './fixtures.ts'
import type { FinalisedBlock } from '../../src/interface/index.ts'

const signal = (): AbortSignal => AbortSignal.timeout(20_000)
const balance = (node: TestNode, account: Uint8Array): bigint => readAccount(node.chain.state(), account).balance
const reached = async (node: TestNode, height: number): Promise<unknown> => node.chain.waitFor((_, at) => at >= height, { signal: signal() })

async function four (nodes: TestSwarm): Promise<TestNode[]> {
  const all: TestNode[] = []
  for (const validator of [0, 1, 2, 3]) {
    all.push(await nodes.node({ validator, seed: validator + 1 }))
  }
  return all
}

describe('chain', function () {
  this.timeout(40_000)

  const nodes = swarm()
  let all: TestNode[]

  before(async () => { all = await four(nodes) })
  after(async () => nodes.clean())

  it('finalises transactions of concurrent senders on every validator, in blocks that anyone can check', async () => {
    const seen: FinalisedBlock[] = []
    all[2].chain.addEventListener('block', ({ detail }) => { seen.push(detail) })
    const results = await Promise.all([
      all[0].chain.send({ kind: 'transfer', to: bob.account, amount: 5n }, alice, { signal: signal() }),
      all[0].chain.send({ kind: 'transfer', to: bob.account, amount: 7n }, alice, { signal: signal() }),
      all[1].chain.send({ kind: 'transfer', to: alice.account, amount: 1n }, bob, { signal: signal() }),
      all[1].chain.send({ kind: 'vote', proposal: 9, support: 'for' }, carol, { signal: signal() })
    ])
    assert.deepEqual(results.map(({ ok }) => ok), [true, true, true, false])
    assert.match(results[3].code ?? '', /^ERR_/)
    const height = Math.max(...results.map(result => result.height))

    for (const node of all) {
      await reached(node, height)
      assert.equal(balance(node, alice.account), 1_000n - 12n + 1n)
      assert.equal(balance(node, bob.account), 1_000n + 12n - 1n)
      assert.equal(readAccount(node.chain.state(), carol.account).nonce, 1)
      assert.equal(node.chain.mempool.transactions, 0)
      assert.equal(totalHoldings(node.chain.state()).total, totalHoldings(node.chain.state()).supply)
    }
    assert.equal(new Set(await Promise.all(all.map(async node => toHex((await node.chain.block(height)).hash)))).size, 1)

    const { header, certificate } = await all[3].chain.certified()
    assert.ok(certificate.kind === 'finalize' && certificateValid(certificate, genesis.validators, bls, CHAIN))
    assert.ok(equalBytes(headerHash(header), certificate.blockHash))
    assert.ok(seen.some(({ events }) => events.some(event => event.type === 'transfer' && event.amount === 7n)))
    // heights once and in order
    assert.deepEqual(seen.map(({ block }) => block.header.height), seen.map((_, i) => seen[0].block.header.height + i))
    assert.ok(all.every(node => node.chain.validators().every(({ peer }) => peer !== null)))
  })

  it('lets late joiners follow, serve proofs and submit', async () => {
    const { height } = await all[0].chain.send({ kind: 'transfer', to: bob.account, amount: 5n }, alice, { signal: signal() })
    await reached(all[0], Math.max(height, 14))
    const had = balance(all[0], bob.account)
    const late = await nodes.node({ init: { snapshotBlocks: 4 } })
    await reached(late, 14)
    const old = await late.chain.block(height)
    assert.deepEqual(old.hash, (await all[0].chain.block(height)).hash)
    assert.equal(balance(late, bob.account), had)
    assert.ok((await late.chain.send({ kind: 'transfer', to: carol.account, amount: 1n }, bob, { signal: signal() })).ok)

    const source = querySource({ network: all[1].net, chain: CHAIN, peers: () => [late.net.peerId] })
    const latest = await source.latest({ signal: signal() })
    const proof = await source.proof(stateKeys.account(bob.account), latest.header.height)
    assert.ok(verifyStateProof(latest.header.stateRoot, proof))
    await assert.rejects(source.header(1_000_000), { code: 'ERR_NO_SOURCE' })

    const light = lightClient({ genesis, source })
    await light.sync()
    assert.equal((await light.account(bob.account)).value?.balance, had - 1n)
    assert.equal((await light.header(2)).header.height, 2)
  })

  it('signs again when another process used the nonce of the account', async () => {
    const before = balance(all[2], bob.account)
    // both take the same nonce before either hears of the other
    const [first, second] = await Promise.all([
      all[0].chain.send({ kind: 'transfer', to: bob.account, amount: 2n }, alice, { signal: signal() }),
      all[1].chain.send({ kind: 'transfer', to: bob.account, amount: 3n }, alice, { signal: signal() })
    ])
    assert.ok(first.ok && second.ok)
    await reached(all[2], Math.max(first.height, second.height))
    assert.equal(balance(all[2], bob.account), before + 5n)
  })

  it('tells the loser when a nonce was taken', async () => {
    const { nonce } = readAccount(all[0].chain.state(), carol.account)
    await all[1].chain.waitFor(state => readAccount(state, carol.account).nonce === nonce, { signal: signal() })
    const outcomes = await Promise.allSettled([2n, 3n].map(async (amount, i) => {
      return all[i].chain.submit(sign({ kind: 'transfer', to: bob.account, amount }, nonce, carol), { signal: signal() })
    }))
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    const lost = outcomes.find(outcome => outcome.status === 'rejected')
    assert.equal(lost?.reason.code, 'ERR_NONCE')
  })

  it('refuses keys that are not those of a validator', async () => {
    await assert.rejects(nodes.node({ init: { blsSecretKey: validatorBls(1), signer: validatorSigner(0) } }), { code: 'ERR_CHAIN_CONFIG' })
    await assert.rejects(nodes.node({ init: { genesis: { ...genesis, validators: genesis.validators.map(one => ({ ...one, possession: genesis.validators[0].possession })) } } }), { code: 'ERR_CHAIN_CONFIG' })
  })
})

describe('chain with failures', function () {
  this.timeout(40_000)

  const nodes = swarm()
  let all: TestNode[]

  beforeEach(async () => { all = await four(nodes) })
  afterEach(async () => nodes.clean())

  it('resumes at the same root after a restart, with what was acknowledged', async () => {
    await reached(all[0], 3)
    await Promise.all([all[1], all[2], all[3]].map(async node => node.stop()))
    // two of four cannot finalise: acknowledged, but in no block
    const id = await all[0].chain.sendNow({ kind: 'transfer', to: bob.account, amount: 9n }, alice)
    const { height } = all[0].chain
    const root = toHex(stateRoot(all[0].chain.state()))
    await all[0].stop()

    const restarted = await nodes.node({ validator: 0, folder: all[0].folder, seed: 1 })
    assert.equal(restarted.chain.height, height)
    assert.equal(toHex(stateRoot(restarted.chain.state())), root)
    assert.equal(restarted.chain.mempool.transactions, 1)

    for (const validator of [1, 2, 3]) {
      await nodes.node({ validator, folder: all[validator].folder, seed: validator + 1 })
    }
    const result = await restarted.chain.finalised(id, { signal: signal() })
    assert.ok(result.ok && result.height > height)
    assert.deepEqual(await restarted.chain.finalised(id), result)
    assert.deepEqual(restarted.chain.evidence(), [])
  })

  it('skips a leader that stopped, and lets it catch up', async () => {
    await reached(all[0], 2)
    await all[3].stop()
    const before = all[0].chain.height
    await reached(all[0], before + 6)
    assert.ok((await all[0].chain.send({ kind: 'transfer', to: bob.account, amount: 1n }, alice, { signal: signal() })).ok)
    const headers = await Promise.all([2, 3, 4, 5, 6].map(async i => all[0].chain.header(before + i)))
    assert.ok(headers.every(({ proposer }) => !equalBytes(proposer, validatorSigner(3).account)))

    const back = await nodes.node({ validator: 3, folder: all[3].folder, seed: 4 })
    const height = await back.chain.waitFor((_, at) => at > all[0].chain.height - 2 && at, { signal: signal() })
    await all[0].chain.waitFor((_, at) => at >= height, { signal: signal() })
    assert.deepEqual((await back.chain.block(height)).hash, (await all[0].chain.block(height)).hash)
    // it leads again
    const led = new Promise<void>(resolve => {
      all[0].chain.addEventListener('block', ({ detail }) => {
        if (equalBytes(detail.block.header.proposer, validatorSigner(3).account)) { resolve() }
      })
    })
    await led
  })

  it('ends waits when their signal fires or the chain stops', async () => {
    await assert.rejects(all[0].chain.waitFor(() => false, { signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' })
    const waiting = assert.rejects(all[0].chain.waitFor(() => false), { code: 'ERR_CHAIN_NOT_STARTED' })
    await all[0].stop()
    await waiting
    await assert.rejects(all[0].chain.sendNow({ kind: 'stake', amount: 1n }, alice), { code: 'ERR_CHAIN_NOT_STARTED' })
  })
})
