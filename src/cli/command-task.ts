import { Command } from 'commander'
import { taskHash } from './arguments.ts'
import { contextOf, examples } from './context.ts'
import { formatOpen, short } from './output.ts'
import type { TaskView } from '../interface/index.ts'
import type { TaskDetailView } from '../node/index.ts'

interface Sent {
  transaction: string
  height: number
}

/** `datanet task`: what committees agree on, and how to doubt it. */
export function taskCommand (): Command {
  const command = new Command('task').description('tasks of attribution: their committees, results and challenges')

  command.addCommand(examples(new Command('list')
    .description('tasks, newest first')
    .action(async (_options, self: Command) => {
      const { out, node, signal, next } = contextOf(self)
      const tasks = await (await node()).get<TaskView[]>('/api/v1/tasks', { signal })

      if (tasks.length === 0) {
        out.line(`no tasks yet: the first paid answer makes one; to buy one: ${next('ask --help')}`)
      } else {
        out.table(['task', 'epoch', 'phase', 'until height', 'fees', 'seats', 'slashed'], tasks.map(({ task, epoch, phase, deadline, fees, seats }) =>
          [task, epoch.toString(), phase, deadline === 0 ? '' : deadline.toString(), formatOpen(fees), seats.length.toString(), seats.filter(({ fault }) => fault !== null).length.toString()]))
      }

      out.result(tasks)
    }), ['datanet task list']), { isDefault: true })

  command.addCommand(examples(new Command('show')
    .description('a task: redemptions, committee, result and payouts')
    .argument('<task>', '64 hexadecimal digits, of `datanet task list`', taskHash)
    .action(async (task: string, _options, self: Command) => {
      const { out, node, signal, next } = contextOf(self)
      const view = await (await node()).get<TaskDetailView>(`/api/v1/tasks/${task}`, { signal })

      out.line(`epoch ${view.epoch}, adapter ${view.adapter}: ${view.phase}${view.deadline === 0 ? '' : `, at the latest until height ${view.deadline}`}`)
      out.line(`fees ${formatOpen(view.fees)}, ${view.redraws} redraws, ${view.rollovers} epochs waited for receipts`)
      out.table(['gateway', 'receipts', 'fees', 'bond', 'fault'], view.sources.map(({ gateway, receipts, fees, bond, fault }) => [gateway, receipts.toString(), formatOpen(fees), formatOpen(bond), fault ?? '']))
      out.table(['seat', 'state', 'score root', 'fault'], view.seats.map(({ assessor, state, scoreRoot, fault }) => [assessor, state, scoreRoot === null ? '' : short(scoreRoot), fault ?? '']))

      if (view.challenge !== null) {
        out.line(`${view.challenge.planted ? 'contradicted by an answer that was planted by' : 'challenged by'} ${view.challenge.challenger}`)
      } else if (view.phase === 'challenge') {
        out.line(`a result that you doubt: ${next(`task challenge ${task}`)}`)
      }

      out.result(view)
    }), ['datanet task show 3f…']))

  command.addCommand(examples(new Command('challenge')
    .description('have the validators recompute a result before it is paid, against a bond: it comes back with a bounty if the result was wrong, and is lost if it was right')
    .argument('<task>', '64 hexadecimal digits', taskHash)
    .option('--as <account>', 'who puts up the bond')
    .action(async (task: string, { as }: { as?: string }, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const sent = await (await node()).post<Sent>(`/api/v1/tasks/${task}/challenge`, { as }, { signal })

      out.line(`final at height ${sent.height}: ${sent.transaction}`)
      out.result(sent)
    }), ['datanet task challenge 3f… --as alice']))

  return examples(command, ['datanet task', 'datanet task show 3f…', 'datanet task challenge 3f…'])
}
