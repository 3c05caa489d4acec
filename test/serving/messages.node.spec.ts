import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as dagCbor from '@ipld/dag-cbor'
import { fromDSL } from '@ipld/schema/from-dsl.js'
import { create } from '@ipld/schema/typed.js'
import { expect } from 'aegir/chai'
import fc from 'fast-check'
import {
  acknowledgementCodec, answerPartCodec, askCodec, cosignCodec, offersCodec, offersRequestCodec, openingsCodec, proposedAnswerCodec, receiptsRequestCodec
} from '../../src/serving/index.ts'
import { fromHex, signedCodec, toHex } from '../../src/wire/index.ts'

interface Vectors {
  type: string
  bytesMax: number
  valid: Array<{ name: string, length: number, bytes: string }>
  invalid: Array<{ name: string, code: string, bytes: string }>
}

interface Kind { bytesMax: number, again (bytes: Uint8Array): Uint8Array }

const kind = <T>(codec: { bytesMax: number, encode (value: T): Uint8Array, decode (bytes: Uint8Array): T }): Kind =>
  ({ bytesMax: codec.bytesMax, again: bytes => codec.encode(codec.decode(bytes)) })

const kinds: Record<string, Kind> = {
  OffersRequest: kind(offersRequestCodec),
  Offers: kind(offersCodec),
  Ask: kind(askCodec),
  ProposedAnswer: kind(proposedAnswerCodec),
  AnswerPart: kind(answerPartCodec),
  Cosign: kind(cosignCodec),
  Acknowledged: kind(acknowledgementCodec),
  SignedReceiptsRequest: kind(signedCodec(receiptsRequestCodec)),
  Openings: kind(openingsCodec)
}

const folder = new URL('../../protocols/serving/', import.meta.url)
const vectors: Vectors[] = JSON.parse(readFileSync(new URL('vectors/messages.json', folder), 'utf8'))
const schema = fromDSL(readFileSync(new URL('serving.ipldsch', folder), 'utf8'))

describe('messages of serving', () => {
  it('have vectors, which are what tools/serving-vectors.ts makes', async function () {
    this.timeout(30_000)
    const tool = fileURLToPath(new URL('../../tools/serving-vectors.ts', import.meta.url))

    expect(vectors.map(({ type }) => type)).to.have.members(Object.keys(kinds))
    expect((await promisify(execFile)(process.execPath, [tool, '--check'])).stdout).to.equal('')
  })

  for (const { type, bytesMax, valid, invalid } of vectors) {
    it(`${type} has the limit, the schema and the bytes of its vectors`, () => {
      const { toTyped } = create(schema, type)

      expect(kinds[type].bytesMax).to.equal(bytesMax)

      for (const { name, length, bytes } of valid) {
        expect(toHex(kinds[type].again(fromHex(bytes))), name).to.equal(bytes)
        expect(bytes.length / 2).to.equal(length)
        expect(toTyped(dagCbor.decode(fromHex(bytes))), name).not.to.equal(undefined)
      }
    })

    it(`${type} refuses what is malformed, out of range or too long`, () => {
      for (const { name, code, bytes } of invalid) {
        expect(() => kinds[type].again(fromHex(bytes)), name).to.throw().with.property('code', code)
      }

      expect(() => kinds[type].again(new Uint8Array(bytesMax + 1))).to.throw().with.property('code', 'ERR_RECORD_TOO_LARGE')
    })
  }

  it('are refused by name whatever bytes come', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...Object.values(kinds)), (bytes, { again }) => {
      try {
        again(bytes)
      } catch (err) {
        expect(err).to.have.property('code').that.matches(/^ERR_/)
      }
    }))
  })
})
