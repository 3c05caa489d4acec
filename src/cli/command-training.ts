import { Command } from 'commander'
import { trainingNamed } from './arguments.ts'
import { contextOf, examples } from './context.ts'
import { describeTraining, hasEnded } from './describe-training.ts'
import { CommandError } from './errors.ts'
import { followTraining, pathOfTraining } from './follow-training.ts'
import { lossText, printable } from './output.ts'
import type { Context } from './context.ts'
import type { TrainingView } from '../interface/index.ts'

const WHICH = 'its id, or its name: of several with one name the one that has not ended'

/** `datanet training`: what `datanet train` began on this node. */
export function trainingCommand (): Command {
  const command = new Command('training').description('trainings of this node: how far they are, and an end to them')

  command.addCommand(listCommand(), { isDefault: true })
  command.addCommand(showCommand())
  command.addCommand(cancelCommand())

  return examples(command, ['datanet training', 'datanet training show speeches --watch', 'datanet training cancel speeches'])
}

function listCommand (): Command {
  return examples(new Command('list')
    .description('queued, running and ended trainings; a node runs one at a time')
    .action(async (_options, self: Command) => {
      const { out, node, signal, next } = contextOf(self)
      const trainings = await (await node()).get<TrainingView[]>('/api/v1/trainings', { signal })

      if (trainings.length === 0) {
        out.line(`no trainings yet; to begin one: ${next('train --help')}`)
      } else {
        out.table(['training', 'state', 'loss', 'id'], trainings.map(training => [
          training.name, [describeTraining(training), training.error?.code].filter(text => text != null).join(', '), lossText(training), training.id
        ]))
      }

      out.result(trainings)
    }), ['datanet training list', 'datanet training list --json | jq \'.[] | select(.state == "training").id\''])
}

function showCommand (): Command {
  return examples(new Command('show')
    .description('how far a training is, what came of it or why it failed')
    .argument('<training>', WHICH)
    .option('-w, --watch', 'stay until it is done, as `datanet train` does; Ctrl-C stops watching, and the training goes on')
    .action(async (text: string, { watch }: { watch?: boolean }, self: Command) => {
      const context = contextOf(self)
      const { out, node, signal } = context
      const client = await node()
      const found = await trainingNamed(client, text, { signal })
      const view = watch === true ? await followTraining(context, client, found, async () => 'the training goes on') : found

      describe(context, view)
      out.result(view)
    }), ['datanet training show speeches', 'datanet training show speeches --watch', 'datanet training show 3f9a… --json'])
}

function describe ({ out, next }: Context, view: TrainingView): void {
  out.table(['training', view.name], [
    ['id', view.id],
    ['state', describeTraining(view)],
    ['steps', `${view.step} of ${view.steps}`],
    ['loss', `${lossText(view)} nats per token`],
    ...(view.adapter == null ? [] : [['adapter', view.adapter]])
  ])

  if (view.error != null) {
    out.line(`${view.error.code}: ${printable(view.error.message)}`)
  } else if (!hasEnded(view)) {
    out.line(`to stop it: ${next(`training cancel ${view.id}`)}`)
  }
}

function cancelCommand (): Command {
  return examples(new Command('cancel')
    .description('stop a training, or take it out of the queue, for good; what was computed is not used')
    .argument('<training>', WHICH)
    .action(async (text: string, _options, self: Command) => {
      const { out, node, signal, next } = contextOf(self)
      const client = await node()
      const before = await trainingNamed(client, text, { signal })

      mustGoOn(before)

      const after = await client.delete<TrainingView>(pathOfTraining(before), { signal })

      // it ended while we asked
      if (after.state !== 'cancelled') {
        mustGoOn(after)
      }

      out.line(`the training ${after.name} is cancelled; it was: ${describeTraining(before)}`)

      if (before.state === 'publishing' || before.state === 'attesting') {
        out.line(`its adapter was on the way to the ledger: validators may admit it all the same, look with ${next('adapter list')}`)
      }

      out.result(after)
    }), ['datanet training cancel speeches', 'datanet training cancel 3f9a…'])
}

/** @throws {CommandError} if there is nothing left to cancel */
function mustGoOn (view: TrainingView): void {
  if (hasEnded(view)) {
    throw new CommandError('ERR_TRAINING_ENDED', `expected a training that is queued or under way, but ${view.name} (${view.id}) is ${view.state}`, {
      hint: view.state === 'done' ? 'its adapter is published: `datanet adapter deprecate` advises against it' : undefined
    })
  }
}
