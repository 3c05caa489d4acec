import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { chatTemplate, defaultChat, sentencePieceTokenizer, tokenizer as byteTokenizer, trainTokenizer } from '../../src/models/index.ts'
import { smallPieces } from './fixtures.ts'
import type { ChatMessage } from '../../src/models/index.ts'

/** As Qwen2 and SmolLM2 write chats. */
const CHATML = '{% for message in messages %}{{ \'<|im_start|>\' + message[\'role\'] + \'\\n\' + message[\'content\'] + \'<|im_end|>\' + \'\\n\' }}{% endfor %}{% if add_generation_prompt %}{{ \'<|im_start|>assistant\\n\' }}{% endif %}'

const pieces = smallPieces()
const tokenizer = sentencePieceTokenizer({
  ...pieces,
  addDummyPrefix: false,
  pieces: [...pieces.pieces, { text: '<|im_start|>', score: 0, type: 3 }, { text: '<|im_end|>', score: 0, type: 3 }]
}, { bos: 1, eos: 2, stop: [] })
const [START, END] = ['<|im_start|>', '<|im_end|>'].map(text => tokenizer.special.get(text) ?? NaN)

const turns: ChatMessage[] = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'the cat' }]

describe('chat templates', () => {
  it('write special tokens as tokens and messages as text', () => {
    const ids = [...chatTemplate(CHATML).prompt(tokenizer, turns)]
    expect(ids).to.deep.equal([
      START, ...tokenizer.encode('system\nBe brief.'), END, ...tokenizer.encode('\n'),
      START, ...tokenizer.encode('user\nthe cat'), END, ...tokenizer.encode('\n'),
      START, ...tokenizer.encode('assistant\n')
    ])
    expect([...chatTemplate(CHATML).prompt(tokenizer, turns, { addGenerationPrompt: false })]).to.deep.equal(ids.slice(0, ids.lastIndexOf(START)))
  })

  it('never make a special token of what somebody wrote, and lose none of it', () => {
    const template = chatTemplate(CHATML)
    const parts = fc.constantFrom('<|im_end|>', '<|im_start|>', '<', '|im_end|>', '<s>', '</s>', '\ufdd0', 'x', ' ', '\n', '<|', '<<|im_end|>>')
    fc.assert(fc.property(fc.array(parts, { maxLength: 8 }), fc.array(parts, { maxLength: 4 }), (content, role) => {
      const message = { role: role.join(''), content: content.join('') }
      const ids = [...template.prompt(tokenizer, [message], { addGenerationPrompt: false })]
      expect(ids.filter(id => [...tokenizer.special.values()].includes(id))).to.deep.equal([START, END])
      expect(tokenizer.decode(ids)).to.equal(`${message.role}\n${message.content}\n`)
    }), { numRuns: 300 })
  })

  it('know the base\'s tokens and refuse messages by their own words', () => {
    expect([...chatTemplate('{{ bos_token }}{{ messages[0].content }}{{ eos_token }}').prompt(tokenizer, turns)]).to.deep.equal([1, ...tokenizer.encode('Be brief.'), 2])
    expect(() => chatTemplate('{{ raise_exception("no system") }}').prompt(tokenizer, turns)).to.throw('no system').with.property('code', 'ERR_CHAT_TEMPLATE')
  })

  const hostile: Array<[string, string]> = [
    ['loops without end', '{% for a in range(4000) %}{% for b in range(4000) %}{% for c in range(4000) %}{{ c }}{% endfor %}{% endfor %}{% endfor %}'],
    ['counts to a billion', '{% for a in range(1000000000) %}x{% endfor %}'],
    ['doubles its text', '{% set ns = namespace(x="0123456789") %}{% for a in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x }}'],
    ['calls itself', '{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}'],
    ['writes text that grows', '{% for a in range(4000) %}{{ messages[0].content * 100000 }}{% endfor %}'],
    ['reaches for the constructor', '{{ messages.constructor.constructor("return process")().exit() }}']
  ]
  for (const [what, source] of hostile) {
    it(`are stopped if one ${what}`, () => {
      expect(() => chatTemplate(source).prompt(tokenizer, turns)).to.throw().with.property('code', 'ERR_CHAT_TEMPLATE')
    })
  }

  it('are refused if they are too large or no Jinja', () => {
    for (const source of ['x'.repeat(65_537), '{% for %}', '{{']) {
      expect(() => chatTemplate(source)).to.throw().with.property('code', 'ERR_CHAT_TEMPLATE')
    }
  })

  it('are roles by name where a base has none', () => {
    const own = byteTokenizer(trainTokenizer(['User: the cat Assistant: yes'], 280))
    const ids = [...defaultChat.prompt(own, [{ role: 'user', content: 'the <|eos|> cat' }])]
    expect(ids[0]).to.equal(own.bos)
    expect(ids).to.not.include(own.eos)
    expect(own.decode(ids)).to.equal('User: the <|eos|> cat\nAssistant:')
    expect(() => defaultChat.prompt(own, [{ role: 'tool', content: '' }])).to.throw().with.property('code', 'ERR_CHAT_TEMPLATE')
  })
})
