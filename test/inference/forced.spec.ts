import { expect } from 'aegir/chai'
import * as fc from 'fast-check'
import { forcedLogits } from '../../src/inference/index.ts'
import { forward, loraValues } from '../../src/models/index.ts'
import { prng, tape } from '../../src/numeric/index.ts'
import { adapters, tinyModel } from './fixtures.ts'
import type { ForcedRequest } from '../../src/inference/index.ts'

const model = tinyModel()
const loras = adapters(model, 12)
const values = tape()

function requestOf (seed: number): ForcedRequest {
  const random = prng(seed)

  return {
    tokens: Array.from({ length: 1 + random.nextBelow(30) }, () => random.nextBelow(model.config.vocabularySize)),
    adapters: Array.from({ length: random.nextBelow(3) }, () => ({ lora: loras[random.nextBelow(loras.length)] }))
  }
}

/** What the tape gives for one request. */
function alone ({ tokens, adapters = [] }: ForcedRequest): Uint32Array {
  values.reset()

  const { data } = forward(values, model, tokens, { lora: adapters.map(({ lora }) => loraValues(values, lora.shape, lora.theta).lora) })

  return bits(data)
}

const bits = (floats: Float32Array): Uint32Array => new Uint32Array(floats.slice().buffer)

describe('logits of given tokens under many adapters', () => {
  it('have the bits of one forward pass for each, whatever shares a pass and however many rows it has', function () {
    this.timeout(60_000)

    fc.assert(fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 10 }), fc.integer({ min: 1, max: 70 }), fc.integer({ min: 0, max: 4 }), (seeds, stepTokensMax, pages) => {
      const pageBytes = model.config.layers * 8 * 16 * 8
      const requests = seeds.map(requestOf)
      const seen: number[] = []

      forcedLogits({ model, stepTokensMax, cacheBytesMax: (2 + pages) * pageBytes, adapterBytesMax: 100_000 })(requests, (index, logits) => {
        seen.push(index)
        expect(bits(logits)).to.deep.equal(alone(requests[index]))
      })
      expect(seen).to.deep.equal([...requests.keys()])
    }), { numRuns: 40 })
  })

  it('can be asked for again and again, and after a request that could never run', () => {
    const compute = forcedLogits({ model, stepTokensMax: 16, adapterBytesMax: 100_000 })
    const request = { tokens: [1, 2, 3], adapters: [{ lora: loras[1] }] }
    const results: Uint32Array[] = []

    expect(() => { compute([request, { tokens: [] }], () => expect.fail('nothing is computed')) }).to.throw().with.property('code', 'ERR_TOKENS_INVALID')

    for (let i = 0; i < 40; i++) {
      compute([request], (_, logits) => { results.push(bits(logits)) })
    }

    expect(results).to.have.length(40)
    expect(results[39]).to.deep.equal(alone(request))
  })

  it('say which request is not finite', () => {
    const lora = { ...loras[1], theta: loras[1].theta.map(() => 1e38) }

    expect(() => { forcedLogits({ model })([{ tokens: [1] }, { tokens: [1, 2], adapters: [{ lora }] }], () => {}) }).to.throw().with.property('code', 'ERR_SEQUENCE_FAULT')
  })
})
