import { QUERY_CHARACTERS_MAX, ROW_CHARACTERS_MAX } from './constants.ts'

/** What is asked; see `AskRequest`. */
export interface Question {
  prompt: string
  messages?: Array<{ role: string, content: string }>
}

/** What is searched for: the beginning of the prompt. */
export function queryOf ({ prompt }: Question): string {
  return Array.from(prompt.toWellFormed().trim()).slice(0, QUERY_CHARACTERS_MAX).join('').trimEnd()
}

/** Rows as a prompt shows them: numbered from 1, each on one line, cut where they are long. */
export function shownRows (texts: readonly string[]): string {
  return texts.map((text, i) => `[${i + 1}] ${oneLine(text)}`).join('\n')
}

/** What the prompt of an answer with these rows has in it, word for word. */
export function shownWith (texts: readonly string[], query: string): string {
  return `${shownRows(texts)}\n\n${query}`
}

/** The question with rows before its last message: that is where every chat template lets them stand. */
export function questionWith ({ prompt, messages }: Question, texts: readonly string[]): Question {
  const before = (content: string): string => shownWith(texts, content.trimStart())

  return {
    prompt: before(prompt),
    ...(messages == null ? {} : { messages: messages.map((message, i) => i < messages.length - 1 ? message : { ...message, content: before(message.content) }) })
  }
}

/** White space of any kind is one blank, so that no row can look like several. */
function oneLine (text: string): string {
  const characters = Array.from(text.toWellFormed().replaceAll(/\s+/g, ' ').trim())

  return characters.length <= ROW_CHARACTERS_MAX ? characters.join('') : `${characters.slice(0, ROW_CHARACTERS_MAX - 1).join('')}…`
}
