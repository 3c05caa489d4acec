import { CID } from 'multiformats/cid'
import { fetchScores } from '../assessment/index.ts'
import { listPayouts, listTasks } from '../ledger/index.ts'
import { lightClient } from '../light-client/index.ts'
import { querySource } from '../settlement/index.ts'
import { fromHex } from '../wire/index.ts'
import { NotFoundError } from './errors.ts'
import type { DatanetNode } from './node.ts'
import type { AbortOptions, Hash, WhyView } from '../interface/index.ts'
import type { HeaderSource } from '../light-client/index.ts'

/**
 * Why a contribution was paid, verified link by link against peers as a light client would: this
 * node's own state is not taken for granted.
 *
 * @param node - whose peers are asked
 * @param contribution - its CID
 * @param task - hexadecimal; default: the newest task that paid the contribution
 * @param options - ends the search
 */
export async function why (node: DatanetNode, contribution: string, task?: string, options: AbortOptions = {}): Promise<WhyView> {
  const cid = CID.parse(contribution)
  const id = task == null ? newestPayout(node, cid) : fromHex(task)
  const client = lightClient({ genesis: node.genesis, source: verifiedSource(node) })

  return client.why(id, cid, options)
}

/** Headers and proofs from peers, records from the swarm, scores from assessors. */
export function verifiedSource (node: Pick<DatanetNode, 'network' | 'storage' | 'genesis'>): HeaderSource {
  return {
    ...querySource({ network: node.network, chain: node.genesis.chain }),
    datum: async (cid, options) => node.storage.get(cid, options),
    scores: async (task, options) => fetchScores(node.network, task, options)
  }
}

function newestPayout (node: DatanetNode, contribution: CID): Hash {
  const state = node.chain.state()
  const paid = [...listTasks(state)]
    .filter(({ task }) => [...listPayouts(state, task)].some(payout => payout.contribution.equals(contribution)))
    .toSorted((a, b) => b.state.epoch - a.state.epoch)

  if (paid.length === 0) {
    throw new NotFoundError('payout for contribution', contribution.toString(), 'payouts come when a task that it shaped is settled: look with `datanet status`')
  }

  return paid[0].task
}
