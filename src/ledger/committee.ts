import { accountFromString } from '../identity/index.ts'
import { drawCommittee } from '../scoring/index.ts'
import { domains, equalBytes, hash } from '../wire/index.ts'
import { uint64 } from './bytes.ts'
import { DRAW_DELAY_BLOCKS } from './constants.ts'
import { stateKeys, statePrefixes } from './keys.ts'
import { getChain, patchChain, payFromTask, putTask } from './records.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Hash, ReceiptsFault, SeatState, TaskPhase, TaskSource, TaskState } from '../interface/index.ts'
import type { Candidate } from '../scoring/index.ts'

/** Moves a task on. `blocks` is how long the phase may last; 0 for phases that do not time out. */
export function enter (draft: Draft, id: Hash, task: TaskState, phase: TaskPhase, blocks: number): void {
  putTask(draft, id, { ...task, phase, deadline: blocks === 0 ? 0 : draft.height + blocks })
  draft.emit({ type: 'task', task: id, adapter: task.adapter, epoch: task.epoch, phase })
}

/**
 * Seats a committee, drawn by the beacon after this block among all who have at least
 * `assessorStakeMin` at stake. With fewer candidates than `seats` all of them sit.
 */
export function seatCommittee (draft: Draft, id: Hash, task: TaskState): void {
  const { beacon, params } = getChain(draft)
  const seed = hash(domains.committee, beacon, id, uint64(task.redraws))
  const assessors = drawCommittee(seed, candidates(draft, params.assessorStakeMin), params.seats)
  const seats = assessors.map((assessor): SeatState => ({
    assessor,
    commit: null,
    scoreRoot: null,
    total: 0n,
    traceRoot: null,
    traceLength: 0,
    opened: false,
    steps: null,
    report: null,
    fault: null
  }))

  enter(draft, id, { ...task, seats, verdicts: [], judgements: [], scoreRoot: null, total: 0n, openings: [], revealedAt: 0, dispute: null, challenge: null }, 'commit', params.commitBlocks)

  for (const assessor of assessors) {
    draft.emit({ type: 'seat', task: id, assessor, action: 'drawn' })
  }
}

/**
 * Another committee, or the end of a task that had too many. It is not drawn at once: who proposes this
 * block knows what it adds to the beacon, and could leave out what ends the committee for another draw.
 */
export function redraw (draft: Draft, id: Hash, task: TaskState): void {
  if (task.redraws >= getChain(draft).params.redrawsMax) {
    giveUp(draft, id, task)
  } else {
    enter(draft, id, { ...task, redraws: task.redraws + 1, scoreRoot: null, total: 0n, challenge: null }, 'collecting', DRAW_DELAY_BLOCKS)
  }
}

/** Ends a task that nobody could agree on: gives the fees back to their payers and the bonds to the gateways. */
export function giveUp (draft: Draft, id: Hash, task: TaskState): void {
  for (const source of task.sources) {
    if (source.fault === null) {
      refundSource(draft, id, source, null)
    }
  }

  enter(draft, id, { ...task, scoreRoot: null, total: 0n }, 'unavailable', 0)
  forget(draft, id)
}

/** Gives a redemption's fees back to its payer; the gateway has its bond back, unless its receipts are at fault. */
export function refundSource (draft: Draft, id: Hash, { channel, gateway, fees, bond }: TaskSource, fault: ReceiptsFault | null): void {
  const { treasury } = getChain(draft)
  const payer = draft.get(stateCodecs.channel, stateKeys.channel(channel))?.payer ?? treasury

  payFromTask(draft, id, payer, fees, 'refund')
  payFromTask(draft, id, fault === null ? gateway : treasury, bond, fault === null ? 'refund' : 'slash')
}

/** Takes a task from the list of those that every block looks at. */
export function forget (draft: Draft, id: Hash): void {
  patchChain(draft, { openTasks: getChain(draft).openTasks.filter(other => !equalBytes(other, id)) })
}

function candidates (draft: Draft, stakeMin: bigint): Candidate[] {
  const found: Candidate[] = []

  for (const key of draft.keys(statePrefixes.assessor)) {
    const stake = draft.get(stateCodecs.assessor, key) ?? 0n

    if (stake >= stakeMin) {
      found.push({ account: accountFromString(key.slice(statePrefixes.assessor.length)), stake })
    }
  }

  return found
}
