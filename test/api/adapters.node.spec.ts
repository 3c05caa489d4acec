import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { CID } from 'multiformats/cid'
import { program } from '../../src/cli/index.ts'
import { importPeft, peftToTheta } from '../../src/models/index.ts'
import { exportAdapter, pullAdapter } from '../../src/node/index.ts'
import { cidOf } from '../../src/wire/index.ts'
import { cleanTemporary, TOKEN } from '../node/fixtures.ts'
import { openShop } from './fixtures.ts'
import type { Shop } from './fixtures.ts'
import type { Adapter, AdapterDetailView, AdapterEntryView, DatanetView, ImportedAdapter, PulledAdapterView } from '../../src/interface/index.ts'
import type { DatanetNode } from '../../src/node/index.ts'

interface ErrorBody { error: { code: string, message: string } }

/** The record of an adapter with weights of its own. */
async function recordOf ({ library }: Pick<DatanetNode, 'library'>, adapter: string): Promise<Adapter | ImportedAdapter> {
  const record = await library.record(CID.parse(adapter), patience())

  return record.type === 'merged-adapter' ? expect.fail('merged') : record
}

const patience = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(30_000) })

describe('adapters of the network', function () {
  this.timeout(90_000)

  let here: Shop
  let folder: string

  before(async () => {
    here = await openShop()
    folder = await mkdtemp(join(tmpdir(), 'datanet-adapters-'))
    await writeFile(join(folder, 'api.json'), JSON.stringify({ url: here.shop.server.url, token: TOKEN }))
  })

  after(async () => {
    await here.stop()
    await cleanTemporary()
    await rm(folder, { recursive: true, force: true })
  })

  /** The command line against the node that did not train. */
  const datanet = async (...args: string[]): Promise<void> => { await program().parseAsync(['--data-dir', folder, ...args], { from: 'user' }) }

  const search = async (query: string): Promise<string[]> => (await here.shop.http.get<AdapterEntryView[]>(`/api/v1/registry?${query}`)).map(({ adapter }) => adapter)

  it('are listed with version, licences and what they were trained on', async () => {
    const [entry, ...others] = await here.shop.http.get<AdapterEntryView[]>('/api/v1/registry')

    expect(others).to.be.empty()
    expect(entry).to.include({ adapter: here.adapter, name: 'speeches', version: 1, newest: true, status: 'admitted' })
    expect(entry.datanets.map(({ name, licence }) => ({ name, licence }))).to.deep.equal([{ name: 'speeches', licence: 'CC0-1.0' }])
    expect(entry.licences).to.include('CC0-1.0')
  })

  it('are found by each of their properties, and by none that they do not have', async () => {
    const [{ base, baseName, datanets: [{ datanet }], developer }] = await here.shop.http.get<AdapterEntryView[]>('/api/v1/registry')
    const found = ['name=PEECH', `base=${base}`, `base=${encodeURIComponent(baseName)}`, `datanet=${datanet}`, 'datanet=speeches', 'licence=cc0-1.0', `developer=${developer}`, 'status=admitted&newest=true']

    for (const query of found) {
      expect(await search(query), query).to.deep.equal([here.adapter])
    }

    for (const query of ['name=mails', `base=${datanet}`, 'datanet=mails', 'licence=MIT-0', 'status=rejected', 'name=speech&licence=MIT-0']) {
      expect(await search(query), query).to.be.empty()
    }
  })

  it('are listed beside Datanets of which nobody serves a manifest', async () => {
    const { datanets, chain, keychain } = here.shop.node
    const nowhere = cidOf(Uint8Array.of(1))
    const manifest = datanets.manifest.bind(datanets)

    expect((await chain.send({ kind: 'create-datanet', datanet: nowhere, name: 'nowhere' }, keychain.signer('main'))).ok).to.equal(true)

    const listed = await here.shop.http.get<DatanetView[]>('/api/v1/datanets')

    expect(listed.map(({ name, title, licence }) => ({ name, title, licence }))).to.have.deep.members([{ name: 'speeches', title: 'Speeches', licence: 'CC0-1.0' }, { name: 'nowhere', title: 'nowhere', licence: '' }])

    datanets.manifest = async () => expect.fail('nobody serves it')

    const [{ datanets: [one], licences }] = await here.shop.http.get<AdapterEntryView[]>('/api/v1/registry')

    datanets.manifest = manifest
    expect(one).to.include({ name: 'speeches', licence: '' })
    expect(licences).to.not.include('')
  })

  it('refuses to search for what adapters do not have', async () => {
    const response = await here.call('/api/v1/registry?colour=red')

    expect(response.status).to.equal(400)
    expect((await response.json() as ErrorBody).error.code).to.equal('ERR_REQUEST')
  })

  it('name who redeemed answers of them', async () => {
    const { shop, home, adapter } = here

    await home.http.post('/api/v1/ask', { adapter, prompt: 'The people of', maxTokens: 4 })
    await shop.http.post('/api/v1/gateway/redeem', {})

    const { uses: [use] } = await shop.http.get<AdapterDetailView>('/api/v1/adapters/speeches')

    expect(use).to.include({ receipts: 1, payer: (await home.http.get<{ account: string }>('/api/v1/status')).account, gateway: (await shop.http.get<{ account: string }>('/api/v1/status')).account })
    expect(BigInt(use.fees) > 0n).to.be.true()
  })

  it('are counted where their answers are bought', async () => {
    const text = await (await here.call('/metrics')).text()

    expect(text).to.include('\ndatanet_answers_total 1\n')
    expect(text).to.match(/\ndatanet_tokens_total\{kind="output"\} [1-4]\n/)
    expect(text).to.include('\ndatanet_answers_running 0\n')
  })

  it('are shown by name or CID with recipe and versions, and an unknown one is said to be unknown', async () => {
    const view = await here.shop.http.get<AdapterDetailView>(`/api/v1/adapters/${here.adapter}`)

    expect(view.recipe).to.include({ rank: 1, steps: 1 })
    expect(view.versions.map(({ adapter, version }) => ({ adapter, version }))).to.deep.equal([{ adapter: here.adapter, version: 1 }])
    expect(view.trainedOn).to.have.lengthOf(view.contributions)
    expect(view.columns.map(({ contribution }) => contribution)).to.deep.equal(view.trainedOn)
    // the developer's own word at least
    expect(view.columns.every(({ checkedBy, disputedBy }) => checkedBy.length > 0 && disputedBy.length === 0)).to.equal(true)

    const response = await here.call('/api/v1/adapters/mails')

    expect(response.status).to.equal(404)
    expect((await response.json() as ErrorBody).error.code).to.equal('ERR_UNKNOWN_ADAPTER')
  })

  it('are kept by a node that pulls them, through its collection of garbage', async () => {
    const { shop, adapter } = here
    const before = await shop.http.get<AdapterDetailView>(`/api/v1/adapters/${adapter}`)
    const weights = CID.parse(before.weights ?? expect.fail())

    // what it looked at as a validator it does not keep
    await shop.node.storage.collect(patience())
    expect(before.held).to.be.false()
    expect(await shop.node.storage.has(weights, patience())).to.be.false()

    const pulled = await shop.http.post<PulledAdapterView>('/api/v1/adapters/speeches/pull', { all: true })

    expect(pulled).to.include({ adapter, name: 'speeches' })
    // weights, at least one checkpoint and the column of the one contribution
    expect(pulled.files).to.be.at.least(3)
    expect(pulled.bytes).to.be.above(pulled.parameters * 4)
    await shop.node.storage.collect(patience())
    expect((await shop.http.get<AdapterDetailView>(`/api/v1/adapters/${adapter}`)).held).to.be.true()
    expect(await shop.node.storage.has(weights, patience())).to.be.true()
  })

  it('are not kept if their weights do not fit the recipe', async () => {
    const { storage } = here.shop.node
    const pinned: string[] = []
    const record = await recordOf(here.shop.node, here.adapter)
    const damaged = {
      get: storage.get.bind(storage),
      getFile: async (cid: CID) => {
        const bytes = await storage.getFile(cid, patience())

        return cid.equals(record.weights) ? bytes.subarray(0, bytes.length - 4) : bytes
      },
      pin: async (cid: CID) => { pinned.push(cid.toString()) }
    }

    await expect(pullAdapter(damaged, CID.parse(here.adapter), patience())).to.eventually.be.rejected()
      .with.property('code', 'ERR_SAFETENSORS_INVALID')
    expect(pinned).to.be.empty()
  })

  it('go out as PEFT directories that come in again to the same numbers', async () => {
    const { shop, adapter } = here
    const out = join(folder, 'out')

    await datanet('adapter', 'export', 'speeches', out)

    const files = { config: new Uint8Array(await readFile(join(out, 'adapter_config.json'))), weights: new Uint8Array(await readFile(join(out, 'adapter_model.safetensors'))) }
    const loaded = await shop.node.library.adapter(CID.parse(adapter), patience())
    const record = await recordOf(shop.node, adapter)
    const { shape, theta } = importPeft(loaded.base.record.config, files)

    expect(shape).to.deep.equal(loaded.lora.shape)
    expect(theta).to.deep.equal(loaded.lora.theta)
    expect(peftToTheta(shape, await shop.node.storage.getFile(record.weights, patience()))).to.deep.equal(theta)
    expect(await exportAdapter(shop.node.storage, CID.parse(adapter), patience())).to.deep.equal(files)
  })

  it('are not written over without being told so', async () => {
    const out = join(folder, 'twice')

    await datanet('adapter', 'export', 'speeches', out)
    await writeFile(join(out, 'adapter_config.json'), 'mine')
    await expect(datanet('adapter', 'export', 'speeches', out)).to.eventually.be.rejected()
      .with.property('code', 'ERR_FILE')
    expect(await readFile(join(out, 'adapter_config.json'), 'utf8')).to.equal('mine')
    await datanet('adapter', 'export', here.adapter, out, '--force')
    expect(JSON.parse(await readFile(join(out, 'adapter_config.json'), 'utf8'))).to.include({ peft_type: 'LORA', r: 1 })
  })
})
