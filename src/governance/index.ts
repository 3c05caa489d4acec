/**
 * Rules of votes with gOPEN, as pure functions over values: the semantics of OpenZeppelin's
 * Governor with ERC20Votes, GovernorCountingSimple and a timelock, counted in blocks.
 * The ledger applies them to its state; see protocols/governance/governance.md.
 *
 * @example
 * ```ts
 * const proposal = snapshotProposal(newProposal({ proposer, title, actions, height: 10 }, params), supply, params.quorumBp)
 * const voted = countVote(proposal, 'for', votesAt(history, proposal.voteStart))
 * proposalStatus(voted, voted.voteEnd + 1) // 'succeeded'
 * ```
 */
export { pushCheckpoint, votesAt } from './checkpoints.ts'
export type { VotesCheckpoint } from './checkpoints.ts'
export { ActionsError, ParamsError } from './errors.ts'
export { applyParams, checkActions, checkParams } from './params.ts'
export { countVote, newProposal, proposalStatus, queueProposal, quorumReached, snapshotProposal } from './proposals.ts'
export type { NewProposal } from './proposals.ts'
