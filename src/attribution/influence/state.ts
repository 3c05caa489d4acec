import { STEPS_MAX, domains, hash } from '../../wire/index.ts'
import { STATE_MAGIC, STATE_PARAMETERS_MAX, STATE_VERSION } from './constants.ts'
import { DivergedError, StateEncodingError } from './errors.ts'
import type { Hash } from '../../interface/index.ts'
import type { AdamState } from '../../models/index.ts'

/** Weights and moments after some step: all that training needs to go on. */
export type TrainingState = AdamState

/** magic, version, step, parameters (u32 each), then beta1Power and beta2Power */
const HEADER_BYTES = 32

/**
 * A state as bytes, all little-endian: u32 magic, version, step and parameters; f64 beta1Power and
 * beta2Power; then theta, m and v as f64. Equal states have equal bytes.
 *
 * @throws {DivergedError} when a value is not finite: NaN bits differ between machines
 */
export function encodeState (state: TrainingState): Uint8Array<ArrayBuffer> {
  const { theta, m, v } = state
  const parameters = theta.length
  const out = new Uint8Array(HEADER_BYTES + parameters * 24)
  const view = new DataView(out.buffer)

  view.setUint32(0, STATE_MAGIC, true)
  view.setUint32(4, STATE_VERSION, true)
  view.setUint32(8, state.step, true)
  view.setUint32(12, parameters, true)
  view.setFloat64(16, state.beta1Power, true)
  view.setFloat64(24, state.beta2Power, true)

  let offset = HEADER_BYTES

  for (const values of [theta, m, v]) {
    writeFloats(view, offset, values, state.step)
    offset += parameters * 8
  }

  return out
}

/**
 * @throws {StateEncodingError} when the bytes are not exactly one finite state within bounds
 */
export function decodeState (bytes: Uint8Array): TrainingState {
  if (bytes.length < HEADER_BYTES) {
    throw new StateEncodingError(`expected at least ${HEADER_BYTES} bytes but got ${bytes.length}`)
  }

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const step = view.getUint32(8, true)
  const parameters = view.getUint32(12, true)

  if (view.getUint32(0, true) !== STATE_MAGIC || view.getUint32(4, true) !== STATE_VERSION) {
    throw new StateEncodingError('it does not begin with DNTS and version 1')
  }

  if (parameters > STATE_PARAMETERS_MAX || step > STEPS_MAX) {
    throw new StateEncodingError(`expected at most ${STATE_PARAMETERS_MAX} parameters and ${STEPS_MAX} steps but it claims ${parameters} and ${step}`)
  }

  if (bytes.length !== HEADER_BYTES + parameters * 24) {
    throw new StateEncodingError(`${parameters} parameters take ${HEADER_BYTES + parameters * 24} bytes but there are ${bytes.length}`)
  }

  const read = (part: number): Float64Array => readFloats(view, HEADER_BYTES + part * parameters * 8, parameters)
  const state = { step, theta: read(0), m: read(1), v: read(2), beta1Power: readPower(view, 16), beta2Power: readPower(view, 24) }

  if (state.v.some(value => value < 0)) {
    throw new StateEncodingError('a second moment is negative')
  }

  return state
}

/** The hash of a state's bytes under its own domain. */
export function hashState (state: TrainingState): Hash {
  return hash(domains.checkpoint, encodeState(state))
}

/** Vectors as little-endian f64, one after the other. */
export function encodeFloats (step: number, ...vectors: Float64Array[]): Uint8Array {
  const out = new Uint8Array(vectors.reduce((sum, vector) => sum + vector.length * 8, 0))
  const view = new DataView(out.buffer)
  let offset = 0

  for (const vector of vectors) {
    writeFloats(view, offset, vector, step)
    offset += vector.length * 8
  }

  return out
}

/**
 * The inverse of `encodeFloats` for one vector, e.g. a published column of the Jacobian.
 *
 * @throws {StateEncodingError} when the bytes are not `length` finite numbers
 */
export function decodeFloats (bytes: Uint8Array, length: number): Float64Array {
  if (bytes.length !== length * 8) {
    throw new StateEncodingError(`${length} values take ${length * 8} bytes but there are ${bytes.length}`)
  }

  return readFloats(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, length)
}

function writeFloats (view: DataView, offset: number, values: Float64Array, step: number): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new DivergedError('a training state', step)
    }

    view.setFloat64(offset + i * 8, values[i], true)
  }
}

function readFloats (view: DataView, offset: number, length: number): Float64Array {
  const values = new Float64Array(length)

  for (let i = 0; i < length; i++) {
    values[i] = view.getFloat64(offset + i * 8, true)

    if (!Number.isFinite(values[i])) {
      throw new StateEncodingError(`value ${i} is not finite`)
    }
  }

  return values
}

function readPower (view: DataView, offset: number): number {
  const power = view.getFloat64(offset, true)

  if (!(power >= 0 && power <= 1)) {
    throw new StateEncodingError(`a power of beta must be within 0 … 1 but is ${power}`)
  }

  return power
}
