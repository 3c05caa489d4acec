/**
 * A loss that is a sum over examples, with the derivatives that training and attribution need.
 * Examples are numbered from 0. Nothing here keeps state between calls.
 *
 * The result for one example depends on `theta`, the example and the tangents alone: not on
 * what was computed before, nor on which thread or machine computes it. Callers add examples
 * up in a fixed order.
 */
export interface Objective {
  /** length of theta */
  readonly parameters: number
  readonly examples: number

  /**
   * Mean negative log-likelihood per token of one example, and its gradient.
   *
   * @param theta - `parameters` values; the model sees them rounded to f32
   * @param example - its number
   * @param out - the gradient is written here, `parameters` values
   */
  gradient (theta: Float64Array, example: number, out: Float32Array): number

  /**
   * The same with first-order changes along each tangent: forward over reverse.
   *
   * @param theta - `parameters` values
   * @param example - its number
   * @param tangents - K directions of `parameters` values
   * @param out - the gradient
   * @param hvps - K vectors: the Hessian of this example's loss times each tangent
   * @returns the loss and, for each tangent, the derivative of the loss along it
   */
  dual (theta: Float64Array, example: number, tangents: Float64Array[], out: Float32Array, hvps: Float32Array[]): { loss: number, derivatives: Float64Array }
}

/** A task that says how much work something is, so that a node can choose. Units: floating-point operations. */
export interface CostEstimate {
  flops: number
  bytes: number
}
