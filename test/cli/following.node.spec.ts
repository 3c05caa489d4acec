import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { program } from '../../src/cli/index.ts'
import type { TrainingView } from '../../src/interface/index.ts'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const VIEW: TrainingView = { id: 'a', name: 'speeches', state: 'training', step: 1, steps: 9, losses: [4.8], progress: 0.1 }

describe('a node that goes away while a training is watched', () => {
  /** How the node leaves. */
  let leave: (response: ServerResponse) => void
  let folder: string

  const server = createServer((request, response) => {
    if (request.url === '/api/v1/events') {
      response.setHeader('content-type', 'text/event-stream').write(`data: ${JSON.stringify({ type: 'training', training: VIEW })}\n\n`, () => { leave(response) })
    } else {
      response.setHeader('content-type', 'application/json').end(JSON.stringify([VIEW]))
    }
  })

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'datanet-following-'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    await writeFile(join(folder, 'api.json'), JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'none' }))
  })

  after(async () => {
    server.close()
    server.closeAllConnections()
    await rm(folder, { recursive: true, force: true })
  })

  async function watching (away: typeof leave): Promise<void> {
    leave = away
    await program().parseAsync(['--data-dir', folder, '--json', 'training', 'show', 'speeches', '--watch'], { from: 'user' })
  }

  it('is told as one that cannot be reached if it is stopped', async () => {
    await expect(watching(response => { response.end() })).to.eventually.be.rejected.with.property('code', 'ERR_NODE_UNREACHABLE')
  })

  it('is told as one that cannot be reached if it is killed', async () => {
    await expect(watching(response => { response.destroy() })).to.eventually.be.rejected.with.property('code', 'ERR_NODE_UNREACHABLE')
  })
})
