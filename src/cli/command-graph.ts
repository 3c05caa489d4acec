import { Command } from 'commander'
import { colours as pc } from './colours.ts'
import { contextOf, examples } from './context.ts'
import { formatOpen, short } from './output.ts'
import { quoted } from './quotes.ts'
import type { Output } from './output.ts'
import type { GraphNode, GraphView } from '../interface/index.ts'

/** `datanet graph`. */
export function graphCommand (): Command {
  const command = new Command('graph')
    .description('who and what shaped an answer, an adapter or an account\'s earnings')
    .argument('<id>', 'receipt of an answer that this node bought, CID of an adapter, or an account')
    .action(async (id: string, _: object, self: Command) => {
      const { out, node, signal } = contextOf(self)
      const view = await (await node()).get<GraphView>(`/api/v1/graph/${encodeURIComponent(id)}`, { signal })

      printGraph(out, view)
      out.result(view)
    })

  return examples(command, ['datanet graph bafy…', 'datanet graph z6Mk… --json'])
}

/** The layers as a tree, for people. */
export function printGraph (out: Output, { root, amounts }: GraphView): void {
  out.line(`${label(root)}  ${pc.gray(amounts === 'expected' ? 'by its own shares; the epoch\'s scores decide' : 'earned so far')}`)
  printChildren(out, root.children, '')
}

function printChildren (out: Output, children: GraphNode[], indent: string): void {
  children.forEach((child, i) => {
    const last = i === children.length - 1

    out.line(`${indent}${last ? '└─' : '├─'} ${label(child)}`)
    child.quotes?.forEach(quote => { out.line(`${indent}${last ? '   ' : '│  '} ${quoted(quote)}`) })
    printChildren(out, child.children, `${indent}${last ? '   ' : '│  '}`)
  })
}

function label ({ kind, id, title, sharePpm, amount, checkedBy, disputedBy, withdrawn }: GraphNode): string {
  return [
    pc.bold(title),
    kind === 'work' ? '' : `${kind} ${short(id)}`,
    sharePpm == null ? '' : `${(sharePpm / 10_000).toFixed(1)} %`,
    amount == null ? '' : formatOpen(amount),
    withdrawn === true ? 'withdrawn' : '',
    checkedBy == null || checkedBy.length === 0 ? '' : `column: ${checkedBy.length} agree${disputedBy == null ? '' : `, disputed by ${disputedBy.map(short).join(' ')}`}`
  ].filter(text => text !== '').join('  ')
}
