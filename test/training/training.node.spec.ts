import { memoryUsage } from 'node:process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'aegir/chai'
import { decodeFloats, decodeState, encodeState, influenceOfAnswer } from '../../src/attribution/index.ts'
import { answerGradient, generate, loadBase, loraShape, peftToTheta } from '../../src/models/index.ts'
import { scoreTree, traceTree, verifyOpening } from '../../src/scoring/index.ts'
import { MalformedFileError } from '../../src/storage/index.ts'
import { training } from '../../src/training/index.ts'
import { adapterCodec, baseModelCodec, cidOf, recipeCodec } from '../../src/wire/index.ts'
import { DEVELOPER, opening, tampered, world } from './fixtures.ts'
import type { World } from './fixtures.ts'
import type { Adapter, Recipe } from '../../src/interface/index.ts'
import type { ResumePoint, Training, TrainingEvent, TrainingJob, TrainingStore } from '../../src/training/index.ts'

let here: World
let two: Training
let adapter: Adapter

const job = (fields: Partial<TrainingJob> = {}): TrainingJob => ({ name: 'tiny', recipe: here.recipe, developer: DEVELOPER, pricePerThousandTokens: 10n, influence: 'forward', ...fields })

before(async () => {
  here = await world()
  two = training({ threads: 2 })(here.components)
  adapter = (await two.train(job())).adapter
})

describe('a training job', () => {
  it('gives a record that encodes, with everything that it names stored', async () => {
    expect(adapterCodec.decode(adapterCodec.encode(adapter))).to.deep.equal(adapter)
    expect(adapter.checkpoints).to.have.length(3)
    expect(adapter.lossMicro).to.have.length(6)

    for (const cid of [adapter.recipe, adapter.weights, ...adapter.checkpoints, ...adapter.influence.form === 'forward' ? adapter.influence.columns : []]) {
      expect(here.storage.blocks.has(cid.toString())).to.equal(true)
    }
  })

  it('gives the same bytes on one thread', async () => {
    expect((await training({ threads: 1 })(here.components).train(job())).adapter).to.deep.equal(adapter)
  })

  it('goes on from any checkpoint to the same record', async () => {
    const points: ResumePoint[] = []
    const onProgress = (event: TrainingEvent): void => {
      if (event.type === 'training:checkpoint') {
        points.push(event.resume)
      }
    }

    await two.train(job({ influence: 'reverse' }), { onProgress })
    expect(points).to.have.length(3)
    // the columns too are resume points, and may be lost again
    points.push({ ...points[2], columns: adapter.influence.form === 'forward' ? adapter.influence.columns.slice(0, 2) : [] })

    for (const resume of points) {
      expect((await two.train(job({ resume }))).adapter).to.deep.equal(adapter)
    }
  })

  it('refuses a resume point of another recipe', async () => {
    const resume = { checkpoints: adapter.checkpoints.slice(1, 2), lossMicro: adapter.lossMicro.slice(0, 2) }

    await expect(two.train(job({ resume }))).to.eventually.be.rejected.with.property('code', 'ERR_TRAINING_INPUT')

    const { checkpoints, lossMicro } = adapter

    for (const wrong of [{ checkpoints: checkpoints.slice(0, 2), lossMicro: lossMicro.slice(0, 4), columns: checkpoints.slice(0, 1) }, { checkpoints, lossMicro, columns: [...checkpoints, ...checkpoints] }]) {
      await expect(two.train(job({ resume: wrong }))).to.eventually.be.rejected.with.property('code', 'ERR_TRAINING_INPUT')
    }
  })

  it('stores columns as they are computed, and goes on after them', async () => {
    const controller = new AbortController()
    let resume: ResumePoint | undefined
    let done = 0
    const onProgress = (event: TrainingEvent): void => {
      if (event.type === 'training:checkpoint') {
        resume = event.resume

        if (event.resume.columns !== undefined) {
          controller.abort()
        }
      } else if (event.type === 'training:influence:progress') {
        done = Math.max(done, event.done)
      }
    }

    // one thread with room for two of the three columns
    const narrow = training({ threads: 1, influenceBytesMax: 2 * 48 * 256 })(here.components)

    await expect(narrow.train(job(), { signal: controller.signal, onProgress })).to.eventually.be.rejected.with.property('name', 'AbortError')
    expect(resume?.columns).to.have.length(2)
    expect(done).to.equal(2)
    expect((await narrow.train(job({ resume }))).adapter).to.deep.equal(adapter)
  })

  it('reports each step and can be cancelled by signal', async () => {
    const controller = new AbortController()
    const steps: number[] = []
    const onProgress = (event: TrainingEvent): void => {
      if (event.type === 'training:step') {
        expect(event.loss).to.be.greaterThan(0)
        expect(event.tokensPerSecond).to.be.greaterThan(0)
        steps.push(event.step)

        if (event.step === 3) {
          controller.abort()
        }
      }
    }

    await expect(two.train(job(), { signal: controller.signal, onProgress })).to.eventually.be.rejected.with.property('name', 'AbortError')
    expect(steps).to.deep.equal([1, 2, 3])
  })

  it('ends when the service stops and runs again after a start', async () => {
    const service = training()(here.components)
    const run = service.train(job())

    await Promise.all([expect(run).to.eventually.be.rejected.with.property('name', 'AbortError'), service.stop()])
    await service.start()
    expect((await service.train(job())).adapter).to.deep.equal(adapter)
  })

  it('is estimated before it starts', async () => {
    const estimate = await two.estimate(here.recipe)

    expect(estimate.contributions).to.equal(3)
    expect(estimate.assessment).to.deep.equal(estimate.assessments.trajectory)
    expect(estimate.assessments.graddot.flops).to.be.below(estimate.assessments.tracin.flops)
    expect(estimate.seconds).to.be.within(0, 60)
    expect(estimate.forward.flops).to.be.greaterThan(estimate.training.flops)
    expect(estimate.tokens).to.equal(6 * 6 * 24)
    expect(estimate.parameters).to.equal(2 * 2 * 2 * (16 + 16))
    expect(estimate.storedBytes).to.equal(3 * (32 + 24 * 256) + 4 * 256 + 3 * 8 * 256)
    expect(estimate.memoryBytes).to.be.greaterThan(estimate.storedBytes)
  })

  it('is estimated with what scores by its method cost, by the rows that its data have', async () => {
    const [exact, cheap, curved] = await Promise.all((['trajectory', 'graddot', 'fisher'] as const).map(async method => two.estimate(here.recipe, { method, rows: 18 })))

    expect([exact.form, cheap.form]).to.deep.equal(['forward', 'forward'])
    expect(cheap.influenceSeconds).to.be.lessThan(exact.influenceSeconds)
    expect(cheap.storedBytes).to.equal(exact.storedBytes)
    // a node that wants to spend less publishes no columns
    expect((await training({ influenceFlopsMax: 0 })(here.components).estimate(here.recipe, { method: 'graddot', rows: 18 })).form).to.equal('reverse')
    expect(cheap.assessment.flops).to.be.lessThan(curved.assessment.flops)
    expect(cheap.assessment.bytes).to.be.lessThan(exact.assessment.bytes)
    // rows are cut into examples of 24 tokens, and each has one gradient
    expect((await two.estimate(here.recipe, { method: 'graddot', rows: 180 })).assessment.flops / cheap.assessment.flops).to.be.within(8, 12)
  })

  it('is estimated by a calibration of this machine where that is wanted, and once more before its first step', async () => {
    const service = training({ threads: 1 })(here.components)
    const guess = await service.estimate(here.recipe)
    const measured = await service.estimate(here.recipe, { calibrate: true })
    const events: TrainingEvent[] = []

    expect(measured.seconds).to.not.equal(guess.seconds)
    expect((await service.estimate(here.recipe)).seconds).to.equal(measured.seconds)
    expect(measured).to.deep.include({ training: guess.training, forward: guess.forward, form: guess.form, storedBytes: guess.storedBytes })

    await service.train(job({ influence: 'reverse' }), { onProgress: event => { events.push(event) } })

    const [first] = events

    expect(first.type).to.equal('training:prepare')
    expect(first.type === 'training:prepare' ? first.estimate.tokensPerSecond : 0).to.be.greaterThan(0)
  })

  it('trains by every option of a recipe, on any threads and from any checkpoint, to the same bytes', async () => {
    for (const options of [
      { optimiser: 'sgd', schedule: 'constant', weightDecayNano: 10_000_000, warmupSteps: 2 },
      { clipNormMicro: 1000, schedule: 'linear', examples: 'rows', rank: 3, targets: ['down_proj', 'gate_proj', 'k_proj', 'o_proj', 'q_proj', 'up_proj', 'v_proj'] }
    ] satisfies Array<Partial<Recipe>>) {
      const recipe = { ...here.recipe, ...options }
      const points: ResumePoint[] = []
      const { adapter: whole } = await two.train(job({ recipe }), { onProgress: event => { event.type === 'training:checkpoint' && points.push(event.resume) } })

      expect(whole.weights.equals(adapter.weights)).to.equal(false)
      expect((await training({ threads: 1 })(here.components).train(job({ recipe, resume: points[0] }))).adapter).to.deep.equal(whole)
    }
  })

  it('trains on conversations', async () => {
    const chats = ['peace', 'work', 'union'].map(word => [
      JSON.stringify([{ role: 'user', content: `Say ${word}` }, { role: 'assistant', content: `${word} for the people` }]),
      'a row that is no conversation'
    ])
    const { dataset: _, ...components } = here.components
    const service = training()({ ...components, dataset: { texts: contribution => chats[here.snapshot.contributions.findIndex(cid => cid.equals(contribution))] } })
    const recipe: Recipe = { ...here.recipe, examples: 'chat', sequenceLength: 60 }
    let examples = 0
    const { adapter: chatty } = await service.train(job({ recipe }), { onProgress: event => { examples = event.type === 'training:prepare' ? event.examples : examples } })

    expect(examples).to.equal(3)
    expect(chatty.lossMicro[5]).to.be.lessThan(chatty.lossMicro[0])
    expect(await service.spotCheck(chatty, 0)).to.have.property('ok', true)
    // read as plain text, the same rows are other examples
    expect((await service.train(job({ recipe: { ...recipe, examples: 'rows' } }))).adapter.weights.equals(chatty.weights)).to.equal(false)
  })

  it('refuses another engine and too little data', async () => {
    await expect(two.train(job({ recipe: { ...here.recipe, engine: 'other/2' } }))).to.eventually.be.rejected.with.property('code', 'ERR_TRAINING_INPUT')

    const empty = training()({ ...here.components, dataset: { texts: () => ['a'] } })

    await expect(empty.train(job())).to.eventually.be.rejected.with.property('code', 'ERR_TRAINING_INPUT')
  })

  it('gives up on a thread that is silent', async () => {
    await expect(training({ stallTimeoutMs: 1 })(here.components).train(job())).to.eventually.be.rejected.with.property('code', 'ERR_WORKER_LOST')
  })

  it('names what failed on a thread', async () => {
    const long = await world({ sequenceLength: 100 })

    await expect(training()(long.components).train({ ...job(), recipe: long.recipe })).to.eventually.be.rejected.with.property('code').that.matches(/^ERR_/)
  })
})

describe('a spot check', () => {
  it('passes every segment of an honest adapter, on any number of threads', async () => {
    for (const [segment, threads] of [[0, 1], [1, 2], [2, 1]]) {
      expect(await training({ threads })(here.components).spotCheck(adapter, segment)).to.have.property('ok', true)
    }
  })

  it('catches a checkpoint, weights, losses and columns that are off by a bit', async () => {
    const flip = (bytes: Uint8Array): void => { bytes[bytes.length - 6] ^= 1 }
    const checkpoints = [...adapter.checkpoints]

    checkpoints[1] = await tampered(here.storage, adapter, checkpoints[1], flip)

    const weights = await tampered(here.storage, adapter, adapter.weights, flip)
    const lossMicro = adapter.lossMicro.map((loss, step) => step === 3 ? loss + 1 : loss)

    for (const [changed, segment] of [[{ checkpoints }, 1], [{ checkpoints }, 2], [{ weights }, 2], [{ lossMicro }, 1], [{ checkpoints: checkpoints.slice(1) }, 0], [{ snapshot: adapter.base }, 0]] as const) {
      expect(await two.spotCheck({ ...adapter, ...changed }, segment), JSON.stringify(Object.keys(changed))).to.have.property('ok', false)
    }
  })

  it('fails what can only diverge or be no file at all, instead of being tried again for ever', async () => {
    const huge = decodeState(await here.storage.get(adapter.checkpoints[0]))

    huge.theta.fill(1e300)

    const checkpoints = [await here.storage.putFile(encodeState(huge)), ...adapter.checkpoints.slice(1)]

    expect(await two.spotCheck({ ...adapter, checkpoints }, 1)).to.deep.include({ ok: false })

    const { storage } = here
    const cutOtherwise: TrainingStore = {
      put: async bytes => storage.put(bytes),
      get: async cid => storage.get(cid),
      putFile: async bytes => storage.putFile(bytes),
      openFile: async cid => storage.openFile(cid),
      getFile: async cid => {
        if (cid.equals(adapter.checkpoints[1])) {
          throw new MalformedFileError(cid, 'it is cut otherwise')
        }

        return storage.getFile(cid)
      }
    }
    const other = training()({ ...here.components, storage: cutOtherwise })

    expect(await other.spotCheck(adapter, 1)).to.deep.include({ ok: false })
    expect(await other.spotCheck(adapter, 0)).to.deep.include({ ok: true })
  })

  it('fails an adapter whose method nobody can score it by, which cannot be trained either', async () => {
    const { recipe } = await world({ examples: 'rows' })
    const rows = Array.from({ length: 2_000 }, (_, i) => `peace ${i}`)
    const many = training()({ ...here.components, dataset: { texts: () => rows } })

    recipe.base = here.recipe.base
    await expect(many.train(job({ recipe, method: 'fisher' }))).to.eventually.be.rejected
      .with.property('message').that.matches(/fisher takes at most 4096 examples but there are 6000/)

    const named = await here.storage.put(recipeCodec.encode(recipe))

    expect(await many.spotCheck({ ...adapter, recipe: named, method: 'fisher' }, 0)).to.have.property('detail').that.includes('fisher takes at most')
  })

  it('fails an adapter that a committee has no time to score, and does not train it, unless its network gives more', async () => {
    const { recipe } = await world({ steps: 2_048, batchSize: 2_000, checkpointEverySteps: 700 })

    recipe.base = here.recipe.base
    await expect(two.train(job({ recipe }))).to.eventually.be.rejected.with.property('message').that.matches(/operations, of which a committee has time/)

    const named = { ...adapter, recipe: await here.storage.put(recipeCodec.encode(recipe)), lossMicro: new Array<number>(2_048).fill(1) }

    expect(await two.spotCheck(named, 0, { commitBlocks: 600 })).to.have.property('detail').that.includes('a committee has time')

    // with time enough it is looked at
    expect(await two.spotCheck(named, 1, { commitBlocks: 60_000 })).to.have.property('detail').that.includes('the checkpoint before step 701')
  })

  it('refuses a segment that does not exist', async () => {
    await expect(two.spotCheck(adapter, 3)).to.eventually.be.rejected.with.property('code', 'ERR_TRAINING_INPUT')
  })

  it('computes single columns of the Jacobian to the bytes of all together', async () => {
    const published = adapter.influence.form === 'forward' ? adapter.influence.columns : []

    expect((await two.columns(adapter, [2])).map(String)).to.deep.equal([String(published[2])])
    expect((await training({ threads: 1 })(here.components).columns(adapter, [1, 0])).map(String)).to.deep.equal([String(published[1]), String(published[0])])
    await expect(two.columns(adapter, [3])).to.eventually.be.rejected.with.property('code', 'ERR_TRAINING_INPUT')
  })

  it('gives up columns for a job that somebody waits for', async () => {
    const columns = two.columns(adapter, [0, 1, 2])
    const check = two.spotCheck(adapter, 0)

    await expect(columns).to.eventually.be.rejected.with.property('code', 'ERR_PREEMPTED')
    expect(await check).to.have.property('ok', true)
  })
})

describe('an assessment', () => {
  const id = cidOf(Uint8Array.of(42))
  let openings: Array<ReturnType<typeof opening>>

  async function loaded (): Promise<{ base: ReturnType<typeof loadBase>, shape: ReturnType<typeof loraShape>, theta: Float64Array }> {
    const record = baseModelCodec.decode(await here.storage.get(here.recipe.base))
    const base = loadBase(record, await here.storage.get(record.weights), await here.storage.get(record.tokenizer))
    const shape = loraShape(record.config, here.recipe)

    return { base, shape, theta: peftToTheta(shape, await here.storage.get(adapter.weights)) }
  }

  before(async () => {
    const { base: { model, tokenizer }, shape, theta } = await loaded()
    const ask = (text: string, sequence: number, fee: bigint, channel?: number): ReturnType<typeof opening> => {
      const prompt = [tokenizer.bos, ...tokenizer.encode(text)]
      const output = [...generate(model, { prompt, maxTokens: 8, sampler: { temperatureMilli: 0, topK: 0, seed: 0 }, lora: { shape, theta } })]

      return opening(id, { prompt, output, sequence, fee, channel })
    }

    openings = [ask('the state of', 0, 5n * 10n ** 15n), ask('people have', 1, 3n * 10n ** 15n), ask('work in peace', 2, 10n ** 15n)]
  })

  it('gives every assessor the same scores and trace, whatever threads and order', async () => {
    const events: string[] = []
    const mine = await two.assess(id, adapter, openings, { onProgress: ({ type }) => { events.push(type) } })
    const other = await training({ threads: 1 })(here.components).assess(id, adapter, [...openings].reverse())

    expect(other).to.deep.equal(mine)
    expect(mine.refused).to.be.empty()
    expect(mine.trace).to.have.length(3 + 2 * 6 + 1)
    expect(mine.table.entries.map(({ contribution }) => contribution)).to.deep.equal(here.snapshot.contributions)
    expect(scoreTree(mine.table).total > 0n).to.equal(true)
    expect(events.filter(type => type === 'training:receipt')).to.have.length(3)

    const trace = traceTree(DEVELOPER, mine.trace)

    expect(verifyOpening(trace.root, trace.length, DEVELOPER, trace.open(7))).to.equal(true)
  })

  it('gives each step of the trace alone', async () => {
    const { trace } = await two.assess(id, adapter, openings)

    // receipts, training steps, cotangent, adjoints
    for (const index of [1, 5, 9, 15]) {
      expect(await two.step(id, adapter, [...openings].reverse(), index)).to.deep.equal(trace[index])
    }

    expect(await two.step(id, adapter, openings, trace.length + 1)).to.equal(null)
  })

  it('agrees with the published Jacobian to rounding', async () => {
    const { base: { model }, shape, theta } = await loaded()
    const columns = adapter.influence.form === 'forward' ? await Promise.all(adapter.influence.columns.map(async cid => decodeFloats(await here.storage.get(cid), shape.parameters))) : []
    const { exampleScores, groups } = await two.assess(id, adapter, openings.slice(0, 1))
    const forward = influenceOfAnswer(columns, answerGradient(model, shape, theta, openings[0].prompt, openings[0].output).gradient)
    const reverse = forward.map((_, c) => exampleScores.reduce((sum, score, i) => sum + (groups[i] === c ? score : 0), 0))
    const size = Math.max(...forward.map(Math.abs))

    expect(size).to.be.greaterThan(0)
    forward.forEach((value, c) => { expect(Math.abs(value - reverse[c]) / size).to.be.lessThan(1e-4) })
  })

  it('does not depend on channel, payer or salt', async () => {
    const elsewhere = openings.map((one, i) => opening(id, { ...one, sequence: 9 - i, channel: 5, fee: one.receipt.payload.fee }))

    expect((await two.assess(id, adapter, elsewhere)).table).to.deep.equal((await two.assess(id, adapter, openings)).table)
  })

  it('gives no weight to an answer that does not follow from its seed', async () => {
    const forged = { ...openings[1], output: openings[1].output.map((token, i) => i === 3 ? (token + 1) % 256 : token) }
    const with_ = await two.assess(id, adapter, [openings[0], forged, openings[2]])
    const without = await two.assess(id, adapter, [openings[0], openings[2]])

    expect(with_.refused).to.have.length(1)
    expect(with_.table).to.deep.equal(without.table)
  })

  it('gives no weight to what no model can answer: a receipt of it must not keep others from being assessed', async () => {
    const foreign = { ...openings[1], prompt: [1_048_575] }
    const silent = { ...openings[1], output: [] }
    const endless = { ...openings[1], prompt: new Array<number>(8_000).fill(3) }
    const nothing = { ...openings[1], prompt: [] }
    const { receipt } = openings[1]
    const settled = { ...openings[1], receipt: { ...receipt, payload: { ...receipt.payload, sampler: { ...receipt.payload.sampler, topK: 0xffff_ffff } } } }
    const without = await two.assess(id, adapter, [openings[0], openings[2]])

    for (const forged of [foreign, silent, endless, nothing, settled]) {
      const with_ = await two.assess(id, adapter, [openings[0], forged, openings[2]])

      expect(with_.refused).to.have.length(1)
      expect(with_.table).to.deep.equal(without.table)
    }
  })

  it('holds no gradient longer than it takes to add it up, however many receipts a task has', async () => {
    setFlagsFromString('--expose-gc')

    const collect: () => void = runInNewContext('gc')
    const many = Array.from({ length: 300 }, () => openings[0])
    const early: number[] = []
    const late: number[] = []

    await two.assess(id, adapter, many, {
      onProgress (event) {
        if (event.type === 'training:receipt' && ((event.done > 30 && event.done <= 40) || event.done > 290)) {
          collect()
          ;(event.done <= 40 ? early : late).push(memoryUsage().arrayBuffers)
        }
      }
    })

    const { shape } = await loaded()

    expect(late).to.have.length(10)
    // buffers are freed in the background: the least of some moments is what is held
    expect(Math.min(...late) - Math.min(...early)).to.be.lessThan(100 * 8 * shape.parameters)
  })

  it('refuses an adapter whose run ends elsewhere', async () => {
    const last = await tampered(here.storage, adapter, adapter.checkpoints[2], bytes => { bytes[40] ^= 1 })

    await expect(two.assess(id, { ...adapter, checkpoints: [...adapter.checkpoints.slice(0, 2), last] }, openings)).to.eventually.be.rejected.with.property('code', 'ERR_ADAPTER_MISMATCH')
  })

  it('scores by GradDot where the adapter says so', async () => {
    const cheap = { ...adapter, method: 'graddot' as const }
    const { table, trace } = await two.assess(id, cheap, openings)

    expect(table.method).to.equal('graddot')
    expect(scoreTree(table).root).to.not.deep.equal(scoreTree((await two.assess(id, adapter, openings)).table).root)
    expect(trace.length).to.be.greaterThan(3)
  })
})
