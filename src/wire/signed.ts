import { codec } from './codec.ts'
import { struct } from './composites.ts'
import { ENVELOPE_BYTES_MAX } from './constants.ts'
import { account, signature64 } from './fields.ts'
import type { Codec, Schema } from './interface.ts'
import type { Signed } from '../interface/index.ts'

/** The envelope of a signed record. Decoding does not verify the signature: see `verifyRecord` in identity. */
export function signed<T> (payload: Schema<T>): Schema<Signed<T>> {
  const envelope: Schema<unknown> = struct({ payload, signer: account, signature: signature64 })

  return {
    expects: envelope.expects,
    toPlain: (value, path) => envelope.toPlain(value, path),
    // TypeScript does not compute StructOf for a generic field; the struct has exactly these three
    fromPlain: (plain, path) => envelope.fromPlain(plain, path) as Signed<T>
  }
}

/** The codec of `Signed<T>` from that of `T`. The CID of a signed record is that of these bytes. */
export function signedCodec<T> (payload: Codec<T>): Codec<Signed<T>> {
  return codec(`signed ${payload.name}`, signed(payload.schema), { bytesMax: payload.bytesMax + ENVELOPE_BYTES_MAX })
}
