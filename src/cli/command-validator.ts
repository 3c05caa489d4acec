import { Command } from 'commander'
import { accountNamed, amount } from './arguments.ts'
import { contextOf, examples } from './context.ts'
import { formatOpen } from './output.ts'
import type { Context } from './context.ts'
import type { UnbondingView, ValidatorStakeView } from '../node/index.ts'

interface Sent {
  transaction: string
  height: number
}

const tell = ({ out }: Context, sent: Sent): void => {
  out.line(`final at height ${sent.height}: ${sent.transaction}`)
  out.result(sent)
}

/** `datanet validator`: stake on validators, becoming one, and moving one to another machine. */
export function validatorCommand (): Command {
  const command = new Command('validator').description('validators: stake on them, become one, move one to another machine')

  command.addCommand(examples(new Command('list')
    .description('validators and candidates, and your stake on them')
    .option('--as <account>', 'whose stake')
    .action(async ({ as }: { as?: string }, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const view = await (await node()).get<{ validators: ValidatorStakeView[], unbonding: UnbondingView[] }>(`/api/v1/validators${as === undefined ? '' : `?as=${as}`}`, { signal })

      out.table(['validator', 'state', 'bonded', 'its own', 'yours'], view.validators.map(({ account, state, bonded, own, yours }) => [account, state, formatOpen(bonded), formatOpen(own), formatOpen(yours)]))
      view.unbonding.forEach(({ validator, amount, epoch }) => { out.line(`${formatOpen(amount)} taken off ${validator}: free in epoch ${epoch}`) })
      out.result(view)
    }), ['datanet validator list']), { isDefault: true })

  command.addCommand(examples(new Command('register')
    .description('become a candidate with the BLS key of this node; needs the role "validator" in config.json to work')
    .argument('<amount>', 'OPEN of the first stake, your own', amount)
    .option('--as <account>', 'whose')
    .action(async (amount: bigint, { as }: { as?: string }, self: Command) => {
      const context = contextOf(self)

      tell(context, await (await context.node()).post<Sent>('/api/v1/validators', { as, amount: amount.toString() }, { signal: context.signal }))
    }), ['datanet validator register 1000']))

  for (const kind of ['bond', 'unbond'] as const) {
    command.addCommand(examples(new Command(kind)
      .description(kind === 'bond' ? 'stake OPEN on a validator; double signing costs half of it' : 'take stake off a validator; it is free some epochs later')
      .argument('<validator>', 'account, z6Mk…, or a name of the keychain')
      .argument('<amount>', 'OPEN', amount)
      .option('--as <account>', 'whose')
      .action(async (validator: string, amount: bigint, { as }: { as?: string }, self: Command) => {
        const context = contextOf(self)
        const client = await context.node()
        const to = await accountNamed(client, validator, { signal: context.signal })

        tell(context, await client.post<Sent>(`/api/v1/wallet/${kind}`, { as, validator: to, amount: amount.toString() }, { signal: context.signal }))
      }), [`datanet validator ${kind} z6Mk… 100`]))
  }

  command.addCommand(examples(new Command('withdraw')
    .description('take back all stake that is free')
    .option('--as <account>', 'whose')
    .action(async ({ as }: { as?: string }, self: Command) => {
      const context = contextOf(self)

      tell(context, await (await context.node()).post<Sent>('/api/v1/wallet/withdraw', { as }, { signal: context.signal }))
    }), ['datanet validator withdraw']))

  command.addCommand(historyCommand())

  return examples(command, ['datanet validator', 'datanet validator bond z6Mk… 100', 'datanet validator history export moved.json'])
}

function historyCommand (): Command {
  const command = new Command('history').description('how far this validator has signed, so that it never signs twice after it moved or its disk was restored')

  command.addCommand(examples(new Command('export')
    .description('write it to a file, after the node was stopped')
    .argument('<file>', 'where to')
    .action(async (file: string, _options, self: Command) => {
      const { exportHistory } = await import('./run-history.ts')

      await exportHistory(contextOf(self), file)
    }), ['datanet validator history export moved.json']))

  command.addCommand(examples(new Command('import')
    .description('from now on sign nothing at or below what a file says; the further of both histories counts')
    .argument('<file>', 'what was exported')
    .action(async (file: string, _options, self: Command) => {
      const { importHistory } = await import('./run-history.ts')

      await importHistory(contextOf(self), file)
    }), ['datanet validator history import moved.json']))

  return examples(command, ['datanet validator history export moved.json', 'datanet validator history import moved.json'])
}
