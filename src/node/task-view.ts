import { accountToString } from '../identity/index.ts'
import { listPayouts, readAdapter } from '../ledger/index.ts'
import { toHex } from '../wire/index.ts'
import type { Hash, SeatState, TaskState, TaskView } from '../interface/index.ts'
import type { LedgerState } from '../ledger/index.ts'

/** A task as the API shows it. */
export function taskView (state: LedgerState, id: Hash, task: TaskState): TaskView {
  const parents = new Set(readAdapter(state, task.adapter)?.parents?.map(({ adapter }) => adapter.toString()))
  const payouts = [...listPayouts(state, id)].map(({ contribution, state: { contributor, amount } }) => ({ account: accountToString(contributor), of: contribution.toString(), amount: amount.toString() }))

  return {
    task: toHex(id),
    adapter: task.adapter.toString(),
    epoch: task.epoch,
    phase: task.phase,
    fees: task.fees.toString(),
    scoreRoot: task.scoreRoot == null ? null : toHex(task.scoreRoot),
    deadline: task.deadline,
    feeSplit: task.feeSplit ?? undefined,
    ...(task.phase === 'settled' ? { dataPool: task.dataPool.toString() } : {}),
    seats: task.seats.map(seat => ({
      assessor: accountToString(seat.assessor),
      state: seatState(seat),
      scoreRoot: seat.scoreRoot == null ? null : toHex(seat.scoreRoot),
      fault: seat.fault
    })),
    payouts: payouts.filter(({ of }) => !parents.has(of)).map(({ account, of, amount }) => ({ account, reason: 'data', contribution: of, amount })),
    ...(parents.size === 0 ? {} : { developers: payouts.filter(({ of }) => parents.has(of)).map(({ account, of, amount }) => ({ account, adapter: of, amount })) })
  }
}

function seatState (seat: SeatState): TaskView['seats'][number]['state'] {
  if (seat.fault != null) {
    return 'slashed'
  }

  if (seat.opened) {
    return 'opened'
  }

  if (seat.scoreRoot != null) {
    return 'revealed'
  }

  return seat.commit == null ? 'drawn' : 'committed'
}
