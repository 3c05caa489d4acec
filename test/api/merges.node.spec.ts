import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { program } from '../../src/cli/index.ts'
import { adapterViews } from '../../src/node/index.ts'
import { cleanTemporary, TOKEN } from '../node/fixtures.ts'
import { openShop } from './fixtures.ts'
import type { Shop } from './fixtures.ts'
import type { AdapterDetailView, AdapterEntryView, AdapterView, AnswerParentView, AnswerView, AttributionShare, GraphNode, GraphView, MergedAdapterView, TrainingView } from '../../src/interface/index.ts'

interface ErrorBody { error: { code: string, message: string, param: string | null, hint?: string } }
interface Answer { model: string, datanet: { receipt: string, fee: string, method: string, precision: string, shares: AttributionShare[], parents?: AnswerParentView[] } }

const patience = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(60_000) })

describe('merged adapters over HTTP', function () {
  this.timeout(180_000)

  let here: Shop
  let second: string
  let merge: string
  let folder: string

  const ask = async (model: string): Promise<Response> => here.call('/v1/completions', { method: 'POST', body: JSON.stringify({ model, prompt: 'The union of', max_tokens: 4 }) })
  const failure = async (response: Response): Promise<ErrorBody['error'] & { status: number }> => ({ ...(await response.json() as ErrorBody).error, status: response.status })

  /** Waits until both nodes know it as admitted. */
  async function admitted (isMeant: (view: AdapterView) => boolean): Promise<string> {
    const { chain } = here.home.node

    for (;;) {
      const views = await Promise.all([here.home, here.shop].map(async ({ node }) => (await adapterViews(node)).find(one => one.status === 'admitted' && isMeant(one))))

      if (views.every(view => view != null)) {
        return views[0]?.adapter ?? expect.fail('no adapter')
      }

      const { height } = chain

      await chain.waitFor((_, newest) => newest > height, patience())
    }
  }

  const publish = async (parents: Array<{ adapter: string, weight: number }>, name?: string): Promise<MergedAdapterView> => here.home.http.post('/api/v1/adapters/merge', { parents, name })

  before(async () => {
    here = await openShop()
    folder = await mkdtemp(join(tmpdir(), 'datanet-merges-'))
    await writeFile(join(folder, 'api.json'), JSON.stringify({ url: here.home.server.url, token: TOKEN }))

    const [{ base }] = await here.home.http.get<Array<{ base: string }>>('/api/v1/bases')
    const [{ datanet }] = await here.home.http.get<Array<{ datanet: string }>>('/api/v1/datanets')

    await here.home.http.post<TrainingView>('/api/v1/trainings', { name: 'letters', base, datanets: [datanet], preset: 'quick', steps: 1, rank: 2, method: 'graddot' })

    second = await admitted(({ name }) => name === 'letters')
  })

  after(async () => {
    await here.stop()
    await cleanTemporary()
    await rm(folder, { recursive: true, force: true })
  })

  it('are not sold before somebody publishes them, and say how', async () => {
    const { status, code, param, hint } = await failure(await ask('speeches:0.7+letters:0.3'))

    expect({ status, code, param }).to.deep.equal({ status: 404, code: 'model_not_found', param: 'model' })
    expect(hint).to.include('datanet adapter merge speeches:0.7 letters:0.3')
    expect((await failure(await ask('speeches:0.7+nothing:0.3'))).status).to.equal(404)
    expect((await failure(await ask('speeches:0.7+speeches:0.3'))).status).to.equal(400)
  })

  it('are published by one command, once', async () => {
    await program().parseAsync(['--data-dir', folder, 'adapter', 'merge', 'speeches:0.7', 'letters:0.3'], { from: 'user' })

    const [{ adapter, name }] = await here.home.http.get<AdapterEntryView[]>('/api/v1/registry?origin=merged')

    expect(name.split('+').toSorted()).to.deep.equal(['letters:0.3', 'speeches:0.7'])
    merge = adapter
    await admitted(one => one.adapter === merge)
    // the order of words is nothing
    expect(await publish([{ adapter: 'letters', weight: 0.3 }, { adapter: 'speeches', weight: 0.7 }], 'again')).to.deep.include({ adapter: merge, status: 'admitted', name })
    await expect(program().parseAsync(['--data-dir', folder, 'adapter', 'merge', 'speeches'], { from: 'user' })).to.eventually.be.rejected().with.property('code', 'commander.invalidArgument')
  })

  it('are in the registry with their parents, at the price of the dearest', async () => {
    const [entry, ...others] = await here.home.http.get<AdapterEntryView[]>('/api/v1/registry?origin=merged')
    const detail = await here.shop.http.get<AdapterDetailView>(`/api/v1/adapters/${merge}`)
    const parents = await Promise.all([here.adapter, second].map(async one => here.home.http.get<AdapterDetailView>(`/api/v1/adapters/${one}`)))

    expect(others).to.deep.equal([])
    expect(entry).to.deep.include({ adapter: merge, origin: 'merged', contributions: 1, licences: parents[0].licences })
    expect(entry.parents?.toSorted((a, b) => b.weight - a.weight)).to.deep.equal([{ adapter: here.adapter, weight: 0.7 }, { adapter: second, weight: 0.3 }])
    expect(BigInt(entry.pricePerThousandTokens)).to.equal(parents.map(one => BigInt(one.pricePerThousandTokens)).reduce((a, b) => a > b ? a : b))
    expect(detail).to.deep.include({ method: 'merged', weights: null, lora: null, recipe: null })
  })

  it('answer by CID and by parents and weights, and say what each parent did', async () => {
    const body = await (await ask(merge)).json() as Answer
    const again = await (await ask('letters:0.3+speeches:0.7')).json() as Answer
    const { receipt, method, precision, parents = [], shares } = body.datanet

    expect(body.model).to.equal(merge)
    expect(again.model).to.equal(merge)
    expect(again.datanet.parents).to.deep.equal(parents)
    expect({ method, precision }).to.deep.equal({ method: 'merged', precision: 'exact' })
    expect(parents.map(({ adapter }) => adapter).toSorted()).to.deep.equal([here.adapter, second].toSorted())
    expect(parents.reduce((sum, { share }) => sum + share, 0)).to.be.closeTo(1, 1e-9)
    // one contribution is behind both
    expect(shares).to.have.length(1)
    expect(shares[0].share).to.be.closeTo(parents.reduce((sum, { contributions }) => sum + contributions.reduce((sum, { share }) => sum + share, 0), 0), 1e-9)

    const attribution = await (await here.call(`/v1/attributions/${receipt}`)).json() as Pick<AnswerView, 'parents' | 'tokens'>

    expect(attribution.parents).to.deep.equal(parents)

    const shaped = attribution.tokens.filter(({ share }) => share != null)

    // one contribution alone can have raised a token, and only where an adapter did
    expect(attribution.tokens).to.have.length(4)
    expect(shaped.map(({ share }) => share)).to.deep.equal(shaped.map(() => 0))
    expect(shaped.every(({ influence, parent }) => influence > 0 && parent != null)).to.equal(true)
    expect(shaped).to.not.have.length(0)
  })

  it('are made of adapters that are traced by other methods, at once too', async () => {
    const { datanet: { method, precision, shares } } = await (await ask(second)).json() as Answer

    expect({ method, precision }).to.deep.equal({ method: 'graddot', precision: 'exact' })
    expect(shares).to.have.length(1)
    expect(shares[0].influence).to.not.equal(0)
  })

  it('lead from an answer over its parents to contributions in one query', async () => {
    const { datanet: { receipt, fee, parents = [] } } = await (await ask(merge)).json() as Answer
    const { root } = await here.home.http.get<GraphView>(`/api/v1/graph/${receipt}`)
    const top = root.children.find(({ kind }) => kind === 'adapter')

    expect(root.amount).to.equal(fee)
    expect(top?.id).to.equal(merge)
    expect(top?.children.map(({ kind, id }) => `${kind} ${id}`).toSorted()).to.deep.equal([here.adapter, second].map(id => `adapter ${id}`).toSorted())

    for (const parent of top?.children ?? []) {
      const share = parents.find(({ adapter }) => adapter === parent.id)

      expect(parent.sharePpm).to.equal(Math.floor((share?.share ?? 0) * 1_000_000))
      expect(parent.children.map(({ kind }: GraphNode) => kind)).to.deep.equal(['account', ...(share?.contributions ?? []).map(() => 'contribution')])
    }

    const whole = await here.home.http.get<GraphView>(`/api/v1/graph/${merge}`)

    expect(whole.root.children.filter(({ kind }) => kind === 'adapter').map(({ id }) => id).toSorted()).to.deep.equal([here.adapter, second].toSorted())
  })

  it('go out as one PEFT directory, and answer alike when that is published', async () => {
    const out = join(folder, 'merge')
    const datanet = async (...words: string[]): Promise<unknown> => program().parseAsync(['--data-dir', folder, 'adapter', ...words], { from: 'user' })

    await datanet('export', merge, out)
    expect(JSON.parse(await readFile(join(out, 'adapter_config.json'), 'utf8'))).to.include({ peft_type: 'LORA', r: 3, lora_alpha: 3 })
    await datanet('publish', out, '--name', 'merged', '--licence', 'CC0-1.0')

    const imported = await admitted(({ name }) => name === 'merged')
    const texts = await Promise.all([merge, imported].map(async model => (await (await ask(model)).json() as { choices: Array<{ text: string }> }).choices[0].text))

    expect(texts[0]).to.not.equal('')
    expect(texts[1]).to.equal(texts[0])
  })

  it('are kept with their parents by a node that pulls them', async () => {
    const pulled = await here.shop.http.post<{ files: number, parameters: number }>(`/api/v1/adapters/${merge}/pull`, {})

    expect(pulled.files).to.equal(2)
    expect((await here.shop.http.get<AdapterDetailView>(`/api/v1/adapters/${here.adapter}`)).held).to.equal(true)
    expect((await here.shop.http.get<AdapterDetailView>(`/api/v1/adapters/${merge}`)).held).to.equal(true)
  })

  it('are not made of merges', async () => {
    const { status, code, message } = await failure(await here.call('/api/v1/adapters/merge', { method: 'POST', body: JSON.stringify({ parents: [{ adapter: merge, weight: 1 }, { adapter: 'speeches', weight: 1 }] }) }))

    expect({ status, code }).to.deep.equal({ status: 422, code: 'ERR_CONFIG' })
    expect(message).to.include('not merged themselves')
  })
})
