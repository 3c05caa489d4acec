import assert from 'node:assert/strict'
import { readChain, readHistory } from '../../src/ledger/index.ts'
import { lightClient } from '../../src/light-client/index.ts'
import { querySource } from '../../src/settlement/index.ts'
import { headerHash, toHex, verifyMerkleProof } from '../../src/wire/index.ts'
import { alice, bob, CHAIN, genesisOf, swarm } from './fixtures.ts'
import type { TestNode } from './fixtures.ts'
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
