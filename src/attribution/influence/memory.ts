import { JACOBIAN_BYTES_MAX, REPLAY_BYTES_MAX } from './constants.ts'

/** f64 values per parameter that one step of a replay keeps: gradient, theta and both moments. */
const RECORD_VECTORS = 4
/** That the start of a segment keeps: theta and both moments. */
const START_VECTORS = 3
/** That every replay needs: the running state, its gradient, the adjoint, its pull, a direction. */
const WORKING_VECTORS = 12
/** That one column needs: its tangent, the change of the gradient, its direction, and products in f32. */
const COLUMN_VECTORS = 6

/**
 * Steps of one segment of a replay. All of them if their records fit into `bytesMax`; else as many
 * as fit beside the starts of the segments; else as many as need the least, about √(3T/4).
 */
export function segmentLength (steps: number, parameters: number, bytesMax = REPLAY_BYTES_MAX): number {
  let best = 1

  for (let length = 1; length <= steps; length++) {
    const bytes = heldBytes(steps, parameters, length)

    if (bytes <= bytesMax || bytes < heldBytes(steps, parameters, best)) {
      best = length
    }
  }

  return best
}

/**
 * The most that `reverseReplay` holds of a run, in bytes: `bytesMax` or, where that is too little
 * for the run, what grows with the root of its steps. The model's own memory comes on top.
 */
export function replayBytes (steps: number, parameters: number, bytesMax = REPLAY_BYTES_MAX): number {
  return heldBytes(steps, parameters, segmentLength(steps, parameters, bytesMax))
}

/** How many columns of a Jacobian one pass through the run carries within `bytesMax`; at least one. */
export function columnsWithin (parameters: number, bytesMax = JACOBIAN_BYTES_MAX): number {
  return Math.max(1, Math.floor(bytesMax / (parameters * 8 * COLUMN_VECTORS)))
}

function heldBytes (steps: number, parameters: number, length: number): number {
  return 8 * parameters * (RECORD_VECTORS * length + START_VECTORS * Math.ceil(steps / length) + WORKING_VECTORS)
}
