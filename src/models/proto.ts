import { TokenizerError } from './errors.ts'

/** One field of a protobuf message: a varint, a fixed32 read as a float, or bytes. */
export interface ProtoField {
  number: number
  value?: number
  float?: number
  bytes?: Uint8Array
}

/**
 * The fields of a protobuf message, in order; of fixed64 fields only their number.
 *
 * @throws {TokenizerError} if it is malformed or has more fields than allowed
 */
export function decodeProto (bytes: Uint8Array, what: string, fieldsMax: number): ProtoField[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const fields: ProtoField[] = []
  let at = 0
  const need = (size: number): number => {
    if (at + size > bytes.length) {
      throw new TokenizerError(`expected ${size} bytes at offset ${at} of ${what} but it ends at ${bytes.length}`)
    }
    at += size
    return at - size
  }
  const varint = (): number => {
    let value = 0
    for (let length = 0, scale = 1; length < 10; length++, scale *= 128) {
      const byte = bytes[need(1)]
      value += (byte & 127) * scale
      if (byte < 128) {
        return value
      }
    }
    throw new TokenizerError(`expected a number of at most ten bytes at offset ${at} of ${what}`)
  }
  while (at < bytes.length) {
    const tag = varint()
    const number = Math.floor(tag / 8)
    if (fields.length === fieldsMax) {
      throw new TokenizerError(`expected at most ${fieldsMax} fields in ${what}`)
    }
    switch (tag % 8) {
      case 0: fields.push({ number, value: varint() }); break
      case 1: need(8); fields.push({ number }); break
      case 2: {
        const length = varint()
        const begin = need(length)
        fields.push({ number, bytes: bytes.subarray(begin, begin + length) })
        break
      }
      case 5: fields.push({ number, float: view.getFloat32(need(4), true) }); break
      default: throw new TokenizerError(`expected a field of a known type at offset ${at} of ${what} but got ${tag % 8}: it is no protobuf`)
    }
  }
  return fields
}

export function numberField (fields: ProtoField[], number: number): number | undefined {
  return fields.findLast(field => field.number === number)?.value
}

export function floatField (fields: ProtoField[], number: number): number | undefined {
  return fields.findLast(field => field.number === number)?.float
}

/** A message of these fields, in order. */
export function encodeProto (fields: ProtoField[]): Uint8Array {
  const out: number[][] = []
  const varint = (value: number): number[] => value < 128 ? [value] : [value % 128 + 128, ...varint(Math.floor(value / 128))]
  for (const { number, value, float, bytes } of fields) {
    if (bytes != null) {
      out.push(varint(8 * number + 2), varint(bytes.length), [...bytes])
    } else if (float != null) {
      out.push(varint(8 * number + 5), [...new Uint8Array(Float32Array.of(float).buffer)])
    } else {
      out.push(varint(8 * number), varint(value ?? 0))
    }
  }
  return Uint8Array.from(out.flat())
}
