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
  /** Forgets how far memory was ever taken. */
  watch (): void
  /** The furthest end of what was taken since `watch`, whether it was given back or not. */
  furthest (): number
  /** Takes again what was taken before: all up to `end`, while nothing is kept below `furthest`. */
  retake (end: number, furthest: number): void
}

/**
 * @throws {ArenaFullError} from `take`, `keep` and `retake`
 */
export function arena (memoryBytes: number): Arena {
  const bytesMax = memoryBytes - ARENA_BASE_BYTES - OVERREAD_BYTES
  let low = ARENA_BASE_BYTES
  let furthest = low
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
      furthest = Math.max(furthest, low)
      return at
    },
    keep (bytes) {
      high -= fit(bytes)
      return high
    },
    mark: () => low,
    release (mark) {
      low = mark
    },
    watch () {
      furthest = low
    },
    furthest: () => furthest,
    retake (end, before) {
      if (before > high) {
        throw new ArenaFullError(before - ARENA_BASE_BYTES, high - ARENA_BASE_BYTES, bytesMax)
      }
      low = end
    }
  }
}
