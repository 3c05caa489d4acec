import { SAFETENSORS_HEADER_BYTES_MAX } from './constants.ts'
import { SafetensorsError } from './errors.ts'
import { readHead, readSource } from './reading.ts'
import { safetensorsEntries } from './safetensors.ts'
import type { ByteSource } from './reading.ts'

const DTYPES = { f32: 'F32', bf16: 'BF16', f16: 'F16' } as const

/** A part of the joined file: bytes in memory, or a range of one of the files. */
interface Segment {
  begin: number
  length: number
  read (offset: number, length: number): Promise<Uint8Array>
}

/**
 * Several safetensors files as one, its tensors sorted by name: the same tensors give the same
 * bytes however they were spread. Nothing but headers is read before ranges are asked for.
 *
 * @throws {SafetensorsError} if a file is malformed, or a tensor is in two of them
 */
export async function mergedSafetensors (files: readonly ByteSource[], options: { signal?: AbortSignal } = {}): Promise<ByteSource> {
  const found = new Map<string, { file: ByteSource, dtype: string, shape: number[], offset: number, bytes: number }>()
  for (const file of files) {
    const entries = await readSource(file, readHead(file.size, SAFETENSORS_HEADER_BYTES_MAX + 8, head => safetensorsEntries(head, file.size)), options)
    for (const { name, type, shape, offset, bytes } of entries.values()) {
      const dtype = type === 'f32' || type === 'bf16' || type === 'f16' ? DTYPES[type] : undefined
      if (dtype == null || found.has(name)) {
        throw new SafetensorsError(`expected tensor ${name} once in all files but it comes again at offset ${offset}`)
      }
      found.set(name, { file, dtype, shape, offset, bytes })
    }
  }
  const header: Array<[string, unknown]> = []
  const parts = [...found].sort(([a], [b]) => a < b ? -1 : 1)
  let at = 0
  for (const [name, { dtype, shape, bytes }] of parts) {
    header.push([name, { dtype, shape, data_offsets: [at, at + bytes] }])
    at += bytes
  }
  const head = headerBytes(JSON.stringify(Object.fromEntries(header)))
  let begin = head.length
  const segments: Segment[] = [{ begin: 0, length: head.length, read: async (offset, length) => head.subarray(offset, offset + length) }]
  for (const [, { file, offset, bytes }] of parts) {
    segments.push({ begin, length: bytes, read: async (from, length) => file.read(offset + from, length) })
    begin += bytes
  }
  return { size: begin, read: async (offset, length) => readSegments(segments, offset, length) }
}

function headerBytes (text: string): Uint8Array {
  const json = new TextEncoder().encode(text)
  const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true)
  bytes.set(json, 8)
  return bytes
}

async function readSegments (segments: readonly Segment[], offset: number, length: number): Promise<Uint8Array> {
  const out = new Uint8Array(length)
  for (const segment of segments) {
    const from = Math.max(offset, segment.begin)
    const to = Math.min(offset + length, segment.begin + segment.length)
    if (from < to) {
      out.set(await segment.read(from - segment.begin, to - from), from - offset)
    }
  }
  return out
}
