import { exitCodes } from './constants.ts'
import { describeTraining, hasEnded } from './describe-training.ts'
import { CommandError } from './errors.ts'
import type { Context } from './context.ts'
import type { NodeClient } from '../client/index.ts'
import type { TrainingView } from '../interface/index.ts'

/**
 * Shows a training until it is done. On Ctrl-C `interrupted` says what becomes of it, in a sentence.
 *
 * @throws {CommandError} if it fails or is cancelled, or if the node ends first
 */
export async function followTraining ({ out, signal }: Pick<Context, 'out' | 'signal'>, client: NodeClient, begun: TrainingView, interrupted: () => Promise<string>): Promise<TrainingView> {
  let view = begun

  const { Listr } = await import('listr2')
  const tasks = new Listr([{
    title: `training ${begun.name}`,
    task: async (_context, task) => {
      let last = ''

      try {
        for await (const next of viewsOf(client, begun, signal)) {
          view = next

          const text = describeTraining(view)

          // a log of lines has no use for the same line again
          if (text !== last) {
            last = text
            task.output = text
          }
        }
      } catch (err) {
        if (!signal.aborted) {
          throw err
        }

        // no mark of failure: Ctrl-C is none of the training's
        task.skip('no longer watched')
        return
      }

      // from within: else a mark of success would stand above the error
      mustBeDone(view)
    },
    rendererOptions: { persistentOutput: true }
  }], { renderer: out.json ? 'silent' : 'default', fallbackRenderer: 'simple', registerSignalListeners: false })

  await tasks.run()

  if (signal.aborted) {
    out.line(await interrupted())
    throw signal.reason
  }

  return view
}

/** How a training looks from now until it has ended, or until the node ends. */
async function * viewsOf (client: NodeClient, begun: TrainingView, signal: AbortSignal): AsyncGenerator<TrainingView> {
  yield begun

  if (hasEnded(begun)) {
    return
  }

  for await (const event of client.events({ signal })) {
    // an event of something else: what happened before we listened
    const view = event.type === 'training' && event.training.id === begun.id
      ? event.training
      : await client.get<TrainingView>(pathOfTraining(begun), { signal })

    yield view

    if (hasEnded(view)) {
      return
    }
  }
}

function mustBeDone (view: TrainingView): void {
  if (!hasEnded(view)) {
    throw new CommandError('ERR_NODE_UNREACHABLE', `the node was stopped while the training was: ${describeTraining(view)}`, { exitCode: exitCodes.unreachable, hint: 'start the node again: the training goes on' })
  }

  if (view.state !== 'done') {
    throw new CommandError(view.error?.code ?? 'ERR_TRAINING', view.error?.message ?? `the training was ${view.state}`, { exitCode: exitCodes.refused })
  }
}

/** Of the node's API. */
export function pathOfTraining ({ id }: Pick<TrainingView, 'id'>): string {
  return `/api/v1/trainings/${encodeURIComponent(id)}`
}
