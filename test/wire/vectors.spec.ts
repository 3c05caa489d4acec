import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'aegir/chai'
import { verifyPayload, verifyRecord } from '../../src/identity/index.ts'
import { DatanetError } from '../../src/utils/index.ts'
import * as wire from '../../src/wire/index.ts'
import type { Codec } from '../../src/wire/index.ts'

interface Vector { name: string, bytes?: string, zeros?: number, cid?: string, length?: number, stage?: 'decode' | 'verify', code?: string }
interface VectorFile { codec: string, domain?: string, bytesMax: number, vectors: Vector[] }

/** What a node does with the bytes of one kind of record: decode, verify, encode again. */
interface Kind { decodeAndEncode (bytes: Uint8Array): Uint8Array, verify (bytes: Uint8Array): void, bytesMax: number }

const root = new URL('../../protocols/', import.meta.url)

function plain<T> (codec: Codec<T>): Kind {
  return { bytesMax: codec.bytesMax, decodeAndEncode: bytes => codec.encode(codec.decode(bytes)), verify: bytes => { codec.decode(bytes) } }
}

function signed<T> (codec: Codec<T>, domain: string, authorOf: (payload: T) => Uint8Array | undefined): Kind {
  const envelope = wire.signedCodec(codec)

  return {
    ...plain(envelope),
    verify: bytes => {
      const record = envelope.decode(bytes)
      verifyRecord(domain, codec, record, authorOf(record.payload))
    }
  }
}

const cosigned: Kind = {
  ...plain(wire.cosignedReceiptCodec),
  verify: bytes => {
    const { payload, gatewaySignature, payerSignature } = wire.cosignedReceiptCodec.decode(bytes)
    verifyPayload(wire.domains.receipt, wire.receiptCodec, payload, payload.gateway, gatewaySignature)
    verifyPayload(wire.domains.receipt, wire.receiptCodec, payload, payload.payer, payerSignature)
  }
}

const kinds: Record<string, Kind> = {
  datanet: plain(wire.datanetCodec),
  shard: plain(wire.shardCodec),
  contribution: signed(wire.contributionCodec, wire.domains.contribution, payload => payload.contributor),
  attestation: signed(wire.attestationCodec, wire.domains.attestation, payload => payload.validator),
  snapshot: plain(wire.snapshotCodec),
  'base-model': plain(wire.baseModelCodec),
  recipe: plain(wire.recipeCodec),
  adapter: signed(wire.adapterCodec, wire.domains.adapter, payload => payload.developer),
  'imported-adapter': signed(wire.importedAdapterCodec, wire.domains.adapter, payload => payload.developer),
  'merged-adapter': signed(wire.mergedAdapterCodec, wire.domains.adapter, payload => payload.developer),
  receipt: cosigned,
  'receipt-opening': plain(wire.receiptOpeningCodec),
  voucher: plain(wire.voucherCodec),
  'score-table': plain(wire.scoreTableCodec),
  transaction: signed(wire.transactionCodec, wire.domains.transaction, () => undefined),
  genesis: plain(wire.genesisCodec),
  header: plain(wire.headerCodec),
  block: plain(wire.blockCodec),
  certificate: plain(wire.certificateCodec)
}

function read (kind: string, file: string): VectorFile {
  return JSON.parse(readFileSync(new URL(`${kind}/vectors/${file}.json`, root), 'utf8'))
}

function bytesOf (vector: Vector): Uint8Array {
  return vector.zeros === undefined ? wire.fromHex(vector.bytes ?? '') : new Uint8Array(vector.zeros)
}

function errorOf (run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
}

describe('vectors of records', () => {
  it('are read by this test, all of them', () => {
    const folders = readdirSync(root, { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => entry.name)
    const withRecords = folders.filter(folder => {
      try {
        return read(folder, 'valid').codec !== undefined
      } catch {
        return false
      }
    })

    expect(withRecords).to.have.members(Object.keys(kinds))
  })

  for (const [name, kind] of Object.entries(kinds)) {
    describe(name, () => {
      const valid = read(name, 'valid')

      it('has the limit that the vectors name', () => {
        expect(kind.bytesMax).to.equal(valid.bytesMax)
      })

      for (const vector of valid.vectors) {
        it(`accepts: ${vector.name}`, () => {
          const bytes = bytesOf(vector)

          expect(wire.toHex(kind.decodeAndEncode(bytes))).to.equal(vector.bytes)
          expect(wire.cidOf(bytes).toString()).to.equal(vector.cid)
          expect(bytes.length).to.equal(vector.length)
          expect(() => { kind.verify(bytes) }).not.to.throw()
        })
      }

      for (const vector of read(name, 'invalid').vectors) {
        it(`refuses: ${vector.name}`, () => {
          const bytes = bytesOf(vector)

          if (vector.stage === 'verify') {
            expect(() => kind.decodeAndEncode(bytes)).not.to.throw()
          }

          const error = errorOf(() => { vector.stage === 'verify' ? kind.verify(bytes) : kind.decodeAndEncode(bytes) })

          expect(error).to.be.instanceOf(DatanetError)
          expect(error).to.have.property('code', vector.code)
        })
      }
    })
  }
})
