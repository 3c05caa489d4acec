import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect } from 'aegir/chai'
import { generate, initialTheta, loadBase, loraShape, parameterCount, parseBaseJson, verifyGeneration } from '../../src/models/index.ts'
import { fileCid } from '../../src/storage/index.ts'
import { baseModelCodec } from '../../src/wire/index.ts'

const read = (path: string): Uint8Array => readFileSync(new URL(`../../${path}`, import.meta.url))
const vectors = (path: string): any => JSON.parse(new TextDecoder().decode(read(path)))

describe('the committed base', () => {
  const record = parseBaseJson(read('models/base/base.json'))
  const { model, tokenizer } = loadBase(record, read('models/base/model.safetensors'), read('models/base/tokenizer.json'))

  it('has the files that its record names', () => {
    expect(fileCid(read('models/base/model.safetensors')).toString()).to.equal(record.weights.toString())
    expect(fileCid(read('models/base/tokenizer.json')).toString()).to.equal(record.tokenizer.toString())
    expect(baseModelCodec.decode(baseModelCodec.encode(record))).to.deep.equal(record)
    expect(parameterCount(record.config)).to.be.within(1_000_000, 4_000_000)
  })

  it('was trained by the committed recipe', () => {
    const { config, steps, batchSize, windowTokens } = vectors('models/base/recipe.json')
    const { trainedTokens, milestones } = vectors('models/base/base.json')
    expect(record.config).to.deep.equal(config)
    expect(trainedTokens).to.equal(steps * batchSize * (windowTokens - 1))
    expect(milestones.at(-1).step).to.equal(steps)
  })

  it('encodes text as the vectors say', () => {
    for (const { text, ids } of vectors('protocols/base-model/vectors/tokens.json')) {
      expect([...tokenizer.encode(text)]).to.deep.equal(ids)
      expect(tokenizer.decode(ids)).to.equal(text)
    }
  })

  it('answers as the vectors say', () => {
    for (const { prompt, sampler, output, text } of vectors('protocols/base-model/vectors/answers.json')) {
      expect([...generate(model, { prompt, maxTokens: 40, sampler, stop: [tokenizer.bos, tokenizer.eos] })]).to.deep.equal(output)
      expect(tokenizer.decode(output)).to.equal(text)
      expect(verifyGeneration(model, { prompt, output, sampler }).ok).to.be.true()
    }
  })

  it('lays out and starts theta as the vectors say', () => {
    for (const { config, recipe, parameters, factors, initial } of vectors('protocols/recipe/vectors/theta.json')) {
      const shape = loraShape(config, recipe)
      expect(shape).to.deep.include({ parameters, factors })
      for (const { seed, sha256 } of initial) {
        expect(createHash('sha256').update(new Uint8Array(initialTheta(shape, seed).buffer)).digest('hex')).to.equal(sha256)
      }
    }
  })
})
