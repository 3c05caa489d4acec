import { expect } from 'aegir/chai'
import { accountToString } from '../../src/identity/index.ts'
import { cleanTemporary, dataDirs, OPEN, run, TOKEN } from './fixtures.ts'
import type { RunningNode } from './fixtures.ts'
import type { NodeClient } from '../../src/api/index.ts'
import type { AdapterView, ContributionView, DatanetView, NodeEvent, NodeStatus } from '../../src/interface/index.ts'

interface ErrorBody { error: { code: string, message: string, hint?: string } }

const LINES = [
  'The union of these states rests on the consent of the people who live in them.',
  'A harvest that fails in one valley is made good by the labour of the next.',
  'No treaty has been signed this year that gives away what our fathers kept.',
  'The railways now reach the western mines, and letters take four days.',
  'Our schools teach a third more children than they did ten years ago.',
  'It is the duty of a government to spend less than it takes from its citizens.'
]

describe('a node by HTTP', function () {
  this.timeout(60_000)

  let shop: RunningNode
  let home: RunningNode

  before(async () => {
    const [first, second] = await dataDirs(1)

    shop = await run(first)
    home = await run(second, shop.node.network.addresses().map(String))
  })

  after(async () => {
    await home.stop()
    await shop.stop()
    await cleanTemporary()
  })

  const raw = async (path: string, init: RequestInit = {}): Promise<Response> => fetch(new URL(path, home.server.url), {
    signal: AbortSignal.timeout(20_000), ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers }
  })

  async function until<T> (http: NodeClient, type: NodeEvent['type'], look: () => Promise<T | undefined>): Promise<T> {
    const ended = new AbortController()
    const events = http.events({ signal: AbortSignal.any([ended.signal, AbortSignal.timeout(40_000)]) })

    try {
      // the first event comes after the stream is open: nothing falls between
      for await (const event of events) {
        const found = event.type === type || event.type === 'block' ? await look() : undefined

        if (found !== undefined) {
          return found
        }
      }
    } finally {
      ended.abort()
    }

    return expect.fail('the events ended')
  }

  it('needs the token on every route but the page and what light clients read', async () => {
    const { paths } = await home.http.get<{ paths: Record<string, Record<string, unknown>> }>('/api/v1/openapi.json')

    expect(Object.keys(paths)).to.include.members(['/api/v1/status', '/api/v1/ask', '/v1/models', '/v1/chat/completions', '/api/v1/events'])

    const guarded = Object.entries(paths).filter(([path]) => !path.startsWith('/api/v1/light/'))

    for (const [path, methods] of [...guarded, ['/api/v1/openapi.json', { get: {} }] as const]) {
      for (const method of Object.keys(methods)) {
        for (const authorization of ['', `Bearer ${TOKEN.slice(1)}`, TOKEN]) {
          const response = await raw(path.replace('{id}', 'x'), { method: method.toUpperCase(), headers: { authorization } })

          expect(response.status, `${method} ${path}`).to.equal(401)
          expect((await response.json() as ErrorBody).error.code).to.equal(path.startsWith('/v1/') ? 'invalid_api_key' : 'ERR_UNAUTHORIZED')
        }
      }
    }
  })

  it('answers what is wrong in one form, with code and hint', async () => {
    const json = (body: unknown): RequestInit => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
    const account = accountToString(home.node.keychain.signer('main').account)
    const cases: Array<[string, RequestInit, number, string]> = [
      ['/api/v1/nothing', {}, 404, 'ERR_NOT_FOUND'],
      ['/api/v1/wallet/transfer', json({ to: account }), 400, 'ERR_REQUEST'],
      ['/api/v1/wallet/transfer', json({ to: account, amount: '1', colour: 'red' }), 400, 'ERR_REQUEST'],
      ['/api/v1/wallet/transfer', json({ to: account, amount: '-1' }), 400, 'ERR_REQUEST'],
      ['/api/v1/wallet/transfer', json({ to: account, amount: '1', as: 'nobody' }), 422, 'ERR_ACCOUNT_MISSING'],
      ['/api/v1/wallet/transfer', json({ to: account, amount: (2n ** 100n).toString() }), 422, 'ERR_INSUFFICIENT_FUNDS'],
      ['/api/v1/ask', json({ adapter: 'none', prompt: 'x' }), 404, 'ERR_UNKNOWN_ADAPTER'],
      ['/v1/completions', json({ model: 'none', prompt: 'x' }), 404, 'model_not_found'],
      ['/v1/chat/completions', json({ model: 'none', messages: [{ role: 'user', content: 'x' }], n: 2 }), 400, 'unsupported_parameter'],
      ['/v1/nothing', {}, 404, 'ERR_NOT_FOUND'],
      ['/v1/receipts/abcdefgh', {}, 400, 'ERR_CID'],
      ['/v1/chat/completions', json({ model: 'none', messages: [] }), 400, 'ERR_REQUEST'],
      ['/api/v1/gateway/redeem', { method: 'POST' }, 409, 'ERR_ROLE_MISSING'],
      ['/api/v1/trainings/none', {}, 404, 'ERR_NOT_FOUND'],
      ['/api/v1/contributions?datanet=abcdefgh', {}, 422, 'ERR_CID'],
      ['/api/v1/why?contribution=abcdefgh', {}, 422, 'ERR_CID'],
      ['/api/v1/accounts/x', {}, 400, 'ERR_REQUEST'],
      ['/api/v1/gov/propose', json({ title: 'more', params: { colour: 1 } }), 422, 'ERR_UNKNOWN_PARAMETER'],
      ['/api/v1/gov/vote', json({ proposal: 7, support: 'for' }), 422, 'ERR_PROPOSAL_UNKNOWN'],
      ['/api/v1/wallet/transfer', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' }, 400, 'FST_ERR_CTP_INVALID_JSON_BODY'],
      ['/api/v1/wallet/transfer', { ...json({}), body: ' '.repeat(300_000) }, 413, 'FST_ERR_CTP_BODY_TOO_LARGE']
    ]

    for (const [path, init, status, code] of cases) {
      const response = await raw(path, init)
      const { error } = await response.json() as Partial<ErrorBody>

      expect([response.status, error?.code], `${path} ${String(init.body).slice(0, 60)}`).to.deep.equal([status, code])
      expect(error?.message).to.be.a('string').that.is.not.empty()
    }
  })

  it('makes a Datanet, adds rows to it and sees them admitted by the other node', async () => {
    const { datanet } = await home.http.post<{ datanet: string }>('/api/v1/datanets', {
      name: 'speeches', title: 'Speeches', description: '', licence: 'CC0-1.0', fields: [{ name: 'text', type: 'string', required: true }], textField: 'text', admission: { rowsMin: 2 }
    })
    const query = new URLSearchParams({ datanet, title: 'six lines', format: 'text' })
    const file = new TextEncoder().encode(LINES.join('\n\n'))
    const { contribution, rows } = await home.http.upload<{ contribution: string, rows: number }>(`/api/v1/contributions?${query.toString()}`, file)

    expect(rows).to.be.within(1, 6)

    const admitted = await until(home.http, 'contribution', async () => {
      const views = await home.http.get<ContributionView[]>(`/api/v1/contributions?datanet=${datanet}`)

      return views.find(view => view.contribution === contribution && view.status !== 'pending')
    })

    expect(admitted).to.include({ status: 'admitted', title: 'six lines', datanet, contributor: accountToString(home.node.keychain.signer('main').account) })
    expect(admitted.attestations).to.deep.equal([{ validator: accountToString(shop.node.keychain.signer('main').account), verdict: 'admit' }])

    const [view] = await shop.http.get<DatanetView[]>('/api/v1/datanets')

    expect(view).to.include({ datanet, name: 'speeches', contributions: 1, admitted: 1 })
    expect(await home.http.get<AdapterView[]>('/api/v1/adapters')).to.be.empty()

    // a file that does not fit is refused, and nothing of it stays
    await expect(home.http.upload(`/api/v1/contributions?${new URLSearchParams({ datanet, title: 'bad', format: 'jsonl' }).toString()}`, new TextEncoder().encode('{"text":7}\n'))).to.eventually.be.rejected.with.property('code').that.matches(/^ERR_/)
    await expect(home.http.post(`/api/v1/contributions?${query.toString()}`, { text: 'x' })).to.eventually.be.rejected.with.property('code', 'ERR_UPLOAD')
    expect(await home.http.get<ContributionView[]>('/api/v1/contributions')).to.have.length(1)
  })

  it('moves OPEN and tells so to whoever listens', async () => {
    const to = accountToString(shop.node.keychain.signer('main').account)
    const ended = new AbortController()
    const events = home.http.events({ signal: AbortSignal.any([ended.signal, AbortSignal.timeout(20_000)]) })
    const seen = (async () => {
      for await (const event of events) {
        if (event.type === 'payment' && event.reason === 'transfer') {
          return event
        }
      }

      return undefined
    })()

    const before = BigInt((await home.http.get<NodeStatus>('/api/v1/status')).balance)

    // the stream opens beside the request: a payment a block later is seen by all that listen by then
    await home.http.post('/api/v1/wallet/transfer', { to, amount: '5' })
    await home.http.post('/api/v1/wallet/transfer', { to, amount: '5' })
    expect(await seen).to.include({ to, amount: '5' })
    ended.abort()
    expect(BigInt((await home.http.get<NodeStatus>('/api/v1/status')).balance)).to.equal(before - 10n)
  })

  it('holds accounts, blocks and presets ready', async () => {
    const made = await home.http.post<{ account: string, balance: string }>('/api/v1/wallet/accounts', { name: 'alice' })

    expect(made.balance).to.equal('0')
    expect(await home.http.get<{ account: string }>(`/api/v1/accounts/${made.account}`)).to.include({ account: made.account })
    expect(await home.http.get<unknown[]>('/api/v1/wallet')).to.have.length(2)
    expect(await home.http.get<unknown[]>('/api/v1/blocks?limit=2')).to.have.length(2)
    expect((await home.http.get<Array<{ preset: string }>>('/api/v1/presets')).map(({ preset }) => preset)).to.include('quick')
    expect(await home.http.get<unknown[]>('/api/v1/bases')).to.have.length(1)
    expect(await home.http.get<unknown[]>('/api/v1/tasks')).to.be.empty()
    expect((await home.http.get<{ data: Array<{ datanet: { kind: string } }> }>('/v1/models')).data.map(({ datanet }) => datanet.kind)).to.deep.equal(['base'])
    await expect(home.http.post('/api/v1/trainings', { name: 'x', base: 'abcdefgh', datanets: ['abcdefgh'], preset: 'quick' })).to.eventually.be.rejected.with.property('code', 'ERR_CID')
    expect(BigInt((await shop.http.get<NodeStatus>('/api/v1/status')).balance) > OPEN).to.equal(true)
  })

  it('starts again on its data directory where it was', async () => {
    const { height } = home.node.chain
    const { dataDir } = home

    await expect(run(dataDir)).to.eventually.be.rejected.with.property('code', 'ERR_DATA_DIR')
    await home.stop()
    await home.stop()
    home = await run(dataDir, shop.node.network.addresses().map(String))
    expect(home.node.chain.height).to.be.at.least(height)
    expect(await home.http.get<ContributionView[]>('/api/v1/contributions')).to.have.length(1)
  })
})
