import { referenceAttention } from './reference-attention.ts'
import { referenceElementwise } from './reference-elementwise.ts'
import { referenceFused } from './reference-fused.ts'
import { referencePaged } from './reference-paged.ts'
import { referenceRows } from './reference-rows.ts'
import { referenceWeights } from './reference-weights.ts'
import type { Kernels } from './interface.ts'

/**
 * The oracle: every kernel in plain TypeScript, one rounding per operation by Math.fround.
 * f64 arithmetic on f32 operands, rounded once, is correctly rounded f32 arithmetic (53 ≥ 2·24 + 2),
 * which is why a store into a Float32Array may stand for a rounding.
 */
export function referenceKernels (bytes: number): Kernels {
  const buffer = new ArrayBuffer(bytes)
  const floats = new Float32Array(buffer)
  const integers = new Int32Array(buffer)
  const elementwise = referenceElementwise(floats, integers)
  const rows = referenceRows(floats, integers)
  const fused = referenceFused(floats, { ...elementwise, ...rows })
  const parts = { ...elementwise, ...rows, ...fused }
  return { buffer, memoryBytes: bytes, ...parts, ...referenceWeights(floats, integers), ...referencePaged(floats, integers, parts), ...referenceAttention(floats, parts) }
}
