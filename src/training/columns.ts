import { columnsWithin, encodeFloats } from '../attribution/index.ts'
import { TrainingInputError } from './errors.ts'
import { secondsLeft } from './pace.ts'
import { readRecipe, withRun } from './run.ts'
import type { TrainingComponents, TrainingEvent } from './interface.ts'
import type { JobSettings } from './job.ts'
import type { ProgressOptions } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/**
 * Some columns of a recipe's Jacobian, as many at a time as memory holds, each a file. A column
 * depends on the run and on its own contribution, never on which others are computed beside it.
 */
export async function runColumns (components: TrainingComponents, settings: JobSettings, recipe: CID, wanted: number[], options: ProgressOptions<TrainingEvent>): Promise<CID[]> {
  return withRun(components, settings, await readRecipe(components, recipe, options), options, async ({ pool, plan, theta0, groups, snapshot, shape }) => {
    const total = snapshot.contributions.length
    const atOnce = settings.threads * columnsWithin(shape.parameters, settings.influenceBytesMax)
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
      const { columns } = await pool.jacobian(plan, theta0, groups, total, part, { signal: options.signal, onProgress })

      for (const column of columns) {
        stored.push(await components.storage.putFile(encodeFloats(plan.batches.length, column), { signal: options.signal }))
      }
    }

    return stored
  })
}
