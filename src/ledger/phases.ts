import { drawOpenings, judgeReveals, judgeVerdicts } from '../scoring/index.ts'
import { domains, equalBytes, hash, toHex } from '../wire/index.ts'
import { enter, giveUp, redraw } from './committee.ts'
import { slash } from './money.ts'
import { getChain, getTask, getValidators } from './records.ts'
import { settle } from './settle.ts'
import type { Draft } from './draft.ts'
import type { Hash, NetworkParams, SeatState, TaskState } from '../interface/index.ts'

/**
 * Moves a task on at the end of a block: when every seat has acted, or at the deadline.
 * A task takes at most one step per block.
 */
export function advanceTask (draft: Draft, id: Hash): void {
  const task = getTask(draft, id)

  if (task === undefined) {
    return
  }

  const { params } = getChain(draft)
  const step: Step = { draft, id, task, params, late: draft.height >= task.deadline }

  switch (task.phase) {
    case 'commit': return endCommit(step)
    case 'reveal': return endReveal(step)
    case 'verdict': return endVerdict(step)
    case 'open': return endOpen(step)
    case 'challenge': return endChallenge(step)
    default:
  }
}

interface Step {
  draft: Draft
  id: Hash
  task: TaskState
  params: NetworkParams
  /** the deadline is here */
  late: boolean
}

function endCommit ({ draft, id, task, params, late }: Step): void {
  const seats = task.seats.length
  const unavailable = task.seats.filter(seat => seat.unavailable).length
  const waiting = task.seats.filter(seat => seat.commit === null && !seat.unavailable)

  if (seats > 0 && unavailable * 3 >= seats * 2) {
    return giveUp(draft, id, task)
  }

  if (!late && (waiting.length > 0 || seats === 0)) {
    return
  }

  const judged = fault(draft, id, task, waiting, 'silent', params)
  const committed = judged.seats.filter(seat => seat.commit !== null).length

  if (seats === 0 || committed * 3 < seats * 2) {
    return redraw(draft, id, judged)
  }

  enter(draft, id, judged, 'reveal', params.revealBlocks)
}

function endReveal ({ draft, id, task, params, late }: Step): void {
  const waiting = task.seats.filter(seat => isLive(seat) && seat.commit !== null && seat.scoreRoot === null)

  if (!late && waiting.length > 0) {
    return
  }

  const judged = fault(draft, id, task, waiting, 'silent', params)
  const judgement = judgeReveals(judged.seats.filter(hasRevealed), judged.seats.length)

  switch (judgement.outcome) {
    case 'accepted': return askOpenings(draft, id, { ...judged, scoreRoot: judgement.scoreRoot, total: judgement.total }, params)
    case 'dissent': return enter(draft, id, judged, 'verdict', params.verdictBlocks)
    default: return redraw(draft, id, judged)
  }
}

function endVerdict ({ draft, id, task, params, late }: Step): void {
  const validators = getValidators(draft)
  const agreed = judgeVerdicts(task.verdicts, validators)

  if (agreed === null) {
    if (late || task.verdicts.length === validators.length) {
      redraw(draft, id, task)
    }

    return
  }

  const { scoreRoot, total } = agreed
  const wrong = task.seats.filter(seat => hasRevealed(seat) && !(seat.scoreRoot !== null && equalBytes(seat.scoreRoot, scoreRoot) && seat.total === total))

  askOpenings(draft, id, { ...fault(draft, id, task, wrong, 'wrong-score', params), scoreRoot, total }, params)
}

/**
 * Draws the leaves that each seat must open. A trace's length follows from the task, so seats with
 * another length than most have no true trace. If no length has a majority nobody can say whose is
 * true: another committee decides, unless the validators already did.
 */
function askOpenings (draft: Draft, id: Hash, task: TaskState, params: NetworkParams): void {
  const revealed = task.seats.filter(hasRevealed)
  const traceLength = majority(revealed, seat => String(seat.traceLength))?.traceLength

  if (traceLength === undefined) {
    return isDecided(task) ? enter(draft, id, task, 'challenge', params.challengeBlocks) : redraw(draft, id, task)
  }

  const judged = fault(draft, id, task, revealed.filter(seat => seat.traceLength !== traceLength), 'bad-trace', params)
  const openings = drawOpenings(hash(domains.openings, getChain(draft).beacon, id), traceLength, params.traceOpenings)

  if (openings.length === 0) {
    return challenge(draft, id, judged, params)
  }

  enter(draft, id, { ...judged, openings }, 'open', params.openBlocks)
}

function endOpen ({ draft, id, task, params, late }: Step): void {
  const waiting = task.seats.filter(seat => hasRevealed(seat) && !seat.opened)

  if (!late && waiting.length > 0) {
    return
  }

  const judged = fault(draft, id, task, waiting, 'silent', params)
  const opened = judged.seats.filter(hasRevealed)
  const steps = majority(opened, seat => seat.steps === null ? '' : toHex(seat.steps))?.steps ?? null

  if (steps === null) {
    return isDecided(task) ? enter(draft, id, judged, 'challenge', params.challengeBlocks) : redraw(draft, id, judged)
  }

  const different = opened.filter(seat => seat.steps === null || !equalBytes(seat.steps, steps))

  challenge(draft, id, fault(draft, id, judged, different, 'bad-trace', params), params)
}

/** A result needs two thirds of the seats behind it, true traces included, or the validators. */
function challenge (draft: Draft, id: Hash, task: TaskState, params: NetworkParams): void {
  if (isDecided(task) || task.seats.filter(hasRevealed).length * 3 >= task.seats.length * 2) {
    enter(draft, id, task, 'challenge', params.challengeBlocks)
  } else {
    redraw(draft, id, task)
  }
}

function endChallenge ({ draft, id, task, late }: Step): void {
  if (late) {
    settle(draft, id, task)
  }
}

function isLive (seat: SeatState): boolean {
  return seat.fault === null
}

function hasRevealed (seat: SeatState): boolean {
  return isLive(seat) && seat.scoreRoot !== null
}

/** Whether the validators' verdict stands behind the result. */
function isDecided (task: TaskState): boolean {
  return task.scoreRoot !== null && task.verdicts.length > 0
}

/** A seat whose value more than half of `seats` share. */
function majority (seats: SeatState[], valueOf: (seat: SeatState) => string): SeatState | undefined {
  const counts = new Map<string, number>()

  for (const seat of seats) {
    const value = valueOf(seat)

    counts.set(value, (counts.get(value) ?? 0) + 1)
  }

  return seats.find(seat => (counts.get(valueOf(seat)) ?? 0) * 2 > seats.length)
}

/** Slashes seats and notes why. */
function fault (draft: Draft, id: Hash, task: TaskState, guilty: SeatState[], reason: NonNullable<SeatState['fault']>, params: NetworkParams): TaskState {
  for (const { assessor } of guilty) {
    slash(draft, id, assessor, reason === 'silent' ? params.slashSilent : params.slashWrong, reason)
  }

  return { ...task, seats: task.seats.map(seat => guilty.includes(seat) ? { ...seat, fault: reason } : seat) }
}
