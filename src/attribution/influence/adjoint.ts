import { domains, hash, utf8 } from '../../wire/index.ts'
import { ADJOINT_STATE, ADJOINT_STEP, COTANGENT_STEP, SCORES_STEP } from './constants.ts'
import { decodeFloats, encodeFloats } from './state.ts'
import type { StateVector } from './adam-derivatives.ts'
import type { Hash } from '../../interface/index.ts'

/** θ̄, m̄ and v̄ as little-endian f64, 24 bytes a parameter. */
export function encodeAdjoint (step: number, { theta, m, v }: StateVector): Uint8Array {
  return encodeFloats(step, theta, m, v)
}

/**
 * @throws {StateEncodingError} when the bytes are not three finite vectors of `parameters` values
 */
export function decodeAdjoint (bytes: Uint8Array, parameters: number): StateVector {
  const values = decodeFloats(bytes, 3 * parameters)

  return { theta: values.slice(0, parameters), m: values.slice(parameters, 2 * parameters), v: values.slice(2 * parameters) }
}

/** The digest of an encoded adjoint: who shows the scores of a step need not show its adjoint. */
export function adjointDigest (bytes: Uint8Array): Hash {
  return hash(domains.traceStep, utf8(ADJOINT_STATE), bytes)
}

/** The hash in the trace of the way back over one step, from the digest and the scores of its batch. */
export function adjointStepOf (digest: Hash, scores: Uint8Array): Hash {
  return hash(domains.traceStep, utf8(ADJOINT_STEP), digest, scores)
}

/** @throws {DivergedError} when a value is not finite */
export function adjointStep (step: number, adjoint: StateVector, scores: Float64Array): Hash {
  return adjointStepOf(adjointDigest(encodeAdjoint(step, adjoint)), encodeFloats(step, scores))
}

/** The hash in the trace of the weights and the cotangent that a method without a run starts from. */
export function weightsStep (step: number, theta: Float64Array, cotangent: Float64Array): Hash {
  return hash(domains.traceStep, utf8(COTANGENT_STEP), encodeFloats(step, theta, cotangent))
}

/** The hash in the trace of the scores that a method ends with. */
export function scoresStep (scores: Float64Array): Hash {
  return hash(domains.traceStep, utf8(SCORES_STEP), encodeFloats(0, scores))
}

/** The hash in the trace of what a replay starts back from. */
export function cotangentStep (steps: number, cotangent: Float64Array): Hash {
  return hash(domains.traceStep, utf8(COTANGENT_STEP), encodeFloats(steps, cotangent))
}
