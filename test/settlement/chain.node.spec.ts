import assert from 'node:assert/strict'
import { readAccount, stateRoot } from '../../src/ledger/index.ts'
import { alice, bob, swarm } from './fixtures.ts'
import type { TestNode } from './fixtures.ts'

const signal = (): AbortSignal => AbortSignal.timeout(20_000)
const balance = (node: TestNode, account: Uint8Array): bigint => readAccount(node.chain.state(), account).balance

describe('chain', function () {
  this.timeout(40_000)

  const nodes = swarm()
  afterEach(async () => nodes.clean())

  async function four (): Promise<TestNode[]> {
    const all: TestNode[] = []
    for (const validator of [0, 1, 2, 3]) {
      all.push(await nodes.node({ validator, seed: validator + 1 }))
    }
    return all
  }

  it('finalises transactions of concurrent senders on every validator', async () => {
    const all = await four()
    const results = await Promise.all([
      all[0].chain.send({ kind: 'transfer', to: bob.account, amount: 5n }, alice, { signal: signal() }),
      all[0].chain.send({ kind: 'transfer', to: bob.account, amount: 7n }, alice, { signal: signal() }),
      all[1].chain.send({ kind: 'transfer', to: alice.account, amount: 1n }, bob, { signal: signal() })
    ])
    assert.deepEqual(results.map(({ ok }) => ok), [true, true, true])
    const height = Math.max(...results.map(result => result.height))

    for (const node of all) {
      await node.chain.waitFor((_, at) => at >= height, { signal: signal() })
      assert.equal(balance(node, alice.account), 1_000n - 12n + 1n)
      assert.equal(balance(node, bob.account), 1_000n + 12n - 1n)
    }
    const blocks = await Promise.all(all.map(async node => node.chain.block(height)))
    assert.equal(new Set(blocks.map(({ hash }) => Buffer.from(hash).toString('hex'))).size, 1)
    assert.ok(stateRoot(all[0].chain.state()).length === 32)
  })
})
