import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'aegir/chai'

const root = new URL('../../examples/', import.meta.url)

describe('examples that need a running node', function () {
  this.timeout(60_000)

  for (const example of ['ask-over-http', 'verify-a-payout']) {
    const start = (...args: string[]): { status: number | null, stderr: string } =>
      spawnSync(process.execPath, [fileURLToPath(new URL(`${example}/index.ts`, root)), ...args], { encoding: 'utf8', timeout: 50_000 })

    it(`${example} says what is missing and how to get it`, () => {
      const { status, stderr } = start()

      expect(stderr).to.contain('--data-dir').and.to.contain('npm start')
      expect(status).to.equal(2)
    })

    it(`${example} says that no node runs on a data directory`, () => {
      const { status, stderr } = start('--data-dir', 'no-such-folder')

      expect(stderr).to.contain('no-such-folder/api.json').and.to.contain('start the node first')
      expect(status).to.equal(2)
    })
  }
})
