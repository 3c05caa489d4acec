/**
 * A matrix on the tape: row-major f32, `shape` is [rows, columns].
 * `tangents[k]` is its first-order change along direction k, or undefined where that is zero.
 */
export interface Value {
  readonly shape: readonly [rows: number, columns: number]
  readonly data: Float32Array
  readonly tangents: ReadonlyArray<Float32Array | undefined>
}

/** How rotary embeddings pair up the columns of a head: (2i, 2i+1) or (i, i + head/2). */
export type RopePairing = 'interleaved' | 'half'

/**
 * Records what is computed, so that gradients can be taken. Every primitive carries its JVP and
 * its VJP in terms of primitives, so gradients have tangents too: a gradient's tangent k is the
 * Hessian times direction k (forward over reverse).
 *
 * All results live in an arena; `reset()` invalidates every Value made since the last reset except
 * those made by `constant`. Summation is strictly sequential in the inner dimension, so results do
 * not depend on tiling, batching or threads.
 *
 * Non-finite results throw NonFiniteError naming the primitive.
 */
export interface Tape {
  /** Number of directions that values of this tape carry. */
  readonly directions: number
  /** Frozen weights. May be packed ahead for speed; outlives reset(). */
  constant (data: Float32Array, shape: readonly [number, number]): Value
  /** A leaf to take gradients for, with its tangents (one per direction). Copied. */
  parameter (data: Float32Array, shape: readonly [number, number], tangents?: ReadonlyArray<Float32Array | undefined>): Value

  /** a·b, with either operand transposed: [m,k]·[k,n] → [m,n]. */
  matmul (a: Value, b: Value, options?: { transposeA?: boolean, transposeB?: boolean }): Value
  add (a: Value, b: Value): Value
  /** Elementwise. */
  mul (a: Value, b: Value): Value
  scale (a: Value, factor: number): Value
  /** Rows of `table` picked by id: [v,d] → [ids.length,d]. Gradient scatters with sequential adds. */
  gather (table: Value, ids: ArrayLike<number>): Value
  /** x / sqrt(mean(x²) + eps) · gain, by row; gain is [1,d]. */
  rmsNorm (x: Value, gain: Value, eps: number): Value
  silu (x: Value): Value
  /** Rotary embedding of [m, heads·headDim], rows at positions offset, offset+1, … */
  rope (x: Value, options: { heads: number, theta: number, offset?: number, pairing: RopePairing }): Value
  /**
   * Causal grouped-query attention. q: [m, heads·headDim]; k, v: [n, kvHeads·headDim], n ≥ m;
   * row i of q sees rows 0 … n−m+i. Scaled by 1/sqrt(headDim).
   */
  attention (q: Value, k: Value, v: Value, options: { heads: number, kvHeads: number }): Value
  /** Σ over rows of weight · −log softmax(logits)[target]: [1,1]. Weight 0 masks a row. */
  crossEntropy (logits: Value, targets: ArrayLike<number>, weights?: ArrayLike<number>): Value

  /** Gradients of a [1,1] value with respect to `parameters`; their tangents are Hessian-vector products. */
  gradient (loss: Value, parameters: Value[]): Value[]
  /** Frees all but constants. */
  reset (): void
}

export interface TapeInit {
  /**
   * `wasm` is the engine; `reference` is the oracle in plain TypeScript, same bits, slow.
   *
   * @default 'wasm'
   */
  backend?: 'wasm' | 'reference'
  /** @default 0 */
  directions?: number
  /**
   * Bound of the arena in bytes; more throws ArenaFullError.
   *
   * @default 268435456
   */
  arenaBytesMax?: number
}
