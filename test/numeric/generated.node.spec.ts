import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'aegir/chai'
import * as doubles from '../../src/numeric/generated/doubles.ts'
import * as kernels from '../../src/numeric/generated/kernels.ts'

const run = promisify(execFile)

describe('the embedded kernels', () => {
  it('hash to what they say', () => {
    for (const { base64, sha256 } of [kernels, doubles]) {
      expect(createHash('sha256').update(Buffer.from(base64, 'base64')).digest('hex')).to.equal(sha256)
    }
  })

  it('weigh less than 64 KiB together, as text', () => {
    expect(kernels.base64.length + doubles.base64.length).to.be.below(65_536)
  })

  it('are what their source compiles to', async function () {
    this.timeout(60_000)
    const tool = fileURLToPath(new URL('../../tools/build-kernels.ts', import.meta.url))
    await run(process.execPath, [tool, '--check'], { timeout: 60_000 })
  })
})
