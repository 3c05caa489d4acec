import { join } from 'node:path'
import { Command } from 'commander'
import { collect, integer, port } from './arguments.ts'
import { contextOf, examples } from './context.ts'

/** `datanet start`. */
export function startCommand (): Command {
  const command = new Command('start')
    .description('run the node of the data directory; with --demo, a whole network on this machine')
    .option('--demo', 'start a swarm of processes and run the main job: contribute, train, ask, settle, vote')
    .option('--once', 'with --demo: end by itself when the job is done')
    .option('--fresh', 'with --demo: forget what an earlier run left')
    .option('--api-port <port>', 'port of the API and page, 0 for any; default: that of config.json', port)
    .option('--bootstrap <multiaddr>', 'a peer to join by, beside those of config.json; repeat for more', collect, [])
    .option('--keep-epochs <epochs>', 'delete blocks of older epochs; default: that of config.json, or keep all', integer(1, 1_000_000))
    .action(async (options: { demo?: boolean, once?: boolean, fresh?: boolean, apiPort?: number, bootstrap: string[], keepEpochs?: number }, self: Command) => {
      const context = contextOf(self)

      if (options.demo === true) {
        const { runDemo } = await import('../demo/index.ts')

        await runDemo({ ...options, dataDir: join(context.options.dataDir, 'demo'), json: context.out.json, signal: context.signal })
      } else {
        const { runNode } = await import('./run-node.ts')

        await runNode(context, options)
      }
    })

  return examples(command, [
    'datanet start',
    'datanet --data-dir ./alice start --api-port 4171',
    'datanet start --demo',
    'datanet start --demo --once --json | tail -1'
  ])
}
