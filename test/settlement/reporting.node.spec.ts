import assert from 'node:assert/strict'
import { bitmapOf, signVote, voteBytes } from '../../src/consensus/index.ts'
import { network } from '../../src/gossip/index.ts'
import { bls } from '../../src/identity/index.ts'
import { readAccount, readBond, readChain, readConviction } from '../../src/ledger/index.ts'
import { certificatesOfViewCodec, reporting, reportOf, viewRequestCodec } from '../../src/settlement/index.ts'
import { certificateCodec, hash } from '../../src/wire/index.ts'
import { alice, CHAIN, genesisOf, swarm, validatorBls, validatorSigner } from './fixtures.ts'
import type { TestNode } from './fixtures.ts'
import type { Evidence, VoteKind } from '../../src/consensus/index.ts'
import type { Network } from '../../src/gossip/index.ts'
import type { Certificate, Validator } from '../../src/interface/index.ts'

const genesis = genesisOf(1)
const accused = validatorSigner(0).account
const CERTIFICATES = `/datanet/${CHAIN}/certificates/1`
const VIEWS = `/datanet/${CHAIN}/view-certificates/1`
const signal = (): AbortSignal => AbortSignal.timeout(25_000)
const sign = (message: Uint8Array): Uint8Array => bls.sign(validatorBls(0), message)

function evidence (era: number, blocks = ['a', 'b']): Evidence {
  const [first, second] = blocks.map(block => signVote(CHAIN, 0, { kind: 'notarize', era, view: 3, blockHash: hash(block) }, { sign }))

  return { type: 'conflicting-votes', validator: 0, first, second }
}

/** What the one validator that is a quorum says. */
function certificate (kind: VoteKind, view: number, block = ''): Certificate {
  const statement = { kind, era: 0, view, blockHash: kind === 'nullify' ? new Uint8Array(0) : hash(block) }

  return { ...statement, signers: bitmapOf([0], 1), signature: bls.aggregate([sign(voteBytes(CHAIN, statement))]) }
}

async function happens (target: EventTarget, type: string): Promise<void> {
  const late = signal()

  await new Promise((resolve, reject) => {
    target.addEventListener(type, resolve, { once: true })
    late.addEventListener('abort', () => { reject(new Error(`no ${type} in time`)) })
  })
}

describe('reporting', function () {
  this.timeout(60_000)

  const nodes = swarm()
  const strangers: Network[] = []

  afterEach(async () => {
    await Promise.all(strangers.splice(0).map(async net => net.stop()))
    await nodes.clean()
  })

  /** Somebody who is connected to a node. */
  async function stranger (node: TestNode, prepare: (net: Network) => void = () => {}): Promise<Network> {
    const net = network({ listen: [], exchange: false, bootstrap: node.net.addresses().map(String) })()

    strangers.push(net)
    prepare(net)
    await net.start()

    while (net.libp2p.services.pubsub.getSubscribers(CERTIFICATES).length === 0 || node.net.peers().length === 0) {
      await happens(net.libp2p.services.pubsub, 'gossipsub:heartbeat')
    }

    return net
  }

  const convicted = async ({ chain }: TestNode): Promise<unknown> => chain.waitFor(state => readConviction(state, accused), { signal: signal() })

  it('brings what consensus proves before the ledger, once, and is rewarded', async () => {
    const node = await nodes.node({ validator: 0, init: { genesis } })
    const reports = reporting({ signer: alice })({ chain: node.chain })
    const { balance, nonce } = readAccount(node.chain.state(), alice.account)

    await reports.start()
    node.chain.dispatchEvent(new CustomEvent<Evidence>('evidence', { detail: evidence(0) }))
    node.chain.dispatchEvent(new CustomEvent<Evidence>('evidence', { detail: evidence(0, ['a', 'c']) }))
    await convicted(node)
    await node.chain.send({ kind: 'transfer', to: accused, amount: 1n }, alice, { signal: signal() })
    await reports.stop()

    assert.equal(readBond(node.chain.state(), accused, accused), 50n)
    // a twentieth of 50, less what was sent; two transactions and no second report
    assert.equal(readAccount(node.chain.state(), alice.account).balance, balance + 2n - 1n)
    assert.equal(readAccount(node.chain.state(), alice.account).nonce, nonce + 2)
  })

  it('keeps what it saw over a restart, and reports it in a later era, by the set that signed', async () => {
    const short = { ...genesis, params: { ...genesis.params, epochBlocks: 3 } }
    const init = { genesis: short, times: { blockIntervalMsMin: 20, idleIntervalMs: 60 } }
    const before = await nodes.node({ validator: 0, init })
    const net = await stranger(before)
    const far = before.chain.view + 40

    // all views up to there are over, or the one validator would wait for them
    for (let view = before.chain.view; view <= far; view++) {
      await net.libp2p.services.pubsub.publish(CERTIFICATES, certificateCodec.encode(certificate('nullify', view)))
    }

    const seen = happens(before.chain, 'evidence')

    await net.libp2p.services.pubsub.publish(CERTIFICATES, certificateCodec.encode(certificate('notarize', far, 'a')))
    await net.libp2p.services.pubsub.publish(CERTIFICATES, certificateCodec.encode(certificate('notarize', far, 'b')))
    await seen
    await before.stop()

    const after = await nodes.node({ validator: 0, folder: before.folder, init })

    assert.deepEqual(after.chain.evidence().map(({ type, first }) => [type, first.view]), [['conflicting-certificates', far]])
    await after.chain.send({ kind: 'bond', validator: accused, amount: 10n }, alice, { signal: signal() })
    await after.chain.waitFor(state => readChain(state).era > 0, { signal: signal() })

    const reports = reporting({ signer: alice })({ chain: after.chain })

    await reports.start()
    await convicted(after)
    await reports.stop()
  })

  it('asks others for the nullification by which two views convict, and gives it to who asks', async () => {
    const node = await nodes.node({ validator: 0, init: { genesis } })
    const nullified = certificate('nullify', 7)
    const asked: number[] = []
    const fork: [Certificate, Certificate] = [certificate('finalize', 9, 'b'), certificate('finalize', 7, 'a')]

    assert.equal(await node.chain.contradiction(fork, { signal: signal() }), undefined)

    await stranger(node, net => {
      net.handle(VIEWS, { requestBytesMax: viewRequestCodec.bytesMax, responseBytesMax: certificatesOfViewCodec.bytesMax }, async request => {
        asked.push(viewRequestCodec.decode(request).view)

        return certificatesOfViewCodec.encode({ certificates: [{ ...nullified, signature: certificate('nullify', 8).signature }, nullified] })
      })
    })

    const found = await node.chain.contradiction(fork, { signal: signal() })

    assert.deepEqual([found?.first, found?.second], [fork[1], nullified])
    assert.deepEqual(asked, [7])

    const reports = reporting({ signer: alice })({ chain: node.chain })

    await reports.start()
    node.chain.dispatchEvent(new CustomEvent<Evidence>('evidence', { detail: { type: 'conflicting-certificates', first: fork[0], second: fork[1] } }))
    await convicted(node)
    await reports.stop()
  })

  it('looks at the view of the finalization too, where the other block is final through a descendant', async () => {
    const node = await nodes.node({ validator: 0, init: { genesis } })
    // honest validators may nullify a view whose block others notarized
    const [notarized, finalized, nullified] = [certificate('notarize', 906, 'a'), certificate('finalize', 907, 'b'), certificate('nullify', 907)]

    await stranger(node, net => {
      net.handle(VIEWS, { requestBytesMax: viewRequestCodec.bytesMax, responseBytesMax: certificatesOfViewCodec.bytesMax }, async request =>
        certificatesOfViewCodec.encode({ certificates: viewRequestCodec.decode(request).view === 907 ? [nullified] : [certificate('nullify', 906), notarized] }))
    })

    for (const fork of [[notarized, finalized], [finalized, notarized]] satisfies Array<[Certificate, Certificate]>) {
      const found = await node.chain.contradiction(fork, { signal: signal() })
      assert.deepEqual([found?.first, found?.second], [finalized, nullified])
    }
  })

  it('keeps certificates of views that are final for those who look for the authors of a fork', async () => {
    const node = await nodes.node({ validator: 0, init: { genesis } })

    await node.chain.waitFor((_, height) => height >= 3, { signal: signal() })

    const [{ block: { header } }, net] = [await node.chain.block(2), await stranger(node)]
    const request = { responseBytesMax: certificatesOfViewCodec.bytesMax, timeoutMs: 10_000 }
    const ask = async (era: number): Promise<string[]> => certificatesOfViewCodec.decode(await net.request(node.net.libp2p.peerId, VIEWS, viewRequestCodec.encode({ era, view: header.view }), request)).certificates.map(({ kind }) => kind)

    assert.deepEqual(await ask(0), ['finalize', 'notarize'])
    assert.deepEqual(await ask(1), [])
  })

  it('has nothing to say of certificates that do not contradict each other', async () => {
    const node = await nodes.node({ validator: 0, init: { genesis } })

    for (const pair of [['notarize', 'finalize'], ['notarize', 'nullify']] as const) {
      const [first, second] = pair.map((kind, i) => certificate(kind, 900, `${i}`))

      assert.equal(await node.chain.contradiction([first, second], { signal: signal() }), undefined)
    }

    const unsigned = { ...certificate('nullify', 900), signature: certificate('nullify', 901).signature }

    assert.equal(await node.chain.contradiction([certificate('finalize', 900, 'a'), unsigned], { signal: signal() }), undefined)
  })

  it('accuses of two certificates those who signed both: that one of them, or another, is convicted already saves no accomplice', () => {
    const one = { kind: 'finalize' as const, era: 0, view: 3, blockHash: hash('a'), signers: Uint8Array.of(0b0111), signature: new Uint8Array(96) }
    const set: Validator[] = genesisOf(4).validators
    const report = reportOf(set, { type: 'conflicting-certificates', first: one, second: { ...one, blockHash: hash('b'), signers: Uint8Array.of(0b1110) } })

    assert.deepEqual(report?.accused, [1, 2].map(index => validatorSigner(index).account))
  })
})
