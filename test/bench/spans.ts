/**
 * The index of verbatim matches: parts of contributions, and the levels that they are merged into,
 * asked the same in one run. infini-gram (arXiv 2401.17377, §3) publishes 7 bytes a token, 20 ms to
 * count, and 48 h for 1.4 T tokens on 128 processors, from disk; OLMoTrace (arXiv 2504.07096) 4.5 s
 * for all spans of an answer of 450 tokens.
 */
import { PART_SYMBOLS_MAX, SORTED_TOGETHER_MIN, finish, joinParts, levelsOf, mergeParts, openPart, partBuilder, spansIndex } from '../../src/attribution/index.ts'
import { rawCid, utf8 } from '../../src/wire/index.ts'
import { attributionLatency } from './attribution-latency.ts'
import { spanRows } from './spans-data.ts'
import type { Bench, BenchResult } from './interface.ts'
import type { Level, SpanPart } from '../../src/attribution/index.ts'
import type { CID } from 'multiformats/cid'

const INFINIGRAM_BYTES = 7
const INFINIGRAM_COUNT_MS = 20
const OLMOTRACE_MS = 4_500
const ANSWER_TOKENS = 450

/** Tokens of one contribution: a hundred rows or so. */
const CONTRIBUTION_TOKENS = 10_000

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]

export const run: Bench = async ({ quick }) => {
  const sizes = quick ? [1e5, 1e6] : [1e5, 1e6, 1e7]
  const { rows, vocabularySize } = await spanRows(Math.max(...sizes))
  const results: BenchResult[] = []

  for (const size of sizes) {
    results.push(...measure(rows, size, vocabularySize))
  }

  return [...results, ...await attributionLatency(quick ? 10 : 40)]
}

/** Contributions one after the other, each indexed by itself, then merged as a node does that has none of it yet. */
function measure (rows: readonly Uint32Array[], size: number, vocabularySize: number): BenchResult[] {
  const contributions: CID[] = []
  const begun = performance.now()
  const { parts, used } = partsOf(rows, size, vocabularySize, contributions)
  const built = performance.now()
  const levels = levelsOf(parts.map(({ symbols }) => symbols)).map(level => makeLevel(parts, level))
  const merged = performance.now()
  const [apart, together] = [parts, levels].map(some => spansIndex(some, contributions))
  const name = `spans${size.toExponential(0).replace('+', '')}`
  const seconds = (from: number, to: number): string => `${((to - from) / 1000).toFixed(1)} s`
  const asked = questions(rows.slice(0, used))
  const before = time(apart, asked)
  const after = time(together, asked)

  if (JSON.stringify(asked.answers.map(answer => together.count(answer.slice(0, 8)))) !== JSON.stringify(asked.answers.map(answer => apart.count(answer.slice(0, 8))))) {
    throw new RangeError('merged levels count otherwise than parts')
  }

  return [
    { name: `${name}BytesOfInfinigram`, value: INFINIGRAM_BYTES / (together.bytes / together.tokens), unit: '×', peer: `infini-gram, ${INFINIGRAM_BYTES} bytes a token, published`, detail: `${(together.bytes / together.tokens).toFixed(2)} bytes a token, text included; ${together.tokens} tokens of ${contributions.length} contributions in ${levels.length} levels` },
    { name: `${name}Build`, value: together.tokens / 1000 / (merged - begun), unit: 'M tokens/s', detail: `one thread: contributions sorted in ${seconds(begun, built)}, merged in ${seconds(built, merged)}` },
    { name: `${name}CountMs`, value: after.count, unit: 'ms', peer: `infini-gram, ${INFINIGRAM_COUNT_MS} ms, published, over 5 T tokens on disk`, detail: `median of 60 sequences, in memory; ${before.count.toFixed(2)} ms in ${parts.length} parts` },
    { name: `${name}FindMs`, value: after.find, unit: 'ms', peer: `OLMoTrace, ${OLMOTRACE_MS} ms, published, over 4.6 T tokens on disk`, detail: `median of 20 answers of ${ANSWER_TOKENS} tokens, with citations; ${before.find.toFixed(1)} ms in ${parts.length} parts` },
    { name: `${name}MergedOfParts`, value: before.find / after.find, unit: '×', detail: 'time to find all spans of an answer in parts over that in levels' }
  ]
}

function partsOf (rows: readonly Uint32Array[], size: number, vocabularySize: number, contributions: CID[]): { parts: SpanPart[], used: number } {
  const parts: SpanPart[] = []
  let used = 0

  for (let tokens = 0; tokens < size && used < rows.length;) {
    const contribution = rawCid(utf8(`contribution ${used}`))
    const builder = partBuilder({ vocabularySize, contribution })
    const end = tokens + CONTRIBUTION_TOKENS

    while (tokens < end && used < rows.length) {
      builder.add(rows[used])
      tokens += rows[used++].length
    }

    const encoded = builder.end()

    contributions.push(contribution)
    parts.push(...encoded == null ? [] : [openPart(encoded)])
  }

  return { parts, used }
}

function makeLevel (parts: readonly SpanPart[], { first, end, symbols, halves }: Level): SpanPart {
  if (halves == null) {
    return parts[first]
  }

  return openPart(symbols <= PART_SYMBOLS_MAX && end - first >= SORTED_TOGETHER_MIN
    ? joinParts(parts.slice(first, end))
    : finish(mergeParts(makeLevel(parts, halves[0]), makeLevel(parts, halves[1]))))
}

/** Answers that quote: pieces of rows beside one another, which is more work than text that nobody wrote. */
function questions (rows: readonly Uint32Array[]): { answers: number[][] } {
  return { answers: Array.from({ length: 20 }, (_, a) => Array.from({ length: 60 }, (_, i) => [...rows[(a * 7919 + i * 104729) % rows.length].subarray(0, 12)]).flat().slice(0, ANSWER_TOKENS)) }
}

function time (index: ReturnType<typeof spansIndex>, { answers }: { answers: number[][] }): { find: number, count: number } {
  const timed = (work: () => void): number => {
    const start = performance.now()

    work()

    return performance.now() - start
  }

  return {
    find: median(answers.map(answer => timed(() => index.find(answer)))),
    count: median(answers.flatMap(answer => [3, 5, 8].map(length => timed(() => index.count(answer.slice(0, length))))))
  }
}
