import { WITNESS_LAG_MAX } from './constants.ts'
import { ForkError, StaleSourceError, WitnessError } from './errors.ts'
import { checkConsistent } from './fork.ts'
import type { Verified } from './fork.ts'
import type { AbortOptions, CertifiedHeader } from '../interface/index.ts'

/** A chain as one source shows it, verified. */
export interface Witness {
  sync (options: AbortOptions): Promise<CertifiedHeader>
  /** the verified header at a height */
  certified (height: number, options: AbortOptions): Promise<CertifiedHeader>
  /** a header that this one verified, with what its source led us to */
  verified (header: CertifiedHeader): Verified
}

/**
 * Compares a header with what the witnesses have, at the height that both have. A witness that fails
 * or lies without a certificate counts for nothing; one that verifies and differs is a fork.
 *
 * @param witnesses - asked at the same time
 * @param atLeast - how many have to confirm; 1 by default if there are any
 * @param ours - who verified `latest`
 * @param latest - the header that wants to be the newest
 * @param options - ends the comparison
 * @throws {ForkError | StaleSourceError | WitnessError}
 */
export async function confirmedBy (witnesses: Witness[], atLeast: number | undefined, ours: Witness, latest: CertifiedHeader, options: AbortOptions): Promise<void> {
  const expected = atLeast ?? Math.min(1, witnesses.length)
  const answers = await Promise.allSettled(witnesses.map(async witness => compare(witness, ours, latest, options)))
  const causes = answers.filter(answer => answer.status === 'rejected').map(({ reason }): unknown => reason)
  const proven = causes.find(cause => cause instanceof ForkError) ?? causes.filter(cause => cause instanceof StaleSourceError).find(({ known }) => known > latest.header.height)

  options.signal?.throwIfAborted()

  if (proven !== undefined) {
    throw proven
  }

  const confirmed = answers.length - causes.length

  if (confirmed < expected) {
    throw new WitnessError(latest.header.height, expected, confirmed, causes)
  }
}

async function compare (witness: Witness, ours: Witness, latest: CertifiedHeader, options: AbortOptions): Promise<void> {
  const theirs = await witness.sync(options)
  const ahead = theirs.header.height - latest.header.height
  const mine = ahead < 0 ? await ours.certified(theirs.header.height, options) : latest
  const other = ahead > 0 ? await witness.certified(latest.header.height, options) : theirs

  checkConsistent(ours.verified(mine), witness.verified(other))

  if (Math.abs(ahead) > WITNESS_LAG_MAX) {
    throw new StaleSourceError(Math.max(theirs.header.height, latest.header.height), Math.min(theirs.header.height, latest.header.height))
  }
}
