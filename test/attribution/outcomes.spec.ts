import { expect } from 'aegir/chai'
import { batchedOutcomes, singleOutcomes } from '../bench/attribution-outcomes.ts'
import { adapters, tinyModel } from '../inference/fixtures.ts'

describe('outcomes of the counterfactual bank', () => {
  it('are the same bits in one multi-LoRA batch as one by one', () => {
    const model = tinyModel()
    const [{ shape, theta }] = adapters(model, 1)
    const thetas = Array.from({ length: 20 }, (_, i) => theta.map(value => value * (1 + i / 10)))
    const queries = Array.from({ length: 9 }, (_, q) => {
      const tokens = Uint32Array.from({ length: 2 + 3 * q }, (_, i) => (7 * q + 5 * i) % model.config.vocabularySize)

      return q % 2 === 0 ? { tokens } : { tokens, mask: Uint8Array.from(tokens, (_, i) => i > 1 ? 1 : 0) }
    })
    const one = singleOutcomes(model, shape)(thetas, queries)

    expect(batchedOutcomes(model, shape)(thetas, queries)).to.deep.equal(one)
    // they are outcomes of different adapters
    expect(new Set(one.map(row => row[3])).size).to.equal(thetas.length)
  })
})
