import { bls } from '../identity/index.ts'
import { certifiedHeaderCodec, codec, counter, struct, validatorsCodec } from '../wire/index.ts'
import type { Anchor } from './headers.ts'
import type { CertifiedHeader, Validator } from '../interface/index.ts'
import type { Codec } from '../wire/index.ts'

/**
 * What a light client believes at the end, to be kept by its user and given back at the next start:
 * the newest header, and the set that certified it.
 */
export interface TrustedHeader {
  header: CertifiedHeader
  validators: Validator[]
  /** when the question was asked whose answer confirmed it, in milliseconds by the clock of `trusting`; 0 without one */
  confirmedAtMs: number
}

/** See protocols/light-client. It is for the disk of who wrote it, and as trustworthy as that disk. */
export const trustedHeaderCodec: Codec<TrustedHeader> = codec('trusted header', struct({
  header: certifiedHeaderCodec.schema,
  validators: validatorsCodec.schema,
  confirmedAtMs: counter
}))

/** Where a client goes on that believed this before: its keys had proven possession when they were learned. */
export function trustedAnchor ({ header: { header: { era } }, validators }: TrustedHeader): Anchor {
  bls.trust(validators.map(({ blsPublicKey }) => blsPublicKey))

  return { era, validators }
}
