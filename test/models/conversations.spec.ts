import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { chatExample, chatTemplate, defaultChat, sentencePieceTokenizer } from '../../src/models/index.ts'
import { smallPieces } from './fixtures.ts'
import type { ChatTemplate, ChatTurn, Tokenizer } from '../../src/models/index.ts'

const pieces = smallPieces()
// one special token begins another one, and one ends in what begins them
const SPECIAL = ['<|im_start|>', '<|im_end|>', '<|im_end|>!', '<', '|x<']
const tokenizer = sentencePieceTokenizer({ ...pieces, addDummyPrefix: false, pieces: [...pieces.pieces, ...SPECIAL.map(text => ({ text, score: 0, type: 3 }))] }, { bos: 1, eos: 2, stop: [] })

const CHATML = '{% for m in messages %}{{ \'<|im_start|>\' + m.role + \'\\n\' + m.content + \'<|im_end|>\' + \'\\n\' }}{% endfor %}{% if add_generation_prompt %}{{ \'<|im_start|>assistant\\n\' }}{% endif %}'

const templates: Record<string, ChatTemplate> = {
  'a default': defaultChat,
  ChatML: chatTemplate(CHATML),
  'one that trims, and ends texts with no special token': chatTemplate('{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content | trim }}\n{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}'),
  'one that looks ahead': chatTemplate('{% for m in messages %}<|im_start|>{{ m.role }} {% if loop.last %}last {% endif %}of {{ messages | length }}: {{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant last of {{ messages | length + 1 }}: {% endif %}'),
  'one that writes special tokens side by side': chatTemplate('{% for m in messages %}<|im_end|>{{ m.content }}|x<{% endfor %}{% if add_generation_prompt %}<|im_end|>!{% endif %}'),
  'one that refuses two of a role': chatTemplate('{% for m in messages %}{% if loop.index0 > 0 and messages[loop.index0 - 1].role == m.role %}{{ raise_exception("twice") }}{% endif %}<|im_start|>{{ m.content }}{% endfor %}')
}

const turn = fc.record({
  role: fc.constantFrom('system' as const, 'user' as const, 'assistant' as const),
  content: fc.array(fc.constantFrom(...SPECIAL, ' ', 'the', '!', '|', '\n', '\uFDD0', '\uFDD1', '\uD800', 'é', '[assistant] '), { maxLength: 6 }).map(parts => parts.join(''))
})

/** What the mask means: every beginning of the conversation rendered and encoded anew. */
function anew (turns: ChatTurn[], { prompt }: ChatTemplate): { tokens: Uint32Array, mask: Uint8Array } {
  const shared = (other: Uint32Array): number => {
    const at = tokens.findIndex((id, i) => id !== other[i])

    return at < 0 ? tokens.length : at
  }
  const tokens = prompt(tokenizer, turns, { addGenerationPrompt: false })
  const mask = new Uint8Array(tokens.length)

  turns.forEach(({ role }, i) => {
    if (role === 'assistant') {
      mask.fill(1, shared(prompt(tokenizer, turns.slice(0, i))), shared(prompt(tokenizer, turns.slice(0, i + 1), { addGenerationPrompt: false })))
    }
  })
  mask[0] = 0

  return { tokens, mask }
}

/** The result, or the code of the error. */
function outcome (run: () => unknown): unknown {
  try {
    return run()
  } catch (err) {
    return (err as { code?: string }).code ?? err
  }
}

describe('conversations to learn from', () => {
  for (const [name, template] of Object.entries(templates)) {
    it(`have the tokens and the mask of every beginning rendered anew: ${name}`, () => {
      fc.assert(fc.property(fc.array(turn, { minLength: 1, maxLength: 5 }), turns => {
        expect(outcome(() => chatExample(turns, template, tokenizer))).to.deep.equal(outcome(() => anew(turns, template)))
      }), { numRuns: 150 })
    })
  }

  for (const name of ['a default', 'ChatML']) {
    it(`encode each text twice at most, however many turns follow it: ${name}`, () => {
      const turns: ChatTurn[] = Array.from({ length: 64 }, (_, i) => ({ role: i % 2 === 0 ? 'user' : 'assistant', content: 'the cat'.repeat(5) }))
      let characters = 0
      const counting: Tokenizer = { ...tokenizer, encode: text => { characters += text.length; return tokenizer.encode(text) } }

      templates[name].prompt(counting, turns)
      const once = characters

      characters = 0
      chatExample(turns, templates[name], counting)
      expect(characters).to.be.lessThanOrEqual(once * 2)
    })
  }
})
