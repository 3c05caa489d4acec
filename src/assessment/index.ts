/**
 * The committee member: recomputes the tasks it is drawn for, commits, reveals, opens, claims.
 *
 * @example
 * ```ts
 * const seat = assessor({ signer, onEvent: console.info })({ network, chain, storage, training, db })
 * await seat.start()
 * ```
 */
export { assess } from './assess.ts'
export { assessor } from './assessor.ts'
export { dutyOf } from './duties.ts'
export { FalseReceiptError, ReceiptsUnavailableError, ScoresMissingError } from './errors.ts'
export { fetchScores } from './scores.ts'
export type { AssessComponents } from './assess.ts'
export type { AssessorComponents, AssessorInit } from './assessor.ts'
export type { Duty } from './duties.ts'
export type { Assessment, Assessor, AssessorEvent, RecomputeEvent, Recomputer } from './interface.ts'
