import { SAFETENSORS_BYTES_MAX, SAFETENSORS_HEADER_BYTES_MAX, SAFETENSORS_NAME_CHARACTERS_MAX, SAFETENSORS_RANK_MAX, SAFETENSORS_TENSORS_MAX } from './constants.ts'
import { SafetensorsError } from './errors.ts'
import { parseJson } from './json.ts'
import { fromHalf } from './read-weight.ts'
import type { Tensor, Tensors } from './interface.ts'
import type { TensorEntry, TensorType } from './tensor-types.ts'

export interface SafetensorsLimits {
  /** @default 1073741824 */
  bytesMax?: number
  /** @default 1048576 */
  headerBytesMax?: number
  /** @default 10000 */
  tensorsMax?: number
}

export interface WriteSafetensorsOptions {
  /**
   * `bf16` halves the file and rounds to nearest even.
   *
   * @default 'f32'
   */
  dtype?: 'f32' | 'bf16'
  /** strings kept under `__metadata__`, sorted by key */
  metadata?: Record<string, string>
}

interface Entry { dtype: string, shape: number[], begin: number, end: number }

const DTYPE_BYTES: Record<string, number> = { F32: 4, BF16: 2, F16: 2 }

/**
 * Reads a safetensors file (https://github.com/huggingface/safetensors, format of 2022) of
 * F32, BF16 or F16 tensors. Tensors must cover the data without gap or overlap.
 *
 * @throws {SafetensorsError} that names the tensor and the offset
 */
export function parseSafetensors (bytes: Uint8Array, limits: SafetensorsLimits = {}): Tensors {
  const bytesMax = limits.bytesMax ?? SAFETENSORS_BYTES_MAX
  if (bytes.length > bytesMax) {
    throw new SafetensorsError(`expected at most ${bytesMax} bytes but got ${bytes.length}`)
  }
  if (bytes.length < 8) {
    throw new SafetensorsError(`expected a header length of 8 bytes but the file has ${bytes.length}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerBytes = view.getBigUint64(0, true)
  const headerMax = Math.min(limits.headerBytesMax ?? SAFETENSORS_HEADER_BYTES_MAX, bytes.length - 8)
  if (headerBytes > BigInt(headerMax)) {
    throw new SafetensorsError(`expected a header of at most ${headerMax} bytes but it declares ${headerBytes}`)
  }
  const begin = 8 + Number(headerBytes)
  const entries = parseHeader(bytes.subarray(8, begin), limits.tensorsMax ?? SAFETENSORS_TENSORS_MAX)
  checkCoverage(entries, bytes.length - begin)
  const tensors: Tensors = new Map()
  for (const name of [...entries.keys()].sort()) {
    const entry = entries.get(name)
    if (entry != null) {
      tensors.set(name, { shape: entry.shape, data: readTensor(view, begin + entry.begin, entry, name) })
    }
  }
  return tensors
}

/** Types of masks and counters that checkpoints carry along; nobody reads their numbers. */
const PASSED_OVER: Record<string, number> = { F64: 8, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 }
const TYPES: Record<string, TensorType | undefined> = { F32: 'f32', BF16: 'bf16', F16: 'f16' }

/**
 * Where the tensors of a safetensors file lie, from its first bytes. Those of other types than
 * F32, BF16 and F16 are left out.
 *
 * @param head - the first bytes of the file
 * @param fileBytes - the size of the whole file
 * @returns undefined if the header is longer than `head`: call again with more
 * @throws {SafetensorsError} that names the tensor and the offset
 */
export function safetensorsEntries (head: Uint8Array, fileBytes: number): Map<string, TensorEntry> | undefined {
  if (fileBytes < 8) {
    throw new SafetensorsError(`expected a header length of 8 bytes but the file has ${fileBytes}`)
  }
  if (head.length < 8) {
    return undefined
  }
  const headerBytes = new DataView(head.buffer, head.byteOffset, head.byteLength).getBigUint64(0, true)
  const headerMax = Math.min(SAFETENSORS_HEADER_BYTES_MAX, fileBytes - 8)
  if (headerBytes > BigInt(headerMax)) {
    throw new SafetensorsError(`expected a header of at most ${headerMax} bytes but it declares ${headerBytes} at offset 0`)
  }
  const begin = 8 + Number(headerBytes)
  if (head.length < begin) {
    return undefined
  }
  const found = parseHeader(head.subarray(8, begin), SAFETENSORS_TENSORS_MAX, { ...DTYPE_BYTES, ...PASSED_OVER })
  checkCoverage(found, fileBytes - begin)
  const entries = new Map<string, TensorEntry>()
  for (const [name, { dtype, shape, begin: offset, end }] of found) {
    const type = TYPES[dtype]
    if (type != null && end > offset) {
      entries.set(name, { name, type, shape, offset: begin + offset, bytes: end - offset })
    }
  }
  return entries
}

/**
 * Writes tensors so that the same content gives the same bytes: names sorted by UTF-16 code
 * units, metadata sorted, header padded with spaces to 8 bytes.
 */
export function writeSafetensors (tensors: ReadonlyMap<string, Tensor>, options: WriteSafetensorsOptions = {}): Uint8Array {
  const size = options.dtype === 'bf16' ? 2 : 4
  const names = [...tensors.keys()].sort()
  const header: Array<[string, unknown]> = []
  if (options.metadata != null) {
    header.push(['__metadata__', Object.fromEntries(Object.entries(options.metadata).sort(([a], [b]) => a < b ? -1 : 1))])
  }
  let offset = 0
  for (const name of names) {
    const { shape, data } = tensorOf(tensors, name)
    if (count(shape) !== data.length) {
      throw new SafetensorsError(`expected tensor ${name} of shape [${shape.join(', ')}] to hold ${count(shape)} values but it holds ${data.length}`)
    }
    header.push([name, { dtype: size === 2 ? 'BF16' : 'F32', shape: [...shape], data_offsets: [offset, offset + data.length * size] }])
    offset += data.length * size
  }
  const text = JSON.stringify(Object.fromEntries(header))
  const json = new TextEncoder().encode(text)
  const begin = 8 + Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(begin + offset).fill(0x20, 8, begin)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(begin - 8), true)
  bytes.set(json, 8)
  let at = begin
  for (const name of names) {
    for (const value of tensorOf(tensors, name).data) {
      if (size === 2) {
        view.setUint16(at, toBf16(value, name), true)
      } else {
        view.setFloat32(at, value, true)
      }
      at += size
    }
  }
  return bytes
}

function tensorOf (tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = tensors.get(name)
  if (tensor == null) {
    throw new SafetensorsError(`expected a tensor ${name}`)
  }
  return tensor
}

function parseHeader (bytes: Uint8Array, tensorsMax: number, dtypes = DTYPE_BYTES): Map<string, Entry> {
  const { value: header, keys } = parseJson(bytes, (found, cause) => new SafetensorsError(`expected the header to be JSON in UTF-8 but ${found}`, { cause }))
  if (!isRecord(header)) {
    throw new SafetensorsError('expected the header to be a JSON object')
  }
  checkNames(keys)
  const entries = new Map<string, Entry>()
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') {
      continue
    }
    if (entries.size === tensorsMax) {
      throw new SafetensorsError(`expected at most ${tensorsMax} tensors but there are more, such as ${name}`)
    }
    entries.set(name, parseEntry(name, value, dtypes))
  }
  return entries
}

/** Other readers take the first of two tensors of one name, and would see another model. */
function checkNames (names: string[]): void {
  const seen = new Set<string>()
  for (const name of names) {
    if (name.length > SAFETENSORS_NAME_CHARACTERS_MAX) {
      throw new SafetensorsError(`expected names of tensors of at most ${SAFETENSORS_NAME_CHARACTERS_MAX} characters but one has ${name.length} and begins with ${name.slice(0, 40)}`)
    }
    if (seen.has(name)) {
      throw new SafetensorsError(`expected tensor ${name} once but the header declares it again`)
    }
    seen.add(name)
  }
}

function parseEntry (name: string, value: unknown, dtypes: Record<string, number>): Entry {
  if (!isRecord(value)) {
    throw new SafetensorsError(`expected tensor ${name} to be described by an object`)
  }
  const { dtype, shape, data_offsets: offsets } = value
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypes, dtype)) {
    throw new SafetensorsError(`expected tensor ${name} to be F32, BF16 or F16 but it is ${JSON.stringify(dtype)} at the offsets ${JSON.stringify(offsets)} of the data`)
  }
  if (!isSizes(shape) || shape.length > SAFETENSORS_RANK_MAX || !Number.isSafeInteger(count(shape))) {
    throw new SafetensorsError(`expected tensor ${name} to have a shape of at most ${SAFETENSORS_RANK_MAX} sizes but it has ${JSON.stringify(shape)?.slice(0, 80)} at the offsets ${JSON.stringify(offsets)} of the data`)
  }
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[1] - offsets[0] !== count(shape) * dtypes[dtype]) {
    throw new SafetensorsError(`expected tensor ${name} of shape [${shape.join(', ')}] to take ${count(shape) * dtypes[dtype]} bytes but its offsets are ${JSON.stringify(offsets)}`)
  }
  return { dtype, shape, begin: offsets[0], end: offsets[1] }
}

/** Before any memory is taken: a small file must not declare large or shared tensors. */
function checkCoverage (entries: Map<string, Entry>, dataBytes: number): void {
  let at = 0
  for (const [name, { begin, end }] of [...entries].sort((a, b) => a[1].begin - b[1].begin || a[1].end - b[1].end)) {
    if (begin !== at) {
      throw new SafetensorsError(`expected tensor ${name} to begin at offset ${at} of the data but it begins at ${begin}`)
    }
    at = end
  }
  if (at !== dataBytes) {
    throw new SafetensorsError(`expected the tensors to take ${at} bytes but the file holds ${dataBytes}`)
  }
}

function readTensor (view: DataView, begin: number, entry: Entry, name: string): Float32Array {
  const data = new Float32Array(count(entry.shape))
  for (let i = 0; i < data.length; i++) {
    if (entry.dtype === 'F32') {
      data[i] = view.getFloat32(begin + 4 * i, true)
    } else if (entry.dtype === 'BF16') {
      data[i] = fromBits(view.getUint16(begin + 2 * i, true) << 16)
    } else {
      data[i] = fromHalf(view.getUint16(begin + 2 * i, true))
    }
    if (!Number.isFinite(data[i])) {
      throw new SafetensorsError(`expected tensor ${name} to be finite but value ${i} is ${data[i]}, at offset ${begin + i * DTYPE_BYTES[entry.dtype]}`)
    }
  }
  return data
}

const scratch = new DataView(new ArrayBuffer(4))

function fromBits (bits: number): number {
  scratch.setUint32(0, bits >>> 0)
  return scratch.getFloat32(0)
}

/** Round to nearest, ties to even: add half of the last kept bit, less one if that bit is 0. */
function toBf16 (value: number, name: string): number {
  scratch.setFloat32(0, value)
  const bits = scratch.getUint32(0)
  const rounded = (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
  if ((rounded & 0x7f80) === 0x7f80) {
    throw new SafetensorsError(`expected tensor ${name} to be finite in bf16 but it holds ${value}`)
  }
  return rounded
}

/** The value that a reader of the bf16 file sees. */
export function roundToBf16 (value: number): number {
  return fromBits(toBf16(value, 'value') << 16)
}

function count (shape: readonly number[]): number {
  let product = 1
  for (const size of shape) {
    product *= size
  }
  return product
}

function isRecord (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isSizes (value: unknown): value is number[] {
  return Array.isArray(value) && value.every(size => Number.isSafeInteger(size) && size >= 0)
}
