import { expect } from 'aegir/chai'
import { cleanTemporary, dataDirs, run, TOKEN } from '../node/fixtures.ts'
import type { RunningNode } from '../node/fixtures.ts'

describe('/metrics', function () {
  this.timeout(60_000)

  let node: RunningNode

  before(async () => {
    const [dataDir] = await dataDirs(0)

    node = await run(dataDir)
  })

  after(async () => {
    await node.stop()
    await cleanTemporary()
  })

  const call = async (path: string, authorization = `Bearer ${TOKEN}`): Promise<Response> => fetch(new URL(path, node.server.url), { headers: { authorization }, signal: AbortSignal.timeout(20_000) })

  const scrape = async (): Promise<Map<string, number>> => {
    const text = await (await call('/metrics')).text()

    return new Map(text.split('\n').filter(line => line !== '' && !line.startsWith('#')).map(line => {
      const at = line.lastIndexOf(' ')

      return [line.slice(0, at), Number(line.slice(at + 1))]
    }))
  }

  it('needs a key', async () => {
    expect((await call('/metrics', '')).status).to.equal(401)
  })

  it('is Prometheus\' text with what the chain says', async () => {
    const before = node.node.chain.height
    const response = await call('/metrics')

    expect(response.headers.get('content-type')).to.match(/^text\/plain; version=0\.0\.4/)
    await response.body?.cancel()

    const height = (await scrape()).get('datanet_chain_height')

    expect(height).to.be.within(before, node.node.chain.height)
    expect(await scrape()).to.include.keys('datanet_chain_epoch', 'datanet_peers', 'datanet_answers_running', 'datanet_answers_waiting', 'datanet_answers_total')
  })

  it('counts requests by route, and what there is not under one name', async () => {
    const accounts = 'datanet_http_request_seconds_count{method="GET",route="/api/v1/wallet",status="200"}'
    const nothing = 'datanet_http_request_seconds_count{method="none",route="none",status="404"}'

    expect((await scrape()).get(accounts)).to.equal(undefined)

    for (const path of ['/api/v1/wallet', '/api/v1/wallet?x=1', '/api/v1/made-up-1', '/api/v1/made-up-2']) {
      await (await call(path)).text()
    }

    const counted = await scrape()

    expect(counted.get(accounts)).to.equal(2)
    expect(counted.get(nothing)).to.equal(2)
    expect([...counted.keys()].filter(key => key.includes('made-up'))).to.be.empty()
  })

  it('counts what it counts for each node of a process alone', async () => {
    const [dataDir] = await dataDirs(0)
    const other = await run(dataDir)

    try {
      const text = await (await fetch(new URL('/metrics', other.server.url), { headers: { authorization: `Bearer ${TOKEN}` }, signal: AbortSignal.timeout(20_000) })).text()

      expect(text).to.not.include('/api/v1/wallet')
    } finally {
      await other.stop()
    }
  })
})

describe('what goes wrong in the node itself', function () {
  this.timeout(60_000)

  after(cleanTemporary)

  it('is told to who runs it, with the place, and to the caller without', async () => {
    const [dataDir] = await dataDirs(0)
    const { node, server, stop } = await run(dataDir)
    const told: string[] = []

    try {
      node.events.addEventListener('event', ({ detail }) => {
        if (detail.type === 'log' && detail.level === 'error') {
          told.push(detail.message)
        }
      })
      Object.assign(node.answers, { list: async () => { throw new RangeError('a broken shelf') } })

      const response = await fetch(new URL('/api/v1/answers', server.url), { headers: { authorization: `Bearer ${TOKEN}` }, signal: AbortSignal.timeout(20_000) })

      expect(response.status).to.equal(500)
      expect(await response.json()).to.deep.equal({ error: { code: 'ERR_INTERNAL', message: 'a broken shelf' } })
      expect(told).to.have.length(1)
      expect(told[0]).to.match(/^GET \/api\/v1\/answers failed: RangeError: a broken shelf\n +at /)
    } finally {
      await stop()
    }
  })
})
