import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request } from 'node:https'
import { expect } from 'aegir/chai'
import { cleanTemporary, dataDirs, run, TOKEN } from '../node/fixtures.ts'
import type { RunningNode } from '../node/fixtures.ts'
import type { IncomingMessage } from 'node:http'

// made for these tests; nothing else knows or trusts them
const tls = { cert: new URL('./tls/cert.pem', import.meta.url), key: new URL('./tls/key.pem', import.meta.url) }
const free = { requestsPerMinute: 2, spendPerDay: '1' }

describe('how a node is reached', function () {
  this.timeout(90_000)

  let running: RunningNode[] = []

  const open = async (init: Parameters<typeof run>[2]): Promise<RunningNode> => {
    const [dataDir] = await dataDirs(0)
    const node = await run(dataDir, [], init)

    running.push(node)

    return node
  }

  afterEach(async () => {
    await Promise.all(running.map(async node => node.stop()))
    running = []
  })

  after(cleanTemporary)

  it('is by TLS alone where it has a certificate', async () => {
    const { server } = await open({ tls: { cert: tls.cert.pathname, key: tls.key.pathname } })
    const url = new URL('/v1/models', server.url)
    const asked = request(url, { ca: await readFile(tls.cert), headers: { authorization: `Bearer ${TOKEN}` }, timeout: 10_000 })

    asked.end()

    const [response] = await once(asked, 'response') as [IncomingMessage]
    const body = Buffer.concat(await response.toArray()).toString()

    expect(url.protocol).to.equal('https:')
    expect(response.statusCode).to.equal(200)
    expect(JSON.parse(body)).to.have.property('object', 'list')
    await expect(fetch(`http://${url.host}/v1/models`, { signal: AbortSignal.timeout(10_000) })).to.eventually.be.rejectedWith(TypeError)
    // who does not know the certificate does not talk to it
    await expect(fetch(url, { signal: AbortSignal.timeout(10_000) })).to.eventually.be.rejectedWith(TypeError)
  })

  it('counts callers behind a proxy that it trusts one by one, and takes nobody else\'s word', async () => {
    const statuses = async ({ server }: RunningNode, ...addresses: string[]): Promise<number[]> => {
      const all: number[] = []

      for (const address of addresses) {
        all.push((await fetch(new URL('/v1/models', server.url), { headers: { 'x-forwarded-for': address }, signal: AbortSignal.timeout(10_000) })).status)
      }

      return all
    }
    const behind = await open({ free, trustProxy: ['127.0.0.1'] })
    const direct = await open({ free })
    const stranger = await open({ free, trustProxy: ['203.0.113.7'] })

    expect(await statuses(behind, '198.51.100.1', '198.51.100.1', '198.51.100.2', '198.51.100.1', '198.51.100.2', '198.51.100.2')).to.deep.equal([200, 200, 200, 429, 200, 429])
    // the nearest address that is not the proxy's counts: what the caller writes before it does not
    expect(await statuses(behind, '192.0.2.1, 198.51.100.2')).to.deep.equal([429])
    expect(await statuses(direct, '198.51.100.1', '198.51.100.2', '198.51.100.3')).to.deep.equal([200, 200, 429])
    expect(await statuses(stranger, '198.51.100.1', '198.51.100.2', '198.51.100.3')).to.deep.equal([200, 200, 429])
  })
})
