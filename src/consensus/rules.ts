import { equalBytes, toHex } from '../wire/index.ts'
import { JUSTIFICATION_MAX, PATIENT_REBROADCASTS } from './constants.ts'
import { abdicateAtMs, hasTurn, nullifyAtMs, proposeAtMs } from './pacing.ts'
import { catchUp, firstMissing, requestBlocks, requestCertificates } from './requests.ts'
import { certificateAt, emit, leader, notarizedAt, viewState } from './state.ts'
import { addVote } from './tally.ts'
import { chooseParent, executed, extension, finalise, notarizedBefore } from './tree.ts'
import { signVote } from './votes.ts'
import type { Proposal, Vote, VoteKind } from './interface.ts'
import type { BlockState, Machine } from './state.ts'
import type { Certificate, Header } from '../interface/index.ts'

/**
 * Signs, keeps durably, sends and counts a vote, in this order. The only place where this validator
 * signs; what is in `own` is never contradicted.
 */
export const castVote = (machine: Machine, kind: VoteKind, view: number, blockHash: Uint8Array, announce: (vote: Vote) => void = () => {}): void => {
  const { config, state } = machine

  if (config.self === null || config.signer === undefined || state.over || signedBefore(machine, view)) {
    return
  }

  const vote = signVote(config.chain, config.self, { kind, era: config.era, view, blockHash }, config.signer)

  viewState(machine, view).own[kind] = vote
  emit(machine, { type: 'persist', record: { type: 'vote', vote } })
  announce(vote)
  emit(machine, { type: 'sendVote', vote })
  addVote(machine, { vote, key: toHex(blockHash), checked: true })
}

/** Whether this validator may have signed something else in this view before its disk was restored. */
const signedBefore = ({ config: { era, signedUpTo } }: Machine, view: number): boolean =>
  signedUpTo !== undefined && (era < signedUpTo.era || (era === signedUpTo.era && view <= signedUpTo.view))

/** Applies all rules until none changes anything. Each is safe to try at any time. */
export const applyRules = (machine: Machine): void => {
  // ends, because every effect here is emitted once for a view, a block or an interval
  for (let before = -1; before !== machine.effects.length;) {
    before = machine.effects.length
    finalise(machine)

    if (machine.state.over) {
      break
    }

    verifyBlocks(machine)
    voteNotarize(machine)
    voteFinalize(machine)
    voteNullify(machine)
    propose(machine)
  }

  if (!machine.state.over) {
    requestBlocks(machine)
    catchUp(machine)
    askWhatIsFinal(machine)
  }

  rebroadcast(machine)
}

/** Asks for the execution of what may be voted on or built on: parents first. Followers execute what is final only. */
const verifyBlocks = (machine: Machine): void => {
  const { state, config } = machine
  let lost = Infinity

  if (config.self === null) {
    return
  }

  for (const [view, current] of state.views) {
    const key = (view === state.view ? current.proposal : null) ?? toHex(notarizedAt(machine, view)?.blockHash ?? new Uint8Array(0))
    const block = state.blocks.get(key)

    if (block === undefined || block.status !== 'unverified') {
      continue
    }

    if (!executed(machine, block.header.parent)) {
      lost = Math.min(lost, lostNotarization(machine, block))
      continue
    }

    const { type } = extension(machine, block, view)

    if (type === 'no') {
      block.status = 'invalid'
    } else if (type === 'yes' || notarizedAt(machine, view) !== null) {
      block.status = 'verifying'
      emit(machine, { type: 'verify', hash: block.hash, view })
    }
  }

  if (lost < Infinity) {
    requestCertificates(machine, lost, null)
  }
}

/**
 * From which view on certificates have to be asked for, so that a block's parent can be executed;
 * Infinity if none. Whoever voted for the block had its parent's notarization, but a node may have
 * lost it with a disk that was not waited for, and without it no rule would touch the parent again.
 */
const lostNotarization = (machine: Machine, { header }: BlockState): number => {
  const { state } = machine
  const parent = state.blocks.get(toHex(header.parent))

  if (parent !== undefined) {
    const { view } = parent.header

    return parent.status === 'unverified' && view > state.final.view && notarizedAt(machine, view) === null ? view : Infinity
  }

  const named = [...state.views.values()].some(({ certificates: { notarize } }) => notarize !== null && equalBytes(notarize.blockHash, header.parent))

  return named || header.height <= state.final.height + 1 ? Infinity : state.final.view + 1
}

/**
 * Votes for the leader's first block if it extends a certified chain and the driver found it valid.
 * As in the paper also after the own nullify vote: a block that comes late to some and in time to
 * others would otherwise leave a view in which neither side is a quorum.
 */
const voteNotarize = (machine: Machine): void => {
  const { state, config } = machine
  const current = state.views.get(state.view)
  const block = current?.proposal == null ? undefined : state.blocks.get(current.proposal)

  if (config.self === null || current === undefined || block === undefined || block.status === 'invalid' ||
    current.own.notarize !== null || current.equivocated) {
    return
  }

  const verdict = extension(machine, block, state.view)

  if (verdict.type === 'no') {
    block.status = 'invalid'
  } else if (verdict.type === 'certificate') {
    requestCertificates(machine, verdict.view, leader(machine, state.view))
  } else if (verdict.type === 'yes' && block.status === 'valid') {
    castVote(machine, 'notarize', state.view, block.hash)
  }
}

/**
 * Votes to finalize what is notarized and verified here, in any view that is not nullified by this
 * validator. Deviation: Simplex votes without having the block; waiting for it means that a final
 * block is one that more than a third of honest stake has executed.
 */
const voteFinalize = (machine: Machine): void => {
  const { state, config } = machine

  if (config.self === null) {
    return
  }

  for (const [view, { certificates: { notarize }, own }] of state.views) {
    if (notarize !== null && own.finalize === null && own.nullify === null && state.blocks.get(toHex(notarize.blockHash))?.status === 'valid') {
      castVote(machine, 'finalize', view, notarize.blockHash)
    }
  }
}

const voteNullify = (machine: Machine): void => {
  if (machine.state.nowMs >= nullifyAtMs(machine)) {
    castVote(machine, 'nullify', machine.state.view, new Uint8Array(0))
  }
}

/** Asks the driver for a block if it is this validator's turn and time; passes the turn on if there is nothing to build on. */
const propose = (machine: Machine): void => {
  const { state } = machine

  if (!hasTurn(machine)) {
    return
  }

  const choice = chooseParent(machine)

  if (choice.type === 'yes') {
    if (state.nowMs >= proposeAtMs(machine)) {
      state.proposingView = state.view
      emit(machine, { type: 'propose', view: state.view, height: choice.parent.height + 1, parent: choice.parent.hash })
    }

    return
  }

  if (choice.type === 'again') {
    proposeAgain(machine, choice.block)
    return
  }

  if (choice.type === 'certificate') {
    requestCertificates(machine, choice.view, null)
  }

  // what is being executed will be there soon, and patience with slow machines is the leader timeout's business
  const executing = [...state.blocks.values()].some(({ status }) => status === 'verifying')

  if (!executing && state.nowMs >= abdicateAtMs(machine)) {
    castVote(machine, 'nullify', state.view, new Uint8Array(0))
  }
}

/**
 * The era's last block, notarized but not final, once more: nothing of this era may follow it, and
 * the next era must not begin before it is final, or two sets would vote about one height.
 */
const proposeAgain = (machine: Machine, { hash, header }: BlockState): void => {
  const { state } = machine
  const current = viewState(machine, state.view)

  current.proposal = toHex(hash)
  current.proposedMs = state.nowMs
  castVote(machine, 'notarize', state.view, hash, vote => {
    emit(machine, { type: 'broadcastBlock', hash, proposal: ownProposal(machine, header, vote), again: false })
  })
}

/** What proves to others that a block may be extended as its header says; nothing for a gap that is too long. */
export const justify = (machine: Machine, header: Header, vote: Vote): Certificate[] => {
  const { state, config } = machine
  const parentView = vote.view > header.view
    ? notarizedBefore(machine, vote.blockHash, vote.view) ?? header.view
    : state.blocks.get(toHex(header.parent))?.header.view ?? state.final.view
  const certificates: Certificate[] = []
  const parent = notarizedAt(machine, parentView) ?? (parentView === state.final.view ? state.final.certificate : null)

  if (parent?.era === config.era) {
    certificates.push(parent)
  }

  for (let view = parentView + 1; view < vote.view && certificates.length < JUSTIFICATION_MAX; view++) {
    const nullification = certificateAt(machine, 'nullify', view)

    if (nullification !== null) {
      certificates.push(nullification)
    }
  }

  return certificates
}

/** The proposal of a block of this validator's own. */
export const ownProposal = (machine: Machine, header: Header, vote: Vote): Proposal => ({ header, vote, justification: justify(machine, header, vote) })

/**
 * Proposals carry what moves a node on from view to view, but nothing that finalizes: of that a node
 * that gets no votes hears by gossip alone, and the gossip of one topic can stay away from it.
 */
const askWhatIsFinal = (machine: Machine): void => {
  const { state, timeouts } = machine

  if (state.view > state.final.view + 1 && state.nowMs >= state.finalAskAtMs) {
    state.finalAskAtMs = state.nowMs + timeouts.rebroadcastMs * PATIENT_REBROADCASTS
    requestCertificates(machine, firstMissing(machine), null)
  }
}

/** While the view lasts: own votes again, and what helps others to get here. */
const rebroadcast = (machine: Machine): void => {
  const { state, config, timeouts } = machine

  if (state.nowMs < state.rebroadcastAtMs) {
    return
  }

  state.rebroadcastEveryMs = Math.min(state.rebroadcastEveryMs * 2, timeouts.rebroadcastMs * 2)
  state.rebroadcastAtMs = state.nowMs + state.rebroadcastEveryMs

  if (state.nowMs >= state.viewEnteredMs + timeouts.rebroadcastMs * PATIENT_REBROADCASTS) {
    // stuck for a while: perhaps everybody else is elsewhere
    requestCertificates(machine, firstMissing(machine), null)
  }

  if (config.self === null) {
    return
  }

  for (const certificate of [state.finalization, certificateAt(machine, 'notarize', state.view - 1), certificateAt(machine, 'nullify', state.view - 1)]) {
    if (certificate !== null) {
      emit(machine, { type: 'broadcastCertificate', certificate, again: true })
    }
  }

  const current = state.views.get(state.view)
  const block = current?.own.notarize == null ? undefined : state.blocks.get(toHex(current.own.notarize.blockHash))

  if (current?.own.notarize != null && block !== undefined && leader(machine, state.view) === config.self) {
    emit(machine, { type: 'broadcastBlock', hash: block.hash, proposal: ownProposal(machine, block.header, current.own.notarize), again: true })
  }

  const finalizes = [...state.views.values()].map(({ own }) => own.finalize).filter(vote => vote !== null).sort((a, b) => a.view - b.view)

  for (const vote of [current?.own.notarize, current?.own.nullify, finalizes.at(-1)]) {
    if (vote != null) {
      emit(machine, { type: 'sendVote', vote })
    }
  }
}
