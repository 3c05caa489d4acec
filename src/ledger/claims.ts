import { dataTotal, payout, verifyScoreClaim } from '../scoring/index.ts'
import { RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { payParent } from './merges.ts'
import { getTask, payFromTask, putTask } from './records.ts'
import { inPhase } from './tasks.ts'
import { stateCodecs } from './values.ts'
import { payeeOf } from './withdrawals.ts'
import type { Draft } from './draft.ts'
import type { Context } from './records.ts'
import type { Hash, ScoreClaim } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

/**
 * Pays contributions their share of a settled task's data pool, by proof against its score root;
 * that of withdrawn ones goes where `payeeOf` says. Of a merged adapter's task the developers of its
 * parents are paid in the same way.
 * Anyone may claim for anyone. Those paid already are passed over, so that nobody can spoil a list
 * by claiming one of it first; a list without anyone new is refused.
 */
export function claim ({ draft, height }: Context, body: { task: Hash, claims: ScoreClaim[] }): void {
  const task = inPhase(draft, body.task, 'settled')
  const { contributions = [], parents = [] } = draft.get(stateCodecs.adapter, stateKeys.adapter(task.adapter)) ?? {}
  const entries = contributions.length + parents.length
  let fresh = 0

  for (const one of body.claims) {
    if (task.scoreRoot === null || !verifyScoreClaim(task.scoreRoot, entries, one)) {
      throw new RuleError('ERR_CLAIM', `expected a proof of the score of ${one.contribution} against the task's score root`)
    }

    if (!draft.has(stateKeys.payout(body.task, one.contribution))) {
      if (parents.some(({ adapter }) => adapter.equals(one.contribution))) {
        payParent(draft, body.task, one, height)
      } else {
        pay(draft, body.task, contributions, one, height)
      }

      fresh++
    }
  }

  if (fresh === 0) {
    throw new RuleError('ERR_ALREADY_CLAIMED', 'expected at least one contribution that this task has not paid yet')
  }
}

function pay (draft: Draft, id: Hash, contributions: CID[], { contribution, score }: ScoreClaim, height: number): void {
  const key = stateKeys.contribution(contribution)
  const value = draft.get(stateCodecs.contribution, key)
  const task = getTask(draft, id)

  if (task === undefined || value?.status !== 'admitted' || !contributions.some(one => one.equals(contribution))) {
    throw new RuleError('ERR_CONTRIBUTION_NOT_ADMITTED', `expected an admitted contribution of the task's adapter but ${contribution} is not`)
  }

  const amount = payout(task.dataPool, score, dataTotal(task.total, task.developers !== undefined))

  // a committee that agreed on a total below the sum of its scores cannot pay more than there is
  if (task.paid + amount > task.dataPool) {
    throw new RuleError('ERR_CLAIM', `the data pool has ${task.dataPool - task.paid} base units left but the claim is for ${amount}`)
  }

  const { account, isContributor } = payeeOf(draft, value, task)

  draft.put(stateCodecs.payout, stateKeys.payout(id, contribution), { contributor: account, score, amount, height })
  draft.put(stateCodecs.contribution, key, { ...value, earned: value.earned + (isContributor ? amount : 0n) })
  putTask(draft, id, { ...task, paid: task.paid + amount })
  payFromTask(draft, id, account, amount, 'data')
}
