import { bls } from '../identity/index.ts'
import { certifiedHeaderCodec, codec, counter, struct, validatorsCodec } from '../wire/index.ts'
import type { Anchor } from './headers.ts'
import type { TrustedHeader } from './interface.ts'
import type { Codec } from '../wire/index.ts'

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
