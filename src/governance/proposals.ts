import { BASIS_POINTS } from './constants.ts'
import type { Account, Amount, GovernanceAction, NetworkParams, ProposalState, ProposalStatus } from '../interface/index.ts'

export interface NewProposal {
  proposer: Account
  title: string
  actions: GovernanceAction[]
  /** of the block that holds it */
  height: number
}

/** A proposal whose vote begins after `votingDelayBlocks` and lasts `votingPeriodBlocks`. */
export function newProposal ({ proposer, title, actions, height }: NewProposal, params: NetworkParams): ProposalState {
  const voteStart = height + params.votingDelayBlocks

  return {
    proposer,
    title,
    actions,
    createdAt: height,
    voteStart,
    voteEnd: voteStart + params.votingPeriodBlocks,
    eta: null,
    for: 0n,
    against: 0n,
    abstain: 0n,
    executed: false,
    supply: 0n,
    quorum: 0n
  }
}

/**
 * Fixes what the vote is measured against, at the end of the block at voteStart. Later changes of
 * the supply or of `quorumBp` do not reach it.
 *
 * @param proposal - as it was made
 * @param supply - of gOPEN
 * @param quorumBp - share of the supply that must vote, in basis points
 */
export function snapshotProposal (proposal: ProposalState, supply: Amount, quorumBp: number): ProposalState {
  return { ...proposal, supply, quorum: supply * BigInt(quorumBp) / BigInt(BASIS_POINTS) }
}

/**
 * Where a proposal stands, for a transaction in the block at `height`: pending until voteStart
 * (included: its end is the snapshot), active until voteEnd (included), then decided.
 * OpenZeppelin's Governor.state() without cancellation.
 */
export function proposalStatus (proposal: ProposalState, height: number): ProposalStatus {
  if (proposal.executed) {
    return 'executed'
  }

  if (proposal.eta !== null) {
    return 'queued'
  }

  if (height <= proposal.voteStart) {
    return 'pending'
  }

  if (height <= proposal.voteEnd) {
    return 'active'
  }

  return quorumReached(proposal) && proposal.for > proposal.against ? 'succeeded' : 'defeated'
}

/** For and abstain count towards the quorum, against does not (GovernorCountingSimple). */
export function quorumReached (proposal: ProposalState): boolean {
  return proposal.for + proposal.abstain >= proposal.quorum
}

/** Adds a vote; `weight` is what the voter had at voteStart. */
export function countVote (proposal: ProposalState, support: 'for' | 'against' | 'abstain', weight: Amount): ProposalState {
  return { ...proposal, [support]: proposal[support] + weight }
}

/** From which height a proposal that is queued in the block at `height` may be executed. */
export function queueProposal (proposal: ProposalState, height: number, timelockBlocks: number): ProposalState {
  return { ...proposal, eta: height + timelockBlocks }
}
