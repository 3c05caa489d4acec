import { expect } from 'aegir/chai'
import { CID } from 'multiformats/cid'
import { accountToString } from '../../src/identity/index.ts'
import { answerColumns } from '../../src/node/index.ts'
import { attributeAnswer } from '../../src/serving/index.ts'
import { cidOf } from '../../src/wire/index.ts'
import { openShop } from '../api/fixtures.ts'
import { cleanTemporary } from './fixtures.ts'
import type { Adapter, AnswerView, AttributionView, ContributionView, GraphNode, GraphView, SpanView } from '../../src/interface/index.ts'
import type { ColumnSources } from '../../src/node/index.ts'
import type { LoadedAdapter } from '../../src/serving/index.ts'
import type { Shop } from '../api/fixtures.ts'

describe('what an answer repeats of the data', function () {
  this.timeout(90_000)

  let here: Shop

  before(async () => { here = await openShop() })
  after(async () => {
    await here.stop()
    await cleanTemporary()
  })

  it('is cited with row, contribution and the text around it, rarest first', async () => {
    const { citations, library } = here.home.node
    const adapter = await library.adapter(CID.parse(here.adapter))
    const quote = ' good by the labour of the next'
    const words = (text: string): number[] => [...adapter.base.tokenizer.encode(text)]
    const output = [...words('Bread was'), ...words(quote), ...words(' king, said the miner')]
    const spans = await citations.of(adapter, output)

    expect(spans[0].text).to.include('labour of the next')
    expect(adapter.base.tokenizer.decode(output.slice(spans[0].from, spans[0].end))).to.equal(spans[0].text)
    expect(spans[0].count).to.equal(1)
    expect(spans.map(({ rarityBits }) => rarityBits)).to.deep.equal(spans.map(({ rarityBits }) => rarityBits).sort((a, b) => b - a))

    const [{ contribution, title, row, before, after }] = spans[0].citations

    expect([contribution, title, row]).to.deep.equal([adapter.snapshot.contributions[0].toString(), 'six lines', 1])
    expect(`${before}${spans[0].text}${after}`).to.include('made good by the labour of the next')
  })

  it('comes with the answer and can be looked up by its receipt', async () => {
    const view = await here.home.http.post<AnswerView>('/api/v1/ask', { adapter: here.adapter, prompt: 'The people of', maxTokens: 8 })
    const attribution = await here.home.http.get<AttributionView>(`/v1/attributions/${view.receipt}`)

    expect(view.spans).to.be.an('array')
    expect(attribution.spans).to.deep.equal(view.spans)
  })

  it('has a graph from the answer to whom its fee goes, and the amounts add up', async () => {
    const view = await here.home.http.post<AnswerView>('/api/v1/ask', { adapter: here.adapter, prompt: 'The harvest', maxTokens: 6 })
    const { amounts, root } = await here.home.http.get<GraphView>(`/api/v1/graph/${view.receipt}`)
    const sum = (nodes: GraphNode[]): bigint => nodes.reduce((total, { amount }) => total + BigInt(amount ?? 0), 0n)
    const [adapter, base, ...work] = root.children

    expect([amounts, root.kind, root.amount]).to.deep.equal(['expected', 'answer', view.fee])
    expect([adapter.kind, adapter.id, base.kind]).to.deep.equal(['adapter', here.adapter, 'base'])
    expect(work.map(({ id }) => id)).to.deep.equal(['validators', 'platform'])
    expect(sum(root.children)).to.equal(BigInt(view.fee))
    // one contribution: what raised the answer is its, in full or not at all
    expect(adapter.children.map(({ kind }) => kind)).to.deep.equal(['account', 'contribution'])
    expect(adapter.children[1].sharePpm).to.be.oneOf([0, 1_000_000])
  })

  it('has a graph with what it quotes at each contribution, the rarest first, traced or not', async () => {
    const { answers } = here.home.node
    const { receipt, ...view } = await here.home.http.post<AnswerView>('/api/v1/ask', { adapter: here.adapter, prompt: 'The schools', maxTokens: 4 })
    const [{ contribution }] = view.shares
    const [id, other] = [1, 2].map(byte => cidOf(Uint8Array.of(byte)).toString())
    const cite = (text: string, rarityBits: number, of = contribution): SpanView => ({ from: 0, end: 6, text, count: 1, rarityBits, citations: [{ contribution: of, contributor: '', title: 'lines', row: 2, before: 'a', after: 'b' }] })

    await answers.add({ ...view, receipt: id, spans: [cite('common words', 10), cite('rare words', 40), cite('of another', 5, other)] }, { ...await answers.receipt(receipt) ?? expect.fail('it was just bought'), receipt: id })

    const { root } = await here.home.http.get<GraphView>(`/api/v1/graph/${id}`)
    const quoted = root.children[0].children.filter(({ quotes }) => quotes != null)

    expect(quoted.map(({ id, quotes }) => [id, quotes?.map(({ text, row }) => [text, row])])).to.deep.equal([
      [contribution, [['rare words', 2], ['common words', 2]]],
      [other, [['of another', 2]]]
    ])
  })

  it('has a graph of the adapter that says who agreed on its columns, and one of its developer', async () => {
    const { columns } = here.home.node
    const said = (): string[] => columns.proof(CID.parse(here.adapter), 0).map(({ payload }) => accountToString(payload.computer))

    while (said().length < 1) {
      await new Promise(resolve => { columns.addEventListener('statement', resolve, { once: true }) })
    }

    const { root: adapter } = await here.home.http.get<GraphView>(`/api/v1/graph/${here.adapter}`)
    const contribution = adapter.children.find(({ kind }) => kind === 'contribution')
    const { root: account } = await here.home.http.get<GraphView>(`/api/v1/graph/${adapter.children[0].id}`)

    // the developer that published the column, and the validator that is drawn for it
    expect(contribution?.checkedBy).to.have.members([adapter.children[0].id, ...said()])
    expect(said()).to.deep.equal([accountToString(here.shop.node.keychain.signer(here.shop.node.config.account).account)])
    expect(contribution?.disputedBy).to.equal(undefined)
    expect(contribution?.children[0].kind).to.equal('account')
    expect(account.children.map(({ kind, id }) => [kind, id])).to.deep.include(['adapter', here.adapter])
    await expect(here.home.http.get(`/api/v1/graph/${contribution?.id ?? ''}`)).to.eventually.be.rejected.with.property('code', 'ERR_NOT_FOUND')
  })

  it('is traced once for each adapter and output', async () => {
    const adapter = await here.home.node.library.adapter(CID.parse(here.adapter))
    const { tokenizer } = adapter.base
    const answer = { prompt: [tokenizer.bos, ...tokenizer.encode('The')], output: [...tokenizer.encode(' people of the')] }
    const first = attributeAnswer(adapter, answer)
    const other = attributeAnswer(adapter, { ...answer, output: answer.output.slice(0, -1) })

    expect(first?.influence).to.have.length(1)
    expect(attributeAnswer(adapter, structuredClone(answer))).to.equal(first)
    expect(other?.tokens).to.have.length(answer.output.length - 1)
    // another object of the same adapter has nothing to remember, and comes to the same bits
    expect(attributeAnswer({ ...adapter }, answer)).to.not.equal(first)
    expect(attributeAnswer({ ...adapter }, answer)).to.deep.equal(first)
  })

  it('is traced by the columns that the swarm agreed on, published or not', async () => {
    const { library, storage, columns } = here.home.node
    const adapter = await library.adapter(CID.parse(here.adapter))
    const parameters = adapter.lora.shape.parameters
    const other = Float64Array.from({ length: parameters }, (_, i) => i)
    const file = await storage.putFile(new Uint8Array(other.buffer))
    const saying = (agreed: CID | null): ColumnSources => ({ storage, columns: { refresh: async () => {}, agreement: () => [{ column: 0, agreed, files: [] }] } })
    const unpublished: LoadedAdapter = { ...adapter, record: { ...adapter.record, influence: { form: 'reverse' } } as Adapter, columns: null }

    // the developer and the validator said the same
    expect(await answerColumns({ storage, columns }, adapter)).to.equal(adapter.columns)
    expect(await answerColumns(saying(null), { ...adapter })).to.equal(adapter.columns)
    expect(await answerColumns(saying(file), { ...adapter })).to.deep.equal([other])
    expect(await answerColumns(saying(null), unpublished)).to.equal(null)
    expect(await answerColumns(saying(file), unpublished)).to.deep.equal([other])

    const answer = { prompt: [1, 2], output: [3] }
    const influence = attributeAnswer(unpublished, answer, [other])?.influence[0] ?? 0

    expect(attributeAnswer(unpublished, answer)).to.equal(null)
    expect(attributeAnswer(unpublished, answer, [other])?.tokens[0][0]).to.be.closeTo(influence, 1e-4 * Math.max(1, Math.abs(influence)))
  })

  it('rests on contributions that can be taken back, and says which were', async () => {
    const { http } = here.home
    const [{ contribution }] = await http.get<ContributionView[]>('/api/v1/contributions')

    await http.post(`/api/v1/contributions/${contribution}/withdraw`, {})
    await expect(http.post(`/api/v1/contributions/${contribution}/withdraw`, {})).to.eventually.be.rejected.with.property('code', 'ERR_CONTRIBUTION_WITHDRAWN')

    const [view] = await http.get<ContributionView[]>('/api/v1/contributions')
    const { root } = await http.get<GraphView>(`/api/v1/graph/${here.adapter}`)

    expect(view.status).to.equal('admitted')
    expect(view.withdrawn?.height).to.be.greaterThan(0)
    expect(root.children.filter(({ kind }) => kind === 'contribution').map(({ withdrawn }) => withdrawn)).to.deep.equal([true])
    // what was trained on it answers and is traced as before
    expect((await http.post<AnswerView>('/api/v1/ask', { adapter: here.adapter, prompt: 'The people', maxTokens: 4 })).shares).to.have.length(1)
  })
})
