/** Measures every method against retraining on one dataset and base. */
import { METHOD_MEANINGS } from '../../src/attribution/index.ts'
import { prng } from '../../src/numeric/index.ts'
import { openBank } from './attribution-bank.ts'
import { bankRecipe } from './attribution-data.ts'
import { aucInterval, mean, meanSpearman } from './attribution-statistics.ts'
import type { Bank } from './attribution-bank.ts'
import type { Base, Data, DatasetName, Size } from './attribution-data.ts'
import type { Interval } from './attribution-statistics.ts'
import type { AttributionMethod } from '../../src/interface/index.ts'
import type { Preset } from '../../src/models/index.ts'

export const METHODS = Object.keys(METHOD_MEANINGS) as AttributionMethod[]

export interface MethodResult {
  method: AttributionMethod
  /** forecast and retrainings of the same seed, mean over the seeds */
  lds5: Interval
  lds50: Interval
  /** both averaged over the seeds first */
  lds5Averaged: Interval
  lds50Averaged: Interval
  /** forecast of one seed, retrainings of the others: what luck a seed has */
  lds5Crossed?: number
  contributor: Interval
  contributorAveraged: Interval
  /** of examples by their scores for the margin of right over wrong labels, lowest first */
  mislabel?: Interval
  /** fall of the mean log-likelihood, in nats per token, without the k contributions credited most; by k */
  topFall: Record<number, number>
}

export interface ExperimentResult {
  dataset: DatasetName
  base: string
  size: Size
  recipe: Preset
  seeds: number[]
  retrainings: number
  methods: MethodResult[]
  /** the same fall without k contributions at random: mean and the largest seen */
  randomFall: Record<number, { mean: number, most: number }>
  /** share of queries with the likelier label right, where they have labels */
  accuracy?: number
  /** log-likelihood of the queries before and after training, nats per token */
  gain: { before: number, after: number }
  /** points of the exact method's plot: forecast and actual change of some queries' log-likelihood */
  points: Array<{ share: 5 | 50, forecast: number, actual: number }>
}

const TOP = [1, 2, 4]

interface SeedResult {
  subsets: Record<5 | 50, { dropped: Array<Set<number>>, outcomes: Float64Array[] }>
  all: Float64Array
  leaveOut: Float64Array[]
  scores: Map<AttributionMethod, Float64Array[]>
  bank: Bank
}

export interface ExperimentOptions {
  folder: string
  seeds: number[]
  retrainings: number
  size: Size
  recipe?: Partial<Preset>
  /**
   * Draws of contributions that are removed at random.
   *
   * @default 6
   */
  randomDraws?: number
  log (line: string): void
}

export async function experiment (dataset: DatasetName, base: Base, data: Data, options: ExperimentOptions): Promise<ExperimentResult> {
  const { seeds, retrainings, size, log } = options
  const recipe = { ...bankRecipe(size.sequenceLength, 0), ...options.recipe }
  const results: SeedResult[] = []

  for (const seed of seeds) {
    const bank = openBank(options.folder, base, data, { ...recipe, seed })

    results.push(await oneSeed(bank, data, retrainings, line => { log(`${dataset} ${base.name} seed ${seed}: ${line}`) }))
  }

  const methods: MethodResult[] = []

  for (const method of METHODS) {
    methods.push(await judge(method, data, results))
  }

  const { seed: _, ...plain } = recipe

  return {
    dataset,
    base: base.name,
    size,
    recipe: plain,
    seeds,
    retrainings,
    methods,
    randomFall: await randomFalls(data, results, options.randomDraws ?? 6),
    ...(data.wrong === undefined ? {} : { accuracy: mean(await Promise.all(results.map(async ({ bank }) => bank.accuracy()))) }),
    gain: { before: mean(await results[0].bank.outcome(everything(data))), after: mean(results.map(({ all }) => mean(all))) },
    points: points(data, results[0])
  }
}

async function oneSeed (bank: Bank, data: Data, retrainings: number, log: (line: string) => void): Promise<SeedResult> {
  const all = await bank.outcome(new Set())
  const scores = new Map<AttributionMethod, Float64Array[]>()
  const drops = (percent: number): Array<Set<number>> => {
    // the same subsets for every seed of training
    const random = prng(1000 + percent)
    const count = Math.max(1, Math.round(data.examples.length * percent / 100))

    return Array.from({ length: retrainings }, () => new Set(random.shuffle(data.examples.length).subarray(0, count)))
  }
  const subsets = { 5: { dropped: drops(5), outcomes: [] as Float64Array[] }, 50: { dropped: drops(50), outcomes: [] as Float64Array[] } }

  for (const method of METHODS) {
    const before = performance.now()

    scores.set(method, await bank.scores(method))
    log(`${method} took ${((performance.now() - before) / 1000).toFixed(1)} s`)
  }

  const leaveOut = await bank.outcomes(Array.from({ length: data.contributions }, (_, c) => membersOf(data, new Set([c]))))

  for (let from = 0; from < retrainings; from += 10) {
    for (const share of [5, 50] as const) {
      subsets[share].outcomes.push(...await bank.outcomes(subsets[share].dropped.slice(from, from + 10)))
    }

    log(`${Math.min(retrainings, from + 10)} of ${retrainings} subsets of either size`)
  }

  return { subsets, all, leaveOut, scores, bank }
}

async function judge (method: AttributionMethod, data: Data, results: SeedResult[]): Promise<MethodResult> {
  const scoresOf = (result: SeedResult): Float64Array[] => result.scores.get(method) ?? []
  const averaged = averageOf(results.map(scoresOf))
  const forecast = (scores: Float64Array[], dropped: Array<Set<number>>): number[][] => scores.map(row => dropped.map(set => -[...set].reduce((sum, i) => sum + row[i], 0)))
  const subsetsOf = ({ subsets }: SeedResult, share: 5 | 50): number[][] => byQuery(subsets[share].outcomes)
  const single = (share: 5 | 50): Interval => averageInterval(results.map(result => meanSpearman(forecast(scoresOf(result), result.subsets[share].dropped), subsetsOf(result, share))))
  const together = (share: 5 | 50): Interval => meanSpearman(forecast(averaged, results[0].subsets[share].dropped), byQuery(averageOf(results.map(({ subsets }) => subsets[share].outcomes))))
  const out = Array.from({ length: data.contributions }, (_, c) => membersOf(data, new Set([c])))
  const crossed = results.flatMap((a, i) => results.filter((_, j) => j !== i).map(b => mean(forecast(scoresOf(a), b.subsets[5].dropped).map((row, q) => meanSpearman([row], [subsetsOf(b, 5)[q]]).value))))
  const margins = data.wrong === undefined ? undefined : averageOf(await Promise.all(results.map(async ({ bank }) => [await bank.marginScores(method)])))[0]

  return {
    method,
    lds5: single(5),
    lds50: single(50),
    lds5Averaged: together(5),
    lds50Averaged: together(50),
    ...(results.length > 1 ? { lds5Crossed: mean(crossed) } : {}),
    contributor: averageInterval(results.map(result => meanSpearman(forecast(scoresOf(result), out), byQuery(result.leaveOut)))),
    contributorAveraged: meanSpearman(forecast(averaged, out), byQuery(averageOf(results.map(({ leaveOut }) => leaveOut)))),
    ...(margins === undefined ? {} : { mislabel: aucInterval(margins.map(value => -value), data.flipped) }),
    topFall: await topFalls(data, results, scoresOf)
  }
}

/** Without the k contributions that this method credits most for all queries together. */
async function topFalls (data: Data, results: SeedResult[], scoresOf: (result: SeedResult) => Float64Array[]): Promise<Record<number, number>> {
  const falls: Record<number, number> = {}

  for (const k of TOP) {
    const values: number[] = []

    for (const result of results) {
      const credits = new Float64Array(data.contributions)

      scoresOf(result).forEach(row => { row.forEach((score, i) => { credits[data.groups[i]] += score }) })

      const top = Array.from(credits, (_, c) => c).sort((a, b) => credits[b] - credits[a]).slice(0, k)

      values.push(mean(result.all) - mean(await result.bank.outcome(membersOf(data, new Set(top)))))
    }

    falls[k] = mean(values)
  }

  return falls
}

async function randomFalls (data: Data, results: SeedResult[], count: number): Promise<ExperimentResult['randomFall']> {
  const falls: ExperimentResult['randomFall'] = {}
  const random = prng(77)

  for (const k of TOP) {
    const draws = Array.from({ length: count }, () => new Set(random.shuffle(data.contributions).subarray(0, k)))
    const values: number[] = []

    for (const draw of draws) {
      // one seed of training is enough for what chance does
      values.push(mean(results[0].all) - mean(await results[0].bank.outcome(membersOf(data, draw))))
    }

    falls[k] = { mean: mean(values), most: Math.max(...values) }
  }

  return falls
}

function points (data: Data, result: SeedResult): ExperimentResult['points'] {
  const exact = result.scores.get('trajectory') ?? []

  return ([5, 50] as const).flatMap(share => result.subsets[share].dropped.flatMap((set, s) => [0, 1, 2].map(q => ({
    share,
    forecast: -[...set].reduce((sum, i) => sum + exact[q][i], 0),
    actual: result.subsets[share].outcomes[s][q] - result.all[q]
  }))))
}

const everything = (data: Data): Set<number> => new Set(data.examples.keys())

function membersOf (data: Data, contributions: ReadonlySet<number>): Set<number> {
  return new Set([...data.groups.keys()].filter(i => contributions.has(data.groups[i])))
}

const byQuery = (outcomes: ArrayLike<number>[]): number[][] => Array.from(outcomes[0], (_, q) => outcomes.map(row => row[q]))

function averageOf (tables: Float64Array[][]): Float64Array[] {
  return tables[0].map((row, r) => row.map((_, i) => mean(tables.map(table => table[r][i]))))
}

function averageInterval (intervals: Interval[]): Interval {
  return { value: mean(intervals.map(({ value }) => value)), low: mean(intervals.map(({ low }) => low)), high: mean(intervals.map(({ high }) => high)) }
}
