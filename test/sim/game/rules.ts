import { readPayout, readTask, totalHoldings } from '../../../src/ledger/index.ts'
import { payout, penaltyOf } from '../../../src/scoring/index.ts'
import { equalBytes, toHex } from '../../../src/wire/index.ts'
import { CONTRIBUTIONS } from './computation.ts'
import { tableOf, tasksIn, truthOf } from './seats.ts'
import { PARAMS } from './setup.ts'
import type { Actor, Board } from './interface.ts'
import type { Account, Hash, LedgerEvent, SeatState, TaskState } from '../../../src/interface/index.ts'
import type { LedgerState } from '../../../src/ledger/index.ts'

const violate = ({ report, states }: Board, what: string): void => {
  if (report.violations.length < 20) {
    report.violations.push(`block ${states.length - 1}: ${what}`)
  }
}

const actorOf = ({ actors }: Board, account: Account): Actor | undefined => actors.find(({ who }) => equalBytes(who.account, account))

const isHonest = (board: Board, { assessor }: SeatState): boolean => actorOf(board, assessor)?.character === 'honest'

/** More than half of those who revealed are honest: what comparing seats with each other needs. */
const hasHonestMajority = (board: Board, { seats }: TaskState): boolean => {
  const revealed = seats.filter(({ scoreRoot }) => scoreRoot !== null)

  return revealed.filter(seat => isHonest(board, seat)).length * 2 > revealed.length
}

/** As above, of those whose traces were compared: honest machines may be away when they are to open theirs. */
const hasHonestOpenings = (board: Board, task: TaskState): boolean => hasHonestMajority(board, { ...task, seats: task.seats.filter(({ opened }) => opened) })

/** No honest seat is ever convicted of a lie; without faults it is not even called silent. */
const checkSlash = (board: Board, before: LedgerState, { task: id, assessor, fault }: Extract<LedgerEvent, { type: 'seat' }>): void => {
  const actor = actorOf(board, assessor)
  const task = readTask(before, id)

  board.report.slashed[fault ?? 'none'] = (board.report.slashed[fault ?? 'none'] ?? 0) + 1

  if (actor?.character !== 'honest' || task === undefined) {
    return
  }

  const isForSilence = fault === 'silent' || fault === 'withheld'

  // traces of seats that agree are compared with each other, and only with each other
  if (isForSilence ? !board.game.isFoul : fault !== 'bad-trace' || hasHonestMajority(board, task)) {
    violate(board, `an honest seat was slashed: ${fault}`)
  }
}

/** Checked after every block: money, and who is slashed. */
export const checkBlock = (board: Board, before: LedgerState, after: LedgerState, events: LedgerEvent[]): void => {
  const { total, supply } = totalHoldings(after)

  if (total !== supply) {
    violate(board, `there are ${total} of ${supply} base units`)
  }

  for (const event of events) {
    if (event.type === 'seat' && event.action === 'slash') {
      checkSlash(board, before, event)
    } else if (event.type === 'challenge' && event.outcome === 'open') {
      board.report.challenges++
    } else if (event.type === 'task' && event.phase === 'dispute' && readTask(before, event.task)?.phase !== 'dispute') {
      board.report.disputes++
    } else if (event.type === 'validators') {
      board.report.eras++
    } else if (event.type === 'transfer' && event.reason === 'slash' && event.amount === 0n) {
      violate(board, 'somebody was slashed who had nothing at stake')
    }
  }
}

const checkPayouts = (board: Board, state: LedgerState, id: Hash, task: TaskState): void => {
  const { scores } = truthOf(board, id, task)

  if (!task.seats.some(seat => isHonest(board, seat) && actorOf(board, seat.assessor)?.journal.get(toHex(id))?.fees === task.fees)) {
    // nobody who knows the scores sat there
    return
  }

  CONTRIBUTIONS.forEach((contribution, i) => {
    const paid = readPayout(state, id, contribution)?.amount ?? 0n
    const owed = scores[i] > 0n ? payout(task.dataPool, scores[i], task.total) : 0n

    if (paid !== owed) {
      violate(board, `a contributor got ${paid} of ${owed}`)
    }
  })
}

const checkSettled = (board: Board, state: LedgerState, id: Hash, task: TaskState): void => {
  const truth = truthOf(board, id, task)
  const { root, total } = tableOf(truth)

  if (truth.receipts === 'missing') {
    // nobody but the gateway can know better
    return
  }

  if (truth.receipts === 'false') {
    // if no honest seat said so, there is nothing that validators could give a verdict on
    if (task.seats.some(seat => isHonest(board, seat) && seat.report !== null)) {
      violate(board, 'a task was settled by receipts that an honest seat reported')
    }

    return
  }

  if (task.scoreRoot === null || !equalBytes(task.scoreRoot, root) || task.total !== total) {
    violate(board, 'a task was settled by false scores')
    return
  }

  for (const seat of task.seats) {
    const { fault, scoreRoot, opened, assessor } = seat
    const character = actorOf(board, assessor)?.character
    const isTrue = character === 'honest' || character === 'withholder'

    if (!isTrue && fault === null && scoreRoot !== null && opened && hasHonestOpenings(board, task)) {
      violate(board, `a ${character} was paid for a seat`)
    }

    if (scoreRoot !== null && !equalBytes(scoreRoot, root) && fault === null) {
      violate(board, `a ${character} that revealed false scores was not slashed`)
    }
  }

  checkPayouts(board, state, id, task)
}

/** Checked at the end: every task came to one, the right one, and whoever lied paid for it. */
export const checkEnd = (board: Board): void => {
  const state = board.states[board.states.length - 1]

  for (const { task: id, state: task } of tasksIn(state)) {
    if (task.phase === 'settled') {
      board.report.settled++
      checkSettled(board, state, id, task)
    } else if (task.phase === 'unavailable') {
      board.report.unavailable++
    } else {
      violate(board, `a task of epoch ${task.epoch} is in phase ${task.phase} for good`)
    }
  }

  if (penaltyOf('withheld', PARAMS) <= penaltyOf('wrong-score', PARAMS)) {
    violate(board, 'silence after a lie is cheaper than the lie')
  }
}
