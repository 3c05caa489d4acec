import { MEASURED_TURNS_MIN } from './constants.ts'
import type { Machine, TurnMeasure } from './state.ts'

/*
 * How long a validator waits for a leader follows from how long that leader took in its last turns,
 * as seen from here: a network in one building should not wait for a dead leader as long as one
 * around the world does. What is measured only ever shortens a wait, never below `timeoutMinMs`,
 * and only the wait for the leader it was measured with, so nobody can make another's turn short
 * by being quick itself. A turn that is lost takes all of it back. RFC 6298 keeps the time-outs of
 * TCP in this way; a maximum that fades replaces its variance, since turns are few.
 */

/** A maximum that fades: rises at once, falls by a quarter of the way with every turn. */
const fade = (knownMs: number, ms: number): number => ms >= knownMs ? ms : Math.ceil((knownMs * 3 + ms) / 4)

/** Notes a turn of a leader that ended in a notarization: its proposal came after `proposalMs`, the certificate `certificateMs` later. */
export const noteTurn = (measure: TurnMeasure, proposalMs: number, certificateMs: number): void => {
  measure.proposalMs = fade(measure.proposalMs, Math.max(0, proposalMs))
  measure.certificateMs = fade(measure.certificateMs, Math.max(0, certificateMs))
  measure.turns++
}

/** Notes a turn that was lost: whatever was measured did not hold. */
export const forgetTurns = (measure: TurnMeasure): void => {
  measure.proposalMs = 0
  measure.certificateMs = 0
  measure.turns = 0
}

/** The wait for a leader before it grows: twice what it took, between the least wait and the given one. */
export const patienceMs = ({ state, timeouts }: Machine, leader: number, of: 'proposalMs' | 'certificateMs', givenMs: number): number => {
  const measure = state.turns[leader]

  return measure.turns < MEASURED_TURNS_MIN ? givenMs : Math.min(givenMs, Math.max(timeouts.timeoutMinMs, measure[of] * 2))
}
