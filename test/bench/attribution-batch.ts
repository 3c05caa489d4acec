/** What it saves to evaluate the adapters of the counterfactual bank in one multi-LoRA batch. */
import { prng } from '../../src/numeric/index.ts'
import { batchedOutcomes, singleOutcomes } from './attribution-outcomes.ts'
import type { Outcomes } from './attribution-outcomes.ts'
import type { BenchResult } from './interface.ts'
import type { LlamaModel, LoraShape } from '../../src/models/index.ts'

const QUERIES = 50
const QUERY_TOKENS = 32

/** Both ways in turns, in processor time; their bits are compared. */
export function batchCosts (model: LlamaModel, shape: LoraShape, quick: boolean): BenchResult[] {
  const random = prng(7)
  const thetas = Array.from({ length: quick ? 4 : 32 }, () => Float64Array.from({ length: shape.parameters }, () => random.nextNormal() / 16))
  const queries = Array.from({ length: QUERIES }, () => ({ tokens: Uint32Array.from({ length: QUERY_TOKENS }, () => random.nextBelow(model.config.vocabularySize)) }))
  const ways = [singleOutcomes(model, shape), batchedOutcomes(model, shape)]
  const times: number[][] = [[], []]
  const bits = new Set<string>()

  for (let round = 0; round < 4; round++) {
    for (const [way, outcomes] of ways.entries()) {
      const { milliseconds, text } = timed(outcomes, thetas, queries)

      bits.add(text)

      // the first round compiles
      if (round > 0) {
        times[way].push(milliseconds)
      }
    }
  }

  if (bits.size !== 1) {
    throw new RangeError('the batch came to other bits than one by one')
  }

  const [single, batched] = times.map(some => some.toSorted((a, b) => a - b)[1])

  return [{
    name: 'bankBatchOfSingle',
    value: single / batched,
    unit: '×',
    detail: `${thetas.length} adapters on ${QUERIES} answers of ${QUERY_TOKENS} tokens: ${Math.round(single)} ms of processor time one by one, ${Math.round(batched)} ms in one multi-LoRA batch, the same bits`
  }]
}

function timed (outcomes: Outcomes, ...given: Parameters<Outcomes>): { milliseconds: number, text: string } {
  const before = process.cpuUsage()
  const found = outcomes(...given)
  const { user, system } = process.cpuUsage(before)

  return { milliseconds: (user + system) / 1000, text: found.map(row => row.join()).join(';') }
}
