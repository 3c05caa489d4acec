import { equalBytes } from '../wire/index.ts'
import { RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { getChain } from './records.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Context } from './records.ts'
import type { Account, ContributionState, TaskState, TransactionBody } from '../interface/index.ts'

/**
 * Takes a contribution back, for good. No adapter that is published from now on may name it, and no
 * task of a later epoch pays it. What was trained on it stays what it is, and so do its scores: a
 * run that is replayed cannot leave out what it saw.
 */
export function withdrawContribution ({ draft, signer, height }: Context, { contribution }: Extract<TransactionBody, { kind: 'withdraw-contribution' }>): void {
  const key = stateKeys.contribution(contribution)
  const state = draft.get(stateCodecs.contribution, key)

  if (state === undefined) {
    throw new RuleError('ERR_CONTRIBUTION_UNKNOWN', `expected a contribution of this ledger but got ${contribution}`)
  }

  if (!equalBytes(state.contributor, signer)) {
    throw new RuleError('ERR_NOT_CONTRIBUTOR', 'expected the contributor: nobody else can withdraw a contribution')
  }

  if (state.status !== 'admitted') {
    throw new RuleError('ERR_CONTRIBUTION_NOT_ADMITTED', `expected an admitted contribution but it is ${state.status}: there is nothing to withdraw`)
  }

  if (state.withdrawn !== undefined) {
    throw new RuleError('ERR_CONTRIBUTION_WITHDRAWN', `expected a contribution that is not withdrawn but this was at height ${state.withdrawn.height}`)
  }

  draft.put(stateCodecs.contribution, key, { ...state, withdrawn: { epoch: getChain(draft).epoch, height } })
  draft.emit({ type: 'contribution', contribution, datanet: state.datanet, contributor: signer, status: state.status })
}

/**
 * Whom a task's share for a contribution goes to. That of a withdrawn one is the treasury's from the
 * next epoch on: not the other contributors', who would gain by driving each other out, not the
 * developer's or the gateway's, who would gain by serving what was taken back, and not the payer's,
 * whose price would depend on the data behind an answer.
 */
export function payeeOf (draft: Draft, { contributor, withdrawn }: ContributionState, { epoch }: TaskState): { account: Account, isContributor: boolean } {
  return withdrawn !== undefined && epoch > withdrawn.epoch
    ? { account: getChain(draft).treasury, isContributor: false }
    : { account: contributor, isContributor: true }
}
