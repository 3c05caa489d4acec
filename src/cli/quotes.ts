import { colours as pc } from './colours.ts'
import { printable } from './output.ts'
import type { Output } from './output.ts'
import type { AnswerView, QuoteView } from '../interface/index.ts'

/** Characters of a row that are shown on either side. */
const MARGIN = 40

/** Words with the text around them, on one line. */
export function quoted ({ text, before, after }: Pick<QuoteView, 'text' | 'before' | 'after'>): string {
  const line = (words: string): string => printable(words.replaceAll(/\s+/g, ' '))

  return `“…${line(before).slice(-MARGIN)}${pc.bold(line(text))}${line(after).slice(0, MARGIN)}…”`
}

/** What an answer has word for word from the data, the rarest first. */
export function printCitations (out: Output, { spans = [] }: Pick<AnswerView, 'spans'>): void {
  // an answer may say the same several times
  const lines = new Set(spans.map(({ text, count, citations: [first] }) =>
    `  ${quoted({ text, before: first.before, after: first.after })} ${pc.dim(`${printable(first.title)}, row ${first.row}${count > 1 ? `, one of ${count} places` : ''}`)}`))

  lines.forEach(line => { out.line(line) })

  if (spans.length > 0) {
    out.line()
  }
}
