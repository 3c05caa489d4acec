import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'aegir/chai'

const run = promisify(execFile)
const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url))

describe('protocols/http/openapi.yaml', function () {
  this.timeout(60_000)

  it('is what tools/openapi.ts makes of the server', async () => {
    expect((await run(process.execPath, [path('tools/openapi.ts'), '--check'])).stdout).to.equal('')
  })

  it('passes redocly lint', async () => {
    const { stderr } = await run(process.execPath, [path('node_modules/@redocly/cli/bin/cli.js'), 'lint', '--config', path('protocols/http/redocly.yaml'), path('protocols/http/openapi.yaml')], {
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
    })

    expect(stderr).to.include('valid')
    expect(stderr).to.not.include('warning')
  })
})
