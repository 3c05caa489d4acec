import { GRACE_MS, LATE_MS } from './constants.ts'
import { forgetTurns, noteTurn, patienceMs } from './patience.ts'
import { certificateAt, leader, notarizedAt } from './state.ts'
import type { Machine, ViewState } from './state.ts'

/**
 * Moves to a view, which is always one above that of a certificate or of a final block. Views in
 * between may be skipped: their certificates exist somewhere, since somebody had to enter each, and
 * are asked for when a proposal needs them.
 */
export const enterView = (machine: Machine, view: number): void => {
  const { state, timeouts, config } = machine

  for (let left = Math.max(state.view, state.final.view + 1); left < view && state.view > 0; left++) {
    if (notarizedAt(machine, left) !== null) {
      state.streak = 0
      measure(machine, left)
    } else if (left === state.view && certificateAt(machine, 'nullify', left) !== null) {
      const lost = leader(machine, left)

      if (!state.silent[lost]) {
        // leaders known to be dead are no sign of a slow network
        state.streak++
        forgetTurns(state.turns[lost])
      }

      if (lost !== config.self && state.lastHeardMs[lost] < state.viewEnteredMs) {
        state.silent[lost] = true
      }
    }
  }

  state.view = view
  state.viewEnteredMs = state.nowMs
  state.graceUntilMs = -Infinity
  state.proposingView = 0
  state.proposeNotBeforeMs = -Infinity
  state.rebroadcastEveryMs = timeouts.rebroadcastMs
  state.rebroadcastAtMs = state.nowMs + timeouts.rebroadcastMs + restMs(machine)
}

/** Notes what the current view's leader took, if all of it was seen. */
const measure = (machine: Machine, left: number): void => {
  const { state } = machine
  const proposedMs = state.views.get(left)?.proposedMs ?? -Infinity

  if (left === state.view && proposedMs > -Infinity) {
    noteTurn(state.turns[leader(machine, left)], proposedMs - state.viewEnteredMs - restMs(machine), state.nowMs - Math.max(proposedMs, state.viewEnteredMs))
  }
}

/** How much longer a leader may wait while there is nothing to do. */
const restMs = ({ state, timeouts }: Machine): number => state.work ? 0 : timeouts.restIntervalMs - timeouts.minBlockIntervalMs

/** A base timeout after the growth that nullified views in a row bring: half as much again for each. */
const grown = ({ state, timeouts }: Machine, baseMs: number): number => {
  let ms = baseMs

  for (let i = 0; i < state.streak && ms < timeouts.timeoutMaxMs; i++) {
    ms = Math.floor(ms * 3 / 2)
  }

  return Math.max(baseMs, Math.min(ms, timeouts.timeoutMaxMs))
}

/**
 * Whether waiting for the current view has no point: its leader gave it up itself; or more stake
 * than a quorum can do without gave it up, so that it can only be finalized if some contradict
 * themselves, or voted for other blocks than the one here, likewise for its notarization. At least
 * one of so many is honest: faulty validators alone end only views that they lead. Votes count
 * before their signatures are checked, since each came from its validator.
 */
const hopeless = (machine: Machine, { votes, proposal }: ViewState): boolean => {
  const { config: { validators }, spare, state } = machine
  let against = 0n
  let elsewhere = 0n

  for (const validator of votes.nullify.keys()) {
    against += validators[validator].stake
  }

  for (const [validator, { key }] of votes.notarize) {
    if (proposal !== null && key !== proposal) {
      elsewhere += validators[validator].stake
    }
  }

  return against > spare || elsewhere > spare || (proposal === null && votes.nullify.has(leader(machine, state.view)))
}

/** When this validator gives the current view up; Infinity if it already did or never may. */
export const nullifyAtMs = (machine: Machine): number => {
  const { state, timeouts, config } = machine
  const current = state.views.get(state.view)

  if (config.self === null || (current !== undefined && (current.own.nullify !== null || current.own.finalize !== null))) {
    return Infinity
  }

  if (current !== undefined && (current.equivocated || hopeless(machine, current))) {
    return state.viewEnteredMs
  }

  if (current !== undefined && current.proposal !== null) {
    return state.blocks.get(current.proposal)?.status === 'invalid'
      ? state.viewEnteredMs
      : Math.max(state.graceUntilMs, Math.max(state.viewEnteredMs, current.proposedMs) + grown(machine, patienceMs(machine, leader(machine, state.view), 'certificateMs', timeouts.certificationTimeoutMs)))
  }

  const awaited = leader(machine, state.view)
  const waitMs = state.silent[awaited] ? timeouts.silentTimeoutMs : grown(machine, patienceMs(machine, awaited, 'proposalMs', timeouts.leaderTimeoutMs)) + restMs(machine)

  return Math.max(state.graceUntilMs, state.viewEnteredMs + waitMs)
}

/** Whether it is this validator's turn and it has said nothing yet: a leader proposes once, and never after it gave up. */
export const hasTurn = (machine: Machine): boolean => {
  const { state, config } = machine
  const own = state.views.get(state.view)?.own

  return config.self !== null && leader(machine, state.view) === config.self && state.proposingView !== state.view &&
    own?.notarize == null && own?.nullify == null && own?.finalize == null
}

/** When a leader that lacks what to build on gives its turn up, instead of making everybody wait for its timeout. */
export const abdicateAtMs = (machine: Machine): number => machine.state.viewEnteredMs + grown(machine, machine.timeouts.silentTimeoutMs)

/** When the leader may propose: at once with work to do, with a pause without. */
export const proposeAtMs = (machine: Machine): number => {
  const { state, timeouts } = machine
  const intervalMs = state.transactions ? timeouts.minBlockIntervalBusyMs : timeouts.minBlockIntervalMs + restMs(machine)

  return Math.max(state.viewEnteredMs, state.blockSeenMs + intervalMs, state.proposeNotBeforeMs)
}

/** Gives a view a second chance if this machine, not its leader, was away. Call before the clock of the step counts. */
export const excuseLateness = (machine: Machine, dueMs: number): void => {
  const { state } = machine

  if (state.nowMs - dueMs > LATE_MS && state.graceView !== state.view) {
    state.graceView = state.view
    state.graceUntilMs = state.nowMs + GRACE_MS
  }
}
