import { BLOCK_BYTES_MAX, blockCodec, bytes, certificateCodec, codec, counter, headerHash, integer, list, literal, refine, struct } from '../wire/index.ts'
import { CERTIFICATE_BYTES_MAX, HASH_BYTES, JUSTIFICATION_MAX, SIGNATURE_BYTES, VALIDATORS_MAX, VOTE_BYTES_MAX } from './constants.ts'
import type { Proposal, Vote } from './interface.ts'
import type { Block, Certificate, Hash } from '../interface/index.ts'
import type { Codec, Schema } from '../wire/index.ts'

const voteSchema: Schema<Vote> = refine(struct({
  kind: literal('notarize', 'nullify', 'finalize'),
  era: counter,
  view: counter,
  blockHash: bytes({ max: HASH_BYTES }),
  validator: integer({ min: 0, max: VALIDATORS_MAX - 1 }),
  signature: bytes({ length: SIGNATURE_BYTES })
}), 'a view above 0 and a blockHash of 32 bytes, or none if it nullifies the view', ({ kind, view, blockHash }) => {
  return view >= 1 && blockHash.length === (kind === 'nullify' ? 0 : HASH_BYTES)
})

/** A vote on the wire: canonical dag-cbor of at most VOTE_BYTES_MAX. */
export const voteCodec: Codec<Vote> = codec('vote', voteSchema, { bytesMax: VOTE_BYTES_MAX })

/** What is gossiped for `broadcastBlock`: the whole block with what makes it a proposal. */
export interface ProposalMessage {
  block: Block
  vote: Vote
  justification: Certificate[]
}

/** A proposal on the wire: canonical dag-cbor. */
export const proposalCodec: Codec<ProposalMessage> = codec('proposal', struct({
  block: blockCodec.schema,
  vote: voteSchema,
  justification: list(certificateCodec.schema, { max: JUSTIFICATION_MAX })
}), { bytesMax: BLOCK_BYTES_MAX + VOTE_BYTES_MAX + JUSTIFICATION_MAX * CERTIFICATE_BYTES_MAX })

/** The input that a received proposal makes, with the hash computed here. The driver keeps `message.block` under it. */
export const proposalInput = ({ block: { header }, vote, justification }: ProposalMessage): { type: 'proposal', hash: Hash, proposal: Proposal } =>
  ({ type: 'proposal', hash: headerHash(header), proposal: { header, vote, justification } })
