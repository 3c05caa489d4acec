import { MERGED_TOTAL, payout } from '../scoring/index.ts'
import { compareBytes, CONTRIBUTIONS_MAX } from '../wire/index.ts'
import { submitAdapter } from './adapters.ts'
import { RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { getTask, payFromTask, putTask } from './records.ts'
import { makeWay } from './subjects.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Context } from './records.ts'
import type { AdapterState, Hash, ScoreClaim, TransactionBody } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/**
 * Adapters that are asked as one. Its contributions are those of its parents, so that what an answer
 * owes them is paid as if each had been asked; its developers are the parents' developers, and who
 * publishes it has the deposit back and nothing else: adding up what others made is no work.
 */
export function mergeAdapters (context: Context, { adapter, base, parents }: Extract<TransactionBody, { kind: 'merge-adapters' }>): void {
  const { draft, signer } = context
  const same = draft.get(stateCodecs.merge, stateKeys.merge(parents))

  makeWay(draft, adapter, signer, 'ERR_ADAPTER_EXISTS', 'adapter')

  if (same !== undefined) {
    throw new RuleError('ERR_MERGE_EXISTS', `expected parents or weights of its own but the adapter ${same} has the same: ask that one`)
  }

  const contributions = contributionsOf(draft, parents.map(parent => parentOf(draft, parent.adapter, base)))
  submitAdapter(context, adapter, { base, snapshot: null, contributions, parents })
}

function parentOf (draft: Draft, adapter: CID, base: CID): AdapterState {
  const state = draft.get(stateCodecs.adapter, stateKeys.adapter(adapter))

  if (state?.status !== 'admitted') {
    throw new RuleError('ERR_ADAPTER_NOT_ADMITTED', `expected admitted adapters only but ${adapter} is not`)
  }

  if (state.parents !== undefined) {
    throw new RuleError('ERR_MERGE_NESTED', `expected adapters with weights of their own but ${adapter} is merged itself: name its parents with the products of the weights`)
  }

  if (!state.base.equals(base)) {
    throw new RuleError('ERR_MERGE_BASE', `expected adapters of the base ${base} but ${adapter} is of ${state.base}`)
  }

  return state
}

/** Of all parents, ascending, each once. */
function contributionsOf (draft: Draft, parents: AdapterState[]): CID[] {
  const all = new Map(parents.flatMap(({ contributions }) => contributions.map(one => [one.toString(), one])))

  // a score table has an entry for each, and for each parent
  if (all.size + parents.length > CONTRIBUTIONS_MAX) {
    throw new RuleError('ERR_MERGE_SIZE', `expected parents with at most ${CONTRIBUTIONS_MAX - parents.length} contributions but these have ${all.size}`)
  }

  for (const contribution of all.values()) {
    if (draft.get(stateCodecs.contribution, stateKeys.contribution(contribution))?.withdrawn !== undefined) {
      throw new RuleError('ERR_CONTRIBUTION_WITHDRAWN', `expected parents whose contributions are not withdrawn but ${contribution} is: no new adapter may stand on it`)
    }
  }

  return [...all.values()].sort((a, b) => compareBytes(a.bytes, b.bytes))
}

/**
 * What a merged adapter's task owes the developer of a parent, by its measured effect. The caller has
 * verified the claim against the score root.
 */
export function payParent (draft: Draft, id: Hash, { contribution: parent, score }: ScoreClaim, height: number): void {
  const key = stateKeys.adapter(parent)
  const adapter = draft.get(stateCodecs.adapter, key)
  const task = getTask(draft, id)

  if (adapter === undefined || task?.developers === undefined) {
    throw new RuleError('ERR_ADAPTER_UNKNOWN', `expected a parent of a merged adapter but ${parent} is not`)
  }

  const { pool, paid } = task.developers
  // a committee may have agreed on scores that are none
  const amount = payout(pool, score < MERGED_TOTAL ? score : MERGED_TOTAL, MERGED_TOTAL)

  if (paid + amount > pool) {
    throw new RuleError('ERR_CLAIM', `the developers' pool has ${pool - paid} base units left but the claim is for ${amount}`)
  }

  draft.put(stateCodecs.payout, stateKeys.payout(id, parent), { contributor: adapter.developer, score, amount, height })
  draft.put(stateCodecs.adapter, key, { ...adapter, earned: adapter.earned + amount })
  putTask(draft, id, { ...task, developers: { pool, paid: paid + amount } })
  payFromTask(draft, id, adapter.developer, amount, 'developer')
}
