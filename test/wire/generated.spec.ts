import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'aegir/chai'

describe('committed vectors', () => {
  it('are what tools/vectors.ts makes', async function () {
    this.timeout(60_000)
    const tool = fileURLToPath(new URL('../../tools/vectors.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [tool, '--check'])

    expect(stdout).to.equal('')
  })
})
