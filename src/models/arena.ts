import type { LlamaConfig } from './interface.ts'

/** Below this the tape's own bookkeeping dominates. */
const BYTES_MIN = 64 * 1024 * 1024
/** A wasm memory addresses 4 GiB; the tape keeps a little for itself. */
export const ARENA_BYTES_MAX = 4_000_000_000
/** Measured need of forward, backward and their intermediates is below two thirds of this multiple. */
const MARGIN = 3

/**
 * A bound for the memory of one forward and backward pass over `rows` tokens with so many
 * tangents. Memory is committed as it is used, so a generous bound costs nothing.
 */
export function arenaBytes (config: LlamaConfig, rows: number, directions: number): number {
  return Math.min(ARENA_BYTES_MAX, Math.max(BYTES_MIN, weightBytes(config) + (1 + directions) * passBytes(config, rows)))
}

/** How many tangents one pass can carry within a wasm memory, at most `wanted`. */
export function directionsWithin (config: LlamaConfig, rows: number, wanted: number): number {
  const room = Math.floor((ARENA_BYTES_MAX - weightBytes(config)) / passBytes(config, rows)) - 1
  return Math.max(1, Math.min(wanted, room))
}

function passBytes ({ dim, hiddenDim, layers, heads, vocabularySize }: LlamaConfig, rows: number): number {
  const layer = 16 * dim + 12 * hiddenDim + 8 * heads * rows
  return MARGIN * 4 * rows * (layers * layer + 6 * vocabularySize)
}

/** Weights, packed for both orientations. */
function weightBytes ({ dim, hiddenDim, layers, vocabularySize }: LlamaConfig): number {
  return 3 * 4 * (layers * (4 * dim * dim + 3 * dim * hiddenDim) + 2 * vocabularySize * dim)
}
