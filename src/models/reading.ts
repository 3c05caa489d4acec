import { ModelShapeError } from './errors.ts'

/** A file that is read by ranges, wherever it lies. */
export interface ByteSource {
  /** of the whole file, in bytes */
  readonly size: number
  /** Exactly `length` bytes; the caller asks for nothing beyond the end. */
  read (offset: number, length: number): Promise<Uint8Array>
}

/**
 * Reading without input and output: asks for ranges, is given their bytes, and returns what it
 * read. The same code reads memory, disk and the swarm.
 */
export type Reading<T> = Generator<{ offset: number, length: number }, T, Uint8Array>

/** Runs a reading over bytes in memory; ranges are views, nothing is copied. */
export function readBytes<T> (bytes: Uint8Array, reading: Reading<T>): T {
  let step = reading.next()
  while (step.done !== true) {
    const { offset, length } = step.value
    step = reading.next(bytes.subarray(offset, offset + length))
  }
  return step.value
}

/** Runs a reading over a source, one range after the other: what it holds at once is one range and its result. */
export async function readSource<T> (source: ByteSource, reading: Reading<T>, options: { signal?: AbortSignal, onRange?(offset: number, length: number): void } = {}): Promise<T> {
  let step = reading.next()
  while (step.done !== true) {
    options.signal?.throwIfAborted()
    const { offset, length } = step.value
    const bytes = await source.read(offset, length)
    if (bytes.length !== length) {
      throw new ModelShapeError(`expected ${length} bytes at offset ${offset} but the file gave ${bytes.length}: it changed while it was read`)
    }
    options.onRange?.(offset, length)
    step = reading.next(bytes)
  }
  return step.value
}

/** The first bytes, as many as `parse` needs: it returns undefined until it has enough. */
export function * readHead<T> (fileBytes: number, headBytesMax: number, parse: (head: Uint8Array) => T | undefined): Reading<T> {
  const most = Math.min(fileBytes, headBytesMax)
  for (let length = Math.min(most, HEAD_BYTES); ; length = Math.min(most, 4 * length)) {
    const parsed = parse(yield { offset: 0, length })
    if (parsed !== undefined) {
      return parsed
    }
    if (length === most) {
      throw new ModelShapeError(`expected the file's header within ${most} bytes but it goes on`)
    }
  }
}

/** Enough for the header of most files in safetensors. */
const HEAD_BYTES = 1024 * 1024
