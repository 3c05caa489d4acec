import { Environment, parse, tokenize } from '@huggingface/jinja'
import { commonTokens, encodeMarked, markFor, markMessages, sharedTokens } from './chat-encode.ts'
import { BoundedInterpreter } from './chat-interpreter.ts'
import { plainChat } from './chat-plain.ts'
import { CHAT_OUTPUT_CHARACTERS_MAX, CHAT_TEMPLATE_BYTES_MAX, CHAT_TEMPLATE_SPACE_MAX, TEMPLATE_MESSAGES_MAX } from './constants.ts'
import { ChatTemplateError } from './errors.ts'
import type { Encoded } from './chat-encode.ts'
import type { JinjaEnvironment } from './chat-interpreter.ts'
import type { ChatMessage, ChatTemplate, Tokenizer } from './interface.ts'

/** The template of bases that bring none: roles by name, a line for each turn, and the end after each answer. */
export const defaultChat: ChatTemplate = {
  prompt (tokenizer, messages, { addGenerationPrompt = true } = {}) {
    checkMessages(messages)
    return plainChat(tokenizer, messages, addGenerationPrompt).tokens
  },
  conversation (tokenizer, turns) {
    return plainChat(tokenizer, turns, false)
  }
}

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
      const { value } = new BoundedInterpreter(environment, charactersOf(messages)).run(program)
      if (typeof value !== 'string') {
        throw new ChatTemplateError('expected the chat template to write text')
      }
      return value
    })
  }

  function encode (tokenizer: Tokenizer, messages: readonly ChatMessage[], addGenerationPrompt: boolean): Encoded {
    const mark = markFor(source, messages)
    return encodeMarked(tokenizer, render(markMessages(messages, tokenizer, mark), tokenizer, addGenerationPrompt), mark)
  }

  return {
    prompt (tokenizer, messages, { addGenerationPrompt = true } = {}) {
      checkMessages(messages)
      return encode(tokenizer, messages, addGenerationPrompt).tokens
    },
    conversation (tokenizer, turns) {
      checkMessages(turns)
      const mark = markFor(source, turns)
      const marked = markMessages(turns, tokenizer, mark)
      const whole = encodeMarked(tokenizer, render(marked, tokenizer, false), mark)

      /** Tokens that the whole has in common with its first turns. A template may look ahead, so each beginning is rendered. */
      const shared = (count: number, opening: boolean): number => {
        if (count === turns.length && !opening) {
          return whole.tokens.length
        }
        const beginning = turns.slice(0, count)
        return markFor(source, beginning) === mark
          ? sharedTokens(tokenizer, whole, render(marked.slice(0, count), tokenizer, opening), mark)
          : commonTokens(whole.tokens, encode(tokenizer, beginning, opening).tokens)
      }

      return { tokens: whole.tokens, span: turn => [shared(turn, true), shared(turn + 1, false)] }
    }
  }
}

function checkMessages (messages: readonly ChatMessage[]): void {
  if (messages.length > TEMPLATE_MESSAGES_MAX) {
    throw new ChatTemplateError(`expected at most ${TEMPLATE_MESSAGES_MAX} messages but got ${messages.length}`)
  }
  const characters = charactersOf(messages)
  if (characters > CHAT_OUTPUT_CHARACTERS_MAX / 2) {
    throw new ChatTemplateError(`expected messages of at most ${CHAT_OUTPUT_CHARACTERS_MAX / 2} characters together but got ${characters}`)
  }
}

function charactersOf (messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, { role, content }) => sum + role.length + content.length, 0)
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
