import { Command } from 'commander'
import { cid, taskHash } from './arguments.ts'
import { colours as pc } from './colours.ts'
import { contextOf, examples } from './context.ts'
import { formatOpen, short } from './output.ts'
import { quoted } from './quotes.ts'
import type { Output } from './output.ts'
import type { WhyView } from '../interface/index.ts'

/** `datanet why`. */
export function whyCommand (): Command {
  const command = new Command('why')
    .description('why a contribution was paid: every reason, each verified by proof')
    .argument('<contribution>', 'CID of the contribution', cid)
    .option('--task <hash>', 'the task; default: the newest that paid it', taskHash)
    .action(async (contribution: string, { task }: { task?: string }, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const query = new URLSearchParams({ contribution, ...(task == null ? {} : { task }) })
      const view = await (await node()).get<WhyView>(`/api/v1/why?${query.toString()}`, { signal })

      printWhy(out, view)
      out.result(view)
    })

  return examples(command, ['datanet why bafy…', 'datanet why bafy… --task 9f2c… --json'])
}

/** The chain of reasons, for people. */
export function printWhy (out: Output, view: WhyView): void {
  out.line(pc.bold(`Why was ${view.title} paid ${formatOpen(view.amount)}?`))
  out.line(`  contributor ${view.contributor}`)

  for (const { title, detail, verified } of view.steps) {
    out.line(`  ${verified ? pc.green('✓') : pc.red('✗')} ${title}: ${detail}`)
  }

  for (const quote of view.quotes ?? []) {
    out.line(`  ${pc.dim('an answer quotes it:')} ${quoted(quote)}`)
  }

  out.line(`  at height ${view.header.height}, header ${short(view.header.hash)}, signed by ${view.header.signers} of ${view.header.validators} validators`)
}
