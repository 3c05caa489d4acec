import { fromBfloat16, toBfloat16 } from './bfloat16.ts'
import { ALIGN_BYTES, DECODE_BYTES, GROUP_ROWS, QUANT_BLOCK, ROUNDED_BLOCK_BYTES, TILE_COLUMNS, TILE_ROWS } from './constants.ts'
import { NonFiniteError, NumericRangeError, ShapeError } from './errors.ts'
import { fromFloat16, toFloat16 } from './float16.ts'
import type { WeightMatrix, WeightType } from './interface.ts'

/** Bytes of one scale and its values. */
const BLOCK_BYTES = { q8_0: 34, q4_0: 18 }
const VALUE_BYTES = { f32: 4, bf16: 2, f16: 2 }

/** Bytes of a WeightMatrix of this type and shape. */
export function weightBytes (type: WeightMatrix['type'], rows: number, columns: number): number {
  return type === 'q8_0' || type === 'q4_0' ? rows * columns / QUANT_BLOCK * BLOCK_BYTES[type] : rows * columns * VALUE_BYTES[type]
}

/** See Kernels.packedBytes. */
export function packedBytes (type: WeightType, rows: number, columns: number): number {
  const width = type === 'f32' ? TILE_COLUMNS : GROUP_ROWS
  return weightBytes(type, Math.ceil(rows / width) * width, columns)
}

/** Bytes of rounded rows for products in integers: of each 32 columns 32 i16, a scale and a sum. At most what packed f32 rows take. */
export function roundedBytes (m: number, columns: number): number {
  return Math.ceil(m * columns / QUANT_BLOCK * ROUNDED_BLOCK_BYTES / ALIGN_BYTES) * ALIGN_BYTES
}

/** See Kernels.weightsScratchBytes. */
export function weightsScratchBytes (m: number, rows: number, columns: number): number {
  return 4 * Math.ceil(m / TILE_ROWS) * TILE_ROWS * Math.max(rows, columns) + DECODE_BYTES
}

/**
 * Refuses a matrix whose bytes are not what its type and shape say.
 *
 * @throws {ShapeError}
 */
export function checkWeights (primitive: string, { type, shape, bytes, activations }: WeightMatrix): void {
  const [rows, columns] = shape
  const quantised = type === 'q8_0' || type === 'q4_0'
  if (!Number.isInteger(rows) || !Number.isInteger(columns) || rows < 1 || columns < 1 || (quantised && columns % QUANT_BLOCK !== 0)) {
    throw new ShapeError(primitive, `at least one row and column${quantised ? `, columns by ${QUANT_BLOCK} for ${type}` : ''}`, `[${rows},${columns}]`)
  }
  if (activations != null && (!quantised || activations !== 'int16')) {
    throw new ShapeError(primitive, 'activations in int16, of q8_0 or q4_0 only', `${String(activations)} of ${type}`)
  }
  if (bytes.length !== weightBytes(type, rows, columns)) {
    throw new ShapeError(primitive, `${weightBytes(type, rows, columns)} bytes for [${rows},${columns}] of ${type}`, `${bytes.length}`)
  }
}

/** Block `index` of a matrix of q8_0 or q4_0, row after row: 32 integers and the scale of all. */
export function blockOf ({ type, bytes }: WeightMatrix, index: number): { scale: number, quants: Int8Array } {
  const at = index * (type === 'q8_0' ? BLOCK_BYTES.q8_0 : BLOCK_BYTES.q4_0)
  const quants = new Int8Array(QUANT_BLOCK)
  for (let i = 0; i < QUANT_BLOCK; i++) {
    const byte = bytes[at + 2 + (type === 'q8_0' ? i : i & 15)]
    quants[i] = type === 'q8_0' ? byte : ((i < 16 ? byte : byte >>> 4) & 15) - 8
  }
  return { scale: fromFloat16(bytes[at] | (bytes[at + 1] << 8)), quants }
}

/**
 * The f32 matrix that a WeightMatrix stands for, row-major; exact.
 *
 * @throws {ShapeError} when the bytes are not what type and shape say
 */
export function dequantise (matrix: WeightMatrix): Float32Array {
  checkWeights('dequantise', matrix)
  const { type, shape, bytes } = matrix
  const count = shape[0] * shape[1]
  if (type === 'bf16') {
    return fromBfloat16(bytes)
  }
  const values = new Float32Array(count)
  if (type === 'f32') {
    new Uint8Array(values.buffer).set(bytes)
    return values
  }
  if (type === 'f16') {
    return values.map((_, i) => fromFloat16(bytes[2 * i] | (bytes[2 * i + 1] << 8)))
  }
  for (let from = 0; from < count; from += QUANT_BLOCK) {
    const { scale, quants } = blockOf(matrix, from / QUANT_BLOCK)
    quants.forEach((quant, i) => { values[from + i] = scale * quant })
  }
  return values
}

/** The integer nearest to x, ties to even; |x| < 2^51. */
function nearest (x: number): number {
  return (x + 6755399441055744) - 6755399441055744
}

/** One block of 32 from `values` at `from` on. */
function encodeBlock (type: 'q8_0' | 'q4_0', values: Float32Array, from: number, bytes: Uint8Array, at: number): void {
  let extreme = 0
  for (let i = 0; i < QUANT_BLOCK; i++) {
    if (Math.abs(values[from + i]) > Math.abs(extreme)) {
      extreme = values[from + i]
    }
  }
  const bits = toFloat16(Math.fround(type === 'q8_0' ? Math.abs(extreme) / 127 : extreme / -8))
  const scale = fromFloat16(bits)
  if (!Number.isFinite(scale)) {
    throw new NumericRangeError(`a weight as ${type}`, 'small enough for a scale of f16', extreme)
  }
  bytes[at] = bits & 0xff
  bytes[at + 1] = bits >>> 8
  for (let i = 0; i < QUANT_BLOCK; i++) {
    const q = scale === 0 ? 0 : nearest(values[from + i] / scale)
    if (type === 'q8_0') {
      bytes[at + 2 + i] = Math.min(Math.max(q, -127), 127)
    } else {
      bytes[at + 2 + (i & 15)] |= Math.min(Math.max(q + 8, 0), 15) << (i < 16 ? 0 : 4)
    }
  }
}

/**
 * Rounds an f32 matrix [rows, columns] to a type: to nearest, ties to even. The scale of 32 values is
 * the f16 nearest to max|x| / 127 (q8_0) or to −x/8 of the x farthest from 0 (q4_0), the first of equals.
 *
 * @throws {ShapeError} when the numbers do not fill the shape, or 32 does not divide the columns of q8_0 and q4_0
 * @throws {NonFiniteError} for an infinite or undefined number, also after rounding to bf16 or f16
 * @throws {NumericRangeError} when a scale is too large for f16
 * @example
 * ```ts
 * const matrix = quantise('q8_0', weights, [768, 3072])
 * const y = t.matmul(x, t.constant(matrix), { transposeB: true })
 * ```
 */
export function quantise (type: WeightMatrix['type'], values: Float32Array, shape: readonly [number, number]): WeightMatrix {
  if (values.length !== shape[0] * shape[1]) {
    throw new ShapeError('quantise', `${shape[0] * shape[1]} numbers`, `${values.length}`)
  }
  const bytes = type === 'bf16' ? toBfloat16(values) : new Uint8Array(Math.ceil(weightBytes(type, shape[0], shape[1])))
  const matrix = { type, shape, bytes }
  checkWeights('quantise', matrix)
  if (!values.every(Number.isFinite)) {
    throw new NonFiniteError('quantise')
  }
  if (type === 'f32') {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  } else if (type === 'f16') {
    values.forEach((value, i) => {
      const bits = toFloat16(value)
      bytes[2 * i] = bits & 0xff
      bytes[2 * i + 1] = bits >>> 8
    })
  } else if (type !== 'bf16') {
    for (let i = 0; i < values.length; i += QUANT_BLOCK) {
      encodeBlock(type, values, i, bytes, i / QUANT_BLOCK * BLOCK_BYTES[type])
    }
  }
  if ((type === 'bf16' || type === 'f16') && !dequantise(matrix).every(Number.isFinite)) {
    throw new NonFiniteError('quantise')
  }
  return matrix
}
