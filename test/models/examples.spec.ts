import { expect } from 'aegir/chai'
import { ENGINE, examplesOf, presets, recipeOf, tokenizer, trainTokenizer } from '../../src/models/index.ts'
import { cidOf, recipeCodec } from '../../src/wire/index.ts'

const bytes = tokenizer(trainTokenizer([], 258))
const cid = cidOf(Uint8Array.of(0))

describe('examplesOf', () => {
  it('joins rows with BOS, cuts windows and never mixes two contributions', () => {
    const { examples, contributionOf } = examplesOf([
      { texts: ['a'.repeat(20), 'b'.repeat(20)] },
      { texts: ['c'.repeat(15)] },
      { texts: [] },
      { texts: ['d'.repeat(14)] }
    ], bytes, 16)
    expect([...contributionOf]).to.deep.equal([0, 0, 1])
    expect(examples.map(({ length }) => length)).to.deep.equal([16, 16, 16])
    expect(bytes.decode(examples[1])).to.equal('aaaaabbbbbbbbbb')
    expect([...examples[1]].indexOf(bytes.bos)).to.equal(5)
    expect(bytes.decode(examples[2])).to.equal('c'.repeat(15))
  })

  it('keeps a last partial window from sixteen tokens', () => {
    expect(examplesOf([{ texts: ['a'.repeat(32 + 15)] }], bytes, 32).examples.map(({ length }) => length)).to.deep.equal([32, 16])
    expect(examplesOf([{ texts: ['a'.repeat(32 + 14)] }], bytes, 32).examples.map(({ length }) => length)).to.deep.equal([32])
  })

  it('refuses windows that are too short', () => {
    expect(() => examplesOf([], bytes, 8)).to.throw().with.property('code', 'ERR_MODEL_SETTINGS')
  })
})

describe('presets', () => {
  it('become recipes of integers', () => {
    for (const name of Object.keys(presets)) {
      const recipe = recipeOf(name, cid, cid, { seed: 4 })
      expect(recipeCodec.decode(recipeCodec.encode(recipe))).to.deep.equal(recipe)
      expect(recipe).to.include({ type: 'recipe', version: 1, engine: ENGINE, seed: 4 })
      expect(recipe).to.not.have.any.keys('title', 'description')
    }
    expect(recipeOf('quick', cid, cid, { steps: 3 }).steps).to.equal(3)
    expect(() => recipeOf('toString', cid, cid)).to.throw().with.property('code', 'ERR_MODEL_SETTINGS')
  })
})
