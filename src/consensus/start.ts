import { toHex } from '../wire/index.ts'
import { PATIENT_REBROADCASTS } from './constants.ts'
import { enterView } from './pacing.ts'
import { finalizedView, viewState } from './state.ts'
import { addVote } from './tally.ts'
import { voteWellFormed } from './votes.ts'
import type { ConsensusInput } from './interface.ts'
import type { Machine } from './state.ts'

/**
 * Rebuilds the state from what the driver kept: the last final block, own votes and certificates
 * above it. Own records are trusted; stale ones, and votes of another validator, are passed over. A view
 * in which this validator has voted is entered with these votes, so that none is contradicted.
 */
export const restore = (machine: Machine, input: Extract<ConsensusInput, { type: 'start' }>): void => {
  const { state, config, timeouts } = machine

  state.started = true
  state.final = input.final
  state.finalization = input.final.certificate
  state.finalAskAtMs = state.nowMs + timeouts.rebroadcastMs * PATIENT_REBROADCASTS

  for (const { hash, header } of input.blocks) {
    if (header.view > state.final.view && header.chain === config.chain && header.era === config.era) {
      state.blocks.set(toHex(hash), { hash, header, status: 'unverified' })
    }
  }

  let view = state.final.view + 1

  for (const record of input.records) {
    if (record.type === 'certificate' && record.certificate.era === config.era && record.certificate.view > state.final.view) {
      const { certificate } = record

      viewState(machine, certificate.view).certificates[certificate.kind] = certificate
      view = Math.max(view, certificate.view + 1)

      if (certificate.kind === 'finalize' && certificate.view > finalizedView(machine)) {
        state.finalization = certificate
      }
    }
  }

  enterView(machine, view)

  for (const record of input.records) {
    if (record.type === 'vote' && record.vote.era === config.era && record.vote.view > state.final.view && record.vote.validator === config.self && voteWellFormed(record.vote, config.validators.length)) {
      const { vote } = record

      viewState(machine, vote.view).own[vote.kind] = vote
      addVote(machine, { vote, key: toHex(vote.blockHash), checked: true })
    }
  }
}
