/**
 * The deterministic engine: matrices, gradients and Hessian-vector products whose bits are the same
 * on every machine, runtime and thread count.
 *
 * @example
 * ```ts
 * import { tape } from '../numeric/index.ts'
 *
 * const t = tape()
 * const y = t.matmul(t.parameter(x, [2, 3]), t.constant(w, [3, 4]))
 * console.info(y.shape, y.data)
 * t.reset()
 * ```
 */
export { PAGE_TOKENS } from './constants.ts'
export { fromBfloat16, toBfloat16 } from './bfloat16.ts'
export { doubles } from './doubles.ts'
export { ArenaFullError, CaptureError, MemoryUnavailableError, NonFiniteError, NumericRangeError, ShapeError, StaleValueError, ThreadLostError } from './errors.ts'
export { kernels } from './kernels.ts'
export { cos, exp, log, PI, power, sin } from './math.ts'
export { prng } from './prng.ts'
export { ropeFrequencies, ropeMagnitude } from './rope-frequencies.ts'
export { tape } from './tape.ts'
export { dequantise, packedBytes, quantise, weightBytes, weightsScratchBytes } from './weights.ts'
export type { Capture, CaptureInput, DoubleOperand, Doubles, HelperData, Kernels, LowRankChange, ProductOptions, RopePairing, RopeScaling, Tape, TapeInit, Threads, Value, WeightMatrix, WeightType } from './interface.ts'
export type { Prng } from './prng.ts'
