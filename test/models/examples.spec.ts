import { expect } from 'aegir/chai'
import { chatTemplate, defaultChat, ENGINE, examplesOf, loraShape, presets, recipeOf, tokenizer, trainTokenizer } from '../../src/models/index.ts'
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
    expect(recipeOf('quick', cid, cid, { schedule: undefined })).to.not.have.any.keys('schedule')
    expect(() => recipeOf('toString', cid, cid)).to.throw().with.property('code', 'ERR_MODEL_SETTINGS')
  })

  it('train what a base has, but refuse what a person asks for and it lacks', () => {
    const gpt2 = { architecture: 'gpt2', dim: 16, hiddenDim: 24, layers: 1, heads: 2, kvHeads: 2, vocabularySize: 280, contextLength: 64, ropeTheta: 1, rmsNormEpsNano: 10_000, tied: true } as const
    const { architecture: _, ...llama } = gpt2
    expect(recipeOf('quick', cid, cid, {}, gpt2).targets).to.deep.equal(['down_proj', 'up_proj'])
    expect(recipeOf('quick', cid, cid, {}, llama).targets).to.deep.equal(['down_proj', 'gate_proj', 'up_proj'])
    expect(loraShape(gpt2, recipeOf('careful', cid, cid, {}, gpt2)).parameters).to.be.greaterThan(0)
    expect(recipeOf('quick', cid, cid, {}, { ...llama, contextLength: 32 }).sequenceLength).to.equal(33)
    expect(recipeOf('quick', cid, cid, { sequenceLength: 65 }, llama).sequenceLength).to.equal(65)
    expect(() => recipeOf('quick', cid, cid, { sequenceLength: 66 }, llama)).to.throw('at most 65 tokens').with.property('code', 'ERR_MODEL_SETTINGS')
    expect(() => loraShape(gpt2, recipeOf('quick', cid, cid, { targets: ['gate_proj'] }, gpt2))).to.throw().with.property('code', 'ERR_LORA_SHAPE')
  })
})

describe('rows as examples', () => {
  it('are cut on their own, short ones included', () => {
    const { examples, contributionOf, lossMasks } = examplesOf([{ texts: ['ab', '', 'c'.repeat(40)] }, { texts: ['d'] }], bytes, 16, { kind: 'rows' })
    expect(examples.map(ids => bytes.decode(ids))).to.deep.equal(['ab', 'c'.repeat(15), 'c'.repeat(16), 'd'])
    expect([...contributionOf]).to.deep.equal([0, 0, 0, 1])
    expect(examples.every((ids, i) => (ids[0] === bytes.bos) === (i !== 2))).to.equal(true)
    expect(lossMasks).to.equal(undefined)
  })
})

describe('conversations as examples', () => {
  const chat = JSON.stringify([
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello!' },
    { role: 'user', content: 'Bye' },
    { role: 'assistant', content: 'So long.' }
  ])
  const counted = (ids: Uint32Array, mask: Uint8Array): string => [...ids].filter((_, i) => mask[i] === 1).map(id => id === bytes.eos ? '|' : bytes.decode([id])).join('')

  it('count the words of the assistant and what ends them', () => {
    const { examples, contributionOf, lossMasks } = examplesOf([{ texts: [chat] }], bytes, 200, { kind: 'chat' })
    expect(examples).to.have.length(1)
    expect([...contributionOf]).to.deep.equal([0])
    expect(bytes.decode(examples[0])).to.equal('System: Be kind.\nUser: Hi\nAssistant: Hello!\nUser: Bye\nAssistant: So long.')
    expect(counted(examples[0], lossMasks?.[0] ?? new Uint8Array())).to.equal(' Hello!| So long.|')
  })

  it('read both common forms and skip rows that hold none', () => {
    const good = [chat, JSON.stringify({ id: 7, messages: [{ role: 'user', content: 'a' }, { role: 'assistant', content: 'b', weight: 1 }] })]
    const bad = [
      'plain text', '', 'null', '7', '[]', '{}', '[[]]', '{"messages":{}}',
      JSON.stringify([{ role: 'user', content: 'nobody answers' }]),
      JSON.stringify([{ role: 'assistant', content: '' }]),
      JSON.stringify([{ role: 'root', content: 'x' }, { role: 'assistant', content: 'x' }]),
      JSON.stringify([{ role: 'assistant', content: ['x'] }]),
      JSON.stringify(Array.from({ length: 65 }, () => ({ role: 'assistant', content: 'x' }))),
      '['.repeat(100_000)
    ]
    expect(examplesOf([{ texts: [bad[0], good[0], ...bad, good[1]] }], bytes, 200, { kind: 'chat' }).examples).to.have.length(2)
  })

  it('begin as a question to the adapter does', () => {
    const asked = defaultChat.prompt(bytes, [{ role: 'user', content: 'Hi' }])
    const { examples: [tokens], lossMasks } = examplesOf([{ texts: [JSON.stringify([{ role: 'user', content: 'Hi' }, { role: 'assistant', content: 'Hello' }])] }], bytes, 200, { kind: 'chat' })
    expect(tokens.slice(0, asked.length)).to.deep.equal(asked)
    expect(lossMasks?.[0].indexOf(1)).to.equal(asked.length)
  })

  it('are cut, and cuts in which nobody answers are dropped', () => {
    const long = JSON.stringify([{ role: 'user', content: 'x'.repeat(50) }, { role: 'assistant', content: 'y'.repeat(20) }])
    const { examples, lossMasks } = examplesOf([{ texts: [long] }], bytes, 16, { kind: 'chat' })
    expect(examples.every((ids, i) => ids.length <= 16 && lossMasks?.[i].length === ids.length && lossMasks[i].includes(1, 1))).to.equal(true)
    expect(examples.map(ids => bytes.decode(ids)).join('')).to.equal(`ant: ${'y'.repeat(20)}`)
    expect(examples).to.have.length(2)
  })

  it('follow any template', () => {
    const shout = chatTemplate('{{ bos_token }}{% for message in messages %}<{{ message.role }}>{{ message.content }}</>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}')
    const { examples, lossMasks } = examplesOf([{ texts: [chat] }], bytes, 200, { kind: 'chat', template: shout })
    expect(counted(examples[0], lossMasks?.[0] ?? new Uint8Array())).to.equal('Hello!</>So long.</>')
  })
})
