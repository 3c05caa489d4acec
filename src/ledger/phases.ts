import { drawOpenings, drawPlanters, judgeReveals, judgeVerdicts } from '../scoring/index.ts'
import { domains, equalBytes, hash, toHex } from '../wire/index.ts'
import { endChallenge } from './challenges.ts'
import { enter, redraw, seatCommittee } from './committee.ts'
import { PLANT_GRACE_BLOCKS } from './constants.ts'
import { endRound, endStep, startDispute, withoutAnswers } from './disputes.ts'
import { atStake, fault, hasRevealed, isLive } from './faults.ts'
import { stateKeys } from './keys.ts'
import { endReceipts, endReports, isDoubted, leaveOut } from './receipts.ts'
import { getChain, getTask, getValidators, haveAllSpoken, putTask } from './records.ts'
import { settle } from './settle.ts'
import type { Draft } from './draft.ts'
import type { Step } from './faults.ts'
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
  const late = draft.height >= task.deadline
  const step: Step = { draft, id, task, params, late }

  switch (task.phase) {
    // frozen by the cutoff; before it there is no deadline
    case 'collecting': return late && task.deadline > 0 ? seatCommittee(draft, id, task) : undefined
    case 'commit': return endCommit(step)
    case 'receipts': return endDoubt(step)
    case 'reveal': return endReveal(step)
    case 'dispute': return judgeAgain(step, endRound(step))
    case 'step': return judgeAgain(step, endStep(step))
    case 'verdict': return endVerdict(step)
    case 'open': return endOpen(step)
    case 'challenge': return late ? settle(draft, id, task) : undefined
    default:
  }
}

function endCommit (step: Step): void {
  const { draft, id, task, params, late } = step
  const waiting = task.seats.filter(seat => seat.commit === null && seat.report === null)

  if (endReports(step) || (!late && (waiting.length > 0 || task.seats.length === 0))) {
    return
  }

  if (!late && mayBePlanted(draft, task)) {
    return putTask(draft, id, { ...task, deadline: Math.min(task.deadline, draft.height + PLANT_GRACE_BLOCKS) })
  }

  const judged = fault(draft, id, task, waiting, 'silent', params)

  if (isDoubted(judged)) {
    enter(draft, id, judged, 'receipts', params.verdictBlocks)
  } else {
    closeCommits({ ...step, task: judged })
  }
}

/** Whether somebody without a seat, whose turn it is, has not planted yet. */
function mayBePlanted (draft: Draft, { seats }: TaskState): boolean {
  const { chain, epoch, params } = getChain(draft)

  return drawPlanters(chain, epoch, getValidators(draft), params.plantsPerEpoch).some(planter => {
    return !draft.has(stateKeys.plant(epoch, planter)) && !seats.some(({ assessor }) => equalBytes(assessor, planter))
  })
}

/** Those who committed go on, if they are two thirds. */
function closeCommits ({ draft, id, task, params }: Step): void {
  const committed = task.seats.filter(seat => isLive(seat) && seat.commit !== null).length

  if (committed === 0 || committed * 3 < task.seats.length * 2) {
    return task.redraws >= params.redrawsMax && leaveOut(draft, id, task) ? undefined : redraw(draft, id, task)
  }

  enter(draft, id, { ...task, revealedAt: draft.height }, 'reveal', params.revealBlocks)
}

function endDoubt (step: Step): void {
  const task = endReceipts(step)

  if (task !== undefined) {
    closeCommits({ ...step, task })
  }
}

function endReveal ({ draft, id, task, params, late }: Step): void {
  const waiting = task.seats.filter(seat => isLive(seat) && seat.commit !== null && seat.scoreRoot === null)

  if (!late && waiting.length > 0) {
    return
  }

  const judged = fault(draft, id, task, waiting, 'withheld', params)
  const judgement = judgeReveals(judged.seats.filter(hasRevealed), judged.seats.length)

  switch (judgement.outcome) {
    case 'accepted': return askOpenings(draft, id, { ...judged, scoreRoot: judgement.scoreRoot, total: judgement.total }, params)
    case 'dissent': return startDispute({ draft, id, task: judged, params, late })
    default: return redraw(draft, id, judged)
  }
}

/**
 * After a dispute slashed some: the others agree, or have another dispute. With fewer than two thirds
 * of the seats left the validators recompute everything, which is quicker than another committee.
 */
function judgeAgain ({ draft, id, params, late }: Step, judged: TaskState | undefined): void {
  if (judged === undefined) {
    return
  }

  const task = withoutAnswers(judged)
  const judgement = judgeReveals(task.seats.filter(hasRevealed), task.seats.length)

  switch (judgement.outcome) {
    case 'accepted': return askOpenings(draft, id, { ...task, scoreRoot: judgement.scoreRoot, total: judgement.total }, params)
    case 'dissent': return startDispute({ draft, id, task, params, late })
    default: return enter(draft, id, task, 'verdict', params.verdictBlocks)
  }
}

function endVerdict ({ draft, id, task, params, late }: Step): void {
  const validators = getValidators(draft)
  const agreed = judgeVerdicts(task.verdicts, validators)

  if (agreed === null) {
    if (late || haveAllSpoken(draft, task.verdicts)) {
      redraw(draft, id, endChallenge(draft, id, task, 'undecided', 0n))
    }

    return
  }

  const { scoreRoot, total } = agreed
  const wrong = task.seats.filter(seat => hasRevealed(seat) && !(seat.scoreRoot !== null && equalBytes(seat.scoreRoot, scoreRoot) && seat.total === total))

  const slashed = atStake(draft, wrong, 'wrong-score', params)
  const judged = { ...fault(draft, id, task, wrong, 'wrong-score', params), scoreRoot, total }

  if (task.challenge === null) {
    return askOpenings(draft, id, withoutAnswers(judged), params)
  }

  // traces were opened before the challenge, and nothing stands above the validators
  const isRight = task.scoreRoot === null || !equalBytes(task.scoreRoot, scoreRoot) || task.total !== total

  settle(draft, id, endChallenge(draft, id, judged, isRight ? 'right' : 'wrong', slashed))
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

  const judged = fault(draft, id, task, waiting, 'withheld', params)
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
