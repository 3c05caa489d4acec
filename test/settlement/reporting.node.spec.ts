import assert from 'node:assert/strict'
import { signVote } from '../../src/consensus/index.ts'
import { bls } from '../../src/identity/index.ts'
import { genesisState, readAccount, readBond, readChain, readConviction } from '../../src/ledger/index.ts'
import { reporting, reportOf } from '../../src/settlement/index.ts'
import { hash } from '../../src/wire/index.ts'
import { alice, CHAIN, genesisOf, swarm, validatorBls, validatorSigner } from './fixtures.ts'
import type { TestNode } from './fixtures.ts'
import type { Evidence } from '../../src/consensus/index.ts'

const genesis = genesisOf(1)
const accused = validatorSigner(0).account

function evidence (era: number, blocks = ['a', 'b']): Evidence {
  const [first, second] = blocks.map(block => signVote(CHAIN, 0, { kind: 'notarize', era, view: 3, blockHash: hash(block) }, { sign: message => bls.sign(validatorBls(0), message) }))

  return { type: 'conflicting-votes', validator: 0, first, second }
}

describe('reporting', function () {
  this.timeout(30_000)

  const nodes = swarm()
  let node: TestNode

  before(async () => { node = await nodes.node({ validator: 0, init: { genesis } }) })
  after(async () => nodes.clean())

  it('brings what consensus proves before the ledger, once, and is rewarded', async () => {
    const reports = reporting({ signer: alice })({ chain: node.chain })
    const { balance, nonce } = readAccount(node.chain.state(), alice.account)

    await reports.start()
    node.chain.dispatchEvent(new CustomEvent<Evidence>('evidence', { detail: evidence(0) }))
    node.chain.dispatchEvent(new CustomEvent<Evidence>('evidence', { detail: evidence(0, ['a', 'c']) }))
    await node.chain.waitFor(state => readConviction(state, accused), { signal: AbortSignal.timeout(20_000) })
    await node.chain.send({ kind: 'transfer', to: accused, amount: 1n }, alice, { signal: AbortSignal.timeout(20_000) })
    await reports.stop()

    assert.equal(readBond(node.chain.state(), accused, accused), 50n)
    // a twentieth of 50, less what was sent; two transactions and no second report
    assert.equal(readAccount(node.chain.state(), alice.account).balance, balance + 2n - 1n)
    assert.equal(readAccount(node.chain.state(), alice.account).nonce, nonce + 2)
  })

  it('has nothing to say of another era, or of certificates of different views', () => {
    const state = node.chain.state()
    const { era } = readChain(state)
    const certificate = { kind: 'finalize' as const, era, view: 3, blockHash: hash('a'), signers: Uint8Array.of(1), signature: new Uint8Array(96) }

    assert.equal(reportOf(state, evidence(era + 1)), undefined)
    assert.equal(reportOf(state, { type: 'conflicting-certificates', first: certificate, second: { ...certificate, view: 4, blockHash: hash('b') } }), undefined)
    assert.equal(reportOf(state, { type: 'conflicting-certificates', first: certificate, second: { ...certificate, blockHash: hash('b') } })?.body.kind, 'report-certificates')
  })

  it('accuses of two certificates those who signed both: that one of them, or another, is convicted already saves no accomplice', () => {
    const certificate = { kind: 'finalize' as const, era: 0, view: 3, blockHash: hash('a'), signers: Uint8Array.of(0b0111), signature: new Uint8Array(96) }
    const report = reportOf(genesisState(genesisOf(4)), { type: 'conflicting-certificates', first: certificate, second: { ...certificate, blockHash: hash('b'), signers: Uint8Array.of(0b1110) } })

    assert.deepEqual(report?.accused, [1, 2].map(index => validatorSigner(index).account))
  })
})
