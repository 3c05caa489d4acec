import { Command, Option } from 'commander'
import { amount, integer, name as accountName } from './arguments.ts'
import { contextOf, examples } from './context.ts'
import { formatOpen } from './output.ts'

interface KeyView {
  id: string
  name: string
  scopes: string[]
  requestsPerMinute?: number
  spendPerDay?: string
  account?: string
  created: string
  spent: string
}

interface CreateOptions {
  scope: string[]
  requestsPerMinute?: number
  openPerDay?: bigint
  as?: string
}

/** `datanet key`: who else may use the node's API. */
export function keyCommand (): Command {
  const command = new Command('key').description('keys that open the node\'s API to others')

  command.addCommand(examples(new Command('create')
    .description('make a key; it is shown this once')
    .argument('<name>', 'what it is for')
    .addOption(new Option('--scope <scope...>', 'what it may do').choices(['read', 'infer', 'admin']).default(['infer']))
    .option('--requests-per-minute <count>', 'more are told to come back', integer(1, 1_000_000))
    .option('--open-per-day <amount>', 'OPEN that its answers may cost in a day', amount)
    .option('--as <account>', 'whose OPEN pays its answers; default: the node\'s account', accountName)
    .action(async (named: string, { scope, requestsPerMinute, openPerDay, as }: CreateOptions, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const created = await (await node()).post<KeyView & { key: string }>('/api/v1/keys', {
        name: named, scopes: scope, requestsPerMinute, spendPerDay: openPerDay?.toString(), account: as
      }, { signal })

      out.line(created.key)
      out.line('keep it: of its secret the node has only a hash')
      out.result(created)
    }), ['datanet key create shop --requests-per-minute 60 --open-per-day 5', 'datanet key create dashboard --scope read']))

  command.addCommand(examples(new Command('list')
    .description('all keys and what they spent today')
    .action(async (_options, self: Command) => {
      const { out, node, signal, next } = contextOf(self)
      const keys = await (await node()).get<KeyView[]>('/api/v1/keys', { signal })

      if (keys.length === 0) {
        out.line(`no keys yet; to make one: ${next('key create --help')}`)
      } else {
        out.table(['id', 'name', 'scopes', 'a minute', 'OPEN a day', 'spent today', 'pays', 'since'], keys.map(key => [
          key.id, key.name, key.scopes.join(' '), String(key.requestsPerMinute ?? 'any'), key.spendPerDay == null ? 'any' : formatOpen(key.spendPerDay),
          formatOpen(key.spent), key.account ?? '', key.created.slice(0, 10)
        ]))
      }

      out.result(keys)
    }), ['datanet key list']), { isDefault: true })

  command.addCommand(examples(new Command('revoke')
    .description('make a key worthless from now on')
    .argument('<id>', 'see `datanet key list`')
    .action(async (id: string, _options, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const revoked = await (await node()).delete<{ id: string }>(`/api/v1/keys/${encodeURIComponent(id)}`, { signal })

      out.line(`${revoked.id} opens nothing any more`)
      out.result(revoked)
    }), ['datanet key revoke 3f9a…']))

  return examples(command, ['datanet key create shop --requests-per-minute 60 --open-per-day 5'])
}
