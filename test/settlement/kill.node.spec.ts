import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './kill-node.ts' : './kill-node.js', import.meta.url))

/** Runs the program until it has written a line, which is returned; then kills it if asked. */
async function run (args: string[], kill: boolean): Promise<string> {
  const child = spawn(process.execPath, ['--experimental-transform-types', '--no-warnings', program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  child.stdout.on('data', (data: Buffer) => {
    if (kill) { child.kill('SIGKILL') }
    resolve(data.toString().trim())
  })
  const exited = new Promise<void>(resolve => child.once('exit', () => { resolve() }))
  child.once('exit', code => { reject(new Error(`exit ${String(code)}`)) })
  const line = await promise
  await exited
  return line
}

describe('chain under SIGKILL', function () {
  this.timeout(60_000)

  let folder: string
  before(async () => { folder = await mkdtemp(join(tmpdir(), 'datanet-kill-')) })
  after(async () => rm(folder, { recursive: true, force: true }))

  it('loses nothing that it acknowledged', async () => {
    const ids: string[] = []
    for (let i = 0; i < 2; i++) {
      const [word, id] = (await run([folder], true)).split(' ')
      assert.equal(word, 'acknowledged')
      ids.push(id)
    }
    assert.notEqual(ids[0], ids[1])
    assert.equal(await run([folder, '--wait', ...ids], false), 'final true true')
  })
})
