import { ChatTemplateError } from './errors.ts'
import type { ChatMessage, Tokenizer } from './interface.ts'

/** Characters that Unicode keeps for a program's own use: one that occurs in no message marks what came from people. */
const MARKS = Array.from({ length: 32 }, (_, i) => String.fromCodePoint(0xfdd0 + i))

/** A rendering as tokens, and where it may be taken apart: what stands behind a special token is encoded on its own. */
export interface Encoded {
  text: string
  tokens: Uint32Array
  /** ends of the special tokens, in characters and in tokens */
  cuts: ReadonlyArray<{ at: number, count: number }>
}

/** A character that is neither in a template nor in what people wrote. */
export function markFor (source: string, messages: readonly ChatMessage[]): string {
  const mark = MARKS.find(one => !source.includes(one) && messages.every(({ role, content }) => !role.includes(one) && !content.includes(one)))
  if (mark == null) {
    throw new ChatTemplateError('expected messages without the noncharacters U+FDD0 … U+FDEF')
  }
  return mark
}

/** Messages with a mark after every character with which a special token could begin: what is marked is text. */
export function markMessages (messages: readonly ChatMessage[], { special }: Tokenizer, mark: string): ChatMessage[] {
  const starts = new Set([...special.keys()].map(text => String.fromCodePoint(text.codePointAt(0) ?? 0)))
  return messages.map(({ role, content }) => ({ role: markText(role, starts, mark), content: markText(content, starts, mark) }))
}

function markText (text: string, starts: ReadonlySet<string>, mark: string): string {
  return Array.from(text.toWellFormed(), character => starts.has(character) ? character + mark : character).join('')
}

/** Special tokens where the template wrote them, longest first; everything else as text. */
export function encodeMarked (tokenizer: Tokenizer, rendered: string, mark: string): Encoded {
  const special = new Map<number, Array<{ name: string, id: number, first: number }>>()
  for (const [name, id] of [...tokenizer.special].sort(([a], [b]) => b.length - a.length)) {
    const first = String.fromCodePoint(name.codePointAt(0) ?? 0).length
    special.set(name.charCodeAt(0), [...special.get(name.charCodeAt(0)) ?? [], { name, id, first }])
  }
  const ids: number[] = []
  const cuts: Array<{ at: number, count: number }> = []
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
      cuts.push({ at: from, count: ids.length })
    }
  }
  text(rendered.length)
  return { text: rendered, tokens: Uint32Array.from(ids), cuts }
}

/**
 * How many leading tokens a rendering shares with another one, of which only what stands behind the
 * last special token that both have is encoded. To see a special token one looks no further than the
 * longest of them and the mark.
 */
export function sharedTokens (tokenizer: Tokenizer, { text, tokens, cuts }: Encoded, other: string, mark: string): number {
  const reach = Math.max(0, ...[...tokenizer.special.keys()].map(name => name.length)) + mark.length
  const same = text.startsWith(other) ? other.length : common(text, other, (a, b, i) => a.charCodeAt(i) === b.charCodeAt(i))
  const { at, count } = cuts.findLast(cut => cut.at + reach <= same) ?? { at: 0, count: 0 }
  const rest = encodeMarked(tokenizer, other.slice(at), mark).tokens
  return count + commonTokens(tokens.subarray(count), rest)
}

/** How many leading tokens two lists share. */
export function commonTokens (a: ArrayLike<number>, b: ArrayLike<number>): number {
  return common(a, b, (a, b, i) => a[i] === b[i])
}

function common<T extends { length: number }> (a: T, b: T, equal: (a: T, b: T, i: number) => boolean): number {
  const length = Math.min(a.length, b.length)
  let i = 0
  while (i < length && equal(a, b, i)) {
    i++
  }
  return i
}
