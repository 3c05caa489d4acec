import assert from 'node:assert/strict'
import { proposalCodec, signVote } from '../../src/consensus/index.ts'
import { network } from '../../src/gossip/index.ts'
import { bls } from '../../src/identity/index.ts'
import { readAccount } from '../../src/ledger/index.ts'
import { UnknownHeightError } from '../../src/settlement/index.ts'
import { blockCodec, certificateCodec, signedTransactionCodec } from '../../src/wire/index.ts'
import { CHAIN, alice, bob, carol, genesisOf, sign, swarm, validatorBls } from './fixtures.ts'
import type { TestNode } from './fixtures.ts'
import type { Network, RefusedMessage } from '../../src/gossip/index.ts'
import type { Certificate, Signed, Transaction } from '../../src/interface/index.ts'

const signal = (): AbortSignal => AbortSignal.timeout(20_000)
const TRANSACTIONS = `/datanet/${CHAIN}/transactions/1`
const BLOCKS = `/datanet/${CHAIN}/blocks/1`
const CERTIFICATES = `/datanet/${CHAIN}/certificates/1`
const genesis = genesisOf(1)

async function event<T> (target: EventTarget, type: string, matches: (detail: T) => boolean): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const listener = (event: Event): void => {
    if (event instanceof CustomEvent && matches(event.detail)) { resolve(event.detail) }
  }
  const late = signal()
  late.addEventListener('abort', () => { reject(new Error(`no ${type} in time`)) })
  target.addEventListener(type, listener)
  return promise.finally(() => { target.removeEventListener(type, listener) })
}

async function refusal (net: Network, from: Network, code: string): Promise<RefusedMessage> {
  const matches = (refused: RefusedMessage): boolean => refused.code === code && refused.from === from.peerId.toString()
  return net.refused().find(matches) ?? event<RefusedMessage>(net, 'gossip:refused', matches)
}

describe('chain under attack', function () {
  this.timeout(40_000)

  const nodes = swarm()
  const attackers: Network[] = []
  let validator: TestNode
  let follower: TestNode

  before(async () => {
    validator = await nodes.node({ validator: 0, init: { genesis, replayGraceBlocks: 2 } })
    follower = await nodes.node({ init: { genesis, replayGraceBlocks: 2 } })
    await follower.chain.waitFor((_, height) => height >= 1, { signal: signal() })
  })

  afterEach(async () => {
    await Promise.all(attackers.splice(0).map(async net => net.stop()))
  })

  after(async () => nodes.clean())

  /** knows the validator only, and cannot be dialled */
  async function attacker (): Promise<Network> {
    const net = network({ listen: [], exchange: false, bootstrap: validator.net.addresses().map(String) })()
    attackers.push(net)
    await net.start()
    const { pubsub } = net.libp2p.services
    while (pubsub.getSubscribers(CERTIFICATES).length === 0) {
      await event(pubsub, 'subscription-change', () => true)
    }
    return net
  }

  /** A stream of gossip may still be opening: until somebody got it. */
  async function publish (net: Network, topic: string, bytes: Uint8Array): Promise<void> {
    while ((await net.libp2p.services.pubsub.publish(topic, bytes)).recipients.length === 0) {
      await event(net.libp2p.services.pubsub, 'gossipsub:heartbeat', () => true)
    }
  }

  async function costs (net: Network): Promise<void> {
    while (validator.net.score(net.peerId) >= 0) {
      await event(validator.net.libp2p.services.pubsub, 'gossipsub:heartbeat', () => true)
    }
  }

  /** The validator rejects it with this code, keeps nothing, tells nobody, and the sender pays. */
  async function rejects (topic: string, bytes: Uint8Array, code: string): Promise<void> {
    const before = { ...follower.net.topicStats()[topic] }
    const net = await attacker()
    await publish(net, topic, bytes)
    const refused = await refusal(validator.net, net, code)
    assert.equal(refused.verdict, 'reject')
    assert.equal(validator.chain.mempool.transactions, 0)
    await costs(net)
    const after = follower.net.topicStats()[topic]
    assert.equal(after.rejected, before.rejected)

    if (topic === TRANSACTIONS) {
      assert.deepEqual({ ...after }, before)
    }
  }

  const transfer = (nonce: number): Signed<Transaction> => sign({ kind: 'transfer', to: bob.account, amount: 1n }, nonce, alice)

  it('rejects malformed, oversized, wrongly signed and foreign transactions', async () => {
    await Promise.all([
      rejects(TRANSACTIONS, new TextEncoder().encode('nonsense'), 'ERR_MALFORMED_RECORD'),
      rejects(TRANSACTIONS, new Uint8Array(signedTransactionCodec.bytesMax + 1), 'ERR_MESSAGE_TOO_LARGE'),
      rejects(TRANSACTIONS, signedTransactionCodec.encode({ ...transfer(0), signer: carol.account }), 'ERR_SIGNATURE'),
      rejects(TRANSACTIONS, signedTransactionCodec.encode(sign({ kind: 'stake', amount: 1n }, 0, alice, 'other-1')), 'ERR_CHAIN')
    ])
  })

  it('lets nobody push at no cost what gossip rejects', async () => {
    for (const forged of [{ ...transfer(0), signer: carol.account }, sign({ kind: 'stake', amount: 1n }, 0, alice, 'other-1')]) {
      const net = await attacker()
      await assert.rejects(net.request(validator.net.peerId, `/datanet/${CHAIN}/transaction/1`, signedTransactionCodec.encode(forged)), { code: 'ERR_REMOTE' })
      await costs(net)
    }
    const net = await attacker()
    const { nonce } = readAccount(validator.chain.state(), alice.account)
    await assert.rejects(net.request(validator.net.peerId, `/datanet/${CHAIN}/transaction/1`, signedTransactionCodec.encode(transfer(nonce + 65))), { remoteCode: 'ERR_NONCE' })
    await event(validator.net.libp2p.services.pubsub, 'gossipsub:heartbeat', () => true)
    assert.ok(validator.net.score(net.peerId) >= 0)
  })

  it('rejects replayed transactions, and executes them once', async () => {
    const { nonce } = readAccount(validator.chain.state(), alice.account)
    const signed = transfer(nonce)
    const { height } = await validator.chain.submit(signed, { signal: signal() })
    await follower.chain.waitFor((_, at) => at > height + 3, { signal: signal() })
    await rejects(TRANSACTIONS, signedTransactionCodec.encode(signed), 'ERR_REPLAYED')
    assert.equal(readAccount(validator.chain.state(), alice.account).nonce, nonce + 1)
    // the sender itself may ask again and gets the same answer
    assert.equal((await validator.chain.submit(signed, { signal: signal() })).height, height)
  })

  it('ignores, at no cost, what a slower peer may send in good faith', async () => {
    const net = await attacker()
    const { nonce } = readAccount(validator.chain.state(), alice.account)
    await publish(net, TRANSACTIONS, signedTransactionCodec.encode(transfer(nonce + 65)))
    assert.equal((await refusal(validator.net, net, 'ERR_NONCE')).verdict, 'ignore')
    await publish(net, TRANSACTIONS, signedTransactionCodec.encode(sign({ kind: 'stake', amount: 10_000n }, nonce, alice)))
    assert.equal((await refusal(validator.net, net, 'ERR_INSUFFICIENT_FUNDS')).verdict, 'ignore')
    assert.ok(validator.net.score(net.peerId) >= 0)
  })

  it('rejects forged certificates', async () => {
    const { certificate } = await validator.chain.certified()
    const forged: Certificate = { ...certificate, view: validator.chain.view + 3 }
    await rejects(CERTIFICATES, certificateCodec.encode(forged), 'ERR_CONSENSUS')
  })

  it('rejects blocks whose transactions are not those of their header, and blocks of others than the leader', async () => {
    const { block } = await validator.chain.block(validator.chain.height)
    const view = validator.chain.view + 2
    const header = { ...block.header, view, height: block.header.height + 5 }
    const vote = signVote(CHAIN, 0, { kind: 'notarize', era: 0, view, blockHash: new Uint8Array(32) }, { sign: message => bls.sign(validatorBls(1), message) })
    const propose = (transactions: Array<Signed<Transaction>>): Uint8Array => proposalCodec.encode({ block: { header, beaconSignature: block.beaconSignature, transactions }, vote, justification: [] })
    await Promise.all([rejects(BLOCKS, propose([transfer(7)]), 'ERR_INVALID_BLOCK'), rejects(BLOCKS, propose([]), 'ERR_CONSENSUS')])
  })

  it('does not take a peer for a validator that only repeats its hello', async () => {
    const net = await attacker()
    const hello = await net.request(validator.net.peerId, `/datanet/${CHAIN}/hello/1`, new Uint8Array(0))
    await assert.rejects(follower.net.request(net.peerId, '/nowhere/1', hello), { code: 'ERR_REQUEST_FAILED' })
    await assert.rejects(net.request(validator.net.peerId, `/datanet/${CHAIN}/hello/1`, hello), { code: 'ERR_REMOTE', remoteCode: 'ERR_INVALID_HELLO' })
    await costs(net)
    assert.equal(validator.chain.validators()[0].peer, validator.net.peerId.toString())
  })

  it('refuses malformed and unbounded requests', async () => {
    const net = await attacker()
    const ask = async (protocol: string, bytes: Uint8Array): Promise<Uint8Array> => net.request(validator.net.peerId, `/datanet/${CHAIN}/${protocol}/1`, bytes)
    await assert.rejects(ask('sync', Uint8Array.of(0xa0)), { remoteCode: 'ERR_MALFORMED_RECORD' })
    await assert.rejects(ask('block', new Uint8Array(4_096)), { code: 'ERR_REQUEST_FAILED' })
    await assert.rejects(ask('query', Uint8Array.of(1, 2, 3)), { code: 'ERR_REMOTE' })
    const { block } = await validator.chain.block(1)
    assert.ok(blockCodec.encode(block).byteLength < 1_024)
  })
})

describe('a node that gossip does not hear', function () {
  this.timeout(60_000)

  const nodes = swarm()
  after(async () => nodes.clean())

  it('hands its transactions to validators directly', async () => {
    const validator = await nodes.node({ validator: 0, init: { genesis } })
    const follower = await nodes.node({ init: { genesis } })
    await follower.chain.waitFor((_, height) => height >= 1, { signal: signal() })

    // below -80 gossipsub passes over whatever a peer sends
    for (let i = 0; i < 32; i++) {
      validator.net.penalise(follower.net.peerId, new UnknownHeightError('block', 0, 'of a test'))
    }
    // scores are looked at anew with each heartbeat
    await event(validator.net.libp2p.services.pubsub, 'gossipsub:heartbeat', () => validator.net.score(follower.net.peerId) < -80)
    await event(validator.net.libp2p.services.pubsub, 'gossipsub:heartbeat', () => true)
    const { ok } = await follower.chain.send({ kind: 'transfer', to: bob.account, amount: 1n }, alice, { signal: AbortSignal.timeout(30_000) })

    assert.equal(ok, true)
    assert.ok(validator.net.score(follower.net.peerId) < -80)
    assert.equal(validator.net.topicStats()[TRANSACTIONS].accepted, 0)
  })
})

describe('a node that hears no gossip', function () {
  this.timeout(60_000)

  const nodes = swarm()
  after(async () => nodes.clean())

  it('follows by requests, although the validator that it asks first stands still', async () => {
    const [small, large] = genesisOf(2).validators
    const uneven = { ...genesisOf(2), validators: [{ ...small, stake: 1n }, { ...large, stake: 1_000n }] }
    const follower = await nodes.node({ init: { genesis: uneven } })
    // without the large one, whom it cannot be told of, it goes no further than the follower
    const still = await nodes.node({ validator: 0, net: { listen: [], exchange: false }, init: { genesis: uneven } })
    const validator = await nodes.node({ validator: 1, init: { genesis: uneven } })
    await follower.chain.waitFor((_, height) => height >= 1, { signal: signal() })

    for (let i = 0; i < 64; i++) {
      validator.net.penalise(follower.net.peerId, new UnknownHeightError('block', 0, 'of a test'))
    }
    await event(validator.net.libp2p.services.pubsub, 'gossipsub:heartbeat', () => validator.net.score(follower.net.peerId) < -80)
    await event(validator.net.libp2p.services.pubsub, 'gossipsub:heartbeat', () => true)

    const { height } = validator.chain
    await follower.chain.waitFor((_, at) => at > height, { signal: AbortSignal.timeout(40_000) })
    assert.deepEqual(follower.chain.validators().map(({ peer }) => peer), [still, validator].map(({ net }) => net.peerId.toString()))
    assert.equal(still.net.peers().length, 1)
    assert.ok(validator.net.score(follower.net.peerId) < -80)
  })
})

describe('a node that is told of more blocks than it holds before any is final', function () {
  this.timeout(60_000)

  const nodes = swarm()
  const others = swarm()
  let feeder: Network | undefined
  after(async () => { await Promise.all([nodes.clean(), others.clean(), feeder?.stop()]) })

  const certify = (kind: Certificate['kind'], view: number, blockHash: Uint8Array): Certificate => {
    const { signature } = signVote(CHAIN, 0, { kind, era: 0, view, blockHash }, { sign: message => bls.sign(validatorBls(0), message) })
    return { kind, era: 0, view, blockHash, signers: Uint8Array.of(1), signature }
  }

  it('fetches what it had to let go of, and goes on', async () => {
    const validator = await nodes.node({ validator: 0, init: { genesis, times: { blockIntervalMsMin: 10, idleIntervalMs: 10, restIntervalMs: 10 } } })
    const follower = await others.node({ init: { genesis } })
    feeder = network({ listen: [], exchange: false, bootstrap: follower.net.addresses().map(String) })()
    let halted = false
    follower.chain.addEventListener('halt', () => { halted = true })
    await Promise.all([feeder.start(), validator.chain.waitFor((_, height) => height >= 131, { signal: AbortSignal.timeout(30_000) })])
    const { pubsub } = feeder.libp2p.services
    while (pubsub.getSubscribers(BLOCKS).length === 0) {
      await event(pubsub, 'subscription-change', () => true)
    }

    let parent = { view: 0, hash: new Uint8Array(0) }
    for (let height = 1; height <= 131; height++) {
      const { block, hash } = await validator.chain.block(height)
      const { view } = block.header
      const { view: before } = parent
      const skipped = Array.from({ length: view - before - 1 }, (_, i) => certify('nullify', before + 1 + i, new Uint8Array(0)))
      const { kind, era, blockHash, signature } = certify('notarize', view, hash)
      const justification = [...height === 1 ? [] : [certify('notarize', before, parent.hash)], ...skipped]
      const bytes = proposalCodec.encode({ block, vote: { kind, era, view, blockHash, signature, validator: 0 }, justification })
      while ((await pubsub.publish(BLOCKS, bytes)).recipients.length === 0) {
        await event(pubsub, 'gossipsub:heartbeat', () => true)
      }
      parent = { view, hash: new Uint8Array(hash) }
    }
    await pubsub.publish(CERTIFICATES, certificateCodec.encode(certify('finalize', parent.view, parent.hash)))
    await follower.chain.waitFor((_, height) => height === 128, { signal: signal() })

    await follower.net.connect(String(validator.net.addresses()[0]))
    await follower.chain.waitFor((_, height) => height > 131, { signal: signal() })
    assert.equal(halted, false)
  })
})

describe('a node that comes back', function () {
  this.timeout(60_000)

  const nodes = swarm()
  after(async () => nodes.clean())

  it('may gossip what others executed while it was away: it has to catch up, and hears them only if its score allows', async () => {
    const validator = await nodes.node({ validator: 0, init: { genesis } })
    const late = await nodes.node({ init: { genesis } })
    const signed = sign({ kind: 'transfer', to: bob.account, amount: 1n }, 0, alice)
    const { height } = await validator.chain.submit(signed, { signal: signal() })

    // longer ago than any message is on its way
    await late.chain.waitFor((_, at) => at > height + 20, { signal: signal() })
    while ((await late.net.libp2p.services.pubsub.publish(TRANSACTIONS, signedTransactionCodec.encode(signed))).recipients.length === 0) {
      await event(late.net.libp2p.services.pubsub, 'gossipsub:heartbeat', () => true)
    }

    assert.equal((await refusal(validator.net, late.net, 'ERR_REPLAYED')).verdict, 'ignore')
    assert.ok(validator.net.score(late.net.peerId) >= 0)
  })
})

describe('mempool', function () {
  this.timeout(20_000)

  const nodes = swarm()
  after(async () => nodes.clean())

  it('is bounded per account and in all', async () => {
    // one of four validators alone: nothing leaves the mempool
    const node = await nodes.node({ validator: 0, init: { mempool: { accountMax: 3, transactionsMax: 5 } } })
    const send = async (signer: typeof alice): Promise<unknown> => node.chain.sendNow({ kind: 'transfer', to: bob.account, amount: 1n }, signer)
    await Promise.all([send(alice), send(alice), send(alice)])
    await assert.rejects(send(alice), { code: 'ERR_MEMPOOL_FULL' })
    await Promise.all([send(bob), send(bob)])
    await assert.rejects(send(carol), { code: 'ERR_MEMPOOL_FULL' })
    assert.equal(node.chain.mempool.transactions, 5)
    await assert.rejects(node.chain.submitNow(sign({ kind: 'stake', amount: 1n }, 1, alice)), { code: 'ERR_NONCE_TAKEN' })
    await assert.rejects(node.chain.submitNow(sign({ kind: 'stake', amount: 2_000n }, 3, alice)), { code: 'ERR_INSUFFICIENT_FUNDS' })
  })

  it('starts with a journal that is larger than its limits, and forgets none of it', async () => {
    const { chain, folder, stop } = await nodes.node({ validator: 0 })
    await Promise.all([1n, 2n, 3n].map(async amount => chain.sendNow({ kind: 'transfer', to: bob.account, amount }, alice)))
    await stop()
    const small = await nodes.node({ validator: 0, folder, init: { mempool: { accountMax: 2 } } })
    assert.equal(small.chain.mempool.transactions, 2)
    await small.stop()
    const large = await nodes.node({ validator: 0, folder })
    assert.equal(large.chain.mempool.transactions, 3)
  })
})
