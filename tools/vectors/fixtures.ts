/**
 * What vectors are made of. All keys come from public seeds, so that everyone can make the same.
 */
import { blsSecretKey, deriveSeed, ed25519Signer, signRecord } from '../../src/identity/index.ts'
import * as wire from '../../src/wire/index.ts'
import type { Signer } from '../../src/identity/index.ts'
import type { Codec } from '../../src/wire/index.ts'
import type { CID } from 'multiformats/cid'

/** What the dag-cbor decoder gives for a record: maps, lists, bytes, text, integers and CIDs. */
export type Plain = Record<string, unknown>

export interface Edit {
  name: string
  edit (plain: Plain): void
  /** the code of the error, ERR_OUT_OF_RANGE by default */
  code?: string
}

export interface Fixture {
  /** folder below protocols/ */
  folder: string
  /** the codec's name in src/wire */
  codecName: string
  /** domain of the signature, for records that travel signed */
  domain?: string
  bytesMax: number
  valid: Array<{ name: string, bytes: Uint8Array }>
  /** the same record signed by somebody else than its author, or under another domain */
  badlySigned: Array<{ name: string, bytes: Uint8Array, code: string }>
  edits: Edit[]
}

export const signerOf = (path: string): Signer => ed25519Signer(deriveSeed('datanet vectors', path))
export const blsKeyOf = (path: string): Uint8Array => blsSecretKey(deriveSeed('datanet vectors', `bls/${path}`))

/** A CID of nothing in particular. */
export const cidFor = (name: string, code?: number): CID => wire.cidOf(wire.utf8(name), code)
export const rawFor = (name: string): CID => cidFor(name, wire.RAW)
export const hashFor = (name: string): Uint8Array => wire.cidOf(wire.utf8(name)).multihash.digest
export const sorted = (...cids: CID[]): CID[] => cids.toSorted((a, b) => wire.compareBytes(a.bytes, b.bytes))

export const CHAIN = 'vectors-1'
export const contributor = signerOf('contributor')
export const validator = signerOf('validator/0')
export const developer = signerOf('developer')
export const gateway = signerOf('gateway')
export const payer = signerOf('payer')
export const stranger = signerOf('stranger')

/** amounts that are none */
export const TOO_BIG = new Uint8Array(17).fill(1)
export const LEADING_ZERO = Uint8Array.of(0, 1)

/** Sets the field at a path of keys and indices, e.g. `payload.checks.0.name`. */
export function put (path: string, value: unknown): (plain: Plain) => void {
  return plain => {
    const keys = path.split('.')
    const last = keys.pop() ?? ''
    let at: Plain = plain

    for (const key of keys) {
      at = at[key] as Plain
    }

    at[last] = value
  }
}

/** A record that nobody signs. */
export function plainRecord<T> (folder: string, codecName: string, codec: Codec<T>, values: Record<string, NoInfer<T>>, edits: Edit[]): Fixture {
  return {
    folder,
    codecName,
    bytesMax: codec.bytesMax,
    valid: Object.entries(values).map(([name, value]) => ({ name, bytes: codec.encode(value) })),
    badlySigned: [],
    edits
  }
}

/** A record that travels signed. Edits are of the payload. */
export function signedRecord<T> (folder: string, codecName: string, codec: Codec<T>, domain: string, values: Record<string, NoInfer<T>>, signer: Signer, edits: Edit[], authored = true): Fixture {
  const envelope = wire.signedCodec(codec)
  const value = Object.values(values)[0]
  const signed = signRecord(domain, codec, value, signer)
  const flipped = Uint8Array.from(signed.signature)
  flipped[0] ^= 1

  return {
    folder,
    codecName,
    domain,
    bytesMax: envelope.bytesMax,
    valid: Object.entries(values).map(([name, one]) => ({ name, bytes: envelope.encode(signRecord(domain, codec, one, signer)) })),
    badlySigned: [
      { name: 'one bit of the signature is wrong', bytes: envelope.encode({ ...signed, signature: flipped }), code: 'ERR_SIGNATURE' },
      { name: 'signed for another domain', bytes: envelope.encode(signRecord('datanet/other/1', codec, value, signer)), code: 'ERR_SIGNATURE' },
      ...authored ? [{ name: 'signed by somebody else than its author', bytes: envelope.encode(signRecord(domain, codec, value, stranger)), code: 'ERR_WRONG_AUTHOR' }] : []
    ],
    edits: edits.map(({ edit, ...rest }) => ({ ...rest, edit: plain => { edit(plain.payload as Plain) } }))
  }
}
