/**
 * Two or more seats revealed different results, so at least one of them lies. Instead of everything,
 * the validators recompute one step: the first at which the traces differ.
 *
 * The traces are chained (`chainTrace`) and committed by their Merkle roots, so a seat cannot change
 * its answers on the way, and places where all agree are agreed from the start. A round asks every
 * seat for at most 15 places of the open range; who does not answer in time lost. When the range is
 * one step, validators compute it from what all agreed on, and more than two thirds of their stake
 * say who is wrong. All seats play at once: no honest seat depends on how well another one plays.
 *
 * Behind the last step of its trace each seat has one more, which nobody needs to open: the result
 * that it revealed. So a false result over a true trace is a step like any other.
 *
 * An honest seat opens true hashes and is never slashed: where it agrees, the hash is true; where it
 * differs, the step that validators compute is its own. What is agreed among liars alone is not
 * judged here, since then nobody dissents.
 */
import { chainStep, disputePoints, judgeSteps, narrowDispute, resultStep, TRACE_START } from '../scoring/index.ts'
import { equalBytes } from '../wire/index.ts'
import { enter } from './committee.ts'
import { DISPUTES_MAX } from './constants.ts'
import { RuleError, StateValueError } from './errors.ts'
import { fault, hasRevealed } from './faults.ts'
import { stateKeys } from './keys.ts'
import { findValidator, getValidators, haveAllSpoken, putTask, withWord } from './records.ts'
import { inPhase } from './tasks.ts'
import { stateCodecs } from './values.ts'
import type { Step } from './faults.ts'
import type { Context } from './records.ts'
import type { DisputeState, Hash, SeatState, TaskState } from '../interface/index.ts'

/** A validator's own computation of the one step in dispute: the step's hash before it is chained. */
export function judgeStep ({ draft, signer }: Context, { task: id, step }: { task: Hash, step: Hash }): void {
  const task = inPhase(draft, id, 'step')
  const dispute = disputeOf(id, task)

  if (findValidator(draft, signer) === undefined) {
    throw new RuleError('ERR_NOT_VALIDATOR', 'expected a step judged by a validator of this chain')
  }

  if (dispute.steps.some(({ validator }) => equalBytes(validator, signer))) {
    throw new RuleError('ERR_ALREADY_ACTED', 'expected one judgement per validator and dispute')
  }

  putTask(draft, id, { ...task, dispute: { ...dispute, steps: withWord(draft, dispute.steps, { validator: signer, step }) } })
  draft.emit({ type: 'seat', task: id, assessor: signer, action: 'judge-step' })
}

/** Begins to look for the first difference among the seats that revealed; or, after too many disputes, asks for everything. */
export function startDispute ({ draft, id, task, params }: Step): void {
  const count = (task.dispute?.count ?? 0) + 1

  if (count > DISPUTES_MAX) {
    return enter(draft, id, task, 'verdict', params.verdictBlocks)
  }

  ask({ draft, id, task, params }, { count, agreed: 0, chain: TRACE_START, differing: sharedLength(task), steps: [] })
}

/**
 * The end of a round.
 *
 * @returns the task, if seats fell silent and the others have to be judged again
 */
export function endRound (step: Step): TaskState | undefined {
  const { draft, id, task, params, late } = step
  const revealed = task.seats.filter(hasRevealed)
  const waiting = revealed.filter(seat => !seat.opened)

  if (!late && waiting.length > 0) {
    return undefined
  }

  const answers = revealed.filter(seat => seat.opened).map(({ assessor }) => draft.get(stateCodecs.answer, stateKeys.answer(id, assessor)) ?? [])

  forgetAnswers(step)

  // what the silent ones were known to differ in may be no difference of the others
  if (waiting.length > 0) {
    return fault(draft, id, task, waiting, 'withheld', params)
  }

  const dispute = disputeOf(id, task)
  const { agreed, chain, differing, point } = narrowDispute(dispute, answers)
  let seat = 0
  const seats = point === null ? task.seats : task.seats.map(one => hasRevealed(one) ? { ...one, steps: answers[seat++][point] } : one)
  const narrowed = { ...dispute, agreed, chain: chain ?? dispute.chain, differing }

  if (agreed < differing) {
    ask({ ...step, task: { ...task, seats } }, narrowed)
  } else if (differing < sharedLength(task)) {
    enter(draft, id, { ...task, seats, openings: [], dispute: narrowed }, 'step', params.verdictBlocks)
  } else if (revealed.every(({ traceLength }) => traceLength === differing)) {
    // whole traces agree, so what they lead to differs
    enter(draft, id, { ...task, seats: withResults(task, narrowed), openings: [], dispute: narrowed }, 'step', params.verdictBlocks)
  } else {
    // some end where others go on: what comes there cannot be compared
    enter(draft, id, { ...task, dispute: narrowed }, 'verdict', params.verdictBlocks)
  }

  return undefined
}

/** The chained hash of each seat's own result, behind the trace that all share. */
function withResults (task: TaskState, { chain }: DisputeState): SeatState[] {
  return task.seats.map(seat => hasRevealed(seat) && seat.scoreRoot !== null ? { ...seat, steps: chainStep(chain, resultStep(seat.scoreRoot, seat.total)) } : seat)
}

/**
 * The end of the judgement of one step; if the validators do not agree on it they recompute everything.
 *
 * @returns the task without those whose step was wrong, to be judged again
 */
export function endStep ({ draft, id, task, params, late }: Step): TaskState | undefined {
  const validators = getValidators(draft)
  const dispute = disputeOf(id, task)
  const step = judgeSteps(dispute.steps, validators)

  if (step === null) {
    if (late || haveAllSpoken(draft, dispute.steps)) {
      enter(draft, id, task, 'verdict', params.verdictBlocks)
    }

    return undefined
  }

  const expected = chainStep(dispute.chain, step)
  const wrong = task.seats.filter(seat => hasRevealed(seat) && !(seat.steps !== null && equalBytes(seat.steps, expected)))

  return fault(draft, id, task, wrong, dispute.agreed < sharedLength(task) ? 'wrong-step' : 'wrong-score', params)
}

/** Seats as they were after the reveal: what they answered in disputes is no opening for the beacon. */
export function withoutAnswers (task: TaskState): TaskState {
  return { ...task, openings: [], seats: task.seats.map(seat => ({ ...seat, opened: false, steps: null })) }
}

function ask ({ draft, id, task, params }: Omit<Step, 'late'>, dispute: DisputeState): void {
  const seats = task.seats.map(seat => ({ ...seat, opened: false }))

  enter(draft, id, { ...task, seats, dispute, openings: disputePoints(dispute) }, 'dispute', params.openBlocks)
}

/** Up to where all traces have steps: a length of one's own is a difference in what follows. */
function sharedLength (task: TaskState): number {
  return Math.min(...task.seats.filter(hasRevealed).map(({ traceLength }) => traceLength))
}

function forgetAnswers ({ draft, id, task }: Step): void {
  for (const { assessor } of task.seats) {
    const key = stateKeys.answer(id, assessor)

    if (draft.has(key)) {
      draft.delete(key)
    }
  }
}

function disputeOf (id: Hash, task: TaskState): DisputeState {
  if (task.dispute === null) {
    throw new StateValueError(stateKeys.task(id), 'a dispute in a task that is in dispute')
  }

  return task.dispute
}
