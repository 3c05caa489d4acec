import { adjointDigest, adjointStepOf, decodeAdjoint, decodeFloats, decodeState, GRADDOT_CHUNK, gradDotStepOf, scoresStep } from '../attribution/index.ts'
import { domains, equalBytes, hash } from '../wire/index.ts'
import { EXAMPLES_MAX } from './constants.ts'
import { StepStateError } from './errors.ts'
import { shapeOf, sumStep } from './trace.ts'
import type { Run } from './run.ts'
import type { Place, TraceShape } from './trace.ts'
import type { TrainingState } from '../attribution/index.ts'
import type { Adapter, Hash } from '../interface/index.ts'

export const HASH_BYTES = 32
const STATE_HEADER_BYTES = 32

/** What one step of a trace starts from, beside what the adapter and the receipts say. */
export interface StepStart {
  /** the weighted sum of the gradients of the receipts before it */
  sum?: Float64Array
  /** the training state before the step */
  before?: TrainingState
  /** the adjoint of the state after the step */
  adjoint?: ReturnType<typeof decodeAdjoint>
  /** of each batch on the way back, or of each 16 examples, or of all */
  scores?: Float64Array[]
}

/** What a state is checked against. */
export interface StartShape extends TraceShape {
  parameters: number
  /** examples of a training step's batch */
  batchOf (step: number): number
}

/**
 * Bytes of a state at most: of the hashes of all steps before `index`, and of what `readStart` reads.
 * Nothing is needed for the first receipt and the first training step.
 */
export function startBytesMax ({ receipts, steps, method, parameters, batchOf }: StartShape, place: Place, index: number): number {
  const sum = receipts > 0 ? HASH_BYTES + 8 * parameters : 0
  const state = (step: number): number => step > 0 ? STATE_HEADER_BYTES + 24 * parameters : 0
  const scored = method === 'trajectory'
    ? Array.from({ length: steps }, (_, step) => HASH_BYTES + 8 * batchOf(step)).reduce((bytes, one) => bytes + one, 0)
    : (8 + HASH_BYTES / GRADDOT_CHUNK) * EXAMPLES_MAX
  const body = {
    receipt: index > 0 ? sum : 0,
    forward: place.kind === 'forward' ? state(place.step) : 0,
    cotangent: sum,
    adjoint: place.kind === 'adjoint' ? state(place.step) + (place.step === steps - 1 ? sum : 24 * parameters + 8 * batchOf(Math.min(place.step + 1, steps - 1))) : 0,
    chunk: sum,
    method: sum,
    result: scored
  }[place.kind]

  return body === 0 ? 0 : HASH_BYTES * index + body
}

/**
 * Reads the state that a step starts from: the hashes of all steps before it, then the vectors, each
 * of which must give the hash of the step that it came from. Whoever knows that the hashes are those
 * that were agreed on (by their chain) knows it of the vectors then.
 *
 * @throws {StepStateError} when the bytes are not exactly that state
 * @throws {StateEncodingError} when a value is not finite
 */
export function readStart (shape: StartShape, place: Place, index: number, bytes: Uint8Array): StepStart {
  const { receipts, steps, parameters, batchOf } = shape
  const source = reader(bytes, index)
  const { take, expectStep } = source

  const readSum = (at: number): Float64Array | undefined => {
    if (at === 0) {
      return undefined
    }

    const receiptStep = take(HASH_BYTES)
    const sum = take(8 * parameters)

    expectStep(at - 1, sumStep(receiptStep, sum))

    return decodeFloats(sum, parameters)
  }

  const readState = (step: number): TrainingState | undefined => {
    if (step === 0) {
      return undefined
    }

    const encoded = take(STATE_HEADER_BYTES + 24 * parameters)

    expectStep(receipts + step - 1, hash(domains.checkpoint, encoded))

    const state = decodeState(encoded)

    if (state.step !== step || state.theta.length !== parameters) {
      throw new StepStateError(`expected the state of ${parameters} parameters after ${step} steps but it is of ${state.theta.length} after ${state.step}`)
    }

    return state
  }

  const readPlace = (): StepStart => {
    switch (place.kind) {
      case 'receipt': return { sum: readSum(place.receipt) }
      case 'forward': return { before: readState(place.step) }
      case 'adjoint': {
        if (place.step === steps - 1) {
          return { sum: readSum(receipts), before: readState(place.step) }
        }

        const adjoint = take(24 * parameters)

        expectStep(index - 1, adjointStepOf(adjointDigest(adjoint), take(8 * batchOf(place.step + 1))))

        return { adjoint: decodeAdjoint(adjoint, parameters), before: readState(place.step) }
      }
      case 'result': return { scores: readScores(shape, index, source) }
      default: return { sum: readSum(receipts) }
    }
  }

  const read = readPlace()

  source.end()

  return read
}

/** A run as the states of its trace are checked against. */
export function startShapeOf ({ pool, plan }: Pick<Run, 'pool' | 'plan'>, adapter: Adapter, receipts: number): StartShape {
  return { ...shapeOf(adapter, receipts, plan.batches.length, pool.examples), parameters: pool.parameters, batchOf: step => plan.batches[step].length }
}

interface Reader {
  take (length: number): Uint8Array
  /** refuses what does not give the hash of a step */
  expectStep (step: number, found: Hash): void
  end (): void
}

function reader (bytes: Uint8Array, index: number): Reader {
  let offset = HASH_BYTES * index

  return {
    take (length) {
      if (offset + length > bytes.length) {
        throw new StepStateError(`it ends after ${bytes.length} bytes, where more than ${offset} were to come`)
      }

      offset += length

      return bytes.subarray(offset - length, offset)
    },
    expectStep (step, found) {
      if (!equalBytes(bytes.subarray(HASH_BYTES * step, HASH_BYTES * (step + 1)), found)) {
        throw new StepStateError(`what it says of step ${step} does not give that step's hash`)
      }
    },
    end () {
      if (offset !== bytes.length) {
        throw new StepStateError(`expected ${offset} bytes but there are ${bytes.length}`)
      }
    }
  }
}

function readScores ({ receipts, method, steps, examples, batchOf }: StartShape, index: number, { take, expectStep }: Reader): Float64Array[] {
  if (method === 'trajectory') {
    return Array.from({ length: steps }, (_, back) => {
      const length = batchOf(steps - 1 - back)
      const digest = take(HASH_BYTES)
      const scores = take(8 * length)

      expectStep(receipts + steps + 1 + back, adjointStepOf(digest, scores))

      return decodeFloats(scores, length)
    })
  }

  if (method === 'graddot') {
    return Array.from({ length: Math.ceil(examples / GRADDOT_CHUNK) }, (_, chunk) => {
      const length = Math.min(GRADDOT_CHUNK, examples - chunk * GRADDOT_CHUNK)
      const digest = take(HASH_BYTES)
      const scores = take(8 * length)

      expectStep(receipts + 1 + chunk, gradDotStepOf(digest, scores))

      return decodeFloats(scores, length)
    })
  }

  const scores = decodeFloats(take(8 * examples), examples)

  expectStep(index - 1, scoresStep(scores))

  return [scores]
}
