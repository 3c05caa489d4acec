import { nearDuplicates } from '../scoring/index.ts'
import type { AssessOptions } from './interface.ts'
import type { Run } from './run.ts'

/**
 * Which example stands for which: near duplicates are one player, and the earliest commitment wins.
 * Contributions in the order of their heights, then of their places in their Datanets, then of their
 * CIDs; those that are not on the ledger come last.
 *
 * @returns undefined where nobody says when contributions were committed: each example stands for itself
 */
export function representativesOf ({ snapshot, examples, groups }: Pick<Run, 'snapshot' | 'examples' | 'groups'>, { commitmentOf }: Pick<AssessOptions, 'commitmentOf'>): Uint32Array | undefined {
  if (commitmentOf === undefined) {
    return undefined
  }

  const commitments = snapshot.contributions.map(cid => commitmentOf(cid) ?? { height: Infinity, index: 0 })
  const order = commitments.map((_, i) => i).sort((a, b) => {
    const [first, second] = [commitments[a], commitments[b]]

    return first.height === second.height ? first.index - second.index || a - b : first.height - second.height
  })
  const places = new Uint32Array(order.length)

  order.forEach((contribution, place) => { places[contribution] = place })

  return nearDuplicates(examples, groups, places)
}
