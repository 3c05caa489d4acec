import { ALIGN_BYTES, ARENA_BASE_BYTES, OVERREAD_BYTES } from './constants.ts'
import { ArenaFullError } from './errors.ts'

/**
 * Bump allocation from both ends of one memory: what `reset()` frees grows upwards, what stays
 * (frozen weights, tables) grows downwards.
 */
export interface Arena {
  /** An address for so many bytes, until reset or release. */
  take (bytes: number): number
  /** An address for good. */
  keep (bytes: number): number
  /** The present end of what is taken. */
  mark (): number
  /** Gives back all taken since `mark`. */
  release (mark: number): void
}

/**
 * @throws {ArenaFullError} from `take` and `keep`
 */
export function arena (memoryBytes: number): Arena {
  const bytesMax = memoryBytes - ARENA_BASE_BYTES - OVERREAD_BYTES
  let low = ARENA_BASE_BYTES
  let high = ARENA_BASE_BYTES + bytesMax - bytesMax % ALIGN_BYTES

  function fit (bytes: number): number {
    const padded = Math.ceil(bytes / ALIGN_BYTES) * ALIGN_BYTES
    if (padded > high - low) {
      throw new ArenaFullError(padded, high - low, bytesMax)
    }
    return padded
  }

  return {
    take (bytes) {
      const at = low
      low += fit(bytes)
      return at
    },
    keep (bytes) {
      high -= fit(bytes)
      return high
    },
    mark: () => low,
    release (mark) {
      low = mark
    }
  }
}
