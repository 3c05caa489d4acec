import { applyParams, checkActions, countVote, newProposal, proposalStatus, queueProposal, snapshotProposal, votesAt } from '../governance/index.ts'
import { equalBytes } from '../wire/index.ts'
import { OPEN_PROPOSALS_MAX } from './constants.ts'
import { RuleError } from './errors.ts'
import { stateKeys } from './keys.ts'
import { announce, credit, debit, getAccount, getChain, patchChain } from './records.ts'
import { stateCodecs } from './values.ts'
import type { Draft } from './draft.ts'
import type { Context } from './records.ts'
import type { GovernanceAction, ProposalState, ProposalStatus } from '../interface/index.ts'

/** Needs `proposalThreshold` votes now; an account may have one proposal under vote. */
export function propose ({ draft, signer, height }: Context, { title, actions }: { title: string, actions: GovernanceAction[] }): void {
  const { params, proposals, openProposals } = getChain(draft)
  const { votes } = getAccount(draft, signer)

  if (votes < params.proposalThreshold || votes === 0n) {
    throw new RuleError('ERR_THRESHOLD', `expected a proposer with at least ${params.proposalThreshold} votes but it has ${votes}: wrap OPEN and delegate it, or have others delegate theirs`)
  }

  if (openProposals.length >= OPEN_PROPOSALS_MAX || openProposals.some(one => equalBytes(getProposal(draft, one).proposer, signer))) {
    throw new RuleError('ERR_TOO_MANY_PROPOSALS', `expected at most ${OPEN_PROPOSALS_MAX} proposals under vote and one per proposer: wait for a vote to end`)
  }

  checkActions(actions, params)

  const proposal = newProposal({ proposer: signer, title, actions, height }, params)

  putProposal(draft, proposals, proposal, 'pending')
  patchChain(draft, { proposals: proposals + 1, openProposals: [...openProposals, proposals] })
}

export function vote ({ draft, signer, height }: Context, body: { proposal: number, support: 'for' | 'against' | 'abstain' }): void {
  const proposal = requireStatus(draft, body.proposal, height, 'active')
  const key = stateKeys.ballot(body.proposal, signer)
  const weight = votesAt(draft.get(stateCodecs.votes, stateKeys.votes(signer)) ?? [], proposal.voteStart)

  if (draft.has(key)) {
    throw new RuleError('ERR_ALREADY_VOTED', 'expected one vote per account and proposal')
  }

  if (weight === 0n) {
    throw new RuleError('ERR_NO_VOTES', `expected an account with votes at height ${proposal.voteStart}: delegate before the vote starts`)
  }

  draft.put(stateCodecs.ballot, key, { support: body.support, weight })
  putProposal(draft, body.proposal, countVote(proposal, body.support, weight), 'active')
}

export function queue ({ draft, height }: Context, body: { proposal: number }): void {
  const proposal = requireStatus(draft, body.proposal, height, 'succeeded')

  putProposal(draft, body.proposal, queueProposal(proposal, height, getChain(draft).params.timelockBlocks), 'queued')
}

/** All actions or none: if one fails the proposal stays queued and can be executed later. */
export function execute ({ draft, height }: Context, body: { proposal: number }): void {
  const proposal = requireStatus(draft, body.proposal, height, 'queued')

  if (proposal.eta === null || height < proposal.eta) {
    throw new RuleError('ERR_TIMELOCK', `the proposal may be executed from height ${proposal.eta ?? 'unknown'} but this is ${height}: wait`)
  }

  checkActions(proposal.actions, getChain(draft).params)

  for (const action of proposal.actions) {
    act(draft, action)
  }

  putProposal(draft, body.proposal, { ...proposal, executed: true }, 'executed')
}

function act (draft: Draft, action: GovernanceAction): void {
  const { params, treasury } = getChain(draft)

  if (action.kind === 'set-params') {
    const next = applyParams(params, action.params)

    patchChain(draft, { params: next })
    draft.emit({ type: 'params', params: next })
  } else {
    debit(draft, treasury, action.amount)
    credit(draft, action.to, action.amount)
    announce(draft, treasury, action.to, action.amount, 'governance')
  }
}

/** Fixes snapshots and ends votes at the end of a block. */
export function advanceProposals (draft: Draft): void {
  const { openProposals, gopenSupply, params } = getChain(draft)
  const still: number[] = []

  for (const id of openProposals) {
    let proposal = getProposal(draft, id)

    if (draft.height === proposal.voteStart) {
      proposal = snapshotProposal(proposal, gopenSupply, params.quorumBp)
      putProposal(draft, id, proposal, 'active')
    }

    if (draft.height >= proposal.voteEnd) {
      putProposal(draft, id, proposal, proposalStatus(proposal, draft.height + 1))
    } else {
      still.push(id)
    }
  }

  if (still.length < openProposals.length) {
    patchChain(draft, { openProposals: still })
  }
}

function getProposal (draft: Draft, id: number): ProposalState {
  const proposal = draft.get(stateCodecs.proposal, stateKeys.proposal(id))

  if (proposal === undefined) {
    throw new RuleError('ERR_PROPOSAL_UNKNOWN', `expected a proposal of this ledger but there is no ${id}`)
  }

  return proposal
}

function requireStatus (draft: Draft, id: number, height: number, expected: ProposalStatus): ProposalState {
  const proposal = getProposal(draft, id)
  const status = proposalStatus(proposal, height)

  if (status !== expected) {
    throw new RuleError('ERR_PROPOSAL_STATE', `expected a proposal that is ${expected} but ${id} is ${status} at height ${height}`)
  }

  return proposal
}

function putProposal (draft: Draft, id: number, proposal: ProposalState, status: ProposalStatus): void {
  draft.put(stateCodecs.proposal, stateKeys.proposal(id), proposal)
  draft.emit({ type: 'proposal', proposal: id, status, title: proposal.title })
}
