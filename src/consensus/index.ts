/**
 * Agreement on blocks: Simplex (Chan and Pass 2023) as a pure state machine. The protocol, its safety
 * and liveness arguments and every deviation from the paper are in protocols/consensus/consensus.md.
 *
 * @packageDocumentation
 */
export { bitmapOf, certificateValid, finalityValid, leaderOf, quorum, signedStake, signersOf, totalStake, voteValid } from './certificates.ts'
export { proposalCodec, proposalInput, voteCodec } from './codec.ts'
export { consensus } from './consensus.ts'
export { CERTIFICATES_PER_ANSWER_MAX, CERTIFICATE_BYTES_MAX, DEFAULT_TIMEOUTS, JUSTIFICATION_MAX, SYNC_HEIGHTS_MIN, VALIDATORS_MAX, VOTE_BYTES_MAX } from './constants.ts'
export { contradictionAmong, contradicts } from './contradictions.ts'
export { ConsensusConfigError, ConsensusDriverError } from './errors.ts'
export { signVote, voteBytes } from './votes.ts'
export type { ProposalMessage } from './codec.ts'
export type * from './interface.ts'
