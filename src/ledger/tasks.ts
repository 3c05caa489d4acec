import { assessmentCommit, TRACE_LENGTH_MAX, verifyOpening } from '../scoring/index.ts'
import { equalBytes, hash } from '../wire/index.ts'
import { STEPS_DOMAIN } from './constants.ts'
import { RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { findValidator, getChain, getTask, putTask, withWord } from './records.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Context } from './records.ts'
import type { Hash, SeatState, TaskPhase, TaskState, TransactionBody } from '../interface/index.ts'

type Body<K extends TransactionBody['kind']> = Extract<TransactionBody, { kind: K }>

export function commit ({ draft, signer }: Context, body: Body<'commit'>): void {
  const { task, seat } = seated(draft, body.task, signer, 'commit')

  if (seat.commit !== null || seat.report !== null) {
    throw new RuleError('ERR_ALREADY_ACTED', 'expected one commit or report per seat')
  }

  // each redemption has fees, so two sets of them that a task had one after the other never cost the same
  if (body.fees !== task.fees) {
    throw new RuleError('ERR_COMMIT_OUTDATED', `expected a result of the ${task.fees} base units that the task is about but it was computed for ${body.fees}: a redemption is out, so compute it again`)
  }

  putSeat(draft, body.task, task, { ...seat, commit: body.commit })
  draft.emit({ type: 'seat', task: body.task, assessor: signer, action: 'commit' })
}

export function reveal ({ draft, signer }: Context, body: Body<'reveal'>): void {
  const { task, seat } = seated(draft, body.task, signer, 'reveal')
  const { scoreRoot, total, traceRoot, traceLength, salt } = body

  if (seat.commit === null || seat.scoreRoot !== null) {
    throw new RuleError('ERR_ALREADY_ACTED', 'expected one reveal of a seat that committed')
  }

  if (total < 0n || traceLength < 1 || traceLength > TRACE_LENGTH_MAX) {
    throw new RuleError('ERR_COMMIT_MISMATCH', `expected a total that is not negative and a trace of 1 to ${TRACE_LENGTH_MAX} steps but got ${total} and ${traceLength}`)
  }

  const commit = assessmentCommit({
    chain: getChain(draft).chain,
    epoch: task.epoch,
    task: body.task,
    scoreRoot,
    total,
    traceRoot,
    traceLength,
    salt,
    assessor: signer
  })

  if (!equalBytes(commit, seat.commit)) {
    throw new RuleError('ERR_COMMIT_MISMATCH', 'expected what the seat committed to, with its own account: a copied commit cannot be revealed')
  }

  putSeat(draft, body.task, task, { ...seat, scoreRoot, total, traceRoot, traceLength })
  draft.emit({ type: 'seat', task: body.task, assessor: signer, action: 'reveal' })
}

/** Opens what the beacon asks for, or answers a round of a dispute. */
export function open ({ draft, signer }: Context, body: Body<'open'>): void {
  const isDispute = getTask(draft, body.task)?.phase === 'dispute'
  const { task, seat } = seated(draft, body.task, signer, isDispute ? 'dispute' : 'open')
  const { traceRoot, traceLength } = seat

  if (traceRoot === null || seat.opened) {
    throw new RuleError('ERR_ALREADY_ACTED', 'expected one opening of a seat that revealed')
  }

  const asked = body.openings.length === task.openings.length && body.openings.every(({ index }, i) => index === task.openings[i])

  if (!asked || !body.openings.every(opening => verifyOpening(traceRoot, traceLength, signer, opening))) {
    throw new RuleError('ERR_OPENING', `expected the leaves ${task.openings.join(', ')} of the seat's own trace, in this order, with their proofs`)
  }

  if (isDispute) {
    draft.put(stateCodecs.answer, stateKeys.answer(body.task, signer), body.openings.map(({ step }) => step))
    putSeat(draft, body.task, task, { ...seat, opened: true })
    draft.emit({ type: 'seat', task: body.task, assessor: signer, action: 'answer' })
    return
  }

  const steps = hash(STEPS_DOMAIN, ...body.openings.map(({ step }) => step))

  putSeat(draft, body.task, task, { ...seat, opened: true, steps })
  draft.emit({ type: 'seat', task: body.task, assessor: signer, action: 'open' })
}

/** A validator's own recomputation, after a dissent. */
export function verdict ({ draft, signer }: Context, { task: id, scoreRoot, total }: Body<'verdict'>): void {
  const task = inPhase(draft, id, 'verdict')

  if (findValidator(draft, signer) === undefined) {
    throw new RuleError('ERR_NOT_VALIDATOR', 'expected a verdict of a validator of this chain')
  }

  if (task.verdicts.some(({ validator }) => equalBytes(validator, signer))) {
    throw new RuleError('ERR_ALREADY_ACTED', 'expected one verdict per validator')
  }

  putTask(draft, id, { ...task, verdicts: withWord(draft, task.verdicts, { validator: signer, scoreRoot, total }) })
  draft.emit({ type: 'seat', task: id, assessor: signer, action: 'verdict' })
}

/** @throws {RuleError} `ERR_TASK_UNKNOWN` or `ERR_PHASE` */
export function inPhase (draft: Draft, id: Hash, phase: TaskPhase): TaskState {
  const task = getTask(draft, id)

  if (task === undefined) {
    throw new RuleError('ERR_TASK_UNKNOWN', 'expected a task of this ledger')
  }

  if (task.phase !== phase) {
    throw new RuleError('ERR_PHASE', `expected a task in phase ${phase} but it is in ${task.phase}`)
  }

  return task
}

/** @throws {RuleError} `ERR_NOT_SEATED`, or what `inPhase` throws */
export function seated (draft: Draft, id: Hash, account: Uint8Array, phase: TaskPhase): { task: TaskState, seat: SeatState } {
  const task = inPhase(draft, id, phase)
  const seat = task.seats.find(({ assessor }) => equalBytes(assessor, account))

  if (seat === undefined || seat.fault !== null) {
    throw new RuleError('ERR_NOT_SEATED', 'expected an account of the task\'s committee that was not slashed')
  }

  return { task, seat }
}

export function putSeat (draft: Draft, id: Hash, task: TaskState, seat: SeatState): void {
  putTask(draft, id, { ...task, seats: task.seats.map(other => equalBytes(other.assessor, seat.assessor) ? seat : other) })
}
