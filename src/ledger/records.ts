import { equalBytes } from '../wire/index.ts'
import { InsufficientFundsError, StateValueError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Account, AccountState, Amount, CandidateState, ChainState, Hash, PaymentReason, TaskState, Validator } from '../interface/index.ts'
import type { CID } from 'multiformats/cid'

export const NO_ACCOUNT: AccountState = { balance: 0n, nonce: 0, staked: 0n, gopen: 0n, delegate: null, votes: 0n }

/** What a transaction's rule sees. */
export interface Context {
  draft: Draft
  signer: Account
  nonce: number
  height: number
}

export function getChain (draft: Draft): ChainState {
  const chain = draft.get(stateCodecs.chain, stateKeys.chain)

  if (chain === undefined) {
    throw new StateValueError(stateKeys.chain, 'a state that began with a genesis')
  }

  return chain
}

export function patchChain (draft: Draft, change: Partial<ChainState>): void {
  draft.put(stateCodecs.chain, stateKeys.chain, { ...getChain(draft), ...change })
}

export function getValidators (draft: Draft): Validator[] {
  return draft.get(stateCodecs.validators, stateKeys.validators) ?? []
}

export function findValidator (draft: Draft, account: Account): Validator | undefined {
  return getValidators(draft).find(validator => equalBytes(validator.account, account))
}

/**
 * What validators said, with one more word. That of who left the set counts for nothing, and a set
 * that changes meanwhile must not make the list longer than a set can be.
 */
export function withWord<T extends { validator: Account }> (draft: Draft, said: readonly T[], word: T): T[] {
  return [...said.filter(({ validator }) => findValidator(draft, validator) !== undefined), word]
}

/** Whether every validator of the running set is among those who said something. */
export function haveAllSpoken (draft: Draft, said: ReadonlyArray<{ validator: Account }>): boolean {
  return getValidators(draft).every(({ account }) => said.some(({ validator }) => equalBytes(validator, account)))
}

export function getNextValidators (draft: Draft): Validator[] {
  return draft.get(stateCodecs.validators, stateKeys.nextValidators) ?? getValidators(draft)
}

export function getCandidate (draft: Draft, account: Account): CandidateState | undefined {
  return draft.get(stateCodecs.candidate, stateKeys.candidate(account))
}

/** Accounts that never had anything are zero. */
export function getAccount (draft: Draft, account: Account): AccountState {
  return draft.get(stateCodecs.account, stateKeys.account(account)) ?? NO_ACCOUNT
}

export function patchAccount (draft: Draft, account: Account, change: Partial<AccountState>): void {
  draft.put(stateCodecs.account, stateKeys.account(account), { ...getAccount(draft, account), ...change })
}

export function getTask (draft: Draft, task: Hash): TaskState | undefined {
  return draft.get(stateCodecs.task, stateKeys.task(task))
}

export function putTask (draft: Draft, task: Hash, value: TaskState): void {
  draft.put(stateCodecs.task, stateKeys.task(task), value)
}

/** @throws {InsufficientFundsError} */
export function debit (draft: Draft, account: Account, amount: Amount): void {
  const { balance } = getAccount(draft, account)

  if (balance < amount) {
    throw new InsufficientFundsError(amount, balance, 'balance')
  }

  patchAccount(draft, account, { balance: balance - amount })
}

export function credit (draft: Draft, account: Account, amount: Amount): void {
  if (amount > 0n) {
    patchAccount(draft, account, { balance: getAccount(draft, account).balance + amount })
  }
}

/** Tells that money moved; nothing for nothing. */
export function announce (draft: Draft, from: Account, to: Account, amount: Amount, reason: PaymentReason, task?: Hash): void {
  if (amount > 0n) {
    draft.emit({ type: 'transfer', from, to, amount, reason, ...(task === undefined ? {} : { task }) })
  }
}

/** From what a task holds to an account. */
export function payFromTask (draft: Draft, task: Hash, to: Account, amount: Amount, reason: PaymentReason): void {
  credit(draft, to, amount)
  announce(draft, task, to, amount, reason, task)
}

/** The id that stands for deposits on a subject in events. */
export function holderOf (subject: CID): Hash {
  return subject.multihash.digest
}
