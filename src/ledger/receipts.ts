/**
 * What happens to a task whose receipts cannot be had, or do not hold. A gateway backs each
 * redemption with a bond of the same amount until the task is settled. Seats that find a receipt
 * false (a hash, a signature, a sum, a price or a token that does not follow) say so instead of
 * committing, and name the redemption:
 *
 * - two thirds of the seats name the same one as false: it is judged;
 * - fewer do: the validators look, and more than two thirds of their stake decide who is wrong;
 * - two thirds miss receipts: the task rolls over to the next epoch, at most ROLLOVERS_MAX times; then
 * the redemption that two thirds name is judged, or the task ends;
 * - fewer do, and too few commit, until no redraw is left: the redemption that more than a third
 * name is left out, at nobody's cost. A gateway that sends its receipts to some seats only could
 * else end the task of all others.
 *
 * A judged redemption is out: its payer has the fees back, the gateway loses the bond, and another
 * committee assesses what is left of the task. All honest seats name the same one, the first.
 */
import { equalBytes } from '../wire/index.ts'
import { enter, forget, giveUp, redraw, refundSource } from './committee.ts'
import { DRAW_DELAY_BLOCKS, ROLLOVERS_MAX } from './constants.ts'
import { RuleError } from './errors.ts'
import { fault } from './faults.ts'
import { findValidator, getValidators, haveAllSpoken, putTask, withWord } from './records.ts'
import { inPhase, putSeat, seated } from './tasks.ts'
import type { Draft } from './draft.ts'
import type { Step } from './faults.ts'
import type { Context } from './records.ts'
import type { Hash, ReceiptsFault, ReceiptsReport, TaskState, TransactionBody } from '../interface/index.ts'

type Body<K extends TransactionBody['kind']> = Extract<TransactionBody, { kind: K }>

/** For seats that cannot recompute the task as it is. */
export function reportReceipts ({ draft, signer }: Context, { task: id, source, fault }: Body<'report-receipts'>): void {
  const { task, seat } = seated(draft, id, signer, 'commit')

  if (seat.commit !== null || seat.report !== null) {
    throw new RuleError('ERR_ALREADY_ACTED', 'expected one commit or report per seat')
  }

  if (source === null ? fault === 'false' : !isLiveSource(task, source)) {
    throw new RuleError('ERR_SOURCE', `expected the place of a redemption that is still in the task but got ${source}`)
  }

  putSeat(draft, id, task, { ...seat, report: { source, fault } })
  draft.emit({ type: 'seat', task: id, assessor: signer, action: 'report', fault })
}

/** A validator's own look at receipts that some seats called false: which redemption is, or null if all hold. */
export function judgeReceipts ({ draft, signer }: Context, { task: id, source }: Body<'judge-receipts'>): void {
  const task = inPhase(draft, id, 'receipts')

  if (findValidator(draft, signer) === undefined) {
    throw new RuleError('ERR_NOT_VALIDATOR', 'expected a judgement by a validator of this chain')
  }

  if (task.judgements.some(({ validator }) => equalBytes(validator, signer))) {
    throw new RuleError('ERR_ALREADY_ACTED', 'expected one judgement per validator')
  }

  if (source !== null && !isLiveSource(task, source)) {
    throw new RuleError('ERR_SOURCE', `expected the place of a redemption that is still in the task but got ${source}`)
  }

  putTask(draft, id, { ...task, judgements: withWord(draft, task.judgements, { validator: signer, source }) })
  draft.emit({ type: 'seat', task: id, assessor: signer, action: 'judge-receipts' })
}

/**
 * Ends the phase in which seats commit as soon as two thirds of them report the same.
 *
 * @returns whether it is ended
 */
export function endReports ({ draft, id, task }: Step): boolean {
  const falsified = named(task, 'false')

  if (falsified !== undefined) {
    drop(draft, id, task, falsified, 'false')
    return true
  }

  if (task.seats.length === 0 || !twoThirds(task, task.seats.filter(({ report }) => report?.fault === 'missing').length)) {
    return false
  }

  const missing = named(task, 'missing')

  if (task.rollovers < ROLLOVERS_MAX) {
    // the next cutoff draws a committee, as for a task of that epoch
    enter(draft, id, { ...task, rollovers: task.rollovers + 1 }, 'collecting', 0)
  } else if (missing !== undefined) {
    drop(draft, id, task, missing, 'missing')
  } else {
    giveUp(draft, id, task)
  }

  return true
}

/** Whether seats disagree on receipts, which the validators have to judge. */
export function isDoubted (task: TaskState): boolean {
  return task.seats.some(({ report, fault }) => fault === null && report?.fault === 'false')
}

/**
 * The end of the validators' look at receipts.
 *
 * @returns the task, if all receipts hold and the seats that said otherwise are slashed: it goes on
 */
export function endReceipts ({ draft, id, task, params, late }: Step): TaskState | undefined {
  const validators = getValidators(draft)
  const all = validators.reduce((sum, { stake }) => sum + stake, 0n)
  const agreed = task.judgements.find(({ source }) => {
    const stake = validators.reduce((sum, { account, stake }) => {
      return task.judgements.some(other => other.source === source && equalBytes(other.validator, account)) ? sum + stake : sum
    }, 0n)

    return stake * 3n > all * 2n
  })

  if (agreed === undefined) {
    if (late || haveAllSpoken(draft, task.judgements)) {
      redraw(draft, id, { ...task, judgements: [] })
    }

    return undefined
  }

  if (agreed.source === null) {
    const wrong = task.seats.filter(seat => seat.fault === null && seat.report?.fault === 'false')

    return { ...fault(draft, id, task, wrong, 'wrong-report', params), judgements: [] }
  }

  // a result of receipts that do not hold is no result, and nobody who looked at them has one
  drop(draft, id, fault(draft, id, task, task.seats.filter(seat => seat.fault === null && seat.commit !== null), 'wrong-score', params), agreed.source, 'false')

  return undefined
}

/**
 * When no redraw is left: goes on without the redemption that more than a third of the seats miss.
 *
 * @returns whether there is one
 */
export function leaveOut (draft: Draft, id: Hash, task: TaskState): boolean {
  const missing = task.sources.findIndex((_, index) => reporting(task, 'missing', index) * 3 > task.seats.length)

  if (missing < 0) {
    return false
  }

  drop(draft, id, task, missing, 'missing', null)

  return true
}

/**
 * Takes a redemption out of a task and has the rest assessed. Its gateway has the bond back if nobody
 * is to `blame`. The next committee is not drawn at once: who proposes the block knows what it adds to
 * the beacon, and could leave the last report to the next block for another committee.
 */
function drop (draft: Draft, id: Hash, task: TaskState, index: number, fault: ReceiptsFault, blame: ReceiptsFault | null = fault): void {
  const source = task.sources[index]
  const sources = task.sources.map((one, i) => i === index ? { ...one, fault } : one)
  const left = { ...task, sources, fees: task.fees - source.fees, judgements: [] }

  refundSource(draft, id, source, blame)

  if (sources.some(one => one.fault === null)) {
    enter(draft, id, left, 'collecting', DRAW_DELAY_BLOCKS)
  } else {
    enter(draft, id, left, 'unavailable', 0)
    forget(draft, id)
  }
}

function isLiveSource (task: TaskState, source: number): boolean {
  return task.sources.at(source)?.fault === null
}

/** The redemption that two thirds of the seats say the same of. */
function named (task: TaskState, fault: ReceiptsReport['fault']): number | undefined {
  return task.sources.map((_, index) => index).find(index => twoThirds(task, reporting(task, fault, index)))
}

/** How many seats say this of a redemption. */
function reporting (task: TaskState, fault: ReceiptsFault, source: number): number {
  return task.seats.filter(({ report }) => report?.fault === fault && report.source === source).length
}

function twoThirds (task: TaskState, seats: number): boolean {
  return seats > 0 && seats * 3 >= task.seats.length * 2
}
