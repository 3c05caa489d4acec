import { listAdapters, listContributions } from '../ledger/index.ts'
import { equalBytes } from '../wire/index.ts'
import { adapterName, paidBy, part } from './graph-nodes.ts'
import { contributionTitle } from './views.ts'
import type { DatanetNode } from './node.ts'
import type { Account, GraphNode } from '../interface/index.ts'

/** What an account contributed and made, what each earned, and by which adapters. */
export async function accountGraph (node: DatanetNode, id: string, account: Account): Promise<GraphNode> {
  const state = node.chain.state()
  const adapters = [...listAdapters(state)]
  const own = [...listContributions(state)].filter(({ state }) => equalBytes(state.contributor, account))
  const made = adapters.filter(({ state }) => equalBytes(state.developer, account))
  const total = [...own, ...made].reduce((sum, { state }) => sum + state.earned, 0n)

  const contributions = await Promise.all(own.map(async ({ contribution, state: { earned } }): Promise<GraphNode> => {
    const users = adapters.filter(({ state }) => state.contributions.some(used => used.equals(contribution)))

    return {
      kind: 'contribution',
      id: contribution.toString(),
      title: await contributionTitle(node, contribution),
      ...part(total, earned),
      children: await Promise.all(users.map(async ({ adapter }): Promise<GraphNode> => {
        const amount = paidBy(node, adapter).get(contribution.toString()) ?? 0n

        return { kind: 'adapter', id: adapter.toString(), title: await adapterName(node, adapter), ...part(earned, amount), children: [] }
      }))
    }
  }))

  return {
    kind: 'account',
    id,
    title: 'account',
    amount: `${total}`,
    children: [
      ...contributions,
      ...await Promise.all(made.map(async ({ adapter, state: { earned } }): Promise<GraphNode> => (
        { kind: 'adapter', id: adapter.toString(), title: await adapterName(node, adapter), ...part(total, earned), children: [] }
      )))
    ]
  }
}
