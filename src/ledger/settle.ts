import { dataTotal, divide, MERGED_TOTAL } from '../scoring/index.ts'
import { enter, forget } from './committee.ts'
import { stateKeys } from './keys.ts'
import { getChain, getValidators, payFromTask } from './records.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { AdapterState, Amount, Hash, TaskState } from '../interface/index.ts'

/**
 * Pays what a task's fees are owed: platform, developers, validators and seats at once, while the
 * data pool waits for claims. What contributors and developers get follows from fees, split and
 * scores alone, never from who sat in the committee, who was slashed or how long it took.
 */
export function settle (draft: Draft, id: Hash, task: TaskState): void {
  const { treasury, epochFeeSplit } = getChain(draft)
  const shares = divide(task.fees, task.feeSplit ?? epochFeeSplit)
  const adapter = draft.get(stateCodecs.adapter, stateKeys.adapter(task.adapter))
  const { spare: ofDevelopers, developers } = payDevelopers(draft, id, task, adapter, shares.developers)
  const spare = ofDevelopers + payWork(draft, id, task, shares.validators)
  const dataPool = dataPoolOf(task, adapter, shares.data)

  payFromTask(draft, id, treasury, shares.platform + spare + (shares.data - dataPool), 'platform')
  for (const { gateway, bond, fault } of task.sources) {
    if (fault === null) {
      payFromTask(draft, id, gateway, bond, 'refund')
    }
  }

  enter(draft, id, { ...task, dataPool, ...(developers === undefined ? {} : { developers }) }, 'settled', 0)
  forget(draft, id)
}

/**
 * With nothing scored there is nobody to pay, and without contributions nothing can have been, whatever
 * the seats say. Of a merged adapter the part of parents that were trained elsewhere is nobody's either.
 */
function dataPoolOf (task: TaskState, adapter: AdapterState | undefined, share: Amount): Amount {
  if (adapter === undefined || task.total === 0n || adapter.contributions.length === 0) {
    return 0n
  }

  const scored = dataTotal(task.total, adapter.parents !== undefined)

  return adapter.parents === undefined || scored > MERGED_TOTAL ? share : share * scored / MERGED_TOTAL
}

/**
 * Half to the base model's developer, rounded down, the rest to the adapter's; of a merged one the
 * rest waits for the claims of its parents' developers. `spare` is what nobody could be paid.
 */
function payDevelopers (draft: Draft, id: Hash, task: TaskState, adapter: AdapterState | undefined, share: Amount): { spare: Amount, developers?: TaskState['developers'] } {
  if (adapter === undefined) {
    return { spare: share }
  }

  const baseDeveloper = draft.get(stateCodecs.base, stateKeys.base(adapter.base)) ?? adapter.developer
  const ofBase = share / 2n
  const ofAdapter = share - ofBase

  payFromTask(draft, id, baseDeveloper, ofBase, 'base-developer')

  if (adapter.parents !== undefined) {
    return { spare: 0n, developers: { pool: ofAdapter, paid: 0n } }
  }

  payFromTask(draft, id, adapter.developer, ofAdapter, 'developer')
  draft.put(stateCodecs.adapter, stateKeys.adapter(task.adapter), { ...adapter, earned: adapter.earned + ofAdapter })

  return { spare: 0n }
}

/** Half to validators by stake, the rest to the honest seats equally; both rounded down. Returns the remainder. */
function payWork (draft: Draft, id: Hash, task: TaskState, share: Amount): Amount {
  const validators = getValidators(draft)
  const stakes = validators.reduce((sum, { stake }) => sum + stake, 0n)
  const seats = task.seats.filter(seat => seat.fault === null && seat.scoreRoot !== null && (seat.opened || task.openings.length === 0))
  const ofValidators = share / 2n
  let spare = share

  for (const { account, stake } of validators) {
    const amount = ofValidators * stake / stakes

    payFromTask(draft, id, account, amount, 'validator')
    spare -= amount
  }

  for (const { assessor } of seats) {
    const amount = (share - ofValidators) / BigInt(seats.length)

    payFromTask(draft, id, assessor, amount, 'assessor')
    spare -= amount
  }

  return spare
}
