import { equalBytes } from '../wire/index.ts'
import { certificateValid, quorum, totalStake, voteValid } from './certificates.ts'
import { CERTIFICATES_PER_ANSWER_MAX, DEFAULT_TIMEOUTS, VALIDATORS_MAX } from './constants.ts'
import { ConsensusConfigError, ConsensusDriverError } from './errors.ts'
import { abdicateAtMs, excuseLateness, hasTurn, nullifyAtMs, proposeAtMs } from './pacing.ts'
import { receiveAbsent, receiveBlock, receiveProposal, receiveProposed, receiveVerified } from './proposals.ts'
import { applyRules } from './rules.ts'
import { restore } from './start.ts'
import { certificateAt, finalizedView, initialState, leader } from './state.ts'
import { receiveCertificate, receiveVote } from './tally.ts'
import { settle } from './tree.ts'
import { signVote } from './votes.ts'
import type { Consensus, ConsensusConfig, ConsensusEffect, ConsensusInput, ConsensusStatus } from './interface.ts'
import type { Machine } from './state.ts'
import type { Certificate } from '../interface/index.ts'

/** Refuses a configuration that could not work. */
const check = (config: ConsensusConfig, timeouts: Machine['timeouts']): void => {
  const { validators, self, signer } = config

  if (validators.length < 1 || validators.length > VALIDATORS_MAX) {
    throw new ConsensusConfigError(`expected 1 to ${VALIDATORS_MAX} validators but got ${validators.length}: check the genesis`)
  }

  if (validators.some(({ stake }) => stake <= 0n)) {
    throw new ConsensusConfigError('every validator needs a stake above 0: leave the others out of the genesis')
  }

  if (self !== null && (!Number.isInteger(self) || self < 0 || self >= validators.length || signer === undefined)) {
    throw new ConsensusConfigError(`validator ${self} of ${validators.length} needs an index into the set and a signer: pass self: null to follow only`)
  }

  if (timeouts.minBlockIntervalMs * 2 > timeouts.leaderTimeoutMs || timeouts.minBlockIntervalBusyMs > timeouts.minBlockIntervalMs) {
    throw new ConsensusConfigError(`a leader that waits ${timeouts.minBlockIntervalMs} ms before an idle block would be given up after ${timeouts.leaderTimeoutMs} ms: keep the timeout at twice the interval or more, and the busy interval at most the idle one`)
  }
}

/** A wrong key would only show as a node that never completes a certificate. View 0 does not exist, so this signs nothing. */
const checkSigner = ({ validators, self, signer, bls, chain }: ConsensusConfig): void => {
  if (self === null || signer === undefined) {
    return
  }

  const statement = { kind: 'nullify', era: 0, view: 0, blockHash: new Uint8Array(0) } as const

  if (!voteValid(signVote(chain, self, statement, signer), validators, bls, chain)) {
    throw new ConsensusConfigError(`expected the secret key of validator ${self} but its signature does not verify with the public key in the genesis: use this validator's key, or self: null`)
  }
}

const receive = (machine: Machine, input: Exclude<ConsensusInput, { type: 'start' }>): void => {
  const { state, timeouts } = machine

  switch (input.type) {
    case 'tick':
      return
    case 'pending':
      state.transactions = input.transactions
      state.work = input.work ?? true
      return
    case 'vote':
      receiveVote(machine, input.from, input.vote)
      return
    case 'certificate':
      receiveCertificate(machine, input.certificate)
      return
    case 'proposal':
      receiveProposal(machine, input.hash, input.proposal)
      return
    case 'block':
      receiveBlock(machine, input.hash, input.header)
      return
    case 'proposed':
      receiveProposed(machine, input.view, input.hash, input.header)
      return
    case 'declined':
      if (state.proposingView === input.view) {
        state.proposingView = 0
        state.proposeNotBeforeMs = state.nowMs + timeouts.minBlockIntervalBusyMs
      }

      return
    case 'verified':
      receiveVerified(machine, input.hash, input.valid)
      return
    case 'absent':
      receiveAbsent(machine, input.hash)
      return
    case 'synced':
      receiveSynced(machine, input)
      return
    default:
      throw new ConsensusDriverError(`expected an input of the interface but got ${JSON.stringify(input satisfies never)}: the driver is of another version`)
  }
}

/** Takes over what the driver synced, if the certificate says so too. */
const receiveSynced = (machine: Machine, { hash, height, view, certificate }: Extract<ConsensusInput, { type: 'synced' }>): void => {
  const { state, config, timeouts } = machine

  // whatever came of it, the driver is free for the next one soon
  state.syncAtMs = Math.min(state.syncAtMs, state.nowMs + timeouts.requestMs)

  if (height <= state.final.height || certificate.kind !== 'finalize' || certificate.era !== config.era || certificate.view < view || !equalBytes(certificate.blockHash, hash) ||
    !certificateValid(certificate, config.validators, config.bls, config.chain)) {
    return
  }

  if (certificate.view > finalizedView(machine)) {
    state.finalization = certificate
  }

  state.syncAtMs = -Infinity
  settle(machine, { hash, height, view, certificate })
}

/** When the next tick is due; see `Consensus.deadlineMs`. */
const deadline = (machine: Machine): number => {
  const { state } = machine

  if (!state.started) {
    return Infinity
  }

  if (state.over) {
    return state.rebroadcastAtMs
  }

  // a rule that is due but waits for something else (a block, a certificate) is tried by that input
  const due = [nullifyAtMs(machine), ...hasTurn(machine) ? [proposeAtMs(machine), abdicateAtMs(machine)] : [], state.certificateRequest.atMs, state.finalAskAtMs, state.syncAtMs]

  for (const { atMs } of state.blockRequests.values()) {
    due.push(atMs)
  }

  return Math.min(state.rebroadcastAtMs, ...due.filter(ms => ms > state.nowMs))
}

/**
 * The consensus of one node, a validator or a follower, as a pure state machine: no clock, no
 * timer, no network, no disk, no randomness. The driver feeds inputs and carries out effects in order.
 *
 * @throws {ConsensusConfigError} if the configuration cannot work
 *
 * @example
 * ```ts
 * const core = consensus({ chain, validators, self: 0, bls, signer: { sign: message => bls.sign(secretKey, message) } })
 * let effects = core.step({ type: 'start', final: genesisPoint, records: [], blocks: [] }, performance.now())
 * // carry out the effects in order, then wait for messages or for core.deadlineMs()
 * effects = core.step({ type: 'tick' }, performance.now())
 * ```
 */
export const consensus = (config: ConsensusConfig): Consensus => {
  const given = { ...DEFAULT_TIMEOUTS, ...config.timeouts }
  const timeouts = {
    ...given,
    restIntervalMs: Math.max(given.minBlockIntervalMs, config.timeouts?.restIntervalMs ?? 0),
    timeoutMinMs: Math.max(given.timeoutMinMs, given.minBlockIntervalMs * 2)
  }

  check(config, timeouts)
  checkSigner(config)

  const machine: Machine = {
    config: { ...config, era: config.era ?? 0 },
    timeouts,
    quorum: quorum(config.validators),
    spare: totalStake(config.validators) - quorum(config.validators),
    state: initialState(config.validators.length),
    effects: []
  }

  return {
    step (input: ConsensusInput, nowMs: number): ConsensusEffect[] {
      const { state } = machine

      if (state.started === (input.type === 'start')) {
        throw new ConsensusDriverError(`expected ${state.started ? 'anything but another start' : 'start'} but got ${input.type}: start comes first, and once`)
      }

      const dueMs = deadline(machine)

      state.nowMs = Math.max(state.nowMs, nowMs)
      machine.effects = []

      if (input.type === 'start') {
        restore(machine, input)
      } else {
        excuseLateness(machine, dueMs)
        receive(machine, input)
      }

      applyRules(machine)

      return machine.effects
    },
    deadlineMs: () => deadline(machine),
    certificates: fromView => answer(machine, fromView),
    status: () => status(machine),
    snapshot: () => structuredClone(machine.state)
  }
}

/** What a peer that lacks certificates from a view on is given. */
const answer = (machine: Machine, fromView: number): Certificate[] => {
  const { state } = machine
  const found: Certificate[] = state.finalization === null ? [] : [state.finalization]

  for (let view = Math.max(fromView, state.final.view + 1); view <= state.view && found.length < CERTIFICATES_PER_ANSWER_MAX - 1; view++) {
    for (const kind of ['notarize', 'nullify'] as const) {
      const certificate = certificateAt(machine, kind, view)

      if (certificate !== null) {
        found.push(certificate)
      }
    }
  }

  return found
}

const status = (machine: Machine): ConsensusStatus => ({
  view: machine.state.view,
  leader: leader(machine, machine.state.view),
  final: machine.state.final,
  nullifiedStreak: machine.state.streak,
  silent: machine.state.silent.flatMap((silent, validator) => silent ? [validator] : [])
})
