/**
 * Agreement on blocks: Simplex (Chan and Pass 2023) as a pure state machine.
 *
 * @packageDocumentation
 */
export { bitmapOf, certificateValid, finalityValid, leaderOf, quorum, signedStake, signersOf, totalStake, voteValid } from './certificates.ts'
export { signVote, VOTE_DOMAIN, voteBytes } from './votes.ts'
export * from './errors.ts'
export type * from './interface.ts'
