import { toHex } from '../wire/index.ts'
import { signersOf } from './certificates.ts'
import { REQUEST_DELAY_MS, REQUEST_PEERS_MAX } from './constants.ts'
import { emit, leader, notarizedAt } from './state.ts'
import { finalise } from './tree.ts'
import type { Machine } from './state.ts'
import type { Hash } from '../interface/index.ts'

interface Need {
  hash: Hash
  peers: number[]
  delayMs: number
}

/** Which blocks are missing: those that certificates name, the way to the newest final one, and what the leader has voted for. */
const needs = (machine: Machine, missingFinal: Hash | null): Map<string, Need> => {
  const { state, config } = machine
  const found = new Map<string, Need>()

  if (missingFinal !== null && state.finalization !== null) {
    const peers = signersOf(state.finalization.signers, config.validators.length) ?? []

    // right after the certificate the block itself is usually in flight
    found.set(toHex(missingFinal), { hash: missingFinal, peers, delayMs: state.finalization.view === state.view - 1 ? REQUEST_DELAY_MS : 0 })
  }

  for (const [view, { certificates: { notarize }, votes }] of state.views) {
    const vote = view === state.view ? votes.notarize.get(leader(machine, view))?.vote : undefined
    const hash = notarize?.blockHash ?? vote?.blockHash

    if (hash === undefined || state.blocks.has(toHex(hash)) || found.has(toHex(hash))) {
      continue
    }

    const peers = notarize !== null
      ? signersOf(notarize.signers, config.validators.length) ?? []
      : [...votes.notarize].filter(([, { key }]) => key === toHex(hash)).map(([validator]) => validator)

    found.set(toHex(hash), { hash, peers, delayMs: REQUEST_DELAY_MS })
  }

  return found
}

/** Asks for missing blocks, each at most once per `requestMs`, and forgets those that are no longer missing. */
export const requestBlocks = (machine: Machine): void => {
  const { state, timeouts } = machine
  const missing = needs(machine, finalise(machine))

  for (const key of state.blockRequests.keys()) {
    if (!missing.has(key)) {
      state.blockRequests.delete(key)
    }
  }

  for (const [key, need] of missing) {
    let request = state.blockRequests.get(key)

    if (request === undefined) {
      request = { atMs: state.nowMs + need.delayMs, attempts: 0 }
      state.blockRequests.set(key, request)
    }

    if (state.nowMs >= request.atMs) {
      emit(machine, { type: 'requestBlock', hash: need.hash, peers: rotated(machine, need.peers, request.attempts) })
      request.attempts++
      request.atMs = state.nowMs + timeouts.requestMs
    }
  }
}

/**
 * A few of the peers, the next one first with every attempt and another one with every node, so that
 * load spreads and nobody who stands still is asked first again before all others were.
 */
const rotated = ({ config }: Machine, peers: number[], attempt: number): number[] => {
  const others = peers.filter(peer => peer !== config.self)
  const from = others.length === 0 ? 0 : (attempt + (config.self ?? 0)) % others.length

  return [...others.slice(from), ...others.slice(0, from)].slice(0, REQUEST_PEERS_MAX)
}

/** Asks for certificates from a view on, at most once per `requestMs`; the hinted peer first, then anybody. */
export const requestCertificates = ({ state, timeouts, config, effects }: Machine, fromView: number, hint: number | null): void => {
  const request = state.certificateRequest

  if (state.nowMs < request.atMs) {
    return
  }

  const peer = request.attempts % 2 === 0 && hint !== config.self ? hint : null

  request.attempts++
  request.atMs = state.nowMs + timeouts.requestMs
  effects.push({ type: 'requestCertificates', fromView, peer })
}

/** Asks when more than a third of the stake, so at least one honest validator, was heard in a later view. */
export const catchUp = (machine: Machine): void => {
  const { state, config } = machine
  let ahead = 0n
  let furthest = -1

  for (let i = 0; i < config.validators.length; i++) {
    // votes for the next view are normal: their certificate is on its way
    if (state.heardView[i] > state.view + 1) {
      ahead += config.validators[i].stake
      furthest = furthest === -1 || state.heardView[i] > state.heardView[furthest] ? i : furthest
    }
  }

  if (ahead > machine.spare) {
    requestCertificates(machine, firstMissing(machine), furthest)
  }
}

/** The lowest view above the final one of which no certificate is here. */
export const firstMissing = (machine: Machine): number => {
  const { state } = machine
  let view = state.final.view + 1

  while (view < state.view && (notarizedAt(machine, view) !== null || state.views.get(view)?.certificates.nullify != null)) {
    view++
  }

  return view
}
