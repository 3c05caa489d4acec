import { ModelShapeError } from './errors.ts'
import { q2k, q3k, q4k, q5k, q6k } from './k-quants.ts'
import { iq4nl, iq4xs, q41, q50, q51 } from './small-quants.ts'
import { BLOCKS, bytesOf, countOf, isKept } from './tensor-types.ts'
import type { Tensor, Weight } from './interface.ts'
import type { TensorEntry } from './tensor-types.ts'

/** Where one tensor of a model comes from: a tensor of a file, or a part of one, in some other order. */
export interface TensorSource {
  entry: TensorEntry
  /** the rows of the entry, after transposition, that are this tensor; all if absent */
  rows?: { from: number, to: number }
  /** the file has [inputs, outputs] */
  transposed?: boolean
  /** llama.cpp interleaves the halves of each of so many heads; undo it */
  interleavedHeads?: number
}

/** The bytes of the file that a source needs. */
export function rangeOf ({ entry, rows, transposed }: TensorSource): { offset: number, length: number } {
  if (rows == null || transposed === true) {
    return { offset: entry.offset, length: entry.bytes }
  }
  const rowBytes = entry.bytes / entry.shape[0]
  return { offset: entry.offset + rows.from * rowBytes, length: (rows.to - rows.from) * rowBytes }
}

/** The shape of what a source gives. */
export function shapeOf ({ entry, rows, transposed }: TensorSource): number[] {
  const shape = transposed === true ? [...entry.shape].reverse() : [...entry.shape]
  return rows == null ? shape : [rows.to - rows.from, ...shape.slice(1)]
}

/** The bytes that a tensor takes in memory: quantised and bf16 matrices stay what they are. */
export function memoryBytes (source: TensorSource): number {
  const { type } = source.entry
  const shape = shapeOf(source)
  const kept = shape.length === 2 && isKept(type)
  return bytesOf(kept ? type : 'f32', shape) ?? 0
}

/**
 * A tensor from the bytes of its range. Matrices of f32, bf16, q8_0 and q4_0 keep their bytes (not
 * copied where the order is the file's, and f32 is aligned); everything else becomes f32.
 *
 * @throws {ModelShapeError} that names the tensor and the offset if a number is not finite
 */
export function readWeight (source: TensorSource, bytes: Uint8Array): Weight {
  const { entry, rows, transposed, interleavedHeads } = source
  const shape = shapeOf(source)
  let data = bytes
  if (transposed === true) {
    data = transpose(data, entry.shape, BLOCKS[entry.type].bytes, rows ?? { from: 0, to: shape[0] })
  }
  if (interleavedHeads != null) {
    data = deinterleave(data, shape[0], interleavedHeads)
  }
  const { type } = entry
  if (shape.length === 2 && isKept(type) && type !== 'f32') {
    checkFinite(entry, data)
    return { type, shape: [shape[0], shape[1]], bytes: data }
  }
  return { shape, data: toFloats(entry, countOf(shape), data) }
}

/** Some rows of the transpose, of numbers of `size` bytes. */
function transpose (bytes: Uint8Array, [inputs, outputs]: number[], size: number, { from, to }: { from: number, to: number }): Uint8Array {
  const out = new Uint8Array((to - from) * inputs * size)
  let at = 0
  for (let output = from; output < to; output++) {
    for (let input = 0; input < inputs; input++) {
      for (let byte = 0; byte < size; byte++) {
        out[at++] = bytes[(input * outputs + output) * size + byte]
      }
    }
  }
  return out
}

/** Rows 2i and 2i + 1 of a head become i and i + half: what llama.cpp's convert_hf_to_gguf.py permuted. */
function deinterleave (bytes: Uint8Array, rows: number, heads: number): Uint8Array {
  const out = new Uint8Array(bytes.length)
  const rowBytes = bytes.length / rows
  const head = rows / heads
  for (let row = 0; row < rows; row++) {
    const within = row % head
    const to = row - within + (within % 2) * head / 2 + (within >>> 1)
    out.set(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), to * rowBytes)
  }
  return out
}

/** Whether typed arrays lie in memory as files have them. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

function toFloats (entry: TensorEntry, count: number, bytes: Uint8Array): Float32Array {
  const data = entry.type === 'f32' && LITTLE_ENDIAN && bytes.byteOffset % 4 === 0
    ? new Float32Array(bytes.buffer, bytes.byteOffset, count)
    : decoded(entry, count, bytes)
  const fault = data.findIndex(value => !Number.isFinite(value))
  if (fault !== -1) {
    throw notFinite(entry, fault)
  }
  return data
}

function decoded (entry: TensorEntry, count: number, bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const data = new Float32Array(count)
  const { values, bytes: blockBytes } = BLOCKS[entry.type]
  for (let block = 0; block < count / values; block++) {
    DECODERS[entry.type](view, block * blockBytes, data, block * values)
  }
  return data
}

function notFinite (entry: TensorEntry, value: number): ModelShapeError {
  return new ModelShapeError(`expected tensor ${entry.name} at offset ${entry.offset} to be finite but its value ${value} is not: the file is damaged`)
}

/** bf16 by its exponents, quantised blocks by their scales: integers are always finite. */
function checkFinite (entry: TensorEntry, bytes: Uint8Array): void {
  const { values, bytes: size } = BLOCKS[entry.type]
  const exponent = entry.type === 'bf16' ? 0x7f80 : 0x7c00
  for (let at = 0; at < bytes.length; at += size) {
    if (((bytes[at] | bytes[at + 1] << 8) & exponent) === exponent) {
      throw notFinite(entry, at / size * values)
    }
  }
}

type Decoder = (view: DataView, at: number, out: Float32Array, to: number) => void

const DECODERS: Record<TensorEntry['type'], Decoder> = {
  f32 (view, at, out, to) {
    out[to] = view.getFloat32(at, true)
  },
  bf16 (view, at, out, to) {
    out[to] = fromBits(view.getUint16(at, true) << 16)
  },
  f16 (view, at, out, to) {
    out[to] = fromHalf(view.getUint16(at, true))
  },
  q8_0 (view, at, out, to) {
    const scale = fromHalf(view.getUint16(at, true))
    for (let i = 0; i < 32; i++) {
      out[to + i] = scale * view.getInt8(at + 2 + i)
    }
  },
  q4_0 (view, at, out, to) {
    const scale = fromHalf(view.getUint16(at, true))
    for (let i = 0; i < 16; i++) {
      const pair = view.getUint8(at + 2 + i)
      out[to + i] = scale * ((pair & 15) - 8)
      out[to + i + 16] = scale * ((pair >>> 4) - 8)
    }
  },
  q4_k (view, at, out, to) { q4k(view, at, out, to, fromHalf) },
  q5_k (view, at, out, to) { q5k(view, at, out, to, fromHalf) },
  q6_k (view, at, out, to) { q6k(view, at, out, to, fromHalf) },
  q2_k (view, at, out, to) { q2k(view, at, out, to, fromHalf) },
  q3_k (view, at, out, to) { q3k(view, at, out, to, fromHalf) },
  q4_1 (view, at, out, to) { q41(view, at, out, to, fromHalf) },
  q5_0 (view, at, out, to) { q50(view, at, out, to, fromHalf) },
  q5_1 (view, at, out, to) { q51(view, at, out, to, fromHalf) },
  iq4_nl (view, at, out, to) { iq4nl(view, at, out, to, fromHalf) },
  iq4_xs (view, at, out, to) { iq4xs(view, at, out, to, fromHalf) }
}

const scratch = new DataView(new ArrayBuffer(4))

function fromBits (bits: number): number {
  scratch.setUint32(0, bits >>> 0)
  return scratch.getFloat32(0)
}

/** IEEE 754 binary16: 2^-24 is its smallest subnormal. */
export function fromHalf (bits: number): number {
  const sign = bits >>> 15 === 0 ? 1 : -1
  const exponent = (bits >>> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) {
    return fraction === 0 ? sign * Infinity : NaN
  }
  return exponent === 0
    ? sign * fraction * (1 / 16_777_216)
    : sign * fromBits(((exponent + 112) << 23) | (fraction << 13))
}

/** A weight as f32, whatever it is kept as. */
export function toTensor (name: string, weight: Weight): Tensor {
  if ('data' in weight) {
    return weight
  }
  const entry: TensorEntry = { name, type: weight.type, shape: [...weight.shape], offset: 0, bytes: weight.bytes.length }
  return { shape: weight.shape, data: toFloats(entry, countOf(weight.shape), weight.bytes) }
}
