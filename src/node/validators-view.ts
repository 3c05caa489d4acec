import { accountToString } from '../identity/index.ts'
import { listCandidates, readBond, readConviction, readNextValidators, readTask, readUnbonding, readValidators } from '../ledger/index.ts'
import { equalBytes, fromHex } from '../wire/index.ts'
import { taskView } from './task-view.ts'
import type { DatanetNode } from './node.ts'
import type { Account, TaskView } from '../interface/index.ts'

/** GET /api/v1/validators: somebody who validates, or may be chosen to. */
export interface ValidatorStakeView {
  account: string
  /** own and delegated, base units */
  bonded: string
  /** its own part of that */
  own: string
  /** bonded by the account that asks */
  yours: string
  /** in the set that works now, in that of the next epoch, in none, or never again */
  state: 'working' | 'next' | 'candidate' | 'convicted'
}

/** Stake that the account took out of bonds, oldest first. */
export interface UnbondingView {
  validator: string
  amount: string
  /** the first epoch in which it can be withdrawn */
  epoch: number
}

/** Candidates with the most bonded first. */
export function validatorViews ({ chain }: DatanetNode, owner: Account): { validators: ValidatorStakeView[], unbonding: UnbondingView[] } {
  const state = chain.state()
  const [working, next] = [readValidators(state), readNextValidators(state)]
  const sits = (set: Array<{ account: Account }>, account: Account): boolean => set.some(one => equalBytes(one.account, account))
  const stateOf = (account: Account): ValidatorStakeView['state'] => {
    if (readConviction(state, account) !== undefined) {
      return 'convicted'
    }

    if (sits(working, account)) {
      return 'working'
    }

    return sits(next, account) ? 'next' : 'candidate'
  }

  return {
    validators: [...listCandidates(state)]
      .toSorted((a, b) => Number(b.state.bonded > a.state.bonded) - Number(a.state.bonded > b.state.bonded))
      .map(({ account, state: { bonded } }) => ({
        account: accountToString(account),
        bonded: bonded.toString(),
        own: readBond(state, account, account).toString(),
        yours: readBond(state, account, owner).toString(),
        state: stateOf(account)
      })),
    unbonding: readUnbonding(state, owner).map(({ validator, amount, epoch }) => ({ validator: accountToString(validator), amount: amount.toString(), epoch }))
  }
}

/** One redemption of a task. */
export interface TaskSourceView {
  gateway: string
  receipts: number
  fees: string
  /** what the gateway loses if its receipts do not hold */
  bond: string
  fault: 'missing' | 'false' | null
}

/** GET /api/v1/tasks/{id} */
export interface TaskDetailView extends TaskView {
  redraws: number
  rollovers: number
  sources: TaskSourceView[]
  /** who had the result judged, and whether by an answer that it knew */
  challenge: { challenger: string, planted: boolean } | null
}

/** @returns undefined if the ledger has no such task */
export function taskDetail ({ chain }: DatanetNode, hex: string): TaskDetailView | undefined {
  const id = fromHex(hex)
  const task = readTask(chain.state(), id)

  return task === undefined
    ? undefined
    : {
        ...taskView(chain.state(), id, task),
        redraws: task.redraws,
        rollovers: task.rollovers,
        sources: task.sources.map(({ gateway, receipts, fees, bond, fault }) => ({ gateway: accountToString(gateway), receipts, fees: fees.toString(), bond: bond.toString(), fault })),
        challenge: task.challenge === null ? null : { challenger: accountToString(task.challenge.challenger), planted: task.challenge.planted }
      }
}
