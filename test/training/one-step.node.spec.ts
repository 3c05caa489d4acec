import { expect } from 'aegir/chai'
import { generate, loadBase, loraShape, peftToTheta } from '../../src/models/index.ts'
import { resultStep, scoreTree } from '../../src/scoring/index.ts'
import { training } from '../../src/training/index.ts'
import { baseModelCodec, cidOf, concatBytes, domains, hash } from '../../src/wire/index.ts'
import { DEVELOPER, opening, world } from './fixtures.ts'
import type { World } from './fixtures.ts'
import type { Adapter, AttributionMethod, Hash, ReceiptOpening } from '../../src/interface/index.ts'
import type { Training, TrainingEvent } from '../../src/training/index.ts'

const id = cidOf(Uint8Array.of(1, 2, 3))
const RECEIPTS = 3
const STEPS = 3
const BATCH = 6

type Work = Omit<Extract<TrainingEvent, { type: 'training:judged' }>, 'type'>

let here: World
let jobs: Training
let adapter: Adapter
let openings: ReceiptOpening[]
let trace: Hash[]
let result: Hash
let parameters: number

/** The trace of an adapter by another method, with the step that its table makes at the end. */
async function steps (method: AttributionMethod): Promise<Hash[]> {
  const { table, trace } = await jobs.assess(id, { ...adapter, method }, openings)
  const { root, total } = scoreTree(table)

  return [...trace, resultStep(root, total)]
}

/** One step by itself, from what a seat publishes of it, and the passes of the model that it took. */
async function judge (index: number, from: Uint8Array | undefined, method = adapter.method): Promise<{ step: Hash | null, work: Work }> {
  let work: Work = { receipts: 0, gradients: 0, duals: 0 }
  const step = await jobs.step(id, { ...adapter, method }, openings, index, {
    from,
    onProgress (event) {
      if (event.type === 'training:judged') {
        const { receipts, gradients, duals } = event

        work = { receipts, gradients, duals }
      }
    }
  })

  return { step, work }
}

async function published (index: number, method = adapter.method, before = trace): Promise<Uint8Array | undefined> {
  const one = { ...adapter, method }
  const bytesMax = await jobs.stepStateBytesMax(one, RECEIPTS, index)

  if (bytesMax === 0) {
    return undefined
  }

  const bytes = await jobs.stepState(one, openings, before.slice(0, index))

  expect(bytes.length).to.be.at.most(bytesMax)

  return bytes
}

before(async () => {
  here = await world({ steps: STEPS, batchSize: BATCH, checkpointEverySteps: STEPS })
  jobs = training({ threads: 1 })(here.components)
  adapter = (await jobs.train({ name: 'tiny', recipe: here.recipe, developer: DEVELOPER, pricePerThousandTokens: 10n, influence: 'reverse' })).adapter

  const record = baseModelCodec.decode(await here.storage.get(here.recipe.base))
  const { model, tokenizer } = loadBase(record, await here.storage.get(record.weights), await here.storage.get(record.tokenizer))
  const shape = loraShape(record.config, here.recipe)
  const theta = peftToTheta(shape, await here.storage.get(adapter.weights))

  parameters = shape.parameters
  openings = ['the state of', 'people have', 'work in peace'].map((text, sequence) => {
    const prompt = [tokenizer.bos, ...tokenizer.encode(text)]
    const output = [...generate(model, { prompt, maxTokens: 8, sampler: { temperatureMilli: 0, topK: 0, seed: 0 }, lora: { shape, theta } })]

    return opening(id, { prompt, output, sequence, fee: BigInt(5 - sequence) * 10n ** 15n })
  })

  const all = await steps('trajectory')

  result = all[all.length - 1]
  trace = all.slice(0, -1)
})

const whole = (index: number): Hash => index === trace.length ? result : trace[index]
const nothing = { receipts: 0, gradients: 0, duals: 0 }

describe('one step of a trace', () => {
  const places: Array<[string, number, Work]> = [
    ['a receipt', 1, { ...nothing, receipts: 1 }],
    ['a step of training', RECEIPTS + 1, { ...nothing, gradients: BATCH }],
    ['the cotangent', RECEIPTS + STEPS, nothing],
    ['the first step back', RECEIPTS + STEPS + 1, { ...nothing, gradients: BATCH, duals: BATCH }],
    ['a step back', RECEIPTS + STEPS + 2, { ...nothing, gradients: BATCH, duals: BATCH }],
    ['the last step back', RECEIPTS + 2 * STEPS, { ...nothing, gradients: BATCH, duals: BATCH }],
    ['the table', RECEIPTS + 2 * STEPS + 1, nothing]
  ]

  for (const [name, index, expected] of places) {
    it(`that is ${name} is computed alone from the state before it, to the bits of the whole`, async () => {
      const { step, work } = await judge(index, await published(index))

      expect(step).to.deep.equal(whole(index))
      expect(work).to.deep.equal(expected)
    })
  }

  it('starts from nothing if it is the first receipt or the first step of training', async () => {
    for (const index of [0, RECEIPTS]) {
      expect(await jobs.stepStateBytesMax(adapter, RECEIPTS, index)).to.equal(0)
      expect((await judge(index, undefined)).step).to.deep.equal(trace[index])
    }
  })

  it('is the same where nobody publishes the state, for the work of all before it', async () => {
    for (const index of [RECEIPTS + STEPS + 2, trace.length]) {
      const { step, work } = await judge(index, undefined)

      expect(step).to.deep.equal(whole(index))
      expect(work.receipts).to.equal(RECEIPTS)
      expect(work.gradients).to.be.greaterThan(BATCH)
    }
  })

  it('starts from no more than a few vectors over the trained parameters, and the hashes before it', async () => {
    for (let index = 0; index <= trace.length; index++) {
      expect(await jobs.stepStateBytesMax(adapter, RECEIPTS, index)).to.be.at.most(32 * index + 48 * parameters + 1_000)
    }
  })

  it('is none beyond the table', async () => {
    expect(await jobs.step(id, adapter, openings, trace.length + 1)).to.equal(null)
    expect(await jobs.stepStateBytesMax(adapter, RECEIPTS, trace.length + 1)).to.equal(0)
  })

  for (const [method, gradients] of [['graddot', 16], ['fisher', 25], ['tracin', 25]] as const) {
    it(`of ${method} is the same alone, without a receipt replayed`, async () => {
      const all = await steps(method)

      for (const index of [RECEIPTS + 1, all.length - 1]) {
        const { step, work } = await judge(index, await published(index, method, all), method)

        expect(step).to.deep.equal(all[index])
        expect(work).to.deep.equal(index === all.length - 1 ? nothing : { ...nothing, gradients })
      }
    })
  }
})

describe('a state that is not the one before a step', () => {
  const ADJOINT = RECEIPTS + STEPS + 2

  const refused = async (index: number, from: Uint8Array, code = 'ERR_STEP_STATE'): Promise<void> => {
    await expect(jobs.step(id, adapter, openings, index, { from })).to.eventually.be.rejected.with.property('code', code)
  }

  it('is refused if a byte of it is another one', async () => {
    for (const index of [1, ADJOINT, trace.length]) {
      const honest = await published(index) ?? expect.fail()
      const at = Math.floor((32 * index + honest.length) / 2)

      await refused(index, honest.map((byte, i) => i === at ? byte ^ 1 : byte))
    }
  })

  it('is refused if it is too short, too long, or that of another step', async () => {
    const honest = await published(ADJOINT) ?? expect.fail()

    await refused(ADJOINT, honest.subarray(0, honest.length - 1))
    await refused(ADJOINT, new Uint8Array(0))
    await refused(ADJOINT, concatBytes(honest, Uint8Array.of(0)))
    await refused(ADJOINT + 1, honest)
  })

  it('is refused if it is not finite or of another step of training, even where all seats agreed on its hash', async () => {
    const index = RECEIPTS + 1
    const honest = (await published(index) ?? expect.fail()).slice(32 * index)
    const agreed = (change: (view: DataView) => void): Uint8Array => {
      const body = honest.slice()

      change(new DataView(body.buffer))

      return concatBytes(...trace.slice(0, index - 1), hash(domains.checkpoint, body), body)
    }

    await refused(index, agreed(view => { view.setFloat64(32, NaN, true) }), 'ERR_TRAINING_STATE')
    await refused(index, agreed(view => { view.setUint32(8, 2, true) }))
  })

  it('is not published by a seat whose trace is another one', async () => {
    const lie = trace.slice(0, ADJOINT).map((step, i) => i === ADJOINT - 1 ? hash('made up', step) : step)

    await expect(jobs.stepState(adapter, openings, lie)).to.eventually.be.rejected.with.property('code', 'ERR_STEP_STATE')
  })
})
