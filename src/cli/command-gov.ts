import { Argument, Command, Option } from 'commander'
import { accountNamed, amount, collect, integer } from './arguments.ts'
import { exitCodes } from './constants.ts'
import { contextOf, examples } from './context.ts'
import { CommandError } from './errors.ts'
import { formatOpen } from './output.ts'
import type { ProposalView } from '../interface/index.ts'

interface Sent {
  transaction: string
  height: number
  proposal?: number
}

/** One transaction: a route, its body and what to say. */
async function act (self: Command, route: string, body: unknown): Promise<void> {
  const { out, node, signal, next } = contextOf(self)
  const sent = await (await node()).post<Sent>(`/api/v1/gov/${route}`, body, { signal })

  out.line(`final at height ${sent.height}: ${sent.transaction}${sent.proposal == null ? '' : `, proposal ${sent.proposal}`}`)

  if (sent.proposal != null) {
    out.line(`vote on it with: ${next(`gov vote ${sent.proposal} for`)}`)
  }

  out.result(sent)
}

export function govCommand (): Command {
  const command = new Command('gov').description('govern with gOPEN: wrap, delegate, propose, vote, queue, execute')
  const as = (): Option => new Option('--as <account>', 'account of the keychain that acts')

  command.addCommand(examples(new Command('list').description('all proposals').action(async (_options, self: Command) => {
    const { out, node, signal, next } = contextOf(self)
    const proposals = await (await node()).get<ProposalView[]>('/api/v1/proposals', { signal })

    if (proposals.length === 0) {
      out.line(`no proposals yet; to make one: ${next('gov propose --help')}`)
    } else {
      out.table(['#', 'title', 'status', 'votes from height', 'to', 'for', 'against', 'abstain'], proposals.map(({ proposal, title, status, voteStart, voteEnd, for: yes, against, abstain }) =>
        [proposal.toString(), title, status, voteStart.toString(), voteEnd.toString(), formatOpen(yes, ''), formatOpen(against, ''), formatOpen(abstain, '')]))
    }

    out.result(proposals)
  }), ['datanet gov list']), { isDefault: true })

  for (const kind of ['wrap', 'unwrap'] as const) {
    command.addCommand(examples(new Command(kind)
      .description(kind === 'wrap' ? 'OPEN into gOPEN, one to one' : 'gOPEN back into OPEN')
      .argument('<amount>', 'OPEN, e.g. 1000', amount)
      .addOption(as())
      .action(async (amount: bigint, { as }: { as?: string }, self: Command) => act(self, kind, { as, amount: amount.toString() })),
    [`datanet gov ${kind} 1000`]))
  }

  command.addCommand(examples(new Command('delegate')
    .description('let an account vote with your gOPEN; yourself included')
    .argument('<to>', 'account, z6Mk…, or a name of the keychain')
    .addOption(as())
    .action(async (to: string, { as }: { as?: string }, self: Command) => {
      const { node, signal } = contextOf(self)

      await act(self, 'delegate', { as, to: await accountNamed(await node(), to, { signal }) })
    }), ['datanet gov delegate main', 'datanet gov delegate z6Mk…']))

  command.addCommand(examples(new Command('propose')
    .description('propose new network parameters')
    .argument('<title>', 'one line for voters')
    .requiredOption('--set <name=value>', 'a parameter, as JSON; feeSplit.data=5500 for a part; repeat for more', collect)
    .addOption(as())
    .action(async (title: string, { set, as }: { set: string[], as?: string }, self: Command) => act(self, 'propose', { as, title, params: paramsOf(set) })),
  ['datanet gov propose "55 % for data" --set feeSplit.data=5500 --set feeSplit.validators=1500']))

  command.addCommand(examples(new Command('vote')
    .description('vote on a proposal')
    .argument('<proposal>', 'its number: `datanet gov` lists them', integer(0, 1_000_000_000))
    .addArgument(new Argument('<support>', 'how').choices(['for', 'against', 'abstain']))
    .addOption(as())
    .action(async (proposal: number, support: string, { as }: { as?: string }, self: Command) => act(self, 'vote', { as, proposal, support })), ['datanet gov vote 0 for']))

  for (const kind of ['queue', 'execute'] as const) {
    command.addCommand(examples(new Command(kind)
      .description(kind === 'queue' ? 'start the timelock of a proposal that succeeded' : 'put a queued proposal in force')
      .argument('<proposal>', 'its number: `datanet gov` lists them', integer(0, 1_000_000_000))
      .addOption(as())
      .action(async (proposal: number, { as }: { as?: string }, self: Command) => act(self, kind, { as, proposal })), [`datanet gov ${kind} 0`]))
  }

  return examples(command, ['datanet gov', 'datanet gov wrap 20000 && datanet gov delegate main', 'datanet gov vote 0 for'])
}

/** `feeSplit.data=5500` and the like as an object. */
function paramsOf (settings: string[]): Record<string, unknown> {
  const params: Record<string, unknown> = {}

  for (const setting of settings) {
    const match = /^(\w+)(?:\.(\w+))?=(.+)$/.exec(setting)

    if (match == null) {
      throw new CommandError('ERR_PARAMETER', `expected --set name=value, but got "${setting}"`, { exitCode: exitCodes.usage })
    }

    const [, name, part, text] = match
    const value: unknown = /^\d{1,15}$/.test(text) ? Number(text) : text

    params[name] = part == null ? value : { ...(params[name] as object | undefined), [part]: value }
  }

  return params
}
