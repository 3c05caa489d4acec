import { expect } from 'aegir/chai'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { packPeft } from '../../src/api/index.ts'
import { accountToString } from '../../src/identity/index.ts'
import { cleanTemporary, TOKEN } from '../node/fixtures.ts'
import { openShop } from './fixtures.ts'
import type { Shop } from './fixtures.ts'

type Schema = Record<string, unknown>
interface Operation { responses: Record<string, { content?: Record<string, { schema: Schema }> }> }

/** Allows no field that the document does not name. */
function closed (schema: unknown): unknown {
  if (Array.isArray(schema)) {
    return schema.map(closed)
  }

  if (typeof schema !== 'object' || schema === null) {
    return schema
  }

  const entries = Object.entries(schema).map(([name, value]) => [name, closed(value)])

  return Object.fromEntries('properties' in schema ? [...entries, ['additionalProperties', false]] : entries)
}

describe('the server', function () {
  this.timeout(90_000)

  let here: Shop
  let paths: Record<string, Record<string, Operation>>
  const visited = new Set<string>()
  const ajv = new Ajv2020({ strict: false })

  before(async () => {
    here = await openShop()
    paths = (await here.home.http.get<{ paths: typeof paths }>('/api/v1/openapi.json')).paths
  })

  after(async () => {
    await here.stop()
    await cleanTemporary()
  })

  /** Sends a request and holds the response to the document. */
  async function visit<T> (method: string, path: string, { at = path, body, file, node = here.home, status = 200 }: { at?: string, body?: unknown, file?: Uint8Array, node?: Shop['home'], status?: number } = {}): Promise<T> {
    const text = body == null ? undefined : JSON.stringify(body)
    const sent = file == null ? text : new Uint8Array(file)
    const headers = { authorization: `Bearer ${TOKEN}`, ...(sent == null ? {} : { 'content-type': typeof sent === 'string' ? 'application/json' : 'application/octet-stream' }) }
    const response = await fetch(new URL(at, node.server.url), { method, signal: AbortSignal.timeout(40_000), headers, body: sent })
    const value: unknown = await response.json()
    const documented = paths[path][method.toLowerCase()].responses
    const schema = documented[response.ok ? '200' : 'default'].content?.['application/json'].schema

    expect(response.status, `${method} ${at} ${JSON.stringify(value).slice(0, 300)}`).to.equal(status)
    expect(schema, `${method} ${path} has no schema`).to.not.equal(undefined)

    const validate = ajv.compile(closed(schema) as Schema)

    expect(validate(value), `${method} ${path}: ${JSON.stringify(validate.errors)}`).to.equal(true)

    if (response.ok) {
      visited.add(`${method} ${path}`)
    }

    return value as T
  }

  it('answers reading, asking and paying as its document says', async () => {
    const { call, adapter } = here
    const account = accountToString(here.home.node.keychain.signer('main').account)
    const [{ datanet }] = await visit<Array<{ datanet: string }>>('GET', '/api/v1/datanets')
    const [{ contribution }] = await visit<Array<{ contribution: string }>>('GET', '/api/v1/contributions', { at: `/api/v1/contributions?datanet=${datanet}` })
    const [{ id: training }] = await visit<Array<{ id: string }>>('GET', '/api/v1/trainings')
    const { receipt } = await visit<{ receipt: string }>('POST', '/api/v1/ask', { body: { adapter, prompt: 'The', maxTokens: 3, topP: 0.5, temperature: 0.7 } })
    const { id: key } = await visit<{ id: string }>('POST', '/api/v1/keys', { body: { name: 'all', scopes: ['infer'], requestsPerMinute: 5, spendPerDay: '100', account: 'main' } })

    for (const path of ['status', 'bases', 'presets', 'adapters', 'answers', 'tasks', 'proposals', 'blocks', 'wallet', 'keys']) {
      await visit('GET', `/api/v1/${path}`)
    }

    await visit('GET', '/api/v1/accounts/{id}', { at: `/api/v1/accounts/${account}` })
    await visit('GET', '/api/v1/trainings/{id}', { at: `/api/v1/trainings/${training}` })
    await visit('POST', '/api/v1/quote', { body: { adapter, prompt: 'The' } })
    await visit('POST', '/api/v1/gateway/redeem', { node: here.shop })
    await visit('POST', '/api/v1/wallet/accounts', { body: { name: 'another' } })
    await visit('POST', '/api/v1/wallet/transfer', { body: { to: account, amount: '1' } })
    await visit('DELETE', '/api/v1/keys/{id}', { at: `/api/v1/keys/${key}` })
    await visit('GET', '/v1/models')
    await visit('GET', '/v1/models/{id}', { at: '/v1/models/speeches' })
    await visit('GET', '/v1/receipts/{id}', { at: `/v1/receipts/${receipt}` })
    await visit('GET', '/v1/attributions/{id}', { at: `/v1/attributions/${receipt}` })
    await visit('POST', '/v1/completions', { body: { model: adapter, prompt: 'The', max_tokens: 3 } })
    await visit('POST', '/v1/chat/completions', { body: { model: 'speeches', messages: [{ role: 'user', content: [{ type: 'text', text: 'The' }] }], max_completion_tokens: 3, stop: null, n: 1, user: 'me' } })

    expect((await call('/v1/models')).headers.get('content-type')).to.include('application/json')
    expect(contribution).to.be.a('string')
  })

  it('moves gOPEN and stakes as its document says', async () => {
    const account = accountToString(here.home.node.keychain.signer('main').account)
    const amount = (10n ** 18n).toString()

    await visit('POST', '/api/v1/gov/wrap', { body: { amount } })
    await visit('POST', '/api/v1/gov/delegate', { body: { to: account } })
    await visit('POST', '/api/v1/gov/unwrap', { body: { amount } })
    await visit('POST', '/api/v1/wallet/stake', { body: { amount } })
    await visit('POST', '/api/v1/wallet/unstake', { body: { amount } })
  })

  it('takes and deprecates adapters as its document says', async () => {
    const { home, adapter } = here
    const file = async (name: string): Promise<Uint8Array> => home.http.download(`/api/v1/adapters/${adapter}/${name}`)
    const [{ base }] = await home.http.get<Array<{ base: string }>>('/api/v1/bases')
    const packed = packPeft({ config: await file('adapter_config.json'), weights: await file('adapter_model.safetensors') })
    const at = `/api/v1/adapters/import?base=${base}`
    const { weights } = await visit<{ weights: string }>('POST', '/api/v1/adapters/import', { at, file: packed })

    for (const cut of [0, 3, 40]) {
      await visit('POST', '/api/v1/adapters/import', { at, file: packed.subarray(0, cut), status: 422 })
    }

    await visit('POST', '/api/v1/adapters/import', { at, file: packed.subarray(0, -1), status: 422 })
    await visit('POST', '/api/v1/adapters/import', { at, body: { base }, status: 422 })

    await visit('POST', '/api/v1/adapters/publish', { body: { weights, name: 'copied', licence: 'MIT', metrics: [{ name: 'loss', value: 2.5 }] } })
    await visit('POST', '/api/v1/adapters/{id}/deprecate', { at: `/api/v1/adapters/${adapter}/deprecate`, body: { reason: 'there is a better one' } })
    await visit('GET', '/api/v1/adapters/{id}', { at: `/api/v1/adapters/${adapter}` })
    await visit('GET', '/api/v1/registry', { at: '/api/v1/registry?text=copied' })
    await visit('GET', '/v1/models')
    await visit('POST', '/api/v1/adapters/{id}/deprecate', { at: `/api/v1/adapters/${adapter}/deprecate`, body: { reason: '' }, status: 400 })
    await visit('POST', '/api/v1/light/forks', { body: {}, status: 422 })
  })

  it('fails as its document says, in the form of OpenAI under /v1', async () => {
    await visit('GET', '/v1/receipts/{id}', { at: '/v1/receipts/abcdefgh', status: 400 })
    await visit('GET', '/v1/models/{id}', { at: '/v1/models/nobody', status: 404 })
    await visit('POST', '/v1/completions', { body: { model: 'nobody' }, status: 400 })
    await visit('POST', '/api/v1/ask', { body: { adapter: 'nobody', prompt: 'x' }, status: 404 })
    await visit('DELETE', '/api/v1/keys/{id}', { at: '/api/v1/keys/none', status: 404 })
  })

  it('has a schema for every answer in JSON, and the routes that this test does not reach are known', () => {
    const all = Object.entries(paths).flatMap(([path, operations]) => Object.entries(operations).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })))
    const without = all.filter(({ operation }) => Object.keys(operation.responses['200'].content?.['application/json']?.schema ?? {}).every(name => name === 'description')).map(({ name }) => name)
    const reached = all.filter(({ name }) => visited.has(name)).length

    // events and files are no JSON of ours; the links of a reason need a settled epoch, which the demo's test has
    expect(without.filter(name => !['GET /api/v1/events', 'GET /api/v1/why'].includes(name) && !/\.(json|safetensors)$|^GET \/api\/v1\/light\//.test(name))).to.deep.equal([])
    expect(reached).to.be.at.least(30)
  })
})
