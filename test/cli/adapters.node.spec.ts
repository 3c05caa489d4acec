import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'aegir/chai'
import { CID } from 'multiformats/cid'
import { packPeft } from '../../src/api/index.ts'
import { program } from '../../src/cli/index.ts'
import { readAccount, readAdapter, readChain, readTask } from '../../src/ledger/index.ts'
import { parseSafetensors, writeSafetensors } from '../../src/models/index.ts'
import { taskId } from '../../src/scoring/index.ts'
import { openShop } from '../api/fixtures.ts'
import { cleanTemporary, TOKEN } from '../node/fixtures.ts'
import type { AdapterDetailView, AdapterEntryView, AnswerView, ImportedWeightsView } from '../../src/interface/index.ts'
import type { Shop } from '../api/fixtures.ts'

const patience = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(60_000) })

describe('adapters of elsewhere', function () {
  this.timeout(120_000)

  let here: Shop
  let folder: string
  let exported: string
  let changed: string

  before(async () => {
    // epochs that end while the test waits
    here = await openShop({}, { epochBlocks: 12, challengeBlocks: 1 })
    folder = await mkdtemp(join(tmpdir(), 'datanet-imports-'))
    exported = join(folder, 'exported')
    changed = join(folder, 'changed')
    await writeFile(join(folder, 'api.json'), JSON.stringify({ url: here.home.server.url, token: TOKEN }))
    await datanet('adapter', 'export', 'speeches', exported)
    await datanet('adapter', 'export', 'speeches', changed)

    const file = join(changed, 'adapter_model.safetensors')
    const tensors = parseSafetensors(new Uint8Array(await readFile(file)))

    for (const [name, { data }] of tensors) {
      if (name.includes('lora_B')) {
        data[0] += 0.25
      }
    }

    await writeFile(file, writeSafetensors(tensors))
  })

  after(async () => {
    await here.stop()
    await cleanTemporary()
    await rm(folder, { recursive: true, force: true })
  })

  /** The command line against the node of a contributor. */
  const datanet = async (...args: string[]): Promise<void> => { await program().parseAsync(['--data-dir', folder, ...args], { from: 'user' }) }

  const find = async (query: string): Promise<AdapterEntryView | undefined> => (await here.home.http.get<AdapterEntryView[]>(`/api/v1/registry?${query}`))[0]

  const detail = async (id: string): Promise<AdapterDetailView> => here.home.http.get<AdapterDetailView>(`/api/v1/adapters/${id}`)

  async function importing (from: string): Promise<ImportedWeightsView> {
    const [{ base }] = await here.home.http.get<Array<{ base: string }>>('/api/v1/bases')

    return here.home.http.upload<ImportedWeightsView>(`/api/v1/adapters/import?base=${base}`, packPeft({
      config: await readFile(join(from, 'adapter_config.json')), weights: await readFile(join(from, 'adapter_model.safetensors'))
    }))
  }

  /** Until validators have decided on what was published under a name. */
  async function decided (name: string): Promise<AdapterEntryView> {
    const { chain } = here.home.node

    for (;;) {
      const { height } = chain
      const found = await find(`name=${name}`)

      if (found != null && found.status !== 'pending') {
        return found
      }

      await chain.waitFor((_, newest) => newest > height, patience())
    }
  }

  it('come in with the CID that an exported adapter has, and are said to be there already', async () => {
    const { weights, sameAs, rank } = await importing(exported)

    expect(weights).to.equal((await detail(here.adapter)).weights)
    expect(sameAs).to.equal(here.adapter)
    expect(rank).to.equal(1)
  })

  it('are rejected by validators if an adapter of the network has the very same weights', async () => {
    await datanet('adapter', 'publish', exported, '--name', 'copied', '--licence', 'MIT')
    expect((await decided('copied')).status).to.equal('rejected')
  })

  it('are refused with the tensor and the offset that is wrong', async () => {
    const bad = join(folder, 'bad')

    await datanet('adapter', 'export', 'speeches', bad)

    const file = join(bad, 'adapter_model.safetensors')
    const bytes = await readFile(file)

    bytes.writeFloatLE(NaN, bytes.length - 4)
    await writeFile(file, bytes)

    const failure: unknown = await datanet('adapter', 'import', bad).then(() => undefined, err => err)

    expect(failure).to.have.property('message').that.matches(/lora_B.*finite.*offset \d+/)
  })

  it('are refused without a licence that can be read, and the deposit is not taken', async () => {
    const { weights } = await importing(changed)
    const before = (await here.home.http.get<Array<{ balance: string }>>('/api/v1/wallet'))[0].balance

    await expect(here.home.http.post('/api/v1/adapters/publish', { weights, name: 'x', licence: '' })).to.eventually.be.rejected()
    await expect(here.home.http.post('/api/v1/adapters/publish', { weights: here.adapter, name: 'x', licence: 'MIT' })).to.eventually.be.rejected()
      .with.property('code', 'ERR_NOT_FOUND')
    expect((await here.home.http.get<Array<{ balance: string }>>('/api/v1/wallet'))[0].balance).to.equal(before)
  })

  it('are admitted, shown with their claims as claims, and found by words of their name', async () => {
    await datanet('adapter', 'publish', changed, '--name', 'old orations', '--licence', 'MIT AND CC0-1.0', '--source', 'an archive', '--metric', 'loss=2.5', '--price', '0.5')

    const { status, adapter } = await decided('old orations')
    const view = await detail(adapter)

    expect(status).to.equal('admitted')
    expect(view).to.deep.include({ origin: 'imported', recipe: null, snapshot: null, influence: 'none', method: 'none', source: 'an archive', version: 1, pricePerThousandTokens: (10n ** 18n / 2n).toString() })
    expect(view.claims).to.deep.equal([{ name: 'loss', value: 2.5 }])
    expect(view.licences).to.include('MIT AND CC0-1.0')
    expect((await find('text=oratons'))?.adapter).to.equal(adapter)
    expect(await find('text=mails')).to.equal(undefined)
    expect((await find('origin=imported&status=admitted'))?.adapter).to.equal(adapter)
  })

  it('answer, and their task settles with receipts replayed and the share of the data in the treasury', async () => {
    const { home, shop } = here
    const { adapter } = await detail('old%20orations')
    const { chain } = shop.node
    const answer = await home.http.post<AnswerView>('/api/v1/ask', { adapter, prompt: 'The people of', maxTokens: 4 })
    const trained = await home.http.post<AnswerView>('/api/v1/ask', { adapter: here.adapter, prompt: 'The people of', maxTokens: 4 })

    expect(answer).to.deep.include({ method: 'none', precision: 'preview', shares: [] })
    expect(answer.tokens).to.not.deep.equal(trained.tokens)

    const { epoch, treasury } = readChain(chain.state())

    await shop.http.post('/api/v1/gateway/redeem', {})

    const task = [epoch, epoch + 1].map(one => taskId(chain.id, one, CID.parse(adapter))).find(id => readTask(chain.state(), id) != null) ?? expect.fail('nothing was redeemed')
    const before = readAccount(chain.state(), treasury).balance

    await chain.waitFor(state => readTask(state, task)?.phase === 'settled' ? true : undefined, patience())

    const { fees, total, dataPool, scoreRoot } = readTask(chain.state(), task) ?? expect.fail('the task is gone')

    expect(fees).to.equal(BigInt(answer.fee))
    expect({ total, dataPool }).to.deep.equal({ total: 0n, dataPool: 0n })
    expect(scoreRoot).to.be.instanceOf(Uint8Array)
    // platform and data, of both tasks that may have settled meanwhile at least of this one
    expect(readAccount(chain.state(), treasury).balance - before >= fees * 6n / 10n).to.equal(true)
    expect(readAdapter(chain.state(), CID.parse(adapter))?.earned).to.equal(fees / 5n - fees / 10n)

    const { usage } = await detail(adapter)

    expect(usage).to.deep.include({ answers: 1, fees: answer.fee })
    expect(usage.payers).to.have.lengthOf(1)
  })

  it('are deprecated by who published them, and are still for sale', async () => {
    const { adapter } = await detail('old%20orations')

    await datanet('adapter', 'deprecate', adapter, '--reason', 'the archive was wrong', '--successor', 'speeches')

    const model = await here.home.http.get<{ datanet: { deprecated?: unknown, origin?: string } }>(`/v1/models/${adapter}`)

    expect((await detail(adapter)).deprecated).to.deep.include({ reason: 'the archive was wrong', successor: here.adapter })
    expect(model.datanet).to.deep.include({ origin: 'imported', deprecated: { reason: 'the archive was wrong', successor: here.adapter } })
    expect((await here.home.http.post<AnswerView>('/api/v1/ask', { adapter, prompt: 'A treaty', maxTokens: 2 })).answer).to.be.a('string')
    await expect(datanet('adapter', 'deprecate', 'nobody', '--reason', 'x')).to.eventually.be.rejected()
  })
})
