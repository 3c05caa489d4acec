import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'aegir/chai'
import { build } from 'esbuild'
import { expected } from './golden-hashes.ts'

const run = promisify(execFile)

/** Another Node on the PATH than the one npm scripts see, if the machine has one. */
function systemNode (): string | undefined {
  return (process.env.PATH ?? '').split(delimiter)
    .filter(folder => !folder.includes('node_modules'))
    .map(folder => join(folder, process.platform === 'win32' ? 'node.exe' : 'node'))
    .find(path => existsSync(path) && path !== process.execPath)
}

describe('golden hashes of the engine in other runtimes', function () {
  this.timeout(120_000)

  let folder: string
  let bundle: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'datanet-golden-'))
    bundle = join(folder, 'golden.mjs')
    await build({
      entryPoints: [fileURLToPath(new URL('./print-golden.ts', import.meta.url))],
      outfile: bundle,
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      logLevel: 'silent'
    })
  })

  after(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  async function hashes (node: string, flags: string[]): Promise<unknown> {
    // the test runner's own flags are not known to every version
    const { stdout } = await run(node, [...flags, bundle], { timeout: 60_000, env: { ...process.env, NODE_OPTIONS: '' } })
    return JSON.parse(stdout)
  }

  it('are met by the baseline compiler alone', async () => {
    await expect(hashes(process.execPath, ['--liftoff-only'])).to.eventually.deep.equal(expected)
  })

  it('are met by the optimising compiler alone', async () => {
    await expect(hashes(process.execPath, ['--no-liftoff'])).to.eventually.deep.equal(expected)
  })

  it('are met by another version of Node', async function () {
    const node = systemNode()
    if (node == null) {
      this.runnable().title += ' (skipped: there is no other node on the PATH)'
      return this.skip()
    }
    await expect(hashes(node, [])).to.eventually.deep.equal(expected)
    await expect(hashes(node, ['--liftoff-only'])).to.eventually.deep.equal(expected)
  })
})
