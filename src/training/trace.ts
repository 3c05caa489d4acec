import { GRADDOT_CHUNK } from '../attribution/index.ts'
import { resultStep, scoreTree } from '../scoring/index.ts'
import { domains, hash, utf8 } from '../wire/index.ts'
import type { Adapter, AttributionMethod, Hash, ScoreTable } from '../interface/index.ts'

const SUM_STEP = 'sum'

/** A run as far as the order of its trace goes. */
export interface TraceShape {
  receipts: number
  method: AttributionMethod
  /** of training */
  steps: number
  examples: number
  checkpoints: number
}

/** What is computed at a place of a trace; training steps and examples count from 0. */
export type Place =
  | { kind: 'receipt', receipt: number }
  /** training, forward */
  | { kind: 'forward', step: number }
  /** where the way back begins */
  | { kind: 'cotangent' }
  /** back over a training step */
  | { kind: 'adjoint', step: number }
  /** GradDot of some examples */
  | { kind: 'chunk', first: number }
  /** of a method without a run */
  | { kind: 'method', at: number }
  /** the table that follows from the whole trace; it is no leaf of its own */
  | { kind: 'result' }

/** The hash in the trace of a receipt: of its own step and the weighted sum of gradients up to it. */
export function sumStep (receiptStep: Hash, sum: Uint8Array): Hash {
  return hash(domains.traceStep, utf8(SUM_STEP), receiptStep, sum)
}

/** The step that a table makes after the last one of its trace. */
export function tableStep (table: ScoreTable): Hash {
  const { root, total } = scoreTree(table)

  return resultStep(root, total)
}

export function shapeOf (adapter: Adapter, receipts: number, steps: number, examples: number): TraceShape {
  return { receipts, method: adapter.method, steps, examples, checkpoints: adapter.checkpoints.length }
}

/** Steps of a whole trace; that many is also the place of the result. */
export function traceLength ({ receipts, method, steps, examples, checkpoints }: TraceShape): number {
  const chunks = Math.ceil(examples / GRADDOT_CHUNK)

  switch (method) {
    case 'trajectory': return receipts + 2 * steps + 1
    case 'graddot': return receipts + 1 + chunks
    case 'tracin': return receipts + checkpoints * (1 + chunks) + 1
    default: return receipts + 1 + chunks + 2
  }
}

/** @returns null if the trace has no step `index` and it is not the place of the result */
export function placeOf (shape: TraceShape, index: number): Place | null {
  const { receipts, method, steps } = shape
  const length = traceLength(shape)
  const after = index - receipts

  if (!Number.isSafeInteger(index) || index < 0 || index > length) {
    return null
  }

  if (index === length) {
    return { kind: 'result' }
  }

  if (after < 0) {
    return { kind: 'receipt', receipt: index }
  }

  if (method === 'graddot' && after > 0) {
    return { kind: 'chunk', first: (after - 1) * GRADDOT_CHUNK }
  }

  if (method !== 'trajectory') {
    return { kind: 'method', at: after }
  }

  if (after < steps) {
    return { kind: 'forward', step: after }
  }

  return after === steps ? { kind: 'cotangent' } : { kind: 'adjoint', step: 2 * steps - after }
}
