import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'aegir/chai'
import { publishAdapter, settle, startNetwork } from './network.ts'
import type { Network } from './network.ts'

const run = promisify(execFile)
const root = new URL('../../examples/', import.meta.url)

async function example (name: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [fileURLToPath(new URL(`${name}/index.ts`, root)), ...args], { timeout: 150_000 })

  return stdout
}

describe('examples on a network', function () {
  this.timeout(300_000)

  let network: Network

  before(async () => {
    network = await startNetwork()
    await publishAdapter(network)
  })

  after(async () => network?.stop())

  it('ask-over-http prints an answer, its receipt and what shaped it', async () => {
    const stdout = await example('ask-over-http', '--data-dir', network.dataDir, '--model', 'addresses', '--prompt', 'Fellow citizens')

    expect(stdout).to.match(/models\n {2}addresses {2}bafy/)
    expect(stdout).to.contain('» Fellow citizens')
    expect(stdout).to.match(/receipt {2}bafy/)
    expect(stdout).to.match(/fee {6}[1-9]\d* base units/)
    expect(stdout).to.contain('Twelve addresses')
  })

  it('verify-a-payout proves why the contribution was paid', async () => {
    const { task } = await settle(network)
    const stdout = await example('verify-a-payout', '--data-dir', network.dataDir, '--bootstrap', network.node.network.addresses()[0].toString())

    expect(stdout).to.contain('signed by 1 of 1 validators')
    expect(stdout).to.contain(`${network.account} has `)
    expect(stdout).to.contain('why was Twelve addresses paid ')
    expect(stdout).to.contain('✓ Its score is under the agreed root')
    expect(stdout).to.not.contain('✗')
    expect(task).to.match(/^[0-9a-f]{64}$/)
  })
})
