import { expect } from 'aegir/chai'
import fc from 'fast-check'
import { parseSafetensors, roundToBf16, writeSafetensors } from '../../src/models/index.ts'
import type { Tensors } from '../../src/models/index.ts'

/** A file with this header text and so many zero bytes of data. */
function file (header: string, dataBytes = 0): Uint8Array {
  const json = new TextEncoder().encode(header)
  const bytes = new Uint8Array(8 + json.length + dataBytes)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  return bytes
}

function entry (fields: Record<string, unknown>): string {
  return JSON.stringify({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...fields } })
}

describe('safetensors', () => {
  it('reads back what it wrote, whatever the order of insertion', () => {
    const one: Tensors = new Map([
      ['b', { shape: [2, 1], data: Float32Array.of(1.5, -2) }],
      ['a', { shape: [3], data: Float32Array.of(0, -0, 1e-40) }]
    ])
    const bytes = writeSafetensors(one, { metadata: { z: '1', format: 'pt' } })

    expect(parseSafetensors(bytes)).to.deep.equal(new Map([...one].reverse()))
    expect(writeSafetensors(new Map([...one].reverse()), { metadata: { format: 'pt', z: '1' } })).to.deep.equal(bytes)
    expect(bytes.length % 8).to.equal((3 + 2) * 4 % 8)
  })

  it('rounds bf16 to nearest, ties to even', () => {
    fc.assert(fc.property(fc.float({ noNaN: true, noDefaultInfinity: true, max: 2 ** 100, min: -(2 ** 100) }), value => {
      const read = parseSafetensors(writeSafetensors(new Map([['a', { shape: [1], data: Float32Array.of(value) }]]), { dtype: 'bf16' })).get('a')?.data[0]
      expect(read).to.equal(roundToBf16(value))
      expect(Math.abs((read ?? NaN) - value)).to.be.at.most(Math.max(Math.abs(value) / 256, 1e-40))
    }))
    expect(roundToBf16(1 + 1 / 256)).to.equal(1)
    expect(roundToBf16(1 + 3 / 256)).to.equal(1 + 4 / 256)
  })

  it('reads f16', () => {
    const bytes = file(JSON.stringify({ a: { dtype: 'F16', shape: [4], data_offsets: [0, 8] } }), 8)
    new Uint16Array(bytes.buffer, bytes.length - 8).set([0x3c00, 0xc000, 0x0001, 0x3555])
    expect([...parseSafetensors(bytes).get('a')?.data ?? []]).to.deep.equal([1, -2, 2 ** -24, 0.333251953125])
  })

  const hostile: Array<[string, Uint8Array]> = [
    ['fewer than eight bytes', new Uint8Array(7)],
    ['a header longer than the file', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 127)],
    ['a header that is no JSON', file('{')],
    ['a header that is no object', file('[]')],
    ['a header that is not UTF-8', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 255)],
    ['an unknown type', file(entry({ dtype: 'I64' }), 8)],
    ['a negative size', file(entry({ shape: [-2] }), 8)],
    ['a product of sizes beyond 2^53', file(entry({ shape: [2 ** 40, 2 ** 40] }), 8)],
    ['offsets that do not fit the shape', file(entry({ shape: [3] }), 8)],
    ['data beyond the end', file(entry({}), 4)],
    ['data that no tensor covers', file(entry({}), 12)],
    ['a gap before a tensor', file(entry({ data_offsets: [4, 12] }), 12)],
    ['tensors that overlap', file(JSON.stringify({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] }, b: { dtype: 'F32', shape: [2], data_offsets: [4, 12] } }), 12)],
    ['a tensor twice', file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\\u0061":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}', 8)],
    ['a type that is a list of lists of lists', file(entry({}).replace('"F32"', '['.repeat(100_000) + ']'.repeat(100_000)), 8)],
    ['a name of half a megabyte', file(entry({}).replace('"a"', `"${'a'.repeat(500_000)}"`), 8)],
    ['NaN', file(entry({}), 8).fill(0xff, -8)]
  ]
  for (const [what, bytes] of hostile) {
    it(`refuses ${what}`, () => {
      expect(() => parseSafetensors(bytes)).to.throw().with.property('code', 'ERR_SAFETENSORS_INVALID')
    })
  }

  it('says where a number is that is none', () => {
    const bytes = file(entry({}), 8)
    bytes.fill(0xff, -4)
    expect(() => parseSafetensors(bytes)).to.throw(`tensor a to be finite but value 1 is NaN, at offset ${bytes.length - 4}`)
  })

  it('knows tensors by names that are none of an object\'s own', () => {
    const names = ['__proto__', 'constructor', 'toString']
    const tensors: Tensors = new Map(names.map(name => [name, { shape: [1], data: Float32Array.of(1) }]))
    expect([...parseSafetensors(writeSafetensors(tensors)).keys()]).to.have.members(names)
  })

  it('refuses more bytes or tensors than it was allowed', () => {
    const bytes = file(entry({}), 8)
    expect(() => parseSafetensors(bytes, { bytesMax: 10 })).to.throw().with.property('code', 'ERR_SAFETENSORS_INVALID')
    expect(() => parseSafetensors(bytes, { tensorsMax: 0 })).to.throw('at most 0 tensors')
    expect(() => parseSafetensors(bytes, { headerBytesMax: 10 })).to.throw('at most 10 bytes')
  })
})
