import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { decodeState, readAccount, stateRoot, totalHoldings } from '../../src/ledger/index.ts'
import { manifestCodec, partRequestCodec } from '../../src/settlement/index.ts'
import { equalBytes } from '../../src/wire/index.ts'
import { alice, bob, CHAIN, genesisOf, sign, swarm } from './fixtures.ts'
import type { TestNode } from './fixtures.ts'
import type { Genesis } from '../../src/interface/index.ts'

const one = genesisOf(1)
const genesis: Genesis = { ...one, params: { ...one.params, epochBlocks: 8 } }
const times = { blockIntervalMsMin: 10, idleIntervalMs: 20, leaderTimeoutMs: 1_500 }
const init = { genesis, times, snapshotBlocks: 8, fastSyncBlocks: 16 }
const signal = (): AbortSignal => AbortSignal.timeout(30_000)
const reached = async (node: TestNode, height: number): Promise<unknown> => node.chain.waitFor((_, at) => at >= height, { signal: signal() })
const has = async (node: TestNode, height: number): Promise<boolean> => node.chain.block(height).then(() => true, () => false)

describe('snapshots of the chain', function () {
  this.timeout(60_000)

  const nodes = swarm()
  let validator: TestNode

  before(async () => {
    validator = await nodes.node({ validator: 0, seed: 1, init: { ...init, keepEpochs: 3 } })
    await validator.chain.send({ kind: 'transfer', to: bob.account, amount: 5n }, alice, { signal: signal() })
    await reached(validator, 60)
  })
  after(async () => nodes.clean())

  it('let a node delete the blocks of old epochs', async () => {
    assert.deepEqual([await has(validator, 1), await has(validator, validator.chain.height)], [false, true])
  })

  it('bring a new node to the head without the blocks before, and back after it was wiped', async () => {
    const first = await nodes.node({ seed: 2, init })
    await reached(first, validator.chain.height)
    await first.stop()
    await rm(first.folder, { recursive: true })

    const again = await nodes.node({ seed: 2, folder: first.folder, init })
    const height = validator.chain.height
    await reached(again, height)
    assert.equal(await has(again, 1), false)
    assert.equal(readAccount(again.chain.state(), bob.account).balance, 1_005n)
    const { header } = await again.chain.certified()
    assert.ok(equalBytes(header.stateRoot, (await validator.chain.header(header.height)).stateRoot))
    assert.ok(equalBytes(stateRoot(again.chain.state()), (await again.chain.header(again.chain.height)).stateRoot))

    // and it starts from what it has
    await again.stop()
    const restarted = await nodes.node({ seed: 2, folder: first.folder, init })
    await reached(restarted, height + 10)
    await restarted.stop()
  })

  it('are given to the end to whoever began with one, although there are newer ones', async () => {
    const { net } = await nodes.node({ seed: 4, init })
    const ask = async (protocol: string, bytes: Uint8Array): Promise<Uint8Array> => net.request(validator.net.peerId, `/datanet/${CHAIN}/${protocol}/1`, bytes)
    const { certified, parts } = manifestCodec.decode(await ask('snapshot', new Uint8Array()))
    const { height, stateRoot: root } = certified.header
    await reached(validator, height + 20)

    assert.equal(parts.length, 1)
    const bytes = await ask('snapshot-part', partRequestCodec.encode({ height, index: 0 }))
    assert.ok(equalBytes(stateRoot(decodeState(bytes, root)), root))
    await assert.rejects(ask('snapshot-part', partRequestCodec.encode({ height: height - 8, index: 0 })), { remoteCode: 'ERR_UNKNOWN_HEIGHT' })
  })

  it('are refused, with a penalty, from a node that gives another state away', async () => {
    const liar = await nodes.node({ seed: 3, init: { ...init, snapshotBlocks: 1_000_000 } })
    await reached(liar, validator.chain.height)
    const table = liar.db.sublevel<string, Uint8Array>('chain', { valueEncoding: 'view' }).sublevel<string, Uint8Array>('snapshots', { valueEncoding: 'view' })

    for (const [key, bytes] of await table.iterator().all()) {
      const spoiled = Uint8Array.from(bytes)
      spoiled[spoiled.length - 5] ^= 1
      await table.put(key, spoiled)
    }

    // peers tell each other about others: the honest one must not be there to help
    await validator.stop()
    const victims = swarm()
    const victim = await victims.node({ seed: 4, init })
    const penalty = new Promise<string>(resolve => { victim.net.addEventListener('peer:penalise', ({ detail }) => { resolve(detail.code) }) })
    await victim.net.connect(liar.net.addresses().map(String)[0])
    assert.equal(await penalty, 'ERR_STATE_SNAPSHOT')
    assert.equal(victim.chain.height, 0)

    // an honest one helps
    validator = await nodes.node({ validator: 0, seed: 1, folder: validator.folder, init: { ...init, keepEpochs: 3 } })
    await victim.net.connect(validator.net.addresses().map(String)[0])
    await reached(victim, validator.chain.height)
    await victims.clean()
    await liar.stop()
  })
})

describe('the mempool', function () {
  this.timeout(30_000)

  const nodes = swarm()
  after(async () => nodes.clean())

  it('lets a transaction take the place of another of its nonce for a tenth more, and the chain takes the fee', async () => {
    const { chain } = await nodes.node({ validator: 0, seed: 1, init })
    const transfer = (nonce: number, fee: bigint, amount: bigint): ReturnType<typeof sign> => sign({ kind: 'transfer', to: bob.account, amount }, nonce, alice, undefined, fee)
    const cheap = transfer(1, 10n, 1n)
    const refused = new Promise<string>(resolve => { chain.addEventListener('refused', ({ detail }) => { resolve(detail.id.toString()) }) })
    const gone = await chain.submitNow(cheap)

    await assert.rejects(chain.submitNow(transfer(1, 10n, 2n)), { code: 'ERR_NONCE_TAKEN' })
    const id = await chain.submitNow(transfer(1, 11n, 3n))
    assert.equal(await refused, gone.toString())
    await chain.submit(transfer(0, 0n, 5n), { signal: signal() })
    const result = await chain.finalised(id, { signal: signal() })
    assert.deepEqual([result.ok, result.fee], [true, 11n])
    assert.equal(readAccount(chain.state(), alice.account).balance, 1_000n - 3n - 5n - 11n)
    const { total, supply } = totalHoldings(chain.state())
    assert.equal(total, supply)
  })
})

describe('an account that can not pay any more', function () {
  this.timeout(30_000)

  const nodes = swarm()
  after(async () => nodes.clean())

  it('is told of the transaction, and of those behind it, which block nothing', async () => {
    const { chain } = await nodes.node({ validator: 0, seed: 1, init })
    const transfer = (nonce: number, fee: bigint, amount: bigint): ReturnType<typeof sign> => sign({ kind: 'transfer', to: bob.account, amount }, nonce, alice, undefined, fee)
    const codes = new Map<string, string>()
    chain.addEventListener('refused', ({ detail: { id, code } }) => { codes.set(id.toString(), code) })

    // each of them alone could be paid
    const dear = await chain.submitNow(transfer(1, 20n, 1n))
    const behind = await chain.submitNow(transfer(2, 0n, 1n))
    const refused = assert.rejects(chain.finalised(dear, { signal: signal() }), { code: 'ERR_FEE' })
    assert.equal((await chain.submit(transfer(0, 0n, 990n), { signal: signal() })).ok, true)

    await refused
    assert.deepEqual([...codes], [[dear.toString(), 'ERR_FEE'], [behind.toString(), 'ERR_NONCE']])
    assert.equal(chain.mempool.transactions, 0)
    assert.equal((await chain.send({ kind: 'transfer', to: bob.account, amount: 1n }, alice, { signal: signal() })).ok, true)
    assert.equal(readAccount(chain.state(), alice.account).nonce, 2)
  })
})

describe('a signing history', function () {
  this.timeout(60_000)

  const nodes = swarm()
  after(async () => nodes.clean())

  it('keeps a restored validator from signing where it may have signed before', async () => {
    const node = await nodes.node({ validator: 0, seed: 1, init })
    await reached(node, 5)
    await node.stop()

    const again = await nodes.node({ validator: 0, seed: 1, folder: node.folder, init })
    const exported = await again.chain.signingHistory()
    assert.ok(exported.view >= 5)
    await assert.rejects(again.chain.importSigningHistory(exported), { code: 'ERR_SIGNING_HISTORY' })
    await again.stop()

    // the disk of before, or none: only the history says what was signed
    const restored = await nodes.node({ validator: 0, seed: 1, init, history: exported })
    const { view } = restored.chain
    assert.ok(view <= exported.view)
    assert.equal((await restored.chain.signingHistory()).view, exported.view)
    assert.equal(restored.chain.height, 0)
    await assert.rejects(nodes.node({ validator: 0, seed: 1, init, history: { ...exported, account: 'z6Mk' } }))
    await assert.rejects(nodes.node({ validator: 0, seed: 1, init, history: { ...exported, chain: 'another' } }), { code: 'ERR_SIGNING_HISTORY' })
  })
})
