import { inferenceEngine } from '../../src/inference/index.ts'
import { chooser, closedLoop, manyAdapters, requests } from './serving-load.ts'
import type { BenchResult } from './interface.ts'
import type { Popularity } from './serving-load.ts'
import type { LlamaModel } from '../../src/models/index.ts'

/** Of each request: short enough that adapters change all the time, long enough that decoding dominates. */
export const SHAPE = { promptTokens: 16, answerTokens: 32 }

interface Case {
  name: string
  adapters: number
  popularity: Popularity
}

const COUNTS = [5, 100, 1000, 2000]

const CASES: Case[] = [
  { name: 'base', adapters: 0, popularity: 'uniform' },
  ...COUNTS.map(adapters => ({ name: String(adapters), adapters, popularity: 'uniform' as const })),
  ...COUNTS.map(adapters => ({ name: `${adapters}Zipf`, adapters, popularity: 'zipf' as const }))
]

/** What a quick run measures. */
const QUICK = ['base', '5', '100', '1000', '2000', '1000Zipf']

/** Each against few adapters that are as popular, and against none. */
const RATIOS = [
  ['1000', '5'], ['2000', '5'], ['100', '5'], ['1000Zipf', '5'], ['2000Zipf', '5'], ['5', 'base'], ['1000', 'base'], ['2000', 'base'], ['1000Zipf', 'base']
]

export interface ThroughputOptions {
  /** of the model, for people */
  label: string
  /** of the names */
  suffix: string
  rank: number
  rounds: number
  sequences: number
  /** only the cases that others rely on */
  quick: boolean
}

/** Best processor time a token of each case: cases take turns, so that a busy neighbour slows none alone. */
function measure (model: LlamaModel, { rank, rounds, sequences, quick }: ThroughputOptions): Map<string, number> {
  const engine = inferenceEngine({ model, adapterBytesMax: 2 ** 30 + 2 ** 29 })
  const adapters = manyAdapters(model, 2000, rank)
  adapters.forEach(lora => { engine.loadAdapter(lora) })
  const best = new Map<string, number>()
  const cases = CASES.filter(({ name }) => !quick || QUICK.includes(name))
  for (let round = 0; round < rounds; round++) {
    for (const { name, adapters: count, popularity } of cases) {
      const choose = chooser(adapters.slice(0, count), popularity, round)
      const ms = closedLoop(engine, requests(model, sequences, SHAPE, choose, `${name}-${round}`))
      best.set(name, Math.min(ms, best.get(name) ?? Infinity))
    }
  }
  return best
}

/** Tokens a second with many adapters as a ratio to few, and to the base alone. */
export function throughput (model: LlamaModel, options: ThroughputOptions): BenchResult[] {
  const { label, suffix, rank } = options
  const best = measure(model, options)
  const of = (name: string): number => best.get(name) ?? NaN
  const micro = (name: string): string => `${(1000 * of(name)).toFixed(0)} µs`
  return RATIOS.filter(([more]) => best.has(more)).map(([more, less]) => ({
    name: `adapters${more}Of${less === 'base' ? 'Base' : less}${suffix}`,
    value: of(less) / of(more),
    unit: 'ratio',
    peer: less === 'base' ? 'no adapter' : '5 adapters',
    detail: `${label}, rank ${rank} on q, k, v, o: ${micro(more)} against ${micro(less)} a token, prompts included, batch of 32, ${more.endsWith('Zipf') ? 'Zipf' : 'uniform'}; S-LoRA states 0.945 at 2,000 of 5`
  }))
}

/** How many times as many tokens a second a full batch gives as one sequence alone. */
export function batchScaling (label: string, suffix: string, model: LlamaModel, rounds: number): BenchResult[] {
  const best = new Map<number, number>()
  const engines = [1, 2, 4, 8, 16, 32].map(batchMax => ({ batchMax, engine: inferenceEngine({ model, batchMax }) }))
  for (let round = 0; round < rounds; round++) {
    for (const { batchMax, engine } of engines) {
      const ms = closedLoop(engine, requests(model, Math.max(4, batchMax), { promptTokens: 1, answerTokens: 32 }, () => [], String(round)))
      best.set(batchMax, Math.min(ms, best.get(batchMax) ?? Infinity))
    }
  }
  const alone = best.get(1) ?? NaN
  return engines.slice(1).map(({ batchMax }) => ({
    name: `batch${batchMax}Of1${suffix}`,
    value: alone / (best.get(batchMax) ?? NaN),
    unit: 'ratio',
    peer: 'one at a time',
    detail: `${label}, tokens a second of decoding: ${(1000 / alone).toFixed(0)} alone, ${(1000 / (best.get(batchMax) ?? NaN)).toFixed(0)} in a batch of ${batchMax}`
  }))
}
