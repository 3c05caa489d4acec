/** Recipes of one cost beside each other: what they learn, and how well exact attribution forecasts their retrainings. */
import { prng } from '../../src/numeric/index.ts'
import { openBank } from './attribution-bank.ts'
import { bankRecipe } from './attribution-data.ts'
import { mean, meanSpearman } from './attribution-statistics.ts'
import type { Base, Data, Size } from './attribution-data.ts'
import type { Interval } from './attribution-statistics.ts'
import type { Preset } from '../../src/models/index.ts'

type Changes = Pick<Preset, 'steps' | 'batchSize' | 'learningRateNano'> & Partial<Pick<Preset, 'schedule' | 'epsilonNano' | 'beta2Nano' | 'warmupSteps'>>

export interface RecipeResult extends Changes {
  base: string
  /** nats a token of the queries, before and after */
  loss: { before: number, after: number }
  /** only of recipes worth the retrainings, on the base where it is hard */
  forecast?: { queries: number, subsets: number, lds5: Interval, lds50: Interval, contributor: Interval }
}

/** What `quick` was, what lets it see fewer examples a step, and single changes of the rest. All see 440 to 460 examples. */
const CANDIDATES: Array<Changes & { forecast?: true }> = [
  { steps: 14, batchSize: 32, learningRateNano: 10_000_000, schedule: undefined, forecast: true },
  { steps: 14, batchSize: 32, learningRateNano: 7_000_000, schedule: undefined },
  { steps: 14, batchSize: 32, learningRateNano: 7_000_000, schedule: 'constant' },
  { steps: 14, batchSize: 32, learningRateNano: 10_000_000, schedule: undefined, epsilonNano: 100_000 },
  { steps: 14, batchSize: 32, learningRateNano: 10_000_000, schedule: undefined, beta2Nano: 990_000_000 },
  { steps: 14, batchSize: 32, learningRateNano: 10_000_000, schedule: undefined, warmupSteps: 4 },
  { steps: 20, batchSize: 23, learningRateNano: 7_000_000, schedule: undefined },
  { steps: 28, batchSize: 16, learningRateNano: 5_000_000, schedule: undefined },
  { steps: 20, batchSize: 23, learningRateNano: 5_000_000, schedule: 'constant', forecast: true },
  { steps: 28, batchSize: 16, learningRateNano: 3_500_000, schedule: 'constant', forecast: true },
  { steps: 28, batchSize: 16, learningRateNano: 3_000_000, schedule: 'constant', forecast: true },
  { steps: 40, batchSize: 11, learningRateNano: 2_000_000, schedule: 'constant', forecast: true }
]

/** The base that training moves furthest, so that its forecasts are hardest; the other's are as good by any of these recipes. */
const HARD = 'stories260K'

export interface RecipesOptions {
  folder: string
  size: Size
  subsets: number
  /** of the queries, those that are forecast */
  queries: number
  log (line: string): void
}

export async function recipes (base: Base, data: Data, { folder, size, subsets, queries, log }: RecipesOptions): Promise<RecipeResult[]> {
  const results: RecipeResult[] = []

  for (const { forecast, ...changes } of CANDIDATES) {
    const recipe = { ...bankRecipe(size.sequenceLength, 1), ...changes }
    const bank = openBank(folder, base, data, recipe)
    const loss = { before: -mean(await bank.outcome(new Set(data.examples.keys()))), after: -mean(await bank.outcome(new Set())) }

    results.push({ base: base.name, ...changes, loss, ...(forecast === true && base.name === HARD ? { forecast: await forecastOf(openBank(folder, base, { ...data, queries: data.queries.slice(0, queries) }, recipe), data, subsets, queries) } : {}) })
    log(`${base.name}: ${results.length} of ${CANDIDATES.length} recipes`)
  }

  return results
}

async function forecastOf (bank: ReturnType<typeof openBank>, { examples, groups, contributions }: Data, subsets: number, queries: number): Promise<RecipeResult['forecast']> {
  const scores = await bank.scores('trajectory')
  const ranked = async (drops: Array<Set<number>>): Promise<Interval> => {
    const outcomes: Float64Array[] = []

    for (const dropped of drops) {
      outcomes.push(await bank.outcome(dropped))
    }

    return meanSpearman(scores.map(row => drops.map(dropped => -[...dropped].reduce((sum, i) => sum + row[i], 0))), scores.map((_, q) => outcomes.map(row => row[q])))
  }
  // the first of the subsets that the tables take
  const drawn = (percent: number, count: number): Array<Set<number>> => {
    const random = prng(1000 + percent)

    return Array.from({ length: count }, () => new Set(random.shuffle(examples.length).subarray(0, Math.max(1, Math.round(examples.length * percent / 100)))))
  }

  return {
    queries,
    subsets,
    lds5: await ranked(drawn(5, subsets)),
    lds50: await ranked(drawn(50, Math.ceil(subsets / 2))),
    contributor: await ranked(Array.from({ length: contributions }, (_, c) => new Set([...groups.keys()].filter(i => groups[i] === c))))
  }
}
