import { Command } from 'commander'
import { contextOf, examples } from './context.ts'
import { describeTraining, hasEnded } from './describe-training.ts'
import { formatOpen, lossText, short } from './output.ts'
import type { AdapterView, DatanetView, NodeStatus, TaskView, TrainingView } from '../interface/index.ts'

export function statusCommand (): Command {
  const command = new Command('status')
    .description('what the running node knows: chain, peers, Datanets, trainings, adapters, tasks')
    .action(async (_options, self: Command) => {
      const { out, node, signal, next } = contextOf(self)
      const client = await node()
      const [status, datanets, trainings, adapters, tasks] = await Promise.all([
        client.get<NodeStatus>('/api/v1/status', { signal }),
        client.get<DatanetView[]>('/api/v1/datanets', { signal }),
        client.get<TrainingView[]>('/api/v1/trainings', { signal }),
        client.get<AdapterView[]>('/api/v1/adapters', { signal }),
        client.get<TaskView[]>('/api/v1/tasks', { signal })
      ])

      out.line(`${status.name} (${status.roles.join(', ')}) on chain ${status.chain}`)
      out.line(`  height ${status.height}, epoch ${status.epoch}, ${status.peers.length} peers, ${status.validators.length} validators`)
      out.line(`  account ${status.account}: ${formatOpen(status.balance)}, ${formatOpen(status.gopen, 'gOPEN')}`)
      out.line(`  page and API: ${client.url}/#token=${client.token}`)

      if (datanets.length > 0) {
        out.line()
        out.table(['Datanet', 'title', 'admitted', 'CID'], datanets.map(({ name, title, admitted, contributions, datanet }) => [name, title, `${admitted}/${contributions}`, datanet]))
      }

      // what is done is an adapter below
      const undone = trainings.filter(({ state }) => state !== 'done')

      if (undone.length > 0) {
        out.line()
        out.table(['training', 'state', 'id'], undone.map(training => [training.name, [describeTraining(training), training.error?.code].filter(text => text != null).join(', '), training.id]))

        const open = undone.find(training => !hasEnded(training))

        if (open != null) {
          out.line(`to watch one or stop it: ${next(`training show ${open.id} --watch`)}, ${next(`training cancel ${open.id}`)}`)
        }
      }

      if (adapters.length > 0) {
        out.line()
        out.table(['adapter', 'status', 'loss', 'earned', 'CID'], adapters.map(({ name, status, losses, earned, adapter }) =>
          [name, status, lossText({ losses }), formatOpen(earned), adapter]))
      }

      if (tasks.length > 0) {
        out.line()
        out.table(['task', 'epoch', 'phase', 'fees', 'score root'], tasks.map(({ task, epoch, phase, fees, scoreRoot }) =>
          [short(task), epoch.toString(), phase, formatOpen(fees), scoreRoot == null ? '–' : short(scoreRoot)]))
      }

      out.result({ status, datanets, trainings, adapters, tasks })
    })

  return examples(command, ['datanet status', 'datanet status --json | jq .status.height'])
}
