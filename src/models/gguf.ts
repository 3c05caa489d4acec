import {
  GGUF_ALIGNMENT_MAX, GGUF_ARRAY_MAX, GGUF_DIMENSIONS_MAX, GGUF_HEADER_BYTES_MAX, GGUF_KEYS_MAX, GGUF_KEY_BYTES_MAX,
  GGUF_STRING_BYTES_MAX, SAFETENSORS_TENSORS_MAX
} from './constants.ts'
import { GgufError } from './errors.ts'
import { Cursor, HeadEnds, SIZES } from './gguf-cursor.ts'
import { bytesOf, BLOCKS } from './tensor-types.ts'
import type { TensorEntry, TensorType } from './tensor-types.ts'

/** A value of the metadata; integers beyond 2^53 are refused. */
export type GgufValue = number | boolean | string | number[] | boolean[] | string[]

export interface GgufHeader {
  /** lists other than those of a tokenizer are empty */
  metadata: Map<string, GgufValue>
  /** by name, offsets from the beginning of the file, shapes outermost first as safetensors writes them */
  entries: Map<string, TensorEntry>
}

const MAGIC = 0x46554747
const ALIGNMENT = 32

/** GGML's types by number, those that we read and the names of those that we do not. */
const READ: Record<number, TensorType | undefined> = {
  0: 'f32', 1: 'f16', 2: 'q4_0', 3: 'q4_1', 6: 'q5_0', 7: 'q5_1', 8: 'q8_0', 10: 'q2_k', 11: 'q3_k', 12: 'q4_k', 13: 'q5_k', 14: 'q6_k', 20: 'iq4_nl', 23: 'iq4_xs', 30: 'bf16'
}
const NAMES: ReadonlyMap<number, string> = new Map([
  [9, 'q8_1'], [15, 'q8_k'], [16, 'iq2_xxs'],
  [17, 'iq2_xs'], [18, 'iq3_xxs'], [19, 'iq1_s'], [21, 'iq3_s'], [22, 'iq2_s'], [24, 'i8'], [25, 'i16'],
  [26, 'i32'], [27, 'i64'], [28, 'f64'], [29, 'iq1_m'], [34, 'tq1_0'], [35, 'tq2_0'], [39, 'mxfp4']
])

/** A list of 64 MiB of single bytes would become half a gigabyte: those that nobody reads are passed over. */
const KEPT_LISTS = new Set(['tokens', 'scores', 'token_type', 'merges'].map(name => `tokenizer.ggml.${name}`))

const STRING = 8
const ARRAY = 9

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
  if (!KEPT_LISTS.has(key)) {
    cursor.pass(count, itemType === STRING ? undefined : itemBytes, key)
    return []
  }
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
