import { expect } from 'aegir/chai'
import { generate, loadBase, loraShape, peftToTheta } from '../../src/models/index.ts'
import { indexPart, questionWith, search } from '../../src/retrieval/index.ts'
import { creditRetrieved, RETRIEVED_SHARE_BP } from '../../src/scoring/index.ts'
import { training } from '../../src/training/index.ts'
import { baseModelCodec, cidOf } from '../../src/wire/index.ts'
import { DEVELOPER, opening, world } from '../training/fixtures.ts'
import type { Adapter, ReceiptOpening, Sources } from '../../src/interface/index.ts'
import type { AssessOptions, Training } from '../../src/training/index.ts'
import type { World } from '../training/fixtures.ts'
import type { CID } from 'multiformats/cid'

const id = cidOf(Uint8Array.of(1, 2, 3))
const datanet = cidOf(Uint8Array.of(99))
const foreign = cidOf(Uint8Array.of(98))

describe('the credit of rows', () => {
  it('is a share of what their answers paid, divided alike among an answer\'s rows', () => {
    expect(RETRIEVED_SHARE_BP).to.equal(2_000n)
    // every answer had rows: a fifth of all goes to them
    expect(creditRetrieved([600n, 300n, 100n], [{ fee: 7n, contributions: [2, 2] }], 7n)).to.deep.equal([480n, 240n, 280n])
    expect(creditRetrieved([600n, 300n, 100n], [{ fee: 5n, contributions: [0, 1, 2, 2] }], 5n)).to.deep.equal([530n, 290n, 180n])
    // half of the fees came with rows: a tenth
    expect(creditRetrieved([600n, 300n, 100n], [{ fee: 5n, contributions: [2] }], 10n)).to.deep.equal([540n, 270n, 190n])
  })

  it('leaves scores alone where there were no rows, and is all there is where there was no influence', () => {
    expect(creditRetrieved([600n, 300n], [], 10n)).to.deep.equal([600n, 300n])
    expect(creditRetrieved([0n, 0n], [{ fee: 1n, contributions: [1] }], 1n)).to.deep.equal([0n, 1n << 32n])
    expect(() => creditRetrieved([1n], [{ fee: 1n, contributions: [1] }], 1n)).to.throw().with.property('code', 'ERR_SCORE_TABLE')
    expect(() => creditRetrieved([1n], [{ fee: 1n, contributions: new Array<number>(17).fill(0) }], 1n)).to.throw().with.property('code', 'ERR_SCORE_TABLE')
  })
})

describe('a committee that assesses an answer with rows', () => {
  let here: World
  let jobs: Training
  let adapter: Adapter
  let honest: { opening: ReceiptOpening, sources: Sources }
  let credited: number
  // the second contribution was committed first; all but the last are of the Datanet
  const options: AssessOptions = {
    commitmentOf: cid => {
      const place = here.snapshot.contributions.findIndex(one => one.equals(cid))

      return { height: [20, 10, 30][place], index: 0, datanet: place === 2 ? foreign : datanet }
    }
  }

  const scoresOf = async (one: ReceiptOpening): Promise<bigint[]> => (await jobs.assess(id, adapter, [one], options)).table.entries.map(({ score }) => score)
  const saying = (sources?: Sources): ReceiptOpening => ({ ...honest.opening, ...(sources == null ? { conditions: undefined } : { conditions: { sources } }) })

  before(async () => {
    here = await world()
    jobs = training({ threads: 1 })(here.components)
    adapter = (await jobs.train({ name: 'tiny', recipe: here.recipe, developer: DEVELOPER, pricePerThousandTokens: 10n, influence: 'reverse' })).adapter

    const record = baseModelCodec.decode(await here.storage.get(here.recipe.base))
    const { model, tokenizer } = loadBase(record, await here.storage.get(record.weights), await here.storage.get(record.tokenizer))
    const shape = loraShape(record.config, here.recipe)
    const theta = peftToTheta(shape, await here.storage.get(adapter.weights))
    const order: CID[] = [here.snapshot.contributions[1], here.snapshot.contributions[0]]
    const parts = await Promise.all(order.map(async cid => {
      const part = indexPart()

      for await (const text of here.components.dataset.texts(cid)) {
        part.add(text)
      }

      return part.end()
    }))
    const query = [...parts[0].postings.keys()][0]
    const hits = search(parts, query, 1)
    const asked = questionWith({ prompt: query }, hits.map(({ text }) => text))
    const prompt = [tokenizer.bos, ...tokenizer.encode(asked.prompt)]
    const output = [...generate(model, { prompt, maxTokens: 3, sampler: { temperatureMilli: 0, topK: 0, seed: 0 }, lora: { shape, theta } })]

    credited = here.snapshot.contributions.indexOf(order[hits[0].part])
    honest = {
      opening: opening(id, { prompt, output, sequence: 0, fee: 1_000n }),
      sources: { datanet, query, rows: hits.map(({ part, row }) => ({ contribution: order[part], row })) }
    }
  })

  it('credits their contribution beside influence', async () => {
    const without = await scoresOf(saying())
    const having = await scoresOf(saying(honest.sources))

    expect(having).to.deep.equal(creditRetrieved(without, [{ fee: 1_000n, contributions: [credited] }], 1_000n))
    expect(having).not.to.deep.equal(without)
  })

  it('credits nothing for rows that the search does not find, of another Datanet, or that the prompt does not show', async () => {
    const without = await scoresOf(saying())
    const { sources } = honest
    const [{ contribution, row }] = sources.rows
    const lies: Array<[string, Sources]> = [
      ['another row', { ...sources, rows: [{ contribution, row: row + 1 }] }],
      ['another contribution', { ...sources, rows: [{ contribution: here.snapshot.contributions[2], row }] }],
      ['more rows than are shown', { ...sources, rows: [...sources.rows, { contribution, row: row + 1 }] }],
      ['another Datanet', { ...sources, datanet: foreign }],
      ['another question', { ...sources, query: `${sources.query} ${sources.query}` }],
      ['no row with the words', { ...sources, query: 'xylophone' }]
    ]

    for (const [name, lie] of lies) {
      expect(await scoresOf(saying(lie)), name).to.deep.equal(without)
    }
  })
})
