import { accountToString } from '../identity/index.ts'
import { readAdapter, readContribution } from '../ledger/index.ts'
import { columnViews } from './column-views.ts'
import { adapterName, baseGraph, paidBy, part, person } from './graph-nodes.ts'
import { contributionTitle } from './views.ts'
import type { DatanetNode } from './node.ts'
import type { AbortOptions, AdapterState, Amount, GraphNode, MergeParent } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/** Contributions by what answers of this adapter earned them, and who agreed on their columns. */
export async function adapterGraph (node: DatanetNode, cid: CID, adapter: AdapterState, options: AbortOptions): Promise<GraphNode> {
  const paid = paidBy(node, cid)
  // a merge pays its parents' developers as well
  const total = adapter.contributions.reduce((sum, one) => sum + (paid.get(one.toString()) ?? 0n), 0n)
  const parents = await Promise.all((adapter.parents ?? []).map(async parent => parentNode(node, parent, paid.get(parent.adapter.toString()) ?? 0n)))
  const earned = parents.reduce((sum, { amount = '0' }) => sum + BigInt(amount), adapter.earned)
  const columns = await columnViews(node, cid, options)
  const contributions = await Promise.all(adapter.contributions.map(async (contribution, column): Promise<GraphNode> => {
    const known = readContribution(node.chain.state(), contribution)
    const contributor = known?.contributor
    const amount = paid.get(contribution.toString()) ?? 0n

    return {
      kind: 'contribution',
      id: contribution.toString(),
      title: await contributionTitle(node, contribution),
      ...part(total, amount),
      checkedBy: columns[column]?.checkedBy ?? [],
      ...(columns[column]?.disputedBy.length > 0 ? { disputedBy: columns[column].disputedBy } : {}),
      ...(known?.withdrawn == null ? {} : { withdrawn: true }),
      children: contributor == null ? [] : [person(accountToString(contributor), 'contributor', amount)]
    }
  }))

  return {
    kind: 'adapter',
    id: cid.toString(),
    title: await adapterName(node, cid),
    amount: `${earned + total}`,
    children: [
      ...adapter.parents == null ? [person(accountToString(adapter.developer), 'developer', adapter.earned)] : parents,
      baseGraph(node, adapter),
      ...contributions.toSorted((a, b) => (b.sharePpm ?? 0) - (a.sharePpm ?? 0))
    ]
  }
}

/** What answers of a merge paid the developer of one of its adapters, and what that one stands on. */
async function parentNode (node: DatanetNode, { adapter, weightMilli }: MergeParent, amount: Amount): Promise<GraphNode> {
  const state = readAdapter(node.chain.state(), adapter)

  return {
    kind: 'adapter',
    id: adapter.toString(),
    title: `${weightMilli / 1000} × ${await adapterName(node, adapter)}`,
    amount: `${amount}`,
    children: state == null
      ? []
      : [
          person(accountToString(state.developer), 'developer', amount),
          ...await Promise.all(state.contributions.map(async (contribution): Promise<GraphNode> => ({ kind: 'contribution', id: contribution.toString(), title: await contributionTitle(node, contribution), children: [] })))
        ]
  }
}
