import { equalBytes } from '../wire/index.ts'
import { InsufficientFundsError, RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { announce, credit, debit, getAccount, getChain, getTask, patchAccount } from './records.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Context } from './records.ts'
import type { Account, Amount, Hash } from '../interface/index.ts'

/** @throws {RuleError} `ERR_AMOUNT` */
export function requirePositive (amount: Amount): void {
  if (amount <= 0n) {
    throw new RuleError('ERR_AMOUNT', `expected more than 0 base units but got ${amount}`)
  }
}

export function transfer ({ draft, signer }: Context, body: { to: Account, amount: Amount }): void {
  requirePositive(body.amount)
  debit(draft, signer, body.amount)
  credit(draft, body.to, body.amount)
  announce(draft, signer, body.to, body.amount, 'transfer')
}

export function stake ({ draft, signer }: Context, body: { amount: Amount }): void {
  requirePositive(body.amount)
  debit(draft, signer, body.amount)
  setStake(draft, signer, getAccount(draft, signer).staked + body.amount)
  announce(draft, signer, signer, body.amount, 'stake')
}

/** Stake stays where it can be slashed while the account sits in a committee. */
export function unstake ({ draft, signer }: Context, body: { amount: Amount }): void {
  const { staked } = getAccount(draft, signer)

  requirePositive(body.amount)

  if (staked < body.amount) {
    throw new InsufficientFundsError(body.amount, staked, 'stake')
  }

  if (getChain(draft).openTasks.some(task => sits(draft, task, signer))) {
    throw new RuleError('ERR_STAKE_LOCKED', 'expected an account without a seat in an unsettled task: unstake when its tasks are settled')
  }

  setStake(draft, signer, staked - body.amount)
  credit(draft, signer, body.amount)
  announce(draft, signer, signer, body.amount, 'stake')
}

/** Moves what an assessor loses to the treasury: at most what it has at stake. */
export function slash (draft: Draft, task: Hash, assessor: Account, amount: Amount, fault: string): void {
  const { staked } = getAccount(draft, assessor)
  const lost = staked < amount ? staked : amount
  const { treasury } = getChain(draft)

  setStake(draft, assessor, staked - lost)
  credit(draft, treasury, lost)
  draft.emit({ type: 'seat', task, assessor, action: 'slash', fault })
  announce(draft, assessor, treasury, lost, 'slash', task)
}

function sits (draft: Draft, id: Hash, account: Account): boolean {
  return getTask(draft, id)?.seats.some(seat => seat.fault === null && equalBytes(seat.assessor, account)) ?? false
}

/** Keeps the list of those who can be drawn beside the accounts, so that a draw need not read them all. */
function setStake (draft: Draft, account: Account, staked: Amount): void {
  patchAccount(draft, account, { staked })

  if (staked > 0n) {
    draft.put(stateCodecs.assessor, stateKeys.assessor(account), staked)
  } else {
    draft.delete(stateKeys.assessor(account))
  }
}
