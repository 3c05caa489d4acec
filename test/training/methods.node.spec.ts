import { expect } from 'aegir/chai'
import { influenceOfAnswer, METHOD_MEANINGS } from '../../src/attribution/index.ts'
import { answerGradient, generate, loadBase, loraShape, peftToTheta } from '../../src/models/index.ts'
import { scoreTree } from '../../src/scoring/index.ts'
import { training } from '../../src/training/index.ts'
import { DatanetError } from '../../src/utils/index.ts'
import { adapterCodec, baseModelCodec, cidOf, toHex } from '../../src/wire/index.ts'
import { DEVELOPER, opening, world } from './fixtures.ts'
import type { World } from './fixtures.ts'
import type { Adapter, AttributionMethod, ReceiptOpening, Recipe } from '../../src/interface/index.ts'
import type { Training, TrainingComponents } from '../../src/training/index.ts'
import type { CID } from 'multiformats/cid'

const id = cidOf(Uint8Array.of(1, 2, 3))

interface Task {
  here: World
  jobs: Training
  adapter: Adapter
  openings: ReceiptOpening[]
}

/** A trained adapter with one paid answer; `textsOf` replaces the texts of some contributions. */
async function task (method: AttributionMethod, textsOf?: (own: Iterable<string>[], index: number) => Iterable<string>, overrides: Partial<Recipe> = {}): Promise<Task> {
  const here = await world(overrides)
  const own = here.snapshot.contributions.map(cid => here.components.dataset.texts(cid) as string[])
  const components: TrainingComponents = textsOf === undefined
    ? here.components
    : { ...here.components, dataset: { texts: cid => textsOf(own, here.snapshot.contributions.findIndex(one => one.equals(cid))) } }
  const jobs = training({ threads: 1 })(components)
  const { adapter } = await jobs.train({ name: 'tiny', recipe: here.recipe, developer: DEVELOPER, pricePerThousandTokens: 10n, method })
  const record = baseModelCodec.decode(await here.storage.get(here.recipe.base))
  const { model, tokenizer } = loadBase(record, await here.storage.get(record.weights), await here.storage.get(record.tokenizer))
  const shape = loraShape(record.config, here.recipe)
  const theta = peftToTheta(shape, await here.storage.get(adapter.weights))
  const prompt = [tokenizer.bos, ...tokenizer.encode('the state of')]
  const output = [...generate(model, { prompt, maxTokens: 6, sampler: { temperatureMilli: 0, topK: 0, seed: 0 }, lora: { shape, theta } })]

  return { here, jobs, adapter, openings: [opening(id, { prompt, output, sequence: 0, fee: 10n })] }
}

/** The gradient of an answer and the columns that the adapter publishes: all that a preview needs. */
async function preview (here: World, adapter: Adapter, prompt: number[], output: number[]): Promise<{ gradient: Float64Array, columns: Float64Array[] }> {
  const record = baseModelCodec.decode(await here.storage.get(here.recipe.base))
  const { model } = loadBase(record, await here.storage.get(record.weights), await here.storage.get(record.tokenizer))
  const shape = loraShape(record.config, here.recipe)
  const { gradient } = answerGradient(model, shape, peftToTheta(shape, await here.storage.get(adapter.weights)), prompt, output)
  const files = adapter.influence.form === 'forward' ? adapter.influence.columns : []
  const columns = await Promise.all(files.map(async file => {
    const bytes = await here.storage.get(file)

    return Float64Array.from({ length: shape.parameters }, (_, i) => new DataView(bytes.buffer, bytes.byteOffset).getFloat64(8 * i, true))
  }))

  expect(columns).to.have.length(here.snapshot.contributions.length)

  return { gradient, columns }
}

describe('an adapter that names its method of attribution', () => {
  const tasks = new Map<AttributionMethod, Promise<Task>>()
  const taskBy = async (method: AttributionMethod): Promise<Task> => {
    const known = tasks.get(method) ?? task(method)

    tasks.set(method, known)

    return known
  }

  for (const method of Object.keys(METHOD_MEANINGS) as AttributionMethod[]) {
    it(`is encoded, trained and assessed by ${method}, the same at every assessor`, async () => {
      const { here, jobs, adapter, openings } = await taskBy(method)
      const { table, trace } = await jobs.assess(id, adapter, openings)
      const other = await training({ threads: 2 })(here.components).assess(id, adapter, openings)

      expect(adapterCodec.decode(adapterCodec.encode(adapter)).method).to.equal(method)
      expect(table.method).to.equal(method)
      expect(table.entries).to.have.length(3)
      expect(scoreTree(table).total > 0n).to.equal(true)
      expect(trace.length).to.be.greaterThan(3)
      expect(other).to.deep.equal({ ...other, table, trace })
    })

    it(`has columns by ${method} that give the scores of an answer before anybody assesses it`, async () => {
      const { here, jobs, adapter, openings: [{ prompt, output }] } = await taskBy(method)
      const { gradient, columns } = await preview(here, adapter, prompt, output)
      const { exampleScores, groups } = await jobs.replay(adapter, gradient)
      const size = exampleScores.reduce((sum, score) => sum + Math.abs(score), 0)

      influenceOfAnswer(columns, gradient).forEach((influence, contribution) => {
        expect(influence).to.be.closeTo(exampleScores.reduce((sum, score, i) => groups[i] === contribution ? sum + score : sum, 0), 1e-4 * size)
      })

      // another node finds the same bytes, one at a time
      const published = adapter.influence.form === 'forward' ? adapter.influence.columns : []

      expect((await training({ threads: 2 })(here.components).columns(adapter, [2])).map(String)).to.deep.equal([String(published[2])])
    })
  }

  it('has another score root for another method or engine, whatever the scores', async () => {
    const { jobs, adapter, openings } = await task('graddot')
    const { table } = await jobs.assess(id, adapter, openings)
    const roots = [table, { ...table, method: 'fisher' as const }, { ...table, engine: 'datanet-engine/2' }].map(one => toHex(scoreTree(one).root))

    expect(new Set(roots)).to.have.property('size', 3)
  })
})

describe('a contribution that repeats another', () => {
  // contributions 0 and 1 have the same rows, 2 has its own; clusters of the tiny vocabulary are by the way
  const copied = (own: Iterable<string>[], index: number): Iterable<string> => own[index === 1 ? 0 : index]
  const paid = async ({ here, jobs, adapter, openings }: Task, heights: number[]): Promise<bigint[]> => {
    const commitmentOf = (cid: CID): { height: number, index: number } => ({ height: heights[here.snapshot.contributions.findIndex(one => one.equals(cid))], index: 0 })
    const { table } = await jobs.assess(id, adapter, openings, { commitmentOf })

    return table.entries.map(({ score }) => score)
  }

  it('earns nothing, and the first one earns for both', async () => {
    const one = await task('trajectory', copied)
    const first = await paid(one, [5, 6, 7])
    const second = await paid(one, [6, 5, 7])

    expect(first[1]).to.equal(0n)
    expect(second[0]).to.equal(0n)
    expect(first[0] > 0n).to.equal(true)
    expect(second[1] > 0n).to.equal(true)
  })
})

describe('a recipe that does not keep near duplicates', () => {
  const drop = { duplicates: undefined }
  const train = async (here: World, texts: (index: number) => Iterable<string>, heights?: number[]): Promise<Task['adapter']> => {
    const indexOf = (cid: CID): number => here.snapshot.contributions.findIndex(one => one.equals(cid))
    const jobs = training({ threads: 1 })({ ...here.components, dataset: { texts: cid => texts(indexOf(cid)) }, ...(heights === undefined ? {} : { commitmentOf: cid => ({ height: heights[indexOf(cid)], index: 0 }) }) })

    return (await jobs.train({ name: 'tiny', recipe: here.recipe, developer: DEVELOPER, pricePerThousandTokens: 10n, influence: 'reverse' })).adapter
  }

  it('trains the same weights whether somebody copied or not', async () => {
    const here = await world(drop)
    const own = here.snapshot.contributions.map(cid => here.components.dataset.texts(cid) as string[])
    const alone = await train(here, index => index === 1 ? [] : own[index], [5, 6, 7])
    const copied = await train(here, index => own[index === 1 ? 0 : index], [5, 6, 7])

    expect(copied.weights).to.deep.equal(alone.weights)

    const plain = await world()

    expect((await train(plain, index => own[index === 1 ? 0 : index], [5, 6, 7])).weights).to.not.deep.equal(alone.weights)
  })

  it('does not take conversations for copies because they begin alike', async () => {
    const here = await world({ ...drop, examples: 'chat' })
    const own = here.snapshot.contributions.map(cid => here.components.dataset.texts(cid) as string[])
    const chat = (answer: string): string => JSON.stringify([{ role: 'user', content: 'peace' }, { role: 'assistant', content: answer }])
    const losses = async (answers: (index: number) => string[]): Promise<number[]> => (await train(here, index => answers(index).map(chat), [5, 6, 7])).lossMicro
    const different = await losses(index => own[index].slice(0, 1))
    const copied = await losses(index => own[index === 1 ? 0 : index].slice(0, 1))

    expect(different).to.not.deep.equal(copied)
    expect(await losses(index => index === 1 ? [] : own[index].slice(0, 1))).to.deep.equal(copied)
  })

  it('cannot be trained by who does not know the order of commitments', async () => {
    const here = await world(drop)

    await expect(train(here, () => ['peace'])).to.eventually.be.rejected.with.property('code', 'ERR_TRAINING_INPUT')
  })
})

describe('data that are not all there', () => {
  it('stop an assessment with the error of whoever lacks them, and change no score once they are back', async () => {
    let isGone = false
    const { jobs, adapter, openings } = await task('trajectory', (own, index) => {
      if (isGone && index === 1) {
        throw new RangeError('withdrawn')
      }

      return own[index]
    })
    const before = await jobs.assess(id, adapter, openings)

    isGone = true
    await expect(jobs.assess(id, adapter, openings)).to.eventually.be.rejectedWith('withdrawn')
    isGone = false
    expect(await jobs.assess(id, adapter, openings)).to.deep.equal(before)
  })

  it('are refused when nothing is left to train on', async () => {
    await expect(task('trajectory', () => [])).to.eventually.be.rejected.with.property('code', 'ERR_TRAINING_INPUT')
  })

  it('may be one short row', async () => {
    const { adapter, jobs, openings } = await task('trajectory', (own, index) => index === 0 ? [...own[0]].slice(0, 2) : [])
    const { table } = await jobs.assess(id, adapter, openings)

    expect(table.entries.map(({ score }) => score > 0n)).to.deep.equal([true, false, false])
  })
})

describe('a recipe that diverges', () => {
  // the largest step and scale that a record can ask for
  const steep = { learningRateNano: 1_000_000_000, alpha: 65_536, targets: ['down_proj', 'gate_proj', 'up_proj'] }

  it('ends in an adapter of bad answers and in scores or a named error, never in not-a-number', async () => {
    const { adapter, jobs, openings } = await task('trajectory', undefined, steep)

    expect(adapterCodec.decode(adapterCodec.encode(adapter))).to.deep.equal(adapter)

    const outcome = await jobs.assess(id, adapter, openings).then(({ table }) => scoreTree(table).total >= 0n, (err: unknown) => err)

    expect(outcome).to.satisfy((value: unknown) => value === true || (value instanceof DatanetError && ['ERR_DIVERGED', 'ERR_NON_FINITE', 'ERR_SCORE_RANGE', 'ERR_WORKER_FAILED'].includes(value.code)))
  })
})
