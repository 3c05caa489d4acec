import { equalBytes, toHex } from '../wire/index.ts'
import { voteValid } from './certificates.ts'
import { JUSTIFICATION_MAX, VIEWS_AHEAD_MAX } from './constants.ts'
import { castVote, ownProposal } from './rules.ts'
import { closes, emit, leader, viewState } from './state.ts'
import { addVote, admitCertificate, heard, judge } from './tally.ts'
import { chooseParent } from './tree.ts'
import { voteWellFormed } from './votes.ts'
import type { Proposal } from './interface.ts'
import type { Machine, ViewState } from './state.ts'
import type { Hash, Header } from '../interface/index.ts'

/** A block belongs to the view that it was made in; the last of an era also to later ones. */
const proposable = (machine: Machine, header: Header, view: number): boolean =>
  header.view === view || (header.view < view && closes(machine, header))

/** Whether the parts of a proposal belong together; no signature is checked. */
const wellFormed = (machine: Machine, hash: Hash, { header, vote, justification }: Proposal): boolean => {
  const { validators, chain, era } = machine.config

  return voteWellFormed(vote, validators.length) && vote.kind === 'notarize' && equalBytes(vote.blockHash, hash) &&
    header.chain === chain && header.era === era && vote.era === era && proposable(machine, header, vote.view) && header.height >= 1 &&
    vote.validator === leader(machine, vote.view) && equalBytes(header.proposer, validators[leader(machine, header.view)].account) &&
    justification.length <= JUSTIFICATION_MAX && justification.every(({ view }) => view < vote.view)
}

/** Makes a block that is here the one to vote on in its view. */
const take = ({ state }: Machine, current: ViewState, key: string): void => {
  current.proposal = key
  current.proposedMs = state.nowMs
}

const store = ({ state }: Machine, hash: Hash, header: Header, valid = false): void => {
  const key = toHex(hash)

  if (!state.blocks.has(key)) {
    state.blocks.set(key, { hash, header, status: valid ? 'valid' : 'unverified' })
    state.blockSeenMs = state.nowMs
  }

  state.blockRequests.delete(key)
}

/** Takes a leader's proposal from anybody: shape, then the leader's signature, then its justification. */
export const receiveProposal = (machine: Machine, hash: Hash, proposal: Proposal): void => {
  const { state, config } = machine
  const { header, vote, justification } = proposal
  const { view } = vote

  // whoever sent it may be in another era still, or already
  if (vote.era !== config.era) {
    judge(machine, 'ignore', 'a proposal of another era')
    return
  }

  if (!wellFormed(machine, hash, proposal)) {
    judge(machine, 'reject', 'a proposal that is malformed or not its view\'s leader\'s')
    return
  }

  const key = toHex(hash)
  const known = state.views.get(view)

  if (header.view <= state.final.view || known?.proposal === key || known?.equivocated === true || vote.validator === config.self) {
    judge(machine, 'ignore', 'a proposal that is final, already here or one of two')
    return
  }

  if (!voteValid(vote, config.validators, config.bls, config.chain)) {
    judge(machine, 'reject', 'a proposal without its leader\'s signature')
    return
  }

  heard(machine, vote.validator, view)

  for (const certificate of justification) {
    // not signed by the leader, so whoever passed it on answers for it
    if (admitCertificate(machine, certificate) === 'reject') {
      judge(machine, 'reject', 'a proposal with a false certificate')
      return
    }
  }

  if (view > state.view + VIEWS_AHEAD_MAX || header.view <= state.final.view) {
    judge(machine, 'ignore', 'a proposal too far ahead')
    return
  }

  judge(machine, 'accept', 'a proposal')

  const current = viewState(machine, view)

  if (current.proposal === null) {
    take(machine, current, key)
    store(machine, hash, header)
  }

  addVote(machine, { vote, key, checked: true })
}

/** Takes a block that was asked for. Its hash was asked for, so its content is what was certified. */
export const receiveBlock = (machine: Machine, hash: Hash, header: Header): void => {
  const { state, config } = machine
  const key = toHex(hash)

  if (!state.blockRequests.has(key)) {
    judge(machine, 'ignore', 'a block that nobody asked for')
    return
  }

  if (header.chain !== config.chain || header.era !== config.era || header.view <= state.final.view || header.height <= state.final.height) {
    judge(machine, 'reject', 'a block of another chain or below what is final')
    return
  }

  judge(machine, 'accept', 'a block')
  store(machine, hash, header)

  const current = state.views.get(state.view)
  const stored = current?.votes.notarize.get(leader(machine, state.view))

  if (current === undefined || stored === undefined || stored.key !== key || !proposable(machine, header, state.view) || current.proposal !== null) {
    return
  }

  // the leader's vote came by stream and the block by request: together they are the proposal
  if (stored.checked || voteValid(stored.vote, config.validators, config.bls, config.chain)) {
    if (equalBytes(header.proposer, config.validators[leader(machine, header.view)].account)) {
      stored.checked = true
      take(machine, current, key)
    }
  } else {
    current.votes.notarize.delete(stored.vote.validator)
    state.blocks.delete(key)
    emit(machine, { type: 'penalise', validator: stored.vote.validator, reason: 'invalid-signature' })
  }
}

/** Takes the driver's answer to `propose`, unless the view went on without it. */
export const receiveProposed = (machine: Machine, view: number, hash: Hash, header: Header): void => {
  const { state, config } = machine
  const current = viewState(machine, Math.max(view, state.final.view + 1))
  const choice = chooseParent(machine)

  if (view !== state.view || state.proposingView !== view || current.own.notarize !== null || current.own.nullify !== null) {
    return
  }

  // a better parent turned up meanwhile: ask again
  if (choice.type !== 'yes' || !equalBytes(choice.parent.hash, header.parent)) {
    state.proposingView = 0
    return
  }

  if (config.self === null || header.view !== view || header.height !== choice.parent.height + 1 || header.chain !== config.chain || header.era !== config.era ||
    !equalBytes(header.proposer, config.validators[config.self].account)) {
    // a driver's mistake must not stop the node: without a proposal the view times out
    return
  }

  store(machine, hash, header, true)
  take(machine, current, toHex(hash))
  castVote(machine, 'notarize', view, hash, vote => {
    emit(machine, { type: 'broadcastBlock', hash, proposal: ownProposal(machine, header, vote), again: false })
  })
}

/** Takes the driver's verdict on a block. */
export const receiveVerified = (machine: Machine, hash: Hash, valid: boolean): void => {
  const { state } = machine
  const key = toHex(hash)
  const block = state.blocks.get(key)

  if (block === undefined || block.status !== 'verifying') {
    return
  }

  block.status = valid ? 'valid' : 'invalid'

  if (!valid && state.views.get(block.header.view)?.proposal === key) {
    emit(machine, { type: 'penalise', validator: leader(machine, block.header.view), reason: 'invalid-block' })
  }
}

/** Forgets a block that the driver cannot look at: what is missing is asked for, by the rules for what never came. */
export const receiveAbsent = ({ state }: Machine, hash: Hash): void => {
  const key = toHex(hash)

  if (state.blocks.get(key)?.status !== 'verifying') {
    return
  }

  state.blocks.delete(key)

  for (const view of state.views.values()) {
    if (view.proposal === key) {
      view.proposal = null
    }
  }
}
