import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { program } from '../../src/cli/index.ts'
import { writeGenesis } from '../../src/node/index.ts'
import { headerHash, toHex } from '../../src/wire/index.ts'
import { alice, bob, genesisOf, swarm } from '../settlement/fixtures.ts'
import type { FinalisedTransaction } from '../../src/settlement/index.ts'
import type { TestNode } from '../settlement/fixtures.ts'

const one = genesisOf(1)
const genesis = { ...one, params: { ...one.params, epochBlocks: 4 } }
const signal = (): AbortSignal => AbortSignal.timeout(40_000)

describe('datanet light, of the past', function () {
  this.timeout(60_000)

  const nodes = swarm()
  let node: TestNode
  let dataDir: string
  let paid: FinalisedTransaction

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'datanet-light-'))
    await writeGenesis(dataDir, genesis)
    node = await nodes.node({ validator: 0, seed: 1, init: { genesis, times: { blockIntervalMsMin: 10, idleIntervalMs: 20, leaderTimeoutMs: 1_500 } } })
    paid = await node.chain.send({ kind: 'transfer', to: bob.account, amount: 5n }, alice, { signal: signal() })
    await node.chain.waitFor((_, height) => height > paid.height + 12, { signal: signal() })
  })
  after(async () => {
    await nodes.clean()
    await rm(dataDir, { recursive: true })
  })

  /** The last line that a command prints with --json. */
  async function print (...args: string[]): Promise<Record<string, unknown>> {
    const { write } = process.stdout
    const lines: string[] = []

    process.stdout.write = text => lines.push(String(text)) > 0

    try {
      await program().parseAsync(['--json', '--data-dir', dataDir, 'light', '--bootstrap', node.net.addresses().map(String)[0], ...args], { from: 'user' })
    } finally {
      process.stdout.write = write
    }

    return JSON.parse(lines.pop() ?? '')
  }

  it('prints the header at a height, and by which it is proven', async () => {
    const view = await print('header', '2')
    const header = await node.chain.header(2)

    expect(view).to.include({ height: 2, hash: toHex(headerHash(header)), stateRoot: toHex(header.stateRoot) })
    expect(view.provenBy).to.be.above(12)
  })

  it('prints the last header of an epoch, and says of one that runs that it is not over', async () => {
    expect(await print('epoch', '1')).to.include({ epoch: 1, height: 8, hash: toHex(headerHash(await node.chain.header(8))) })
    await expect(print('epoch', '1000000')).to.eventually.be.rejected().with.property('code', 'ERR_HISTORY_PROOF')
  })

  it('prints what became of a transaction', async () => {
    expect(await print('outcome', paid.id.toString())).to.include({ transaction: paid.id.toString(), ok: true, code: null, fee: '0', height: paid.height })
    await expect(print('outcome', 'bafyreicojudmx7wgvwrakplttos4hy225w4j4nsprn5wahobgizb4baury')).to.eventually.be.rejected().with.property('code', 'ERR_SOURCE')
  })
})
