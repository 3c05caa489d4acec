import { expect } from 'aegir/chai'
import * as fc from 'fast-check'
import { inferenceEngine } from '../../src/inference/index.ts'
import { generate, verifyGeneration } from '../../src/models/index.ts'
import { prng } from '../../src/numeric/index.ts'
import { adapters, drain, tinyModel } from './fixtures.ts'
import type { SequenceRequest } from '../../src/inference/index.ts'

const model = tinyModel()
const loras = adapters(model, 12)

/** A request that everything about it is drawn for. */
function requestOf (seed: number, id: string): SequenceRequest {
  const random = prng(seed)
  return {
    id,
    prompt: Array.from({ length: 1 + random.nextBelow(20) }, () => random.nextBelow(model.config.vocabularySize)),
    maxTokens: 1 + random.nextBelow(14),
    sampler: {
      temperatureMilli: [0, 700, 1500][random.nextBelow(3)],
      topK: [0, 5][random.nextBelow(2)],
      seed: random.nextUint32(),
      ...[{}, { topPMilli: 800, repetitionMilli: 1200 }][random.nextBelow(2)]
    },
    adapters: Array.from({ length: random.nextBelow(3) }, () => ({ lora: loras[random.nextBelow(loras.length)], weightMilli: [1000, 500, -300][random.nextBelow(3)] })),
    stop: [[], [random.nextBelow(40)]][random.nextBelow(2)],
    tenant: ['a', 'b', 'c'][random.nextBelow(3)]
  }
}

/** What the tape gives for the same request. */
function alone (request: SequenceRequest): number[] {
  return [...generate(model, { ...request, lora: request.adapters })]
}

describe('inference engine', () => {
  it('gives each of a hundred mixed adapters the bits that it has alone', function () {
    this.timeout(60_000)
    const many = adapters(model, 100, 3)
    const engine = inferenceEngine({ model, adapterBytesMax: 8 << 20 })
    const requests = many.map((lora, i) => ({ ...requestOf(i, String(i)), adapters: [{ lora }], maxTokens: 10 }))
    requests.forEach(request => { engine.add(request) })
    const { outputs } = drain(engine)
    for (const request of requests) {
      const output = outputs.get(request.id) ?? []
      expect(output).to.deep.equal(alone(request))
      expect(verifyGeneration(model, { ...request, output, lora: request.adapters })).to.deep.equal({ ok: true })
    }
    expect(engine.statistics()).to.include({ running: 0, waiting: 0, adapters: 100 })
  })

  it('does not let the composition of batches, the size of passes, or room change a bit', function () {
    this.timeout(60_000)
    fc.assert(fc.property(
      fc.array(fc.nat(), { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 0, max: 6 }), fc.integer({ min: 60_000, max: 300_000 }), fc.array(fc.nat({ max: 3 }), { maxLength: 12 }), fc.boolean(),
      (seeds, batchMax, more, pages, adapterBytesMax, pauses, sharePrefixes) => {
        const pageBytes = model.config.layers * 8 * 16 * 8
        const engine = inferenceEngine({ model, batchMax, stepTokensMax: batchMax + more, cacheBytesMax: (2 + pages) * pageBytes, adapterBytesMax, sharePrefixes })
        const requests = seeds.map((seed, i) => requestOf(seed, String(i)))
        const outputs = new Map<string, number[]>(requests.map(({ id }) => [id, []]))
        const step = (): void => { engine.step().tokens.forEach(({ id, token, index }) => { expect(outputs.get(id)?.push(token)).to.equal(index + 1) }) }
        requests.forEach((request, i) => {
          engine.add(request)
          for (let n = 0; n < (pauses[i] ?? 0); n++) {
            step()
          }
        })
        while (engine.busy) {
          step()
        }
        for (const request of requests) {
          expect(outputs.get(request.id)).to.deep.equal(alone(request))
        }
        const { pagesFree, pages: all } = engine.statistics()
        expect(pagesFree).to.equal(all)
      }), { numRuns: 60 })
  })
})
