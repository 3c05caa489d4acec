import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'aegir/chai'

const run = promisify(execFile)
const folder = new URL('../../examples/attribute-offline/', import.meta.url)

describe('examples/attribute-offline', function () {
  this.timeout(120_000)

  it('prints what its README says, to the last digit', async () => {
    const readme = await readFile(new URL('README.md', folder), 'utf8')
    const expected = /```text\n(.*?)\n```/s.exec(readme)?.[1]
    const { stdout } = await run(process.execPath, [fileURLToPath(new URL('index.ts', folder))], { timeout: 110_000 })

    expect(stdout.trim()).to.equal(expected)
  })
})
