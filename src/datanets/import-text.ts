import { PARAGRAPH_CHARACTERS_MAX, PARAGRAPH_CHARACTERS_MIN, ROW_BYTES_MAX } from './constants.ts'
import { toRow } from './import-row.ts'
import { lines } from './lines.ts'
import type { ByteSource, ImportOptions } from './import-interface.ts'
import type { Row } from '../interface/index.ts'

/** Whole books have been seen in one line. */
const TEXT_LINE_BYTES_MAX = 64 * ROW_BYTES_MAX

/** The end of the last sentence, else of the last word, that fits. */
const cutAt = (text: string, charactersMax: number): number => {
  const window = text.slice(0, charactersMax + 1)
  let best = -1
  for (const match of window.matchAll(/[.!?]["'”’)\]]{0,2}\s/g)) {
    best = match.index + match[0].length
  }
  // a cut in the first quarter would make crumbs
  if (best < charactersMax / 4) {
    best = window.lastIndexOf(' ') + 1
  }
  if (best < charactersMax / 4) {
    // no space at all: not between the halves of a surrogate pair
    const unit = text.charCodeAt(charactersMax - 1)
    best = unit >= 0xd800 && unit < 0xdc00 ? charactersMax - 1 : charactersMax
  }
  return best
}

function * pieces (paragraph: string, charactersMax: number): Generator<string> {
  let rest = paragraph
  while (rest.length > charactersMax) {
    const at = cutAt(rest, charactersMax)
    yield rest.slice(0, at).trimEnd()
    rest = rest.slice(at).trimStart()
  }
  if (rest !== '') {
    yield rest
  }
}

/** Paragraphs, parted by empty lines; their lines are joined by spaces. One row each, or more where they are long. */
export async function * importText (source: ByteSource, options: ImportOptions, onBytes: (bytes: number) => void, onSkipped: () => void): AsyncGenerator<Row> {
  const charactersMax = Math.max(4, options.charactersMax ?? PARAGRAPH_CHARACTERS_MAX)
  const charactersMin = Math.max(1, options.charactersMin ?? PARAGRAPH_CHARACTERS_MIN)
  let paragraph = ''
  let from = 1

  function * flush (): Generator<Row> {
    for (const text of pieces(paragraph, charactersMax)) {
      if (text.length < charactersMin) {
        onSkipped()
      } else {
        yield toRow({ [options.manifest.textField]: text }, options, { line: from })
      }
    }
    paragraph = ''
  }

  for await (const { text, line } of lines(source, onBytes, TEXT_LINE_BYTES_MAX)) {
    const trimmed = text.replace(/\s+/g, ' ').trim()
    if (trimmed === '') {
      yield * flush()
      continue
    }
    if (paragraph === '') {
      from = line
    } else if (paragraph.length + trimmed.length > 64 * charactersMax) {
      // text without any empty line must not fill the memory
      yield * flush()
    }
    paragraph = paragraph === '' ? trimmed : `${paragraph} ${trimmed}`
  }
  yield * flush()
}
