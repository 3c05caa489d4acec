import { ShapeError } from './errors.ts'

const words = new Uint32Array(1)
const floats = new Float32Array(words.buffer)

/**
 * The upper half of an f32, rounded to nearest even. Little-endian pairs as in safetensors' BF16.
 *
 * @example
 * ```ts
 * const bytes = toBfloat16(weights) // 2 bytes per weight
 * ```
 */
export function toBfloat16 (values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(values.length * 2)
  for (let i = 0; i < values.length; i++) {
    floats[0] = values[i]
    const x = words[0]
    // NaN keeps a mantissa bit, or rounding could turn it into infinity
    const half = (x & 0x7fffffff) > 0x7f800000 ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16
    bytes[2 * i] = half & 0xff
    bytes[2 * i + 1] = (half >>> 8) & 0xff
  }
  return bytes
}

/**
 * Exact: every bf16 is an f32.
 *
 * @throws {ShapeError} when the number of bytes is odd
 */
export function fromBfloat16 (bytes: Uint8Array): Float32Array {
  if (bytes.length % 2 !== 0) {
    throw new ShapeError('fromBfloat16', 'an even number of bytes', `${bytes.length}`)
  }
  const values = new Float32Array(bytes.length / 2)
  for (let i = 0; i < values.length; i++) {
    words[0] = ((bytes[2 * i] | (bytes[2 * i + 1] << 8)) << 16) >>> 0
    values[i] = floats[0]
  }
  return values
}
