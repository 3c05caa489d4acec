import { cos, ropeFrequencies, ropeMagnitude, sin } from '../numeric/index.ts'
import { ROPE_ROWS } from './constants.ts'
import type { ModelPlan } from '../models/index.ts'
import type { Kernels } from '../numeric/index.ts'

/** Cosines and sines of position·frequency as the tape has them, computed as far as they are needed. */
export interface RopeTables {
  readonly cosines: number
  readonly sines: number
  grow (positions: number): void
}

/** Tables at two addresses, [contextLength, headDim/2] each. */
export function ropeTables (kernels: Kernels, { headDim, rope: { theta, scaling }, contextLength }: ModelPlan, cosines: number, sines: number): RopeTables {
  const floats = new Float32Array(kernels.buffer)
  const half = headDim / 2
  const frequencies = ropeFrequencies(headDim, theta, scaling)
  const magnitude = ropeMagnitude(scaling)
  let rows = 0
  return {
    cosines,
    sines,
    grow (positions) {
      const end = Math.min(contextLength, Math.ceil(positions / ROPE_ROWS) * ROPE_ROWS)
      for (; rows < end; rows++) {
        for (let i = 0; i < half; i++) {
          const angle = rows * frequencies[i]
          floats[(cosines >>> 2) + rows * half + i] = magnitude * cos(angle)
          floats[(sines >>> 2) + rows * half + i] = magnitude * sin(angle)
        }
      }
    }
  }
}
