import { expect } from 'aegir/chai'
import { cleanTemporary, datanet, datanetUnread, loadedBy, needBuilt, temporary } from './run.ts'

/** What the command line may load before it knows that it needs a node of its own. */
const LIGHT = /\/dist\/src\/(cli\/(?!run-)|client\/|utils\/)|\/node_modules\/(commander|cli-table3|string-width|strip-ansi|ansi-regex|is-fullwidth-code-point|emoji-regex|@colors\/colors|picocolors|multiformats)\//

describe('what the command line loads', function () {
  this.timeout(60_000)

  let dataDir: string

  before(async () => {
    needBuilt()
    dataDir = await temporary()
  })

  after(cleanTemporary)

  const loading = async (args: string[]): Promise<string[]> => loadedBy('--data-dir', dataDir, ...args)

  for (const args of [['--help'], ['--version'], ['start', '--help'], ['wallet', 'stake', 'much'], ['status'], ['ask', 'speeches', 'The state'], ['train', 'speeches', '--name', 's', '--method', 'ekfac'], ['training', 'cancel', 'speeches'], ['wallet', 'transfer', 'alice', '1']]) {
    it(`is nothing of a node for ${args.join(' ')}`, async () => {
      const loaded = await loading(args)

      expect(loaded.some(url => url.endsWith('/cli/program.js'))).to.equal(true)
      expect(loaded.filter(url => !LIGHT.test(url))).to.be.empty()
    })
  }

  it('is a node for what needs one', async () => {
    const loaded = await loading(['light', 'follow'])

    expect(loaded.some(url => url.endsWith('/dist/src/node/index.js'))).to.equal(true)
    expect(loaded.some(url => url.includes('/node_modules/libp2p/'))).to.equal(true)
  })

  it('ends in peace when nobody reads on', async () => {
    const { code, stderr } = await datanetUnread('--data-dir', dataDir, '--help')

    expect(code).to.equal(0)
    expect(stderr).to.equal('')
  })

  it('has the version of the package', async () => {
    const { code, stdout } = await datanet('--version')

    expect(code).to.equal(0)
    expect(stdout).to.match(/^\d+\.\d+\.\d+\n$/)
  })
})
