import { ATTENDED_ROWS, TILE_COLUMNS } from './constants.ts'

/**
 * Numbers from row to row of attention's probabilities over n keys: whole panels, and an odd number of them,
 * so that the same column of several rows does not meet in one set of a cache.
 */
export function attentionLine (n: number): number {
  return Math.ceil(n / TILE_COLUMNS) * TILE_COLUMNS | TILE_COLUMNS
}

/** Bytes of scratch for `attend` and `attendBack`: keys or values of a head in panels, and some rows of cotangents. */
export function attentionScratchBytes (n: number, headDim: number): number {
  return 4 * (Math.ceil(n / TILE_COLUMNS) * TILE_COLUMNS * headDim + ATTENDED_ROWS * attentionLine(n))
}
