import { Command } from 'commander'
import { accountNamed, amount, name } from './arguments.ts'
import { contextOf, examples } from './context.ts'
import { formatOpen } from './output.ts'
import type { AccountView } from '../node/index.ts'

interface Sent {
  transaction: string
  height: number
}

export function walletCommand (): Command {
  const command = new Command('wallet').description('accounts of the node and their OPEN')

  command.addCommand(examples(new Command('list')
    .description('all accounts of the keychain')
    .action(async (_options, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const accounts = await (await node()).get<AccountView[]>('/api/v1/wallet', { signal })

      out.table(['name', 'balance', 'staked', 'gOPEN', 'votes', 'account'], accounts.map(({ name, balance, staked, gopen, votes, account }) =>
        [name ?? '', formatOpen(balance), formatOpen(staked), formatOpen(gopen, 'gOPEN'), formatOpen(votes, 'votes'), account]))
      out.result(accounts)
    }), ['datanet wallet list']), { isDefault: true })

  command.addCommand(examples(new Command('new')
    .description('make an account')
    .argument('<name>', 'for --as: lower case, digits and -', name)
    .action(async (named: string, _options, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const account = await (await node()).post<AccountView>('/api/v1/wallet/accounts', { name: named }, { signal })

      out.line(`${named}: ${account.account}`)
      out.result(account)
    }), ['datanet wallet new alice']))

  command.addCommand(examples(new Command('transfer')
    .description('send OPEN')
    .argument('<to>', 'account, z6Mk…, or a name of the keychain')
    .argument('<amount>', 'OPEN, e.g. 1.5', amount)
    .option('--as <account>', 'who pays')
    .action(async (to: string, amount: bigint, { as }: { as?: string }, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const client = await node()
      const sent = await client.post<Sent>('/api/v1/wallet/transfer', { as, to: await accountNamed(client, to, { signal }), amount: amount.toString() }, { signal })

      out.line(`final at height ${sent.height}: ${sent.transaction}`)
      out.result(sent)
    }), ['datanet wallet transfer z6Mk… 1.5 --as alice']))

  for (const kind of ['stake', 'unstake'] as const) {
    command.addCommand(examples(new Command(kind)
      .description(kind === 'stake' ? 'stake OPEN as an assessor' : 'take staked OPEN back')
      .argument('<amount>', 'OPEN', amount)
      .option('--as <account>', 'whose')
      .action(async (amount: bigint, { as }: { as?: string }, self: Command) => {
        const { out, node, signal } = contextOf(self)
        const sent = await (await node()).post<Sent>(`/api/v1/wallet/${kind}`, { as, amount: amount.toString() }, { signal })

        out.line(`final at height ${sent.height}: ${sent.transaction}`)
        out.result(sent)
      }), [`datanet wallet ${kind} 100`]))
  }

  return examples(command, ['datanet wallet', 'datanet wallet new alice', 'datanet wallet transfer z6Mk… 1.5'])
}
