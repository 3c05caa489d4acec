import { columnsCost, columnsWithin, encodeFloats, influenceMethod } from '../attribution/index.ts'
import { checkpointWeights, endOf, methodShapeOf } from './assess.ts'
import { TrainingInputError } from './errors.ts'
import { secondsLeft } from './pace.ts'
import { readRecipe, withRun } from './run.ts'
import type { EstimateSettings } from './estimate.ts'
import type { ColumnSource, TrainingComponents, TrainingEvent } from './interface.ts'
import type { Run } from './run.ts'
import type { AbortOptions, AttributionMethod, ProgressOptions } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** A group that nobody asks for. */
const NO_COLUMN = 0xffff_ffff

/**
 * Some columns of an adapter, as many at a time as memory holds, each a file. A column depends on the
 * run and on its own contribution, never on which others are computed beside it.
 */
export async function runColumns (components: TrainingComponents, settings: EstimateSettings, source: ColumnSource, wanted: number[], options: ProgressOptions<TrainingEvent>): Promise<CID[]> {
  return withRun(components, settings, await readRecipe(components, source.recipe, options), options, async run => {
    const total = run.snapshot.contributions.length
    const atOnce = columnsAtOnce(run, settings, source)
    const started = performance.now()
    const stored: CID[] = []

    if (wanted.length === 0 || !wanted.every(column => Number.isInteger(column) && column >= 0 && column < total)) {
      throw new TrainingInputError(`expected columns below ${total} but got ${wanted.length === 0 ? 'none' : wanted.join(', ')}`)
    }

    while (stored.length < wanted.length) {
      const first = stored.length
      const part = wanted.slice(first, first + atOnce)
      const onProgress = (share: number): void => {
        const done = first + share * part.length

        options.onProgress?.({ type: 'training:influence:progress', done, total: wanted.length, secondsLeft: secondsLeft(started, done / wanted.length) })
      }

      stored.push(...await storedColumns(components, run, source, part, { signal: options.signal, onProgress }))
    }

    return stored
  })
}

/** How many columns memory holds: the trajectory's are spread over all threads. */
export function columnsAtOnce ({ shape }: Pick<Run, 'shape'>, { threads, influenceBytesMax }: EstimateSettings, { method }: Pick<ColumnSource, 'method'>): number {
  return (method === 'trajectory' ? threads : 1) * columnsWithin(shape.parameters, influenceBytesMax)
}

/** Computes columns and stores each; `onProgress` gets the share of the work that is done. */
export async function storedColumns (components: TrainingComponents, run: Run, source: Omit<ColumnSource, 'recipe'>, part: number[], options: AbortOptions & { onProgress (share: number): void }): Promise<CID[]> {
  const { pool, plan, theta0, groups, snapshot } = run
  const { signal } = options
  const { method, checkpoints } = source
  const columns = method === 'trajectory'
    ? (await pool.jacobian(plan, theta0, groups, snapshot.contributions.length, part, options)).columns
    : await methodColumns(components, run, { method, checkpoints }, part, { signal })
  const stored: CID[] = []

  options.onProgress(1)

  for (const column of columns) {
    stored.push(await components.storage.putFile(encodeFloats(plan.batches.length, column), { signal }))
  }

  return stored
}

/** By a method that looks at gradients: of the end of the run, or of its checkpoints. */
async function methodColumns ({ storage }: TrainingComponents, run: Run, { method, checkpoints }: { method: Exclude<AttributionMethod, 'trajectory'>, checkpoints: CID[] }, columns: number[], { signal }: AbortOptions): Promise<Float64Array[]> {
  const { pool, plan, theta0, dropped, recipe: { seed } } = run
  const { theta } = await endOf({ storage }, run, { checkpoints }, { signal })
  // examples that score nothing are in no column
  const groups = run.groups.map((group, example) => dropped.has(example) ? NO_COLUMN : group)

  // these two are sums, and their gradients are computed on all threads
  if (method === 'graddot' || method === 'tracin') {
    const states = method === 'tracin' ? await checkpointWeights(storage, { checkpoints }, signal) : undefined

    return influenceMethod(method, { examples: pool, plan, theta0, theta, checkpoints: states }).columns(groups, columns, { signal })
  }

  const { flops } = columnsCost(method, methodShapeOf(run, { checkpoints: checkpoints.length }), columns.length)

  return pool.columns({ method, groups, columns, plan, theta0, theta, seed }, flops, { signal })
}
