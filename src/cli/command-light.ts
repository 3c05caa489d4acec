import { Command, Option } from 'commander'
import { account, checkpoint, cid, collect, integer, taskHash } from './arguments.ts'
import { examples } from './context.ts'

const HEIGHT_MAX = Number.MAX_SAFE_INTEGER

/** `datanet light`: a light client that believes the genesis and nobody else. */
export function lightCommand (): Command {
  const command = new Command('light')
    .description('a light client: verifies headers, accounts, payouts and the past by proof, without the chain')
    .addOption(new Option('--bootstrap <multiaddr>', 'a peer that has the chain').argParser(collect).default([], 'those of config.json, or the node that runs on the data directory'))
    .addOption(new Option('--witness <multiaddr>', 'another peer that has to confirm each new header; may be repeated').argParser(collect).default([], 'none'))
    .option('--checkpoint <height>:<hash>', 'a header that somebody you trust named: begins there instead of at the genesis', checkpoint)
    .option('--forget', 'begin at the genesis again, not at what was verified the last time')
    .option('--trusting-period <seconds>', 'refuse to go on when nothing newer was verified for so long; default: never', integer(1, 1_000_000_000))

  command.addCommand(followCommand(), { isDefault: true })
  command.addCommand(accountCommand())
  command.addCommand(whyCommand())
  pastCommands().forEach(past => command.addCommand(past))

  return examples(command, ['datanet light follow', 'datanet --data-dir ./alice light account z6Mk…', 'datanet light --checkpoint 1200:5be1… --witness /ip4/…/p2p/12D3…'])
}

function followCommand (): Command {
  return examples(new Command('follow')
    .description('verify each new header until Ctrl-C')
    .option('--blocks <count>', 'stop after so many headers', integer(1, 1_000_000_000))
    .action(async ({ blocks }: { blocks?: number }, self: Command) => {
      const { follow } = await import('./run-light.ts')

      await follow(self, blocks)
    }),
  ['datanet light follow', 'datanet light follow --blocks 1 --json'])
}

function accountCommand (): Command {
  return examples(new Command('account')
    .description('the balance of an account, by proof')
    .argument('<account>', 'z6Mk…', account)
    .action(async (text: string, _options, self: Command) => {
      const { showAccount } = await import('./run-light.ts')

      await showAccount(self, text)
    }),
  ['datanet light account z6Mk…'])
}

function whyCommand (): Command {
  return examples(new Command('why')
    .description('why a contribution was paid, by proof')
    .argument('<contribution>', 'CID of the contribution', cid)
    .requiredOption('--task <hash>', 'the task that paid it: `datanet status` lists them', taskHash)
    .action(async (contribution: string, { task }: { task: string }, self: Command) => {
      const { showWhy } = await import('./run-light.ts')

      await showWhy(self, contribution, task)
    }),
  ['datanet light why bafy… --task 9f2c…'])
}

/** What was long ago, by the history of the newest header. */
function pastCommands (): Command[] {
  return [
    examples(new Command('header')
      .description('the header at a height, by the history of the newest one')
      .argument('<height>', 'from 0, the genesis', integer(0, HEIGHT_MAX))
      .action(async (height: number, _options, self: Command) => {
        const { showHeader } = await import('./run-light.ts')

        await showHeader(self, height)
      }), ['datanet light header 1200']),

    examples(new Command('epoch')
      .description('the last header of an epoch that is over, by the history of the newest one')
      .argument('<epoch>', 'from 0', integer(0, HEIGHT_MAX))
      .action(async (epoch: number, _options, self: Command) => {
        const { showEpoch } = await import('./run-light.ts')

        await showEpoch(self, epoch)
      }), ['datanet light epoch 11']),

    examples(new Command('outcome')
      .description('what became of a transaction, however long ago')
      .argument('<transaction>', 'its CID', cid)
      .action(async (transaction: string, _options, self: Command) => {
        const { showOutcome } = await import('./run-light.ts')

        await showOutcome(self, transaction)
      }), ['datanet light outcome bafy…'])
  ]
}
