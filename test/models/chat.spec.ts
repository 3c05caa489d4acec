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
    ['doubles its list', '{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = ns.a + ns.a %}{% endfor %}{{ ns.a|length }}'],
    ['holds a list twice in itself', '{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = [ns.a, ns.a] %}{% endfor %}{{ ns.a|tojson }}'],
    ['holds itself', '{% set ns = namespace(a=1) %}{% set ns.a = [ns] %}{{ ns|tojson }}'],
    ['splits text into letters', '{% set ns = namespace(x="a ") %}{% for i in range(21) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x.split("a")|length }}'],
    ['looks through a list over and over', '{% set ns = namespace(s=range(4000)) %}{% for i in range(6) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{% for i in range(4000) %}{% if "x" in ns.s %}{% endif %}{% endfor %}'],
    ['reaches for the constructor', '{{ messages.constructor.constructor("return process")().exit() }}']
  ]
  for (const [what, source] of hostile) {
    it(`are stopped if one ${what}`, () => {
      expect(() => chatTemplate(source).prompt(tokenizer, turns)).to.throw().with.property('code', 'ERR_CHAT_TEMPLATE')
    })
  }

  it('may read all messages at each of a thousand turns', () => {
    const long = Array.from({ length: 1000 }, (_, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content: `the cat ${i}` }))
    const source = '{% for message in messages %}{% if messages[loop.index0 - 1].role != message.role and messages|length > 2 %}{{ message.content }}{% endif %}{% endfor %}'
    expect(tokenizer.decode(chatTemplate(source).prompt(tokenizer, long))).to.equal(long.map(({ content }) => content).join(''))
  })

  /** As published, by the control tokens that they need; what they write for a system prompt, a question, an answer and another question. */
  const published: Record<string, { control: string[], source: string, text: string, system?: false }> = {
    'Llama 3': {
      control: ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
      source: '{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = \'<|start_header_id|>\' + message[\'role\'] + \'<|end_header_id|>\\n\\n\'+ message[\'content\'] | trim + \'<|eot_id|>\' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ \'<|start_header_id|>assistant<|end_header_id|>\\n\\n\' }}{% endif %}',
      text: '<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nthe cat<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\non a mat<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nthe end<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n'
    },
    SmolLM2: {
      control: ['<|im_start|>', '<|im_end|>'],
      source: '{% for message in messages %}{% if loop.first and messages[0][\'role\'] != \'system\' %}{{ \'<|im_start|>system\\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\\n\' }}{% endif %}{{\'<|im_start|>\' + message[\'role\'] + \'\\n\' + message[\'content\'] + \'<|im_end|>\' + \'\\n\'}}{% endfor %}{% if add_generation_prompt %}{{ \'<|im_start|>assistant\\n\' }}{% endif %}',
      text: '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nthe cat<|im_end|>\n<|im_start|>assistant\non a mat<|im_end|>\n<|im_start|>user\nthe end<|im_end|>\n<|im_start|>assistant\n'
    },
    'Qwen2.5 without tools': {
      control: ['<|im_start|>', '<|im_end|>'],
      source: '{%- if tools %}\n    {{- \'<|im_start|>system\\n\' }}\n{%- else %}\n    {%- if messages[0][\'role\'] == \'system\' %}\n        {{- \'<|im_start|>system\\n\' + messages[0][\'content\'] + \'<|im_end|>\\n\' }}\n    {%- else %}\n        {{- \'<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n\' }}\n    {%- endif %}\n{%- endif %}\n{%- for message in messages %}\n    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}\n        {{- \'<|im_start|>\' + message.role + \'\\n\' + message.content + \'<|im_end|>\' + \'\\n\' }}\n    {%- elif message.role == "tool" %}\n        {%- if (loop.index0 == 0) or (messages[loop.index0 - 1].role != "tool") %}\n            {{- \'<|im_start|>user\' }}\n        {%- endif %}\n    {%- endif %}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- \'<|im_start|>assistant\\n\' }}\n{%- endif %}\n',
      text: '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nthe cat<|im_end|>\n<|im_start|>assistant\non a mat<|im_end|>\n<|im_start|>user\nthe end<|im_end|>\n<|im_start|>assistant\n'
    },
    Mistral: {
      control: [],
      system: false,
      source: '{{ bos_token }}{% for message in messages %}{% if (message[\'role\'] == \'user\') != (loop.index0 % 2 == 0) %}{{ raise_exception(\'Conversation roles must alternate user/assistant/user/assistant/...\') }}{% endif %}{% if message[\'role\'] == \'user\' %}{{ \'[INST] \' + message[\'content\'] + \' [/INST]\' }}{% elif message[\'role\'] == \'assistant\' %}{{ message[\'content\'] + eos_token}}{% else %}{{ raise_exception(\'Only user and assistant roles are supported!\') }}{% endif %}{% endfor %}',
      text: '<s>[INST] the cat [/INST]on a mat</s>[INST] the end [/INST]'
    },
    'TinyLlama Chat': {
      control: [],
      source: '{% for message in messages %}\n{% if message[\'role\'] == \'user\' %}\n{{ \'<|user|>\\n\' + message[\'content\'] + eos_token }}\n{% elif message[\'role\'] == \'system\' %}\n{{ \'<|system|>\\n\' + message[\'content\'] + eos_token }}\n{% elif message[\'role\'] == \'assistant\' %}\n{{ \'<|assistant|>\\n\'  + message[\'content\'] + eos_token }}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ \'<|assistant|>\' }}\n{% endif %}\n{% endfor %}',
      text: '<|system|>\nBe brief.</s>\n<|user|>\nthe cat</s>\n<|assistant|>\non a mat</s>\n<|user|>\nthe end</s>\n<|assistant|>\n'
    }
  }
  for (const [title, { control, source, text, system }] of Object.entries(published)) {
    it(`write what they should: ${title}`, () => {
      const names = sentencePieceTokenizer({
        ...pieces,
        addDummyPrefix: false,
        pieces: [...pieces.pieces, ...control.map(name => ({ text: name, score: 0, type: 3 }))]
      }, { bos: 1, eos: 2, stop: [] })
      const messages = [...system === false ? [] : turns.slice(0, 1), ...turns.slice(1), { role: 'assistant', content: 'on a mat' }, { role: 'user', content: 'the end' }]
      const ids = [...chatTemplate(source).prompt(names, messages)]
      const spelled = new Map([...names.special].map(([name, id]) => [id, name]))
      expect(ids.map(id => spelled.get(id) ?? names.decode([id])).join('')).to.equal(text)
      expect(ids.filter(id => spelled.has(id))).to.have.length(text.split(/<s>|<\/s>|<\|im_\w+\|>|<\|\w+_id\|>/).length - 1)
    })
  }

  it('are refused if they are too large or no Jinja', () => {
    for (const source of ['x'.repeat(65_537), '{% for %}', '{{', `x${' \n'.repeat(30_000)}`]) {
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
