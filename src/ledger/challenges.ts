/**
 * Unanimous seats can all be wrong: if they collude, or run the same broken or lazy software. Two
 * ways bring their result before the validators while its payouts are still held back.
 *
 * Anybody may challenge a result against a bond. Validators whose turn it is may plant answers:
 * before the seats reveal, they commit to the result of a task that they know, without naming the
 * task. Whoever assesses cannot tell which tasks are such. An exposed plant that agrees with the
 * seats is paid by the treasury, so that planting is worth it while all are honest; one that does
 * not is a challenge.
 */
import { bountyOf, drawPlanters, plantCommit } from '../scoring/index.ts'
import { equalBytes } from '../wire/index.ts'
import { enter } from './committee.ts'
import { RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { announce, credit, debit, getAccount, getChain, getValidators } from './records.ts'
import { inPhase } from './tasks.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Context } from './records.ts'
import type { Account, Amount, ChallengeState, Hash, PlantState, TaskState, TransactionBody } from '../interface/index.ts'

type Body<K extends TransactionBody['kind']> = Extract<TransactionBody, { kind: K }>

/** Has a result judged by the validators, once, while it can still be changed. */
export function challenge ({ draft, signer }: Context, { task: id }: Body<'challenge'>): void {
  const task = challengeable(draft, id)
  const { challengeBond } = getChain(draft).params

  debit(draft, signer, challengeBond)
  announce(draft, signer, id, challengeBond, 'bond', id)
  bringToVerdict(draft, id, task, { challenger: signer, bond: challengeBond, planted: false })
}

export function plant ({ draft, signer, height }: Context, { commit }: Body<'plant'>): void {
  const { chain, epoch, params } = getChain(draft)
  const key = stateKeys.plant(epoch, signer)

  if (!drawPlanters(chain, epoch, getValidators(draft), params.plantsPerEpoch).some(account => equalBytes(account, signer))) {
    throw new RuleError('ERR_NOT_PLANTER', `expected a validator whose turn it is to plant in epoch ${epoch}`)
  }

  if (draft.has(key)) {
    throw new RuleError('ERR_PLANT_EXISTS', 'expected one plant per validator and epoch: withdraw the other one first')
  }

  debit(draft, signer, params.challengeBond)
  announce(draft, signer, signer, params.challengeBond, 'bond')
  draft.put(stateCodecs.plant, key, { commit, bond: params.challengeBond, height })
}

/** Gives up a plant whose task became another one: nothing is won or lost, since nobody knows what it said. */
export function withdrawPlant ({ draft, signer }: Context, { epoch }: Body<'withdraw-plant'>): void {
  const { bond } = takePlant(draft, epoch, signer)

  credit(draft, signer, bond)
  announce(draft, signer, signer, bond, 'refund')
}

/** Shows that one knew a task's result before the seats revealed theirs; a different one is a challenge. */
export function expose ({ draft, signer }: Context, { epoch, task: id, scoreRoot, total, salt }: Body<'expose'>): void {
  const { chain, treasury, params } = getChain(draft)
  const task = inPhase(draft, id, 'challenge')
  const { commit, bond, height } = takePlant(draft, epoch, signer)

  if (!equalBytes(commit, plantCommit({ chain, task: id, scoreRoot, total, salt, planter: signer }))) {
    throw new RuleError('ERR_COMMIT_MISMATCH', 'expected what was planted, by who planted it')
  }

  // later than that, one could plant what seats revealed
  if (height > task.revealedAt) {
    throw new RuleError('ERR_PLANT_LATE', `expected a plant from before the task's reveals, which began after block ${task.revealedAt}, but it is of block ${height}`)
  }

  if (task.scoreRoot === null || !equalBytes(task.scoreRoot, scoreRoot) || task.total !== total) {
    return bringToVerdict(draft, id, challengeable(draft, id), { challenger: signer, bond, planted: true })
  }

  credit(draft, signer, bond)
  announce(draft, signer, signer, bond, 'refund', id)
  payFromTreasury(draft, id, treasury, signer, params.plantReward, 'plant')
}

/**
 * Ends a challenge by what the validators found.
 *
 * @param draft - of the block
 * @param id - of the task
 * @param task - in phase verdict
 * @param outcome - `undecided` if the validators did not agree, which is nobody's fault
 * @param slashed - what the seats that were wrong lost; a part of it is the bounty
 */
export function endChallenge (draft: Draft, id: Hash, task: TaskState, outcome: 'right' | 'wrong' | 'undecided', slashed: Amount): TaskState {
  if (task.challenge === null) {
    return task
  }

  const { challenger, bond, planted } = task.challenge
  const { treasury, params } = getChain(draft)
  const keeper = outcome === 'wrong' ? treasury : challenger

  credit(draft, keeper, bond)
  announce(draft, id, keeper, bond, outcome === 'wrong' ? 'bond' : 'refund', id)

  if (outcome === 'right') {
    payFromTreasury(draft, id, treasury, challenger, bountyOf(slashed), 'bounty')

    if (planted) {
      payFromTreasury(draft, id, treasury, challenger, params.plantReward, 'plant')
    }
  }

  draft.emit({ type: 'challenge', task: id, challenger, bond, planted, outcome })

  return { ...task, challenge: { challenger, bond: 0n, planted } }
}

function bringToVerdict (draft: Draft, id: Hash, task: TaskState, state: ChallengeState): void {
  draft.emit({ type: 'challenge', task: id, ...state, outcome: 'open' })
  enter(draft, id, { ...task, challenge: state }, 'verdict', getChain(draft).params.verdictBlocks)
}

function challengeable (draft: Draft, id: Hash): TaskState {
  const task = inPhase(draft, id, 'challenge')

  if (task.challenge !== null || task.verdicts.length > 0) {
    throw new RuleError('ERR_CHALLENGED', 'expected a result that the validators have not judged yet')
  }

  return task
}

function takePlant (draft: Draft, epoch: number, planter: Account): PlantState {
  const key = stateKeys.plant(epoch, planter)
  const value = draft.get(stateCodecs.plant, key)

  if (value === undefined) {
    throw new RuleError('ERR_PLANT_UNKNOWN', `expected a plant of this account in epoch ${epoch}`)
  }

  draft.delete(key)

  return value
}

/** A treasury that has less pays what it has. */
function payFromTreasury (draft: Draft, id: Hash, treasury: Account, to: Account, amount: Amount, reason: 'bounty' | 'plant'): void {
  const { balance } = getAccount(draft, treasury)
  const paid = balance < amount ? balance : amount

  debit(draft, treasury, paid)
  credit(draft, to, paid)
  announce(draft, treasury, to, paid, reason, id)
}
