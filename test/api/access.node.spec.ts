import { expect } from 'aegir/chai'
import { cleanTemporary } from '../node/fixtures.ts'
import { openShop } from './fixtures.ts'
import type { Shop } from './fixtures.ts'

interface Made { id: string, key: string, spent: string }

describe('who may use a node', function () {
  this.timeout(90_000)

  let here: Shop

  before(async () => {
    here = await openShop({ cors: ['https://page.example'], free: { requestsPerMinute: 3, spendPerDay: (10n ** 16n).toString() }, answersAtOnce: 1, answersWaiting: 1 })
  })

  after(async () => {
    await here.stop()
    await cleanTemporary()
  })

  const make = async (body: object): Promise<Made> => here.home.http.post('/api/v1/keys', { name: 'test', scopes: ['infer'], ...body })
  const ask = async (key: string | null, change: object = {}, init: RequestInit = {}): Promise<Response> => here.call('/v1/completions', {
    ...init, method: 'POST', key, body: JSON.stringify({ model: here.adapter, prompt: 'The', max_tokens: 2, ...change })
  })
  const statusesOf = async (path: string, keys: Made[]): Promise<number[]> => Promise.all(keys.map(async ({ key }) => (await here.call(path, { key })).status))
  const codeOf = async (response: Response): Promise<unknown> => (await response.json() as { error?: { code: string } }).error?.code

  it('is said by scopes: reading, asking, everything', async () => {
    const [read, infer, admin] = await Promise.all(['read', 'infer', 'admin'].map(async scope => make({ scopes: [scope] })))
    const routes: Array<[string, number, number]> = [['/api/v1/status', 200, 200], ['/v1/models', 200, 200], ['/api/v1/answers', 403, 403], ['/api/v1/keys', 403, 403], ['/api/v1/wallet', 403, 403]]

    for (const [path, asReader, asCustomer] of routes) {
      expect(await statusesOf(path, [read, infer, admin]), path).to.deep.equal([asReader, asCustomer, 200])
    }

    expect((await ask(read.key)).status).to.equal(403)
    expect((await ask(infer.key)).status).to.equal(200)

    const transfer = { method: 'POST', body: JSON.stringify({ to: 'z', amount: '1' }) }

    expect((await here.call('/api/v1/wallet/transfer', { ...transfer, key: infer.key })).status).to.equal(403)
    expect((await here.call('/api/v1/wallet/transfer', { ...transfer, key: admin.key })).status).to.equal(400)
  })

  it('is kept as a hash, and ends with a revocation at once', async () => {
    const { id, key } = await make({})
    const listed = await here.home.http.get<object[]>('/api/v1/keys')

    expect(JSON.stringify(listed)).to.include(id).and.not.include(key.slice(-43))

    for (const wrong of [`${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`, key.slice(0, -1), `dn-${'0'.repeat(16)}-${key.slice(-43)}`]) {
      expect(await codeOf(await ask(wrong))).to.equal('invalid_api_key')
    }

    expect((await ask(key)).status).to.equal(200)
    await here.home.http.delete(`/api/v1/keys/${id}`)
    expect(await codeOf(await ask(key))).to.equal('invalid_api_key')
    await expect(here.home.http.delete(`/api/v1/keys/${id}`)).to.eventually.be.rejected.with.property('code', 'ERR_UNKNOWN_KEY')
    await expect(make({ account: 'nobody' })).to.eventually.be.rejected.with.property('code', 'ERR_ACCOUNT_MISSING')
  })

  it('is counted by the minute', async () => {
    const { key } = await make({ requestsPerMinute: 2 })
    const responses = [await ask(key, { model: 'nobody' }), await ask(key, { model: 'nobody' }), await ask(key)]

    expect(responses.map(({ status }) => status)).to.deep.equal([404, 404, 429])
    expect(responses[0].headers.get('x-ratelimit-remaining-requests')).to.equal('1')
    expect(Number(responses[2].headers.get('retry-after'))).to.be.within(1, 30)
    expect(await codeOf(responses[2])).to.equal('rate_limit_exceeded')
  })

  it('is limited by what its answers cost in a day, from the one wallet', async () => {
    const quote = await here.home.http.post<{ feeMax: string }>('/api/v1/quote', { adapter: here.adapter, prompt: 'The', maxTokens: 2 })
    const { id, key } = await make({ spendPerDay: quote.feeMax })
    const first = await ask(key)
    const { usage, datanet } = await first.json() as { usage: { total_tokens: number }, datanet: { fee: string } }
    const second = await ask(key)

    expect(first.status).to.equal(200)
    expect(usage.total_tokens).to.be.above(2)
    expect(BigInt(datanet.fee) <= BigInt(quote.feeMax)).to.equal(true)
    expect([second.status, await codeOf(second)]).to.deep.equal([429, 'insufficient_quota'])
    expect(Number(second.headers.get('retry-after'))).to.be.within(1, 86_400)
    expect((await here.home.http.get<Made[]>('/api/v1/keys')).find(one => one.id === id)?.spent).to.equal(datanet.fee)
  })

  it('has a free tier where its operator pays for one', async () => {
    const statuses = []

    for (let i = 0; i < 4; i++) {
      statuses.push((await ask(null)).status)
    }

    expect(statuses).to.deep.equal([200, 200, 200, 429])
    expect((await here.call('/api/v1/wallet/transfer', { method: 'POST', key: null, body: '{}' })).status).to.be.oneOf([403, 429])
  })

  it('is told to come back when too much waits', async () => {
    const { key } = await make({})
    const responses = await Promise.all(Array.from({ length: 4 }, async () => ask(key, { max_tokens: 30 })))
    const refused = responses.filter(({ status }) => status === 429)

    expect(refused).to.have.length(2)
    expect(responses.filter(({ status }) => status === 200)).to.have.length(2)
    expect(refused[0].headers.get('retry-after')).to.match(/^\d+$/)
    expect(await codeOf(refused[0])).to.equal('ERR_BUSY')
  })

  it('is nobody\'s page but those of named origins', async () => {
    const allowed = async (origin: string): Promise<string | null> => (await here.call('/v1/models', { headers: { origin } })).headers.get('access-control-allow-origin')

    expect(await allowed('https://page.example')).to.equal('https://page.example')
    expect(await allowed('https://other.example')).to.not.equal('https://other.example')
    expect((await fetch(new URL('/v1/models', here.shop.server.url), { headers: { origin: 'https://page.example' } })).headers.get('access-control-allow-origin')).to.equal(null)
  })

  it('has answers under way end when the node stops, and takes no others', async () => {
    const { key } = await make({})
    const stream = await ask(key, { max_tokens: 60, stream: true })
    const stopped = here.home.server.stop()
    const text = await stream.text()

    expect(text).to.match(/data: \[DONE\]\n\n$/)
    expect(text).to.include('"finish_reason":"length"')
    await stopped
  })
})
