import { equalBytes, headerHash } from '../wire/index.ts'
import { ForkError } from './errors.ts'
import type { HeaderVerifier } from './headers.ts'
import type { ForkEvidence } from './interface.ts'
import type { CertifiedHeader } from '../interface/index.ts'

/** A verified header and what verified it. */
export interface Verified {
  header: CertifiedHeader
  verifier: HeaderVerifier
}

/**
 * Throws if two verified headers cannot be of one chain: the same height with different bytes, or
 * heights and views that do not rise together.
 *
 * @throws {ForkError}
 */
export function checkConsistent (first: Verified, second: Verified): void {
  const heights = second.header.header.height - first.header.header.height
  const views = second.header.header.view - first.header.header.view
  const consistent = heights === 0 ? sameHeader(first.header, second.header) : heights * views > 0

  if (!consistent) {
    throw new ForkError(evidenceOf(first, second))
  }
}

const sameHeader = (first: CertifiedHeader, second: CertifiedHeader): boolean => equalBytes(headerHash(first.header), headerHash(second.header))

/**
 * The pair that convicts. Chains that parted before a change of validators are signed by different
 * sets afterwards: then it is the first change in which they differ, which one and the same set signed twice.
 */
function evidenceOf (first: Verified, second: Verified): ForkEvidence {
  const parted = first.verifier.lasts.findIndex((last, i) => i < second.verifier.lasts.length && !sameHeader(last, second.verifier.lasts[i]))
  const [one, other] = parted === -1 ? [first.header, second.header] : [first.verifier.lasts[parted], second.verifier.lasts[parted]]
  const signedOther = second.verifier.provenSigners(other)
  const accused = first.verifier.provenSigners(one).filter(({ account }) => signedOther.some(signer => equalBytes(signer.account, account)))

  return {
    first: one,
    second: other,
    accused: accused.map(({ account }) => account),
    accusedStake: accused.reduce((sum, { stake }) => sum + stake, 0n)
  }
}
