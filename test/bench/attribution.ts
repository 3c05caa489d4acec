/**
 * How well attribution forecasts what removing data does, what it costs, and whether it can be
 * gamed. Adapters of the counterfactual bank stay on disk: a run that was stopped goes on.
 *
 * `npm run bench -- attribution [--quick] [--dataset sotu|spam] [--base datanet-base-1m|stories260K]
 * [--part bank|recipes|villains|costs] [--seeds 3] [--retrainings 100] [--queries 50] [--bank DIR] [--out docs]`
 *
 * `--out` writes attribution.md and its plots from all results that the bank's folder has.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { costs } from './attribution-costs.ts'
import { loadBenchBase, loadData } from './attribution-data.ts'
import { experiment } from './attribution-experiment.ts'
import { manipulation } from './attribution-manipulation.ts'
import { recipes } from './attribution-recipes.ts'
import { writeReport } from './attribution-report.ts'
import type { BaseName, DatasetName, Size } from './attribution-data.ts'
import type { ExperimentOptions, ExperimentResult } from './attribution-experiment.ts'
import type { RecipeResult } from './attribution-recipes.ts'
import type { Bench, BenchResult, OwnOptions } from './interface.ts'

const DATASETS: DatasetName[] = ['sotu', 'spam']
const BASES: BaseName[] = ['datanet-base-1m', 'stories260K']

export const options = {
  part: { type: 'string', value: 'bank|recipes|villains|costs', help: 'one part alone; recipes is in no other' },
  dataset: { type: 'string', value: 'sotu|spam', help: 'one dataset alone' },
  base: { type: 'string', value: 'datanet-base-1m|stories260K', help: 'one base alone' },
  seeds: { type: 'string', value: '3', help: 'trainings differ by seeds 1 … this' },
  retrainings: { type: 'string', value: '100', help: 'random subsets of either size, a training each' },
  queries: { type: 'string', value: '50', help: 'answers that are forecast' },
  bank: { type: 'string', value: 'DIR', help: 'where trained adapters stay; a run that was stopped goes on' },
  out: { type: 'string', value: 'docs', help: 'write attribution.md and its plots from all results of the bank' }
} as const satisfies OwnOptions

export const run: Bench = async ({ quick, values = {} }) => {
  const folder = values.bank ?? join(tmpdir(), 'datanet-counterfactuals')
  const seeds = Array.from({ length: Number(values.seeds ?? (quick ? 1 : 3)) }, (_, i) => i + 1)
  const retrainings = Number(values.retrainings ?? (quick ? 6 : 100))
  const size: Size = quick
    ? { contributions: 6, examplesPerContribution: 6, queries: Number(values.queries ?? 6), sequenceLength: 32 }
    : { contributions: 16, examplesPerContribution: 14, queries: Number(values.queries ?? 50), sequenceLength: 32 }
  const datasets = DATASETS.filter(name => values.dataset === undefined ? !quick || name === 'sotu' : name === values.dataset)
  const bases = BASES.filter(name => values.base === undefined ? !quick || name === 'datanet-base-1m' : name === values.base)
  const experiments: ExperimentResult[] = []

  const wants = (part: string): boolean => values.part === undefined || values.part === part
  const log = (line: string): void => { process.stderr.write(`${line}\n`) }
  const results: BenchResult[] = []

  mkdirSync(folder, { recursive: true })

  if (wants('bank')) {
    experiments.push(...await bankTables(bases, datasets, { folder, seeds, retrainings, size, ...(quick ? { recipe: { batchSize: 8 }, randomDraws: 2 } : {}), log }, !quick))
  }

  if (experiments.length > 0) {
    results.push(...lines(experiments))
  }

  if (values.part === 'recipes') {
    await compareRecipes(folder, bases, size, log)
  }

  if (wants('villains')) {
    results.push(...await villainLines(folder, seeds, quick, log))
  }

  if (values.out !== undefined) {
    writeReport(folder, values.out)
  }

  return wants('costs') ? [...results, ...await costs({ quick })] : results
}

/** Kept in the bank's folder for the report, unless they are quick. */
async function bankTables (bases: BaseName[], datasets: DatasetName[], options: ExperimentOptions, isKept: boolean): Promise<ExperimentResult[]> {
  const results: ExperimentResult[] = []

  for (const baseName of bases) {
    const base = loadBenchBase(baseName)

    if (base === undefined) {
      options.log(`${baseName} is not here and is left out`)
      continue
    }

    for (const dataset of datasets) {
      const result = await experiment(dataset, base, loadData(dataset, base.encoder, options.size), options)

      results.push(result)

      if (isKept) {
        writeFileSync(join(options.folder, `result-${dataset}-${baseName}.json`), `${JSON.stringify(result, undefined, 1)}\n`)
      }
    }
  }

  return results
}

/** On the speeches alone; for the report, since a dozen recipes make no line of a table. */
async function compareRecipes (folder: string, bases: BaseName[], size: Size, log: (line: string) => void): Promise<void> {
  const results: RecipeResult[] = []

  for (const base of bases.map(loadBenchBase).filter(one => one !== undefined)) {
    results.push(...await recipes(base, loadData('sotu', base.encoder, size), { folder, size, subsets: 20, queries: 16, log }))
    writeFileSync(join(folder, 'result-recipes.json'), `${JSON.stringify(results, undefined, 1)}\n`)
  }
}

async function villainLines (folder: string, seeds: number[], quick: boolean, log: (line: string) => void): Promise<BenchResult[]> {
  const base = loadBenchBase('datanet-base-1m')

  if (base === undefined) {
    return []
  }

  const result = await manipulation(base, folder, seeds, quick, log)
  const most = (pick: (one: typeof result.villains[number]) => number, sign = 1): { value: number, detail: string } => {
    const worst = [...result.villains].sort((a, b) => sign * (pick(b) - pick(a)))[0]

    return { value: pick(worst), detail: worst.name }
  }

  if (!quick) {
    writeFileSync(join(folder, 'result-villains.json'), `${JSON.stringify(result, undefined, 1)}\n`)
  }

  return [
    { name: 'attackGainMax', unit: 'of honest pay', ...most(({ gain }) => gain) },
    { name: 'attackGainMin', unit: 'of honest pay', ...most(({ gain }) => gain, -1) },
    { name: 'victimLossMax', unit: 'of honest pay', ...most(({ victimLoss }) => victimLoss) }
  ]
}

/** The worst of all experiments under the names that others rely on, then each one. */
function lines (experiments: ExperimentResult[]): BenchResult[] {
  const results: BenchResult[] = []
  const names = { trajectory: 'Exact', graddot: 'GradDot', tracin: 'TracIn', datainf: 'DataInf', fisher: 'Fisher', 'fisher-projected': 'FisherProjected', ekfac: 'Ekfac' } as const
  const of = (pick: (result: ExperimentResult) => number | undefined): { value: number, detail: string } => {
    const found = experiments.map(one => ({ value: pick(one), detail: `${one.dataset} ${one.base}` })).filter(({ value }) => value !== undefined)

    return { value: Math.min(...found.map(({ value }) => value ?? 0)), detail: found.map(({ value, detail }) => `${detail} ${value?.toFixed(3)}`).join(', ') }
  }

  for (const [method, name] of Object.entries(names)) {
    const by = (pick: (one: ExperimentResult['methods'][number]) => number | undefined) => (result: ExperimentResult) => {
      const found = result.methods.find(one => one.method === method)

      return found === undefined ? undefined : pick(found)
    }

    results.push({ name: `lds${name}5`, unit: 'Spearman', ...of(by(({ lds5 }) => lds5.value)) })
    results.push({ name: `lds${name}50`, unit: 'Spearman', ...of(by(({ lds50 }) => lds50.value)) })

    if (method === 'trajectory') {
      results.push({ name: 'contributorRank', unit: 'Spearman', ...of(by(({ contributor }) => contributor.value)) })

      if (experiments.some(({ dataset }) => dataset === 'spam')) {
        results.push({ name: 'mislabelAuc', unit: 'AUC', ...of(by(({ mislabel }) => mislabel?.value)) })
      }
    }
  }

  return results
}
