import { CONVERSATION_TURNS_MAX } from './constants.ts'
import type { Tokenizer } from './interface.ts'

const ROLES = ['system', 'user', 'assistant'] as const

/** One turn of a conversation. */
export interface ChatTurn {
  role: typeof ROLES[number]
  content: string
}

/**
 * A conversation as token ids, BOS included; with `opening` also what comes before the assistant's
 * next words. Must be a function of its arguments alone.
 */
export type ChatRenderer = (turns: readonly ChatTurn[], opening: boolean) => ArrayLike<number>

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
 * Tokens and mask of a conversation. What counts is where the rendering of the turns up to an
 * assistant's goes on from the rendering that asks for it, so any template serves.
 */
export function chatExample (turns: readonly ChatTurn[], render: ChatRenderer): ChatExample {
  const tokens = Uint32Array.from(render(turns, false))
  const mask = new Uint8Array(tokens.length)
  turns.forEach(({ role }, i) => {
    if (role === 'assistant') {
      mask.fill(1, common(tokens, render(turns.slice(0, i), true)), common(tokens, render(turns.slice(0, i + 1), false)))
    }
  })
  // BOS is given
  mask[0] = 0
  return { tokens, mask }
}

/**
 * For bases without a template of their own: `User: …`, `Assistant: …` by lines, EOS after each
 * of the assistant's turns so that answers end.
 */
export function plainChat (tokenizer: Tokenizer): ChatRenderer {
  const name = { system: 'System:', user: 'User:', assistant: 'Assistant:' }
  return (turns, opening) => {
    const ids = [tokenizer.bos]
    const append = (text: string): void => {
      for (const id of tokenizer.encode(text)) {
        ids.push(id)
      }
    }
    turns.forEach(({ role, content }, i) => {
      append(`${i === 0 ? '' : '\n'}${name[role]}`)
      append(` ${content}`)
      if (role === 'assistant') {
        ids.push(tokenizer.eos)
      }
    })
    if (opening) {
      append(`${turns.length === 0 ? '' : '\n'}${name.assistant}`)
    }
    return ids
  }
}

function common (a: ArrayLike<number>, b: ArrayLike<number>): number {
  let i = 0
  while (i < a.length && i < b.length && a[i] === b[i]) {
    i++
  }
  return i
}

function fieldOf (value: unknown, field: string): unknown {
  return typeof value === 'object' && value != null && Object.hasOwn(value, field) ? (value as Record<string, unknown>)[field] : undefined
}
