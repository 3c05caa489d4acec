import { equalBytes } from '../wire/index.ts'
import { SIGNATURE_BYTES, VALIDATORS_MAX } from './constants.ts'
import { statementWellFormed, voteBytes } from './votes.ts'
import type { Vote, VoteBls } from './interface.ts'
import type { Certificate, Header, Validator } from '../interface/index.ts'

/** Total stake of a set. */
export const totalStake = (validators: ReadonlyArray<Pick<Validator, 'stake'>>): bigint =>
  validators.reduce((sum, { stake }) => sum + stake, 0n)

/**
 * The least stake that is more than two thirds of the total: `floor(2 * total / 3) + 1`.
 * Two quorums share more than a third, hence an honest validator.
 */
export const quorum = (validators: ReadonlyArray<Pick<Validator, 'stake'>>): bigint =>
  totalStake(validators) * 2n / 3n + 1n

/** Index of the validator that may propose in a view: plain round robin, whatever the stakes. */
export const leaderOf = (view: number, validators: number): number => view % validators

/** The bitmap of a set of indices: bit i, least significant first, for validator i. */
export const bitmapOf = (indices: Iterable<number>, validators: number): Uint8Array => {
  const bitmap = new Uint8Array((validators + 7) >> 3)

  for (const index of indices) {
    bitmap[index >> 3] |= 1 << (index & 7)
  }

  return bitmap
}

/** The indices in a bitmap, ascending, or null if its length is wrong or it names validators that do not exist. */
export const signersOf = (bitmap: Uint8Array, validators: number): number[] | null => {
  if (validators > VALIDATORS_MAX || bitmap.length !== (validators + 7) >> 3) {
    return null
  }

  const indices: number[] = []

  for (let i = 0; i < bitmap.length * 8; i++) {
    if ((bitmap[i >> 3] >> (i & 7) & 1) === 1) {
      if (i >= validators) {
        return null
      }

      indices.push(i)
    }
  }

  return indices
}

/** Stake behind a certificate, 0 if its bitmap is malformed. Does not check the signature. */
export const signedStake = (certificate: Pick<Certificate, 'signers'>, validators: readonly Validator[]): bigint =>
  (signersOf(certificate.signers, validators.length) ?? []).reduce((sum, i) => sum + validators[i].stake, 0n)

/**
 * Whether more than two thirds of the stake signed what the certificate says. Cheap checks first,
 * then one aggregate verification. Never throws on malformed input.
 *
 * `validators` must be the set of the certificate's era. Their keys must have proven possession when
 * they were registered (genesis and ledger check it): without that, a rogue key forges aggregates.
 */
export const certificateValid = (certificate: Certificate, validators: readonly Validator[], bls: VoteBls, chain: string): boolean => {
  if (!statementWellFormed(certificate) || certificate.signature.length !== SIGNATURE_BYTES) {
    return false
  }

  const signers = signersOf(certificate.signers, validators.length)

  if (signers === null || signedStake(certificate, validators) < quorum(validators)) {
    return false
  }

  try {
    return bls.fastAggregateVerify(signers.map(i => validators[i].blsPublicKey), voteBytes(chain, certificate), certificate.signature)
  } catch {
    // a point that does not decode is a false signature, not a failure of ours
    return false
  }
}

/** Whether one vote's signature is its validator's. The vote must be well formed. */
export const voteValid = (vote: Vote, validators: readonly Validator[], bls: VoteBls, chain: string): boolean => {
  try {
    return bls.verify(validators[vote.validator].blsPublicKey, voteBytes(chain, vote), vote.signature)
  } catch {
    return false
  }
}

/**
 * Whether `headers[0]` is final: the last header carries a finalize certificate and each header
 * names the one before it as its parent. A block without a certificate of its own is final through
 * a descendant; a block that has one needs a list of length one. All are of one era, whose last block
 * always has a certificate of its own, perhaps of a later view than its first.
 *
 * @param headers - oldest first, with hashes computed by the caller from the headers
 */
export const finalityValid = (
  headers: ReadonlyArray<{ header: Header, hash: Uint8Array }>, certificate: Certificate,
  validators: readonly Validator[], bls: VoteBls, chain: string
): boolean => {
  const last = headers.at(-1)

  if (last === undefined || certificate.kind !== 'finalize' || certificate.era !== last.header.era || certificate.view < last.header.view || !equalBytes(certificate.blockHash, last.hash)) {
    return false
  }

  for (let i = 0; i < headers.length; i++) {
    if (headers[i].header.chain !== chain || headers[i].header.era !== certificate.era) {
      return false
    }

    if (i > 0 && (!equalBytes(headers[i].header.parent, headers[i - 1].hash) || headers[i].header.height !== headers[i - 1].header.height + 1)) {
      return false
    }
  }

  return certificateValid(certificate, validators, bls, chain)
}
