import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'aegir/chai'
import { generate, parseLlama2c, parseLlama2cTokenizer, verifyGeneration } from '../../src/models/index.ts'

/** Published as the expected output of `./run stories260K.bin -t 0.0 -n 200` (llama2.c, test_all.py). */
const EXPECTED = 'Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.\nLily\'s mom said, "Lily, let\'s go to the park." Lily was sad and didn\'t know what to do. She said, "I want to play with your ball, but I can\'t find it."\nLily was sad and didn\'t know what to do. She said, "I\'m sorry, Lily. I didn\'t know what to do."\nLily didn\'t want to help her mom, so she'

const folder = new URL('../../../shared/models/', import.meta.url)

describe('stories260K', () => {
  if (!existsSync(new URL('stories260K.bin', folder))) {
    it.skip('prints what llama2.c prints (needs ../shared/models/stories260K.bin beside the repository)')
    return
  }
  it('prints what llama2.c prints', () => {
    const model = parseLlama2c(readFileSync(new URL('stories260K.bin', folder)))
    const tokenizer = parseLlama2cTokenizer(readFileSync(new URL('tok512.bin', folder)), model.config.vocabularySize)
    const sampler = { temperatureMilli: 0, topK: 0, seed: 0 }
    const prompt = [tokenizer.bos]
    const output = [...generate(model, { prompt, maxTokens: 200, sampler })]
    expect(tokenizer.decode([...prompt, ...output]).replace(/^\s*<s>\s*/, '').trim()).to.equal(EXPECTED)
    expect(verifyGeneration(model, { prompt, output, sampler })).to.deep.equal({ ok: true })
  })
})
