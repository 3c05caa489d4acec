import { CONVERSATION_TURNS_MAX } from './constants.ts'
import type { ChatTemplate, Tokenizer } from './interface.ts'

const ROLES = ['system', 'user', 'assistant'] as const

/** One turn of a conversation. */
export interface ChatTurn {
  role: typeof ROLES[number]
  content: string
}

/** A conversation with what counts in it: 1 for the assistant's tokens, those that end its turn included. */
export interface ChatExample {
  tokens: Uint32Array
  mask: Uint8Array
}

/**
 * The conversation in a row: JSON, a list of `{ "role", "content" }` or `{ "messages": [ … ] }`.
 * Undefined where a row is none, or where no assistant speaks: such rows teach nothing, and one
 * stranger's row must not stop everyone's training.
 */
export function parseChat (text: string): ChatTurn[] | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const messages: unknown = Array.isArray(value) ? value : fieldOf(value, 'messages')
  if (!Array.isArray(messages) || messages.length > CONVERSATION_TURNS_MAX) {
    return undefined
  }
  const turns: ChatTurn[] = []
  for (const message of messages) {
    const content = fieldOf(message, 'content')
    const role = ROLES.find(one => one === fieldOf(message, 'role'))
    if (role == null || typeof content !== 'string') {
      return undefined
    }
    turns.push({ role, content })
  }
  return turns.some(({ role, content }) => role === 'assistant' && content !== '') ? turns : undefined
}

/**
 * Tokens and mask of a conversation: what the assistant says counts.
 *
 * @throws {ChatTemplateError} if the template refuses the turns
 */
export function chatExample (turns: readonly ChatTurn[], template: ChatTemplate, tokenizer: Tokenizer): ChatExample {
  const { tokens, span } = template.conversation(tokenizer, turns)
  const mask = new Uint8Array(tokens.length)
  turns.forEach(({ role }, i) => {
    if (role === 'assistant') {
      mask.fill(1, ...span(i))
    }
  })
  // BOS is given
  mask[0] = 0
  return { tokens, mask }
}

function fieldOf (value: unknown, field: string): unknown {
  return typeof value === 'object' && value != null && Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined
}
