import { Environment, parse, tokenize } from '@huggingface/jinja'
import { plainChat } from './chat-examples.ts'
import { BoundedInterpreter } from './chat-interpreter.ts'
import { CHAT_OUTPUT_CHARACTERS_MAX, CHAT_TEMPLATE_BYTES_MAX, CHAT_TEMPLATE_SPACE_MAX, TEMPLATE_MESSAGES_MAX } from './constants.ts'
import { ChatTemplateError } from './errors.ts'
import type { JinjaEnvironment } from './chat-interpreter.ts'
import type { ChatMessage, ChatTemplate, Tokenizer } from './interface.ts'

/** The template of bases that bring none: roles by name, a line for each turn, and the end after each answer. */
export const defaultChat: ChatTemplate = {
  prompt (tokenizer, messages, { addGenerationPrompt = true } = {}) {
    checkMessages(messages)
    const turns = messages.map(({ role, content }) => {
      if (role !== 'system' && role !== 'user' && role !== 'assistant') {
        throw new ChatTemplateError(`expected messages of system, user and assistant but one is of ${JSON.stringify(role.slice(0, 40))}`)
      }
      return { role, content } as const
    })
    return Uint32Array.from(Array.from(plainChat(tokenizer)(turns, addGenerationPrompt)))
  }
}

/** Characters that Unicode keeps for a program's own use: one that occurs in no message marks what came from people. */
const MARKS = Array.from({ length: 32 }, (_, i) => String.fromCodePoint(0xfdd0 + i))

/**
 * A chat template in Jinja, as Hugging Face's models bring one. Bounded in its size, in the
 * steps that it takes and in all that these make, since it comes with a model from strangers.
 *
 * @example
 * ```ts
 * const template = chatTemplate(await readFile('chat_template.jinja', 'utf8'))
 * const prompt = template.prompt(tokenizer, [{ role: 'user', content: 'Hello' }])
 * ```
 * @throws {ChatTemplateError} if it is too large or no Jinja
 */
export function chatTemplate (source: string): ChatTemplate {
  if (new TextEncoder().encode(source).length > CHAT_TEMPLATE_BYTES_MAX) {
    throw new ChatTemplateError(`expected a chat template of at most ${CHAT_TEMPLATE_BYTES_MAX} bytes but got ${source.length} characters`)
  }
  if (source.match(/\s+/g)?.some(run => run.length > CHAT_TEMPLATE_SPACE_MAX) === true) {
    throw new ChatTemplateError(`expected a chat template without more than ${CHAT_TEMPLATE_SPACE_MAX} characters of space in a row`)
  }
  const program = guarded<unknown>(() => parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true })))

  function render (messages: ChatMessage[], tokenizer: Tokenizer, addGenerationPrompt: boolean): string {
    const nameOf = (id: number): string => [...tokenizer.special].find(([, one]) => one === id)?.[0] ?? ''
    const environment: JinjaEnvironment = new Environment()
    for (const [name, value] of Object.entries({ true: true, false: false, none: null, True: true, False: false, None: null })) {
      environment.set(name, value)
    }
    environment.set('raise_exception', (message: unknown) => {
      throw new ChatTemplateError(`the chat template refuses these messages: ${String(message).slice(0, 200)}`)
    })
    environment.set('range', boundedRange)
    environment.set('messages', messages)
    environment.set('add_generation_prompt', addGenerationPrompt)
    environment.set('bos_token', nameOf(tokenizer.bos))
    environment.set('eos_token', nameOf(tokenizer.eos))
    return guarded(() => {
      const { value } = new BoundedInterpreter(environment).run(program)
      if (typeof value !== 'string') {
        throw new ChatTemplateError('expected the chat template to write text')
      }
      return value
    })
  }

  return {
    prompt (tokenizer, messages, { addGenerationPrompt = true } = {}) {
      checkMessages(messages)
      const mark = markFor(source, messages)
      const starts = new Set([...tokenizer.special.keys()].map(text => String.fromCodePoint(text.codePointAt(0) ?? 0)))
      const marked = messages.map(({ role, content }) => ({
        role: markText(role, starts, mark),
        content: markText(content, starts, mark)
      }))
      return encodeMarked(tokenizer, render(marked, tokenizer, addGenerationPrompt), mark)
    }
  }
}

function checkMessages (messages: readonly ChatMessage[]): void {
  if (messages.length > TEMPLATE_MESSAGES_MAX) {
    throw new ChatTemplateError(`expected at most ${TEMPLATE_MESSAGES_MAX} messages but got ${messages.length}`)
  }
  const characters = messages.reduce((sum, { role, content }) => sum + role.length + content.length, 0)
  if (characters > CHAT_OUTPUT_CHARACTERS_MAX / 2) {
    throw new ChatTemplateError(`expected messages of at most ${CHAT_OUTPUT_CHARACTERS_MAX / 2} characters together but got ${characters}`)
  }
}

function markFor (source: string, messages: readonly ChatMessage[]): string {
  const mark = MARKS.find(one => !source.includes(one) && messages.every(({ role, content }) => !role.includes(one) && !content.includes(one)))
  if (mark == null) {
    throw new ChatTemplateError('expected messages without the noncharacters U+FDD0 … U+FDEF')
  }
  return mark
}

/** After every character with which a special token could begin: what is marked is text. */
function markText (text: string, starts: ReadonlySet<string>, mark: string): string {
  return Array.from(text.toWellFormed(), character => starts.has(character) ? character + mark : character).join('')
}

/** Special tokens where the template wrote them, longest first; everything else as text. */
function encodeMarked (tokenizer: Tokenizer, rendered: string, mark: string): Uint32Array {
  const special = new Map<number, Array<{ name: string, id: number, first: number }>>()
  for (const [name, id] of [...tokenizer.special].sort(([a], [b]) => b.length - a.length)) {
    const first = String.fromCodePoint(name.codePointAt(0) ?? 0).length
    special.set(name.charCodeAt(0), [...special.get(name.charCodeAt(0)) ?? [], { name, id, first }])
  }
  const ids: number[] = []
  let from = 0
  const text = (to: number): void => {
    if (to > from) {
      for (const id of tokenizer.encode(rendered.slice(from, to).replaceAll(mark, ''))) {
        ids.push(id)
      }
    }
  }
  for (let at = 0; at < rendered.length; at++) {
    const found = special.get(rendered.charCodeAt(at))?.find(({ name, first }) => rendered.startsWith(name, at) && !rendered.startsWith(mark, at + first))
    if (found != null) {
      text(at)
      ids.push(found.id)
      from = at + found.name.length
      at = from - 1
    }
  }
  text(rendered.length)
  return Uint32Array.from(ids)
}

function boundedRange (start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop == null ? [0, start] : [start, stop]
  const count = Math.max(0, Math.ceil((to - from) / step))
  if (!(count <= TEMPLATE_MESSAGES_MAX * 4)) {
    throw new ChatTemplateError(`expected a range of at most ${TEMPLATE_MESSAGES_MAX * 4} numbers but got ${count}`)
  }
  return Array.from({ length: count }, (_, i) => from + i * step)
}

function guarded<T> (run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw cause instanceof ChatTemplateError ? cause : new ChatTemplateError(`expected a chat template in Jinja but it fails: ${cause instanceof Error ? cause.message.slice(0, 200) : String(cause)}`, { cause })
  }
}
