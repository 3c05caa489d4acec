import { expect } from 'aegir/chai'
import { generate, loadBase, loraShape, peftToTheta } from '../../src/models/index.ts'
import { training } from '../../src/training/index.ts'
import { baseModelCodec, cidOf, hash } from '../../src/wire/index.ts'
import { admitAdapter, Assessor, assessors, Network, startTask, validators } from '../ledger/network.ts'
import { DEVELOPER, opening, world } from '../training/fixtures.ts'
import type { Hash, ReceiptOpening } from '../../src/interface/index.ts'
import type { Training } from '../../src/training/index.ts'
import type { Request } from '../ledger/network.ts'

const id = cidOf(Uint8Array.of(1, 2, 3))
const BATCH = 4

let jobs: Training
let adapter: Awaited<ReturnType<Training['train']>>['adapter']
let receipts: ReceiptOpening[]
let trace: Hash[]

before(async () => {
  const here = await world({ steps: 2, batchSize: BATCH, checkpointEverySteps: 2 })

  jobs = training({ threads: 1 })(here.components)
  adapter = (await jobs.train({ name: 'tiny', recipe: here.recipe, developer: DEVELOPER, pricePerThousandTokens: 10n, influence: 'reverse' })).adapter

  const record = baseModelCodec.decode(await here.storage.get(here.recipe.base))
  const { model, tokenizer } = loadBase(record, await here.storage.get(record.weights), await here.storage.get(record.tokenizer))
  const shape = loraShape(record.config, here.recipe)
  const theta = peftToTheta(shape, await here.storage.get(adapter.weights))

  receipts = ['the state of', 'people have'].map((text, sequence) => {
    const prompt = [tokenizer.bos, ...tokenizer.encode(text)]
    const output = [...generate(model, { prompt, maxTokens: 4, sampler: { temperatureMilli: 0, topK: 0, seed: 0 }, lora: { shape, theta } })]

    return opening(id, { prompt, output, sequence, fee: BigInt(sequence + 1) })
  });
  ({ trace } = await jobs.assess(id, adapter, receipts))
})

/** A task whose first seat has this trace, brought to the step at which it parts from the others. */
function disputed (lie: Hash[]): { network: Network, task: Hash, all: Assessor[] } {
  const network = new Network()

  admitAdapter(network)

  const task = startTask(network, 1_000n)
  const all = assessors.map((who, seat) => new Assessor(who, seat === 0 ? { scores: [0n, 14n, 0n], steps: lie } : { steps: trace }))

  network.must(...all.map(one => one.commit(network, task)))
  network.must(...all.map(one => one.reveal(task)))

  while (network.task(task).phase === 'dispute') {
    network.must(...all.map(one => one.open(network, task)))
  }

  return { network, task, all }
}

async function convict (index: number, work: { receipts: number, gradients: number, duals: number }): Promise<void> {
  const { network, task, all } = disputed(trace.map((step, i) => i < index ? step : hash('made up', step)))
  const { agreed } = network.task(task).dispute ?? expect.fail()
  const from = await jobs.stepStateBytesMax(adapter, receipts.length, agreed) === 0 ? undefined : await jobs.stepState(adapter, receipts, trace.slice(0, agreed))
  const took: unknown[] = []
  const step = await jobs.step(id, adapter, receipts, agreed, { from, onProgress: event => { took.push(event) } }) ?? expect.fail()

  network.must(...validators.map((who): Request => [who, { kind: 'judge-step', task, step }]))
  expect(agreed).to.equal(index)
  expect(took.at(-1)).to.deep.equal({ type: 'training:judged', ...work })
  expect(all.map(({ who }) => network.seat(task, who).fault)).to.deep.equal(['wrong-step', null, null, null, null, null, null])
  expect(network.task(task)).to.deep.include({ phase: 'open', verdicts: [] })
}

describe('a seat that lies', () => {
  for (const [name, index, work] of [
    ['about the first receipt', 0, { receipts: 1, gradients: 0, duals: 0 }],
    ['about a receipt', 1, { receipts: 1, gradients: 0, duals: 0 }],
    ['about the first step of training', 2, { receipts: 0, gradients: BATCH, duals: 0 }],
    ['about a step of training', 3, { receipts: 0, gradients: BATCH, duals: 0 }],
    ['about the cotangent', 4, { receipts: 0, gradients: 0, duals: 0 }],
    ['about the first step back', 5, { receipts: 0, gradients: BATCH, duals: BATCH }],
    ['about the last step back', 6, { receipts: 0, gradients: BATCH, duals: BATCH }]
  ] as const) {
    it(`${name} is convicted by validators who computed that step alone`, async () => convict(index, work))
  }
})
