import { ARENA_BYTES_DEFAULT, ARENA_BYTES_LIMIT, PAGE_BYTES } from './constants.ts'
import { memoryBytesFor } from './engine.ts'
import { MemoryUnavailableError, NumericRangeError } from './errors.ts'
import { referenceKernels } from './reference.ts'
import { wasmKernels } from './wasm.ts'
import type { Kernels, TapeInit } from './interface.ts'

/**
 * The kernels alone, over a memory of their own: for benchmarks, tests and code that needs no tape.
 *
 * @throws {MemoryUnavailableError} when the machine has none left
 * @throws {NumericRangeError} when `arenaBytesMax` is no integer from 65,536 to just under 2^32
 */
export function kernels (init: Pick<TapeInit, 'backend' | 'arenaBytesMax' | 'threads'> = {}): Kernels {
  const arenaBytes = init.arenaBytesMax ?? ARENA_BYTES_DEFAULT
  if (!Number.isInteger(arenaBytes) || arenaBytes < PAGE_BYTES || arenaBytes > ARENA_BYTES_LIMIT - 2 * PAGE_BYTES) {
    throw new NumericRangeError('arenaBytesMax', `an integer from ${PAGE_BYTES} to ${ARENA_BYTES_LIMIT - 2 * PAGE_BYTES}`, arenaBytes)
  }
  const bytes = Math.ceil(memoryBytesFor(arenaBytes) / PAGE_BYTES) * PAGE_BYTES
  try {
    return init.backend === 'reference' ? referenceKernels(bytes) : wasmKernels(bytes, init.threads)
  } catch (err) {
    if (err instanceof RangeError) {
      throw new MemoryUnavailableError(bytes, err)
    }
    throw err
  }
}
