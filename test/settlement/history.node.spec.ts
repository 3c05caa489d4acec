import assert from 'node:assert/strict'
import { readChain, readHistory } from '../../src/ledger/index.ts'
import { lightClient } from '../../src/light-client/index.ts'
import { querySource } from '../../src/settlement/index.ts'
import { headerHash, toHex, verifyMerkleProof } from '../../src/wire/index.ts'
import { alice, bob, carol, CHAIN, genesisOf, sign, swarm, validatorSigner } from './fixtures.ts'
import type { TestNode, TestSwarm } from './fixtures.ts'
import type { Genesis, Header } from '../../src/interface/index.ts'
import type { LightClient } from '../../src/light-client/index.ts'

const one = genesisOf(1)
const genesis: Genesis = { ...one, params: { ...one.params, epochBlocks: 8 } }
const times = { blockIntervalMsMin: 10, idleIntervalMs: 20, leaderTimeoutMs: 1_500 }
const init = { genesis, times, snapshotBlocks: 8 }
const signal = (): AbortSignal => AbortSignal.timeout(40_000)
const reached = async (node: TestNode, height: number): Promise<unknown> => node.chain.waitFor((_, at) => at >= height, { signal: signal() })
const hashOf = (header: Header): string => toHex(headerHash(header))

describe('the history of a chain, as nodes keep it', function () {
  this.timeout(60_000)

  const nodes = swarm()
  let archive: TestNode
  let pruned: TestNode
  let leapt: TestNode
  let paidAt: number

  /** A light client of one of the nodes, which asks through another. */
  const clientOf = (node: TestNode): LightClient => lightClient({ genesis, source: querySource({ network: (node === archive ? pruned : archive).net, chain: CHAIN, peers: () => [node.net.peerId] }) })

  before(async () => {
    archive = await nodes.node({ validator: 0, seed: 1, init })
    pruned = await nodes.node({ seed: 2, init: { ...init, keepEpochs: 3 } })
    paidAt = (await archive.chain.send({ kind: 'transfer', to: bob.account, amount: 5n }, alice, { signal: signal() })).height
    await reached(archive, 70)
    await reached(pruned, 70)
    leapt = await nodes.node({ seed: 3, init: { ...init, fastSyncBlocks: 16 } })
    await reached(leapt, 70)
  })
  after(async () => nodes.clean())

  it('proves every header since the genesis from a node that has them all', async () => {
    const client = clientOf(archive)

    for (const height of [0, 1, 7, 8, 33, 63, 64, 69]) {
      const { header } = await client.header(height)

      assert.equal(header.height, height)
      assert.equal(hashOf(header), height === 0 ? toHex((await archive.chain.header(1)).parent) : hashOf(await archive.chain.header(height)))
    }
    const [{ id }] = (await archive.chain.block(paidAt)).results
    const { value, at } = await client.outcome(id)
    assert.deepEqual([value.ok, at.header.height], [true, paidAt])
  })

  it('proves the last header of every epoch from a node that deleted old blocks, and says that it has no others', async () => {
    const client = clientOf(pruned)
    await assert.rejects(pruned.chain.block(1), { code: 'ERR_UNKNOWN_HEIGHT' })

    for (const epoch of [0, 1, 2, 5]) {
      assert.equal(hashOf((await client.epochEnd(epoch)).header), hashOf(await archive.chain.header((epoch + 1) * 8)))
    }

    const late = pruned.chain.height - 2
    assert.equal(hashOf((await client.header(late)).header), hashOf(await archive.chain.header(late)))
    await assert.rejects(pruned.chain.past(3, 60), /has the blocks from height \d+ on.*ask one that keeps all/)
    await assert.rejects(client.header(3), { code: 'ERR_SOURCE' })
  })

  it('goes on from the peaks of a snapshot', async () => {
    await assert.rejects(leapt.chain.block(1), { code: 'ERR_UNKNOWN_HEIGHT' })
    await reached(leapt, leapt.chain.height + 12)
    const client = clientOf(leapt)
    const newest = await client.sync()

    for (const height of [newest.header.height - 1, newest.header.height - 5, newest.header.height - 11]) {
      assert.equal(hashOf((await client.header(height)).header), hashOf(await archive.chain.header(height)))
    }
    const epoch = readChain(leapt.chain.state()).epoch - 1
    await reached(leapt, leapt.chain.height + 2)
    assert.equal(hashOf((await client.epochEnd(epoch)).header), hashOf(await archive.chain.header((epoch + 1) * 8)))
    await assert.rejects(leapt.chain.past(1, 60), { code: 'ERR_UNKNOWN_HEIGHT' })

    // the ends of epochs before it were fetched meanwhile, and are given to others with their paths
    const size = readHistory(leapt.chain.state())?.epochs ?? 0
    const given = async (old: number): Promise<unknown> => leapt.chain.epochEnd(old, size).catch(async () => {
      await reached(leapt, leapt.chain.height + 1)
      return given(old)
    })

    for (const old of [4, 1, 0]) {
      await given(old)
      assert.equal(hashOf((await client.epochEnd(old)).header), hashOf(await archive.chain.header((old + 1) * 8)))
    }
  })

  it('survives a restart, and answers for trees that have grown since', async () => {
    const { height } = archive.chain
    const state = readHistory(archive.chain.state())
    assert.ok(state !== undefined)
    await archive.stop()
    archive = await nodes.node({ validator: 0, seed: 1, folder: archive.folder, init })
    await reached(archive, height + 3)
    const { header, path } = await archive.chain.past(5, height)
    assert.ok(verifyMerkleProof(state.blocks, headerHash(header), 5, height, path))
  })

  it('refuses places that no tree of its has, before it reads', async () => {
    const { height } = archive.chain
    const { epochs } = readHistory(archive.chain.state()) ?? { epochs: 0 }

    for (const [at, size] of [[5, 5], [5, height + 1_000], [5, Number.MAX_SAFE_INTEGER], [height + 1_000, height + 1_001]]) {
      await assert.rejects(archive.chain.past(at, size), { code: 'ERR_UNKNOWN_HEIGHT' })
    }
    await assert.rejects(archive.chain.epochEnd(epochs + 9, epochs + 10), { code: 'ERR_UNKNOWN_HEIGHT' })
    await assert.rejects(archive.chain.epochEnd(1, 1), { code: 'ERR_UNKNOWN_HEIGHT' })
  })
})

describe('a node that leaps by a snapshot', function () {
  this.timeout(60_000)

  let nodes: TestSwarm
  let others: TestSwarm

  beforeEach(() => {
    nodes = swarm()
    others = swarm()
  })
  afterEach(async () => {
    await others.clean()
    await nodes.clean()
  })

  it('learns by proof what the blocks that it passed over did with its own transactions', async () => {
    const archive = await nodes.node({ validator: 0, seed: 1, init })
    // knows nobody yet
    const late = await others.node({ seed: 7, init: { ...init, fastSyncBlocks: 16 } })
    const [paid, failed, lost] = [
      sign({ kind: 'transfer', to: bob.account, amount: 5n }, 0, alice),
      sign({ kind: 'unbond', validator: validatorSigner(0).account, amount: 1n }, 1, alice),
      sign({ kind: 'transfer', to: bob.account, amount: 7n }, 0, carol)
    ]
    const ids = []

    for (const signed of [paid, failed, lost]) {
      ids.push(await late.chain.submitNow(signed))
    }

    const outcomes = Promise.allSettled(ids.map(async id => late.chain.finalised(id, { signal: signal() })))
    const refused = new Promise<string>(resolve => { late.chain.addEventListener('refused', ({ detail }) => { resolve(detail.id.toString()) }) })
    const { height } = await archive.chain.submit(paid, { signal: signal() })
    await archive.chain.submit(failed, { signal: signal() })
    // another transaction takes the nonce of the third
    await archive.chain.submit(sign({ kind: 'transfer', to: alice.account, amount: 1n }, 0, carol), { signal: signal() })
    await reached(archive, 60)
    await late.net.connect(archive.net.addresses().map(String)[0])

    const [first, second, third] = await outcomes
    await assert.rejects(late.chain.block(height), { code: 'ERR_UNKNOWN_HEIGHT' })
    assert.ok(first.status === 'fulfilled' && second.status === 'fulfilled' && third.status === 'rejected')
    assert.deepEqual([first.value.ok, first.value.height], [true, height])
    assert.deepEqual([second.value.ok, second.value.code], [false, 'ERR_INSUFFICIENT_FUNDS'])
    assert.equal(third.reason.code, 'ERR_OUTCOME_UNKNOWN')
    assert.equal(await refused, ids[2].toString())

    // and it is not asked again
    await late.stop()
    const again = await others.node({ seed: 7, folder: late.folder, init })
    assert.equal((await again.chain.finalised(ids[0], { signal: signal() })).height, height)
    assert.equal((await again.chain.submitNow(paid)).toString(), ids[0].toString())
  })

  it('fetches the ends of the epochs that it passed over, although it has those before', async () => {
    const archive = await nodes.node({ validator: 0, seed: 10, init })
    const address = archive.net.addresses().map(String)[0]
    const before = await others.node({ seed: 11, init })
    await before.net.connect(address)
    await reached(before, 20)
    await before.stop()
    await reached(archive, 90)
    const after = await others.node({ seed: 11, folder: before.folder, init: { ...init, fastSyncBlocks: 16 } })
    await after.net.connect(address)
    await reached(after, 90)
    await assert.rejects(after.chain.block(40), { code: 'ERR_UNKNOWN_HEIGHT' })

    const { epochs: size = 0, epochEnds } = readHistory(after.chain.state()) ?? {}
    const given = async (epoch: number): ReturnType<typeof after.chain.epochEnd> => after.chain.epochEnd(epoch, size).catch(async () => {
      await reached(after, after.chain.height + 1)
      return given(epoch)
    })

    for (const epoch of [7, 4, 0]) {
      const { header, path } = await given(epoch)
      assert.equal(header.height, (epoch + 1) * 8)
      assert.ok(epochEnds !== undefined && verifyMerkleProof(epochEnds, headerHash(header), epoch, size, path))
    }
  })

  it('does not say after a restart that a transaction was not executed, where blocks between are missing', async () => {
    const archive = await nodes.node({ validator: 0, seed: 12, init })
    const address = archive.net.addresses().map(String)[0]
    const first = await others.node({ seed: 13, init })
    await first.net.connect(address)
    await reached(first, 3)
    await first.stop()

    // alone, while others go on with its nonce
    const second = await others.node({ seed: 13, folder: first.folder, init: { ...init, fastSyncBlocks: 16 } })
    await second.chain.submitNow(sign({ kind: 'transfer', to: bob.account, amount: 7n }, 0, carol))
    await archive.chain.submit(sign({ kind: 'transfer', to: alice.account, amount: 1n }, 0, carol), { signal: signal() })
    await reached(archive, 40)
    await second.net.connect(address)
    await reached(second, 40)
    await second.stop()

    const third = await others.node({ seed: 13, folder: first.folder, init })
    const refused = new Promise<string>(resolve => { third.chain.addEventListener('refused', ({ detail }) => { resolve(detail.code) }) })
    await third.net.connect(address)
    assert.equal((await third.chain.block(1)).block.header.height, 1)
    assert.equal(await refused, 'ERR_OUTCOME_UNKNOWN')
  })

  it('believes nobody who says something else of them', async () => {
    const archive = await nodes.node({ validator: 0, seed: 9, init })
    const late = await others.node({ seed: 8, init: { ...init, fastSyncBlocks: 16 } })
    const paid = sign({ kind: 'transfer', to: bob.account, amount: 5n }, 0, alice)
    const id = await late.chain.submitNow(paid)
    const outcome = late.chain.finalised(id, { signal: signal() })
    await archive.chain.submit(paid, { signal: signal() })
    await reached(archive, 60)

    // the only one to ask gives everything away as it is, but for outcomes
    const honest = archive.chain.outcome.bind(archive.chain)
    let lies = 0
    archive.chain.outcome = async of => {
      const proof = await honest(of)
      return lies++ < 2 ? { ...proof, outcome: { ...proof.outcome, ok: false, code: 'ERR_LIE' } } : proof
    }
    const penalty = new Promise<string>(resolve => { late.net.addEventListener('peer:penalise', ({ detail }) => { resolve(detail.code) }) })
    await late.net.connect(archive.net.addresses().map(String)[0])

    assert.equal(await penalty, 'ERR_INVALID_SYNC')
    assert.equal((await outcome).ok, true)
    assert.ok(lies >= 2)
  })
})
