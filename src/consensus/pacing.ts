import { GRACE_MS, LATE_MS } from './constants.ts'
import { certificateAt, leader, notarizedAt } from './state.ts'
import type { Machine } from './state.ts'

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
    } else if (left === state.view && certificateAt(machine, 'nullify', left) !== null) {
      const lost = leader(machine, left)

      if (!state.silent[lost]) {
        // leaders known to be dead are no sign of a slow network
        state.streak++
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
  state.rebroadcastAtMs = state.nowMs + timeouts.rebroadcastMs
}

/** A base timeout after the growth that nullified views in a row bring: half as much again for each. */
const grown = ({ state, timeouts }: Machine, baseMs: number): number => {
  let ms = baseMs

  for (let i = 0; i < state.streak && ms < timeouts.timeoutMaxMs; i++) {
    ms = Math.floor(ms * 3 / 2)
  }

  return Math.max(baseMs, Math.min(ms, timeouts.timeoutMaxMs))
}

/** When this validator gives the current view up; Infinity if it already did or never may. */
export const nullifyAtMs = (machine: Machine): number => {
  const { state, timeouts, config } = machine
  const current = state.views.get(state.view)

  if (config.self === null || (current !== undefined && (current.own.nullify !== null || current.own.finalize !== null))) {
    return Infinity
  }

  if (current?.equivocated === true) {
    return state.viewEnteredMs
  }

  const proposal = current?.proposal ?? null

  if (proposal !== null) {
    return state.blocks.get(proposal)?.status === 'invalid'
      ? state.viewEnteredMs
      : Math.max(state.graceUntilMs, state.viewEnteredMs + grown(machine, timeouts.certificationTimeoutMs))
  }

  const waitMs = state.silent[leader(machine, state.view)] ? timeouts.silentTimeoutMs : grown(machine, timeouts.leaderTimeoutMs)

  return Math.max(state.graceUntilMs, state.viewEnteredMs + waitMs)
}

/** When the leader may propose: at once with work to do, with a pause without. */
export const proposeAtMs = ({ state, timeouts }: Machine): number => {
  const intervalMs = state.transactions ? timeouts.minBlockIntervalBusyMs : timeouts.minBlockIntervalMs

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
