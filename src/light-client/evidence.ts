import { account, amount, certifiedHeaderCodec, codec, list, struct } from '../wire/index.ts'
import type { ForkEvidence } from './interface.ts'
import type { Codec } from '../wire/index.ts'

/** Validators of a set. */
const ACCUSED_MAX = 128

/**
 * See protocols/light-client. `accused` is what the client found; whoever reads the record verifies
 * both certificates.
 */
export const forkEvidenceCodec: Codec<ForkEvidence> = codec('fork evidence', struct({
  first: certifiedHeaderCodec.schema,
  second: certifiedHeaderCodec.schema,
  accused: list(account, { max: ACCUSED_MAX }),
  accusedStake: amount
}))
