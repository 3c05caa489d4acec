import { encode } from '@ipld/dag-cbor'
import { domains } from '../wire/index.ts'
import { HASH_BYTES, SIGNATURE_BYTES } from './constants.ts'
import type { Vote, VoteSigner } from './interface.ts'
import type { Certificate } from '../interface/index.ts'

const KINDS: readonly string[] = ['notarize', 'nullify', 'finalize']

/** What a vote says, without who says it. */
export type Statement = Pick<Certificate, 'kind' | 'era' | 'view' | 'blockHash'>

/**
 * The bytes that a validator signs with BLS: the dag-cbor list
 * `[domain, chain, era, kind, view, blockHash]`. The validator is not part of them, so that the
 * signatures of equal votes aggregate into one that is checked against one message.
 */
export const voteBytes = (chain: string, { kind, era, view, blockHash }: Statement): Uint8Array =>
  encode([domains.vote, chain, era, kind, view, blockHash])

/** Signs one vote. Whoever calls this outside of the state machine has to keep its own double-sign guard. */
export const signVote = (chain: string, validator: number, statement: Statement, signer: VoteSigner): Vote => ({
  kind: statement.kind,
  era: statement.era,
  view: statement.view,
  blockHash: statement.blockHash,
  validator,
  signature: signer.sign(voteBytes(chain, statement))
})

/** Whether the fields fit together; says nothing about the signature. */
export const statementWellFormed = ({ kind, era, view, blockHash }: Statement): boolean =>
  KINDS.includes(kind) && Number.isSafeInteger(era) && era >= 0 && Number.isSafeInteger(view) && view >= 1 &&
  blockHash.length === (kind === 'nullify' ? 0 : HASH_BYTES)

export const voteWellFormed = (vote: Vote, validators: number): boolean =>
  statementWellFormed(vote) && vote.signature.length === SIGNATURE_BYTES &&
  Number.isSafeInteger(vote.validator) && vote.validator >= 0 && vote.validator < validators
