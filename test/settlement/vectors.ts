import { encode } from '@ipld/dag-cbor'
import { signRecord } from '../../src/identity/index.ts'
import { genesisState } from '../../src/ledger/index.ts'
import {
  blockRequestCodec, certificatesCodec, certificatesRequestCodec, genesisHash, helloCodec, queryCodec, signedHelloCodec, syncItemCodec,
  syncRequestCodec
} from '../../src/settlement/index.ts'
import { domains, toHex } from '../../src/wire/index.ts'
import { CHAIN, genesis, validatorSigner } from './fixtures.ts'
import type { Codec } from '../../src/wire/index.ts'

const again = <T>(codec: Codec<T>) => (bytes: Uint8Array): Uint8Array => codec.encode(codec.decode(bytes))

/** Decodes and encodes again, by the name of the codec. */
export const recode: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  blockRequestCodec: again(blockRequestCodec),
  certificatesCodec: again(certificatesCodec),
  certificatesRequestCodec: again(certificatesRequestCodec),
  helloCodec: again(helloCodec),
  queryCodec: again(queryCodec),
  signedHelloCodec: again(signedHelloCodec),
  syncItemCodec: again(syncItemCodec),
  syncRequestCodec: again(syncRequestCodec)
}

export interface Vector {
  codec: string
  name: string
  /** hexadecimal */
  bytes: string
  /** of the error, if it is invalid */
  code?: string
}

const peer = Uint8Array.from([0x00, 0x24, 0x08, 0x01, 0x12, 0x20, ...validatorSigner(0).account])

/** The messages of protocols/chain, made of the test genesis. */
export function validVectors (): Vector[] {
  const hello = { type: 'hello', version: 1, chain: CHAIN, genesis: genesisHash(genesis, genesisState(genesis).map.root), peer } as const
  const of = <T>(codec: Codec<T>, key: string, name: string, value: T): Vector => ({ codec: key, name, bytes: toHex(codec.encode(value)) })

  return [
    of(helloCodec, 'helloCodec', 'of a validator, unsigned', hello),
    of(signedHelloCodec, 'signedHelloCodec', 'of validator 0', signRecord(domains.hello, helloCodec, hello, validatorSigner(0))),
    of(blockRequestCodec, 'blockRequestCodec', 'a block by hash', { hash: new Uint8Array(32).fill(7) }),
    of(syncRequestCodec, 'syncRequestCodec', '64 blocks from height 1', { from: 1, limit: 64 }),
    of(certificatesRequestCodec, 'certificatesRequestCodec', 'from view 9', { fromView: 9 }),
    of(certificatesCodec, 'certificatesCodec', 'none', { certificates: [] }),
    of(queryCodec, 'queryCodec', 'the newest header', { type: 'latest' }),
    of(queryCodec, 'queryCodec', 'a header', { type: 'header', height: 12 }),
    of(queryCodec, 'queryCodec', 'a header in a history', { type: 'past', height: 12, size: 1_000_000 }),
    of(queryCodec, 'queryCodec', 'the end of an epoch', { type: 'epoch', epoch: 3, size: 9 }),
    of(queryCodec, 'queryCodec', 'a proof', { type: 'proof', key: 'chain', height: 12 })
  ]
}

export function invalidVectors (): Vector[] {
  const of = (codec: string, name: string, code: string, value: unknown): Vector => ({ codec, name, code, bytes: toHex(encode(value)) })

  return [
    { codec: 'signedHelloCodec', name: 'no bytes', code: 'ERR_MALFORMED_RECORD', bytes: '' },
    { codec: 'queryCodec', name: 'more bytes than the limit', code: 'ERR_RECORD_TOO_LARGE', bytes: 'a0'.repeat(513) },
    { codec: 'queryCodec', name: 'bytes after the end', code: 'ERR_MALFORMED_RECORD', bytes: `${toHex(encode({ type: 'latest' }))}00` },
    { codec: 'syncRequestCodec', name: 'keys out of order', code: 'ERR_NOT_CANONICAL', bytes: 'a2656c696d6974016466726f6d01' },
    of('syncRequestCodec', 'more blocks than an answer has', 'ERR_OUT_OF_RANGE', { from: 1, limit: 65 }),
    of('syncRequestCodec', 'a negative height', 'ERR_OUT_OF_RANGE', { from: -1, limit: 1 }),
    of('blockRequestCodec', 'a short hash', 'ERR_OUT_OF_RANGE', { hash: new Uint8Array(31) }),
    of('queryCodec', 'an unknown type', 'ERR_MALFORMED_RECORD', { type: 'all' }),
    of('queryCodec', 'an unknown field', 'ERR_MALFORMED_RECORD', { type: 'latest', height: 1 }),
    of('queryCodec', 'a header in a history of no size', 'ERR_MALFORMED_RECORD', { type: 'past', height: 12 }),
    of('helloCodec', 'another version', 'ERR_MALFORMED_RECORD', { type: 'hello', version: 2, chain: CHAIN, genesis: new Uint8Array(32), peer })
  ]
}
