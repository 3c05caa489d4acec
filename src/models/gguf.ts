import {
  GGUF_ALIGNMENT_MAX, GGUF_ARRAY_MAX, GGUF_DIMENSIONS_MAX, GGUF_HEADER_BYTES_MAX, GGUF_KEYS_MAX, GGUF_KEY_BYTES_MAX,
  GGUF_STRING_BYTES_MAX, SAFETENSORS_TENSORS_MAX
} from './constants.ts'
import { GgufError } from './errors.ts'
import { bytesOf, BLOCKS } from './tensor-types.ts'
import type { TensorEntry, TensorType } from './tensor-types.ts'

/** A value of the metadata; integers beyond 2^53 are refused. */
export type GgufValue = number | boolean | string | number[] | boolean[] | string[]

export interface GgufHeader {
  metadata: Map<string, GgufValue>
  /** by name, offsets from the beginning of the file, shapes outermost first as safetensors writes them */
  entries: Map<string, TensorEntry>
}

const MAGIC = 0x46554747
const ALIGNMENT = 32

/** GGML's types by number, those that we read and the names of those that we do not. */
const READ: Record<number, TensorType | undefined> = { 0: 'f32', 1: 'f16', 2: 'q4_0', 8: 'q8_0', 12: 'q4_k', 13: 'q5_k', 14: 'q6_k', 30: 'bf16' }
const NAMES: ReadonlyMap<number, string> = new Map([
  [3, 'q4_1'], [6, 'q5_0'], [7, 'q5_1'], [9, 'q8_1'], [10, 'q2_k'], [11, 'q3_k'], [15, 'q8_k'], [16, 'iq2_xxs'],
  [17, 'iq2_xs'], [18, 'iq3_xxs'], [19, 'iq1_s'], [20, 'iq4_nl'], [21, 'iq3_s'], [22, 'iq2_s'], [23, 'iq4_xs'], [24, 'i8'], [25, 'i16'],
  [26, 'i32'], [27, 'i64'], [28, 'f64'], [29, 'iq1_m'], [34, 'tq1_0'], [35, 'tq2_0'], [39, 'mxfp4']
])

/** Bytes of each fixed-size type of the metadata; 8 is a string, 9 an array. */
const SIZES: Record<number, number | undefined> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 }
const STRING = 8
const ARRAY = 9

/** The head of the file that was given ends before the header does. */
class HeadEnds extends GgufError {}

/**
 * Reads the header of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md,
 * versions 2 and 3, little-endian) from the file's first bytes. Every count and length is checked
 * against what is left before memory is taken, and tensors must lie in the file, aligned,
 * without overlap.
 *
 * @param head - the first bytes of the file; at most GGUF_HEADER_BYTES_MAX of them count
 * @param fileBytes - the size of the whole file
 * @returns undefined if the header is longer than `head`: call again with more
 * @throws {GgufError} that names the key or the tensor and the offset
 */
export function parseGguf (head: Uint8Array, fileBytes: number): GgufHeader | undefined {
  const complete = head.length >= Math.min(fileBytes, GGUF_HEADER_BYTES_MAX)
  try {
    return readHeader(new Cursor(head.subarray(0, GGUF_HEADER_BYTES_MAX), complete ? head.length : fileBytes), fileBytes)
  } catch (cause) {
    if (cause instanceof HeadEnds && !complete) {
      return undefined
    }
    throw cause
  }
}

function readHeader (cursor: Cursor, fileBytes: number): GgufHeader {
  if (cursor.u32('the magic') !== MAGIC) {
    throw new GgufError('expected a GGUF file but it does not begin with "GGUF" at offset 0')
  }
  const version = cursor.u32('the version')
  if (version !== 2 && version !== 3) {
    throw new GgufError(`expected GGUF of version 2 or 3, little-endian, but got ${version} at offset 4: convert the file again`)
  }
  const tensors = cursor.count('the number of tensors', SAFETENSORS_TENSORS_MAX, 24)
  const keys = cursor.count('the number of keys', GGUF_KEYS_MAX, 12)
  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < keys; i++) {
    const key = cursor.text(`key ${i}`, GGUF_KEY_BYTES_MAX)
    const value = readValue(cursor, key)
    if (metadata.has(key)) {
      throw new GgufError(`expected key ${key} once but it comes again before offset ${cursor.at}`)
    }
    metadata.set(key, value)
  }
  const entries = new Map<string, TensorEntry>()
  for (let i = 0; i < tensors; i++) {
    const entry = readTensorInfo(cursor, i)
    if (entries.has(entry.name)) {
      throw new GgufError(`expected tensor ${entry.name} once but it is declared again before offset ${cursor.at}`)
    }
    entries.set(entry.name, entry)
  }
  place(entries, cursor.at, metadata.get('general.alignment') ?? ALIGNMENT, fileBytes)
  return { metadata, entries }
}

function readValue (cursor: Cursor, key: string): GgufValue {
  const type = cursor.u32(`the type of ${key}`)
  if (type !== ARRAY) {
    return readScalar(cursor, type, key, GGUF_STRING_BYTES_MAX)
  }
  const itemType = cursor.u32(`the item type of ${key}`)
  // a string has at least its length
  const itemBytes = itemType === STRING ? 8 : SIZES[itemType]
  if (itemBytes == null) {
    throw new GgufError(`expected key ${key} to be a list of numbers or texts but its items have type ${itemType} at offset ${cursor.at - 4}`)
  }
  const count = cursor.count(`the items of ${key}`, GGUF_ARRAY_MAX, itemBytes)
  if (itemType === STRING) {
    return Array.from({ length: count }, () => cursor.text(key, GGUF_KEY_BYTES_MAX))
  }
  if (itemType === 7) {
    return Array.from({ length: count }, () => cursor.u8(key) !== 0)
  }
  return Array.from({ length: count }, () => cursor.number(itemType, key))
}

function readScalar (cursor: Cursor, type: number, key: string, textBytesMax: number): GgufValue {
  if (type === STRING) {
    return cursor.text(key, textBytesMax)
  }
  if (SIZES[type] == null) {
    throw new GgufError(`expected key ${key} to have a type of 0 … 12 but got ${type} at offset ${cursor.at - 4}`)
  }
  return type === 7 ? cursor.u8(key) !== 0 : cursor.number(type, key)
}

function readTensorInfo (cursor: Cursor, index: number): TensorEntry {
  const name = cursor.text(`the name of tensor ${index}`, GGUF_KEY_BYTES_MAX)
  const at = cursor.at
  const dimensions = cursor.u32(`the dimensions of tensor ${name}`)
  if (dimensions < 1 || dimensions > GGUF_DIMENSIONS_MAX) {
    throw new GgufError(`expected tensor ${name} to have 1 … ${GGUF_DIMENSIONS_MAX} dimensions but got ${dimensions} at offset ${at}`)
  }
  // GGML counts from the innermost dimension
  const shape = Array.from({ length: dimensions }, () => cursor.number(10, `tensor ${name}`)).reverse()
  const number = cursor.u32(`the type of tensor ${name}`)
  const type = READ[number]
  if (type == null) {
    throw new GgufError(`expected tensor ${name} to be one of ${Object.keys(BLOCKS).join(', ')} but it is ${NAMES.get(number) ?? `type ${number}`} at offset ${cursor.at - 4}: quantise the model as q8_0 or q4_0`)
  }
  const bytes = bytesOf(type, shape)
  if (bytes == null) {
    throw new GgufError(`expected tensor ${name} of ${type} to have rows of whole blocks of ${BLOCKS[type].values} but its shape is [${shape.join(', ')}] at offset ${at}`)
  }
  return { name, type, shape, offset: cursor.number(10, `the offset of tensor ${name}`), bytes }
}

/** Makes offsets absolute and checks that the data section holds every tensor once, before any of it is read. */
function place (entries: Map<string, TensorEntry>, headerEnd: number, alignment: GgufValue, fileBytes: number): void {
  if (typeof alignment !== 'number' || !Number.isInteger(alignment) || alignment < 8 || alignment > GGUF_ALIGNMENT_MAX || alignment % 8 !== 0) {
    throw new GgufError(`expected general.alignment to be a multiple of 8 up to ${GGUF_ALIGNMENT_MAX} but got ${String(alignment)}`)
  }
  const begin = Math.ceil(headerEnd / alignment) * alignment
  let at = begin
  for (const entry of [...entries.values()].sort((a, b) => a.offset - b.offset)) {
    entry.offset += begin
    if (entry.offset !== at) {
      throw new GgufError(`expected tensor ${entry.name} at offset ${at} but it is declared at ${entry.offset}: tensors must follow each other, aligned to ${alignment}`)
    }
    if (entry.offset + entry.bytes > fileBytes) {
      throw new GgufError(`expected tensor ${entry.name} of ${entry.bytes} bytes at offset ${entry.offset} but the file ends at ${fileBytes}: download it again`)
    }
    at = Math.ceil((entry.offset + entry.bytes) / alignment) * alignment
  }
  if (fileBytes > at) {
    throw new GgufError(`expected the file to end at ${at} after its last tensor but it has ${fileBytes} bytes`)
  }
}

/** Reads forward and never beyond what is there. */
class Cursor {
  at = 0
  private readonly bytes: Uint8Array
  private readonly view: DataView
  /** where the file, or what we look at of it, ends */
  private readonly end: number

  constructor (bytes: Uint8Array, end: number) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = end
  }

  /** Moves over `size` bytes and says where they began. */
  private over (size: number, what: string): number {
    if (this.at + size > this.bytes.length) {
      throw new HeadEnds(`expected ${size} bytes for ${what} at offset ${this.at} but the header ends at ${this.bytes.length}: the file is cut or larger than allowed`)
    }
    this.at += size
    return this.at - size
  }

  u8 (what: string): number {
    return this.view.getUint8(this.over(1, what))
  }

  u32 (what: string): number {
    return this.view.getUint32(this.over(4, what), true)
  }

  /** A number of the metadata's type. */
  number (type: number, what: string): number {
    const { view } = this
    const at = this.over(SIZES[type] ?? 0, what)
    switch (type) {
      case 0: return view.getUint8(at)
      case 1: return view.getInt8(at)
      case 2: return view.getUint16(at, true)
      case 3: return view.getInt16(at, true)
      case 4: return view.getUint32(at, true)
      case 5: return view.getInt32(at, true)
      case 6: return view.getFloat32(at, true)
      case 12: return view.getFloat64(at, true)
      default: return this.wide(type, at, what)
    }
  }

  private wide (type: number, at: number, what: string): number {
    const { view } = this
    const wide = type === 10 ? view.getBigUint64(at, true) : view.getBigInt64(at, true)
    if (wide > BigInt(Number.MAX_SAFE_INTEGER) || wide < BigInt(Number.MIN_SAFE_INTEGER)) {
      throw new GgufError(`expected ${what} to be below 2^53 but got ${wide} at offset ${at}`)
    }
    return Number(wide)
  }

  /** A count of things that take at least `bytesEach`: checked against what is left of the file. */
  count (what: string, max: number, bytesEach: number): number {
    const count = this.number(10, what)
    if (count > max || count * bytesEach > this.end - this.at) {
      throw new GgufError(`expected ${what} to be at most ${max} and to fit the ${this.end - this.at} bytes that are left but got ${count} at offset ${this.at - 8}`)
    }
    return count
  }

  text (what: string, bytesMax: number): string {
    const length = this.number(10, what)
    if (length > bytesMax) {
      throw new GgufError(`expected ${what} to be a text of at most ${bytesMax} bytes but got ${length} at offset ${this.at - 8}`)
    }
    const at = this.over(length, what)
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.bytes.subarray(at, at + length))
  }
}
