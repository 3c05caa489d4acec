import type { AbortOptions, AttributionMethod, Hash } from '../../interface/index.ts'

/** Called once per example of a batch, strictly in the batch's order. Arrays are valid during the call only. */
export type GradientVisitor = (position: number, loss: number, gradient: Float32Array) => void

/** The same with a Hessian-vector product and a derivative of the loss per tangent. */
export type DualVisitor = (position: number, loss: number, gradient: Float32Array, derivatives: Float64Array, hvps: Float32Array[]) => void

/**
 * Computes examples of a batch, here or on other threads, and hands the results out in the batch's
 * order. Because all sums are made by the visitor, the bytes do not depend on who computed what.
 */
export interface Evaluator {
  readonly parameters: number
  readonly examples: number
  gradients (theta: Float64Array, batch: Uint32Array, visit: GradientVisitor, options?: AbortOptions): Promise<void>
  duals (theta: Float64Array, batch: Uint32Array, tangents: Float64Array[], visit: DualVisitor, options?: AbortOptions): Promise<void>
}

/** Progress of a replay or of the tangents. `step` counts finished steps. */
export type AttributionEvent =
  | { type: 'attribution:forward:step', step: number, steps: number }
  | { type: 'attribution:backward:step', step: number, steps: number }

/** Scores of examples with the hashes that prove how they came about. */
export interface ExampleScores {
  /**
   * Per example: the derivative, by the weight of the example in training, of the quantity whose
   * gradient the cotangent is. Positive: the example helped. Summed over the steps that saw it.
   */
  exampleScores: Float64Array
  /** hash of every intermediate, in order; see protocols/assessment */
  trace: Hash[]
}

/** What a method costs, before it runs. */
export interface MethodCost {
  /** model work in gradients of one example, preparation for the adapter included */
  gradients: number
  /** floating-point operations besides */
  flops: number
  /** what it holds in memory */
  bytes: number
}

/** A way to attribute. Bit-exact: two peers with equal inputs have equal scores and traces. */
export interface InfluenceMethod {
  readonly name: AttributionMethod
  /** what its scores mean, one line for people */
  readonly meaning: string
  /** of one answer or task */
  readonly cost: MethodCost
  /**
   * Positive scores: the example helped. Methods other than `trajectory` have units of their own,
   * in which only ranks and shares mean something.
   *
   * @param cotangent - gradient, over the trained parameters, of what is attributed
   */
  scores (cotangent: Float64Array, options?: AbortOptions & { onProgress?(event: AttributionEvent): void }): Promise<ExampleScores>
  /**
   * What an answer's scores by contribution are computed from as soon as there is its gradient: the dot
   * product of a column with a cotangent is the sum of the scores of its examples, up to rounding. A
   * column has the same bytes whichever others are computed beside it.
   *
   * @param groups - the contribution of each example, or for examples that score nothing a number that is not wanted
   * @param wanted - contributions, each once
   */
  columns (groups: Uint32Array, wanted: readonly number[], options?: AbortOptions): Promise<Float64Array[]>
}
