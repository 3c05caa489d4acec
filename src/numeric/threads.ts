/**
 * Several threads at one product. Columns are cut into chunks that whoever is free takes; each element is
 * computed as it would be alone, so who takes what changes no bit. A helper that sleeps is not waited
 * for: only a chunk that was taken is.
 *
 * Words of control: EPOCH counts products; NEXT is (epoch mod 2^16)·2^16 + the next chunk, so that a
 * helper with an old task in mind cannot take a chunk of a new one; DONE counts finished chunks;
 * CHUNKS; then the task (see assembly/share.ts); last HELPED, the chunks that helpers have ever done.
 */
import {
  CHUNKS_PER_THREAD, CONTROL_AT, HELPER_SCRATCH_BYTES, HELPER_TIMEOUT_MS, SHARED_PRODUCTS_MIN, SHARED_WEIGHTS_MIN, SPINS, STATICS_AT, STATICS_BYTES
} from './constants.ts'
import { ThreadLostError } from './errors.ts'
import type { HelperData, Threads } from './interface.ts'

const EPOCH = 0
const NEXT = 1
const DONE = 2
const CHUNKS = 3
const TASK = 4
const HELPED = 31

/** Columns of a chunk are a multiple of this, by operation: products with frozen weights read 64 rows of them side by side. */
const UNITS = [32, 64, 32, 64]

/** What a helper runs: waits for a product, takes chunks of it, waits again. */
function helperScript (): string {
  return `const take = (workerData) => {
  const { module, memory, staticsAt, scratchAt, controlAt, spins } = workerData
  const words = new Int32Array(memory.buffer, controlAt, 32)
  const { share, useStatics } = new WebAssembly.Instance(module, { env: { memory } }).exports
  useStatics(staticsAt)
  let epoch = 0
  for (;;) {
    for (let i = 0; i < spins && Atomics.load(words, ${EPOCH}) === epoch; i++);
    Atomics.wait(words, ${EPOCH}, epoch)
    epoch = Atomics.load(words, ${EPOCH})
    for (;;) {
      const next = Atomics.load(words, ${NEXT})
      const chunk = next & 0xffff
      if (next >>> 16 !== (epoch & 0xffff) || chunk >= Atomics.load(words, ${CHUNKS})) break
      if (Atomics.compareExchange(words, ${NEXT}, next, next + 1) !== next) continue
      share(controlAt + ${4 * TASK}, chunk, scratchAt)
      Atomics.add(words, ${HELPED}, 1)
      Atomics.add(words, ${DONE}, 1)
      Atomics.notify(words, ${DONE})
    }
  }
}
if (typeof require === 'function') take(require('node:worker_threads').workerData)
else self.onmessage = ({ data }) => take(data)
`
}

/** Appends an unsigned LEB128. */
function leb (value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]
}

/** Reads an unsigned LEB128: [value, next]. */
function readLeb (bytes: Uint8Array, at: number): [number, number] {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]
    value |= (byte & 127) << shift
    if (byte < 128) {
      return [value, at]
    }
  }
}

/**
 * The same module over shared memory: its one import, `memory` of `env`, gets the flags "shared, with a
 * maximum". Code is untouched, so it computes the same.
 */
export function overSharedMemory (bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  for (let at = 8; at < bytes.length;) {
    const [size, body] = readLeb(bytes, at + 1)
    if (bytes[at] === 2) {
      // the limits are the last of the section: flags, then the least number of pages
      const name = body + 1 + 4 + 7
      const [pages] = readLeb(bytes, name + 2)
      const section = [...bytes.subarray(body, name + 1), 3, ...leb(pages), ...leb(65_536)]
      return Uint8Array.from([...bytes.subarray(0, at), 2, ...leb(section.length), ...section, ...bytes.subarray(body + size)])
    }
    at = body + size
  }
  return Uint8Array.from(bytes)
}

export interface Pool {
  /** Whether a product of m rows, n columns and k steps is worth sharing, and its scratch fits. */
  wants (m: number, n: number, k: number, scratchBytes: number): boolean
  /** Runs a task (see assembly/share.ts), the caller's part with `scratch`. */
  run (operation: number, columns: number, task: number[], scratch: number): void
}

/** The helpers' bytes of memory, behind the caller's. */
export const helperBytes = (count: number): number => (count - 1) * HELPER_SCRATCH_BYTES

/**
 * @throws {ThreadLostError} from `run`
 */
export function pool (
  threads: Threads, module: WebAssembly.Module, memory: WebAssembly.Memory, memoryBytes: number, share: (task: number, chunk: number, scratch: number) => void
): Pool {
  const words = new Int32Array(memory.buffer, CONTROL_AT, 32)
  for (let i = 1; i < threads.count; i++) {
    const data: HelperData = {
      module, memory, staticsAt: STATICS_AT + i * STATICS_BYTES, scratchAt: memoryBytes + (i - 1) * HELPER_SCRATCH_BYTES, controlAt: CONTROL_AT, spins: SPINS
    }
    threads.spawn(helperScript(), data)
  }

  /** Until all chunks are done: soon, because none is left to take. */
  function finish (chunks: number): void {
    for (let i = 0; i < SPINS; i++) {
      if (Atomics.load(words, DONE) === chunks) {
        return
      }
    }
    for (let done = Atomics.load(words, DONE); done !== chunks; done = Atomics.load(words, DONE)) {
      if (Atomics.wait(words, DONE, done, HELPER_TIMEOUT_MS) === 'timed-out') {
        throw new ThreadLostError(HELPER_TIMEOUT_MS)
      }
    }
  }

  return {
    wants: (m, n, k, scratchBytes) => threads.count > 1 && n >= 64 && scratchBytes <= HELPER_SCRATCH_BYTES &&
      (m === 1 ? n * k >= SHARED_WEIGHTS_MIN : m * n * k >= SHARED_PRODUCTS_MIN),
    run (operation, columns, task, scratch) {
      const unit = UNITS[operation]
      const width = Math.max(1, Math.ceil(columns / (threads.count * CHUNKS_PER_THREAD * unit))) * unit
      const chunks = Math.ceil(columns / width)
      const epoch = (words[EPOCH] + 1) | 0
      // nobody takes a chunk while NEXT is not of this epoch
      Atomics.store(words, NEXT, (epoch & 0xffff) << 16 | 0xffff)
      Atomics.store(words, CHUNKS, chunks)
      Atomics.store(words, DONE, 0)
      words.set([operation, columns, width, ...task], TASK)
      Atomics.store(words, NEXT, (epoch & 0xffff) << 16)
      Atomics.store(words, EPOCH, epoch)
      Atomics.notify(words, EPOCH)
      for (;;) {
        const chunk = Atomics.add(words, NEXT, 1) & 0xffff
        if (chunk >= chunks) {
          break
        }
        share(CONTROL_AT + 4 * TASK, chunk, scratch)
        Atomics.add(words, DONE, 1)
      }
      finish(chunks)
    }
  }
}
