import { ChatTemplateError } from './errors.ts'
import type { ChatMessage, ChatRendering, Tokenizer } from './interface.ts'

const NAMES = new Map([['system', 'System:'], ['user', 'User:'], ['assistant', 'Assistant:']])

/**
 * For bases without a template of their own: `User: …`, `Assistant: …` by lines, EOS after each
 * of the assistant's turns so that answers end. Names and contents are encoded one by one, so each
 * beginning of a conversation is a beginning of its tokens. With `opening` they end with what comes
 * before the assistant's next words.
 *
 * @throws {ChatTemplateError} if somebody else speaks
 */
export function plainChat (tokenizer: Tokenizer, messages: readonly ChatMessage[], opening: boolean): ChatRendering {
  const ids = [tokenizer.bos]
  const spans: Array<[number, number]> = []
  const append = (text: string): void => {
    for (const id of tokenizer.encode(text)) {
      ids.push(id)
    }
  }
  messages.forEach(({ role, content }, i) => {
    append(`${i === 0 ? '' : '\n'}${nameOf(role)}`)
    const from = ids.length
    append(` ${content}`)
    if (role === 'assistant') {
      ids.push(tokenizer.eos)
    }
    spans.push([from, ids.length])
  })
  if (opening) {
    append(`${messages.length === 0 ? '' : '\n'}${nameOf('assistant')}`)
  }
  return { tokens: Uint32Array.from(ids), span: turn => spans[turn] }
}

function nameOf (role: string): string {
  const name = NAMES.get(role)
  if (name == null) {
    throw new ChatTemplateError(`expected messages of system, user and assistant but one is of ${JSON.stringify(role.slice(0, 40))}`)
  }
  return name
}
