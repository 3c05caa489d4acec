/**
 * A matrix on the tape: row-major f32, `shape` is [rows, columns].
 * `tangents[k]` is its first-order change along direction k, or undefined where that is zero.
 */
export interface Value {
  readonly shape: readonly [rows: number, columns: number]
  readonly data: Float32Array
  readonly tangents: ReadonlyArray<Float32Array | undefined>
}

/** How frozen weights are stored; what they mean is always an f32 matrix. */
export type WeightType = 'f32' | 'bf16' | 'q8_0' | 'q4_0'

/**
 * A frozen matrix of [outputs, inputs], as a linear layer has it, row-major in GGUF's own layout:
 * f32 and bf16 little-endian; q8_0: for each 32 inputs an f16 scale and 32 int8, value = scale·q;
 * q4_0: an f16 scale and 16 bytes, byte j with elements j (low nibble) and j + 16, value = scale·(q − 8).
 *
 * It *is* the f32 matrix of its dequantised values, which are exact: products, gradients and whatever
 * else is computed have the bits that they have over `dequantise(matrix)`, unless `activations` says
 * that it is multiplied by integers.
 */
export interface WeightMatrix {
  /** f16 only for import: `dequantise` takes it, kernels and tapes do not. */
  readonly type: WeightType | 'f16'
  /** Inputs of q8_0 and q4_0 are a multiple of 32. */
  readonly shape: readonly [rows: number, columns: number]
  readonly bytes: Uint8Array
  /**
   * What x·Wᵀ means for q8_0 and q4_0: with `int16` x is rounded to 15 bits by blocks of 32 inputs first,
   * and sums within a block are of integers, several times as fast; see `Kernels.matmulRounded`.
   * Gradients and tangents go straight through the rounding: they are those of the dequantised matrix.
   *
   * @default the product with the dequantised matrix in f32
   */
  readonly activations?: 'int16'
}

/** How rotary embeddings pair up the columns of a head: (2i, 2i+1) or (i, i + head/2). */
export type RopePairing = 'interleaved' | 'half'

/**
 * Rotary frequencies divided by `factor`, so that positions beyond a training's context turn no further than
 * within it; with `bands`, as since Llama 3.1, only those whose wavelength is above length / low; those below
 * length / high stay, and between both lies a line. With `yarn` that line is drawn over columns, and cosines
 * and sines grow by 1 + 0.1·ln(factor).
 */
export interface RopeScaling {
  factor: number
  bands?: { low: number, high: number, length: number }
  yarn?: true
}

/** A change of W[outputs, inputs] of low rank: scale·B·A for A of [rank, inputs] and B of [outputs, rank]. */
export interface LowRankChange {
  a: Value
  b: Value
  scale: number
}

/**
 * Records what is computed, so that gradients can be taken. Every primitive carries its JVP and
 * its VJP in terms of primitives, so gradients have tangents too: a gradient's tangent k is the
 * Hessian times direction k (forward over reverse).
 *
 * All results live in an arena; `reset()` invalidates every Value made since the last reset except
 * those made by `constant`. Summation is strictly sequential in the inner dimension, so results do
 * not depend on tiling, batching or threads.
 *
 * Memory: each value takes 4 bytes per element, times 1 + the directions in which it changes, until
 * reset(). Products take scratch for their duration: `weightsScratchBytes`, or both operands packed.
 * `gradient` takes twice the cotangents that are live at once, 256 KiB and one primitive's temporaries,
 * and leaves only the gradients. Constants stay: `packedBytes` for weights, 4 bytes per element for
 * numbers and as much again (rows by 8) when they become the right operand of a product.
 *
 * Non-finite results throw NonFiniteError naming the primitive and the tensor, by the names of leaves.
 */
export interface Tape {
  /** Number of directions that values of this tape carry. */
  readonly directions: number
  /** Frozen numbers; outlive reset(). Packed as well when they become the right operand of a product. */
  constant (data: Float32Array, shape: readonly [number, number], name?: string): Value
  /**
   * Frozen weights, held once and in their own type: `matmul` (as right operand) and `gather` stream
   * them, other primitives and `data` decode a copy. The bits are those of `constant(dequantise(matrix))`.
   */
  constant (matrix: WeightMatrix, shape?: undefined, name?: string): Value
  /** A leaf to take gradients for, with its tangents (one per direction). Copied. */
  parameter (data: Float32Array, shape: readonly [number, number], tangents?: ReadonlyArray<Float32Array | undefined>, name?: string): Value

  /** a·b, with either operand transposed: [m,k]·[k,n] → [m,n]. */
  matmul (a: Value, b: Value, options?: { transposeA?: boolean, transposeB?: boolean }): Value
  /** x·Wᵀ (+ bias) + Σ scale·((x·Aᵀ)·Bᵀ), one change after the other: what matmul, addRow, scale and add make of it. */
  project (x: Value, w: Value, options?: { bias?: Value, changes?: readonly LowRankChange[] }): Value
  add (a: Value, b: Value): Value
  /** Elementwise. */
  mul (a: Value, b: Value): Value
  scale (a: Value, factor: number): Value
  /** Rows of `table` picked by id: [v,d] → [ids.length,d]. Gradient scatters with sequential adds. */
  gather (table: Value, ids: ArrayLike<number>): Value
  /** x / sqrt(mean(x²) + eps) · gain, by row; gain is [1,d]. */
  rmsNorm (x: Value, gain: Value, eps: number): Value
  /** (x − mean) / sqrt(variance + eps) · gain + bias, by row; gain and bias are [1,d]. */
  layerNorm (x: Value, gain: Value, bias: Value, eps: number): Value
  /** x[i,j] + bias[j]; bias is [1,d]. */
  addRow (x: Value, bias: Value): Value
  silu (x: Value): Value
  /** silu(gate)·up, elementwise. */
  swiglu (gate: Value, up: Value): Value
  /** x·σ(2u), u = sqrt(2/π)·(x + 0.044715·x³): GPT-2's "tanh" GELU, computed without tanh's cancellation. */
  gelu (x: Value): Value
  /** Rotary embedding of [m, heads·headDim], rows at positions offset, offset+1, … */
  rope (x: Value, options: { heads: number, theta: number, offset?: number, pairing: RopePairing, scaling?: RopeScaling }): Value
  /**
   * Causal grouped-query attention. q: [m, heads·headDim]; k, v: [n, kvHeads·headDim], n ≥ m;
   * row i of q sees rows 0 … n−m+i. Scaled by 1/sqrt(headDim).
   */
  attention (q: Value, k: Value, v: Value, options: { heads: number, kvHeads: number }): Value
  /** Σ over rows of weight · −log softmax(logits)[target]: [1,1]. Weight 0 masks a row. */
  crossEntropy (logits: Value, targets: ArrayLike<number>, weights?: ArrayLike<number>): Value

  /** Gradients of a [1,1] value with respect to `parameters`; their tangents are Hessian-vector products. */
  gradient (loss: Value, parameters: Value[]): Value[]
  /**
   * Resets the tape and runs `pass`, remembering each call of a kernel, so that it can be run again over other numbers
   * without the work of building it: what CUDA calls capture and replay of a graph. Leaves (parameters, ids, targets,
   * weights) that are one of `inputs` or a view of it get new numbers at each replay, all others keep theirs. What `pass`
   * computes outside of the tape, and every shape, must not depend on the inputs' numbers. Constants, which it may make, are
   * made once.
   *
   * @throws {CaptureError} within another pass, and for a leaf that shares memory with inputs without being a view of one
   */
  capture (inputs: readonly CaptureInput[], pass: () => Value[]): Capture
  /** Frees all but constants. */
  reset (): void
}

export type CaptureInput = Float32Array | Uint32Array

export interface Capture {
  /** What the pass returned. Its numbers, and views of them, are those of the last replay, until the tape is used for anything else. */
  readonly values: Value[]
  /** Steps that it keeps in memory, 200 to 400 bytes each. */
  readonly steps: number
  /**
   * The pass again: the same bits as if it were built anew.
   *
   * @throws {ShapeError} unless the inputs are as many, as long and of the types of those of the capture
   * @throws {ArenaFullError} if constants have come since to where it computes
   * @throws {CaptureError} while another pass is captured
   * @throws {NonFiniteError} as the pass would
   */
  replay (inputs: readonly CaptureInput[]): void
}

/**
 * Threads that help with large products, over one shared memory. This module knows no runtime, so the
 * caller starts them: `spawn` runs a script, given as text, in a worker in which `workerData` is
 * what it was given. In Node.js
 *
 * ```ts
 * const workers: Worker[] = []
 * const threads: Threads = {
 *   count: 4,
 *   spawn (script, workerData) {
 *     const worker = new Worker(script, { eval: true, workerData })
 *     worker.unref()
 *     workers.push(worker)
 *   }
 * }
 * ```
 *
 * The caller ends what it spawned, `await worker.terminate()`, when it is done with the tape or the
 * kernels. Without shared memory (a browser without cross-origin isolation) leave `threads` out.
 * Waiting blocks the calling thread, which a browser allows in workers only.
 */
export interface Threads {
  /** Threads that work on a product, the caller's own included: 1 … 64. */
  count: number
  spawn (script: string, workerData: HelperData): void
}

/** What a helper is started with. */
export interface HelperData {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  staticsAt: number
  scratchAt: number
  controlAt: number
  spins: number
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
  /**
   * Threads for large products; the bits are those of one.
   *
   * @default none but the caller's own
   */
  threads?: Threads
}

/**
 * Everything the engine computes, over f32 buffers in one memory. A buffer is a byte address, a
 * multiple of 16, at or above 65,536, padded to a multiple of 16 bytes (kernels may write the
 * padding). `m`, `n`, `d`, `rows` count elements, strides too. Where there is `accumulate`, false
 * overwrites y and true adds to it. Both backends give the same bits.
 *
 * Order of sums: products and `columnDot`, `columnSum` strictly by index; `rowDot`, `centre`, `inverseRms`, `softmax` and
 * `crossEntropy` over a row in four interleaved parts (index mod 4) joined as (s0 + s1) + (s2 + s3).
 */
export interface Kernels {
  /** Shared where there are threads. */
  readonly buffer: ArrayBufferLike
  /** Bytes of the buffer that are the caller's; helping threads have theirs behind. */
  readonly memoryBytes: number
  /** B[k,n] into panels of 8 columns, for any strides; `packed` takes 4·k·ceil8(n) bytes. */
  packColumns (n: number, k: number, b: number, bRow: number, bColumn: number, packed: number): void
  /**
   * C[m,n] (+)= A[m,k]·B[k,n] with any strides; C's columns are contiguous. `packed` is B from
   * packColumns or 0; `scratch` has 4·k·(ceil4(m) + ceil8(n)) bytes.
   */
  gemm (
    m: number, n: number, k: number, a: number, aRow: number, aColumn: number,
    b: number, bRow: number, bColumn: number, packed: number, scratch: number,
    c: number, cRow: number, accumulate: boolean
  ): void
  /**
   * Products with right operands from packColumns, table [count, 8] as i32: m, n, k, a, aRow, packed, c, cRow;
   * each C = A·B as gemm gives it. Scratch is that of the largest.
   */
  gemmMany (count: number, table: number, scratch: number): void
  /**
   * Keys and values of one layer into pages of PAGE_TOKENS tokens. k, v: [rows, kvHeads·headDim]; table
   * [rows, 2] as i32: a page's address and a slot in it; `offset` is that of the layer in each page, where
   * it takes 8·PAGE_TOKENS·kvHeads·headDim bytes: keys for products, then values by row.
   */
  writePages (rows: number, kvHeads: number, headDim: number, table: number, offset: number, k: number, v: number): void
  /**
   * Softmax attention of single queries over pages, q and y [rows, heads·headDim], q scaled already; table
   * [rows, 2] as i32: how many tokens a row sees, and the address of the list of its pages' addresses. A row
   * whose scores are not finite becomes NaN. `scores` has 4·n bytes for the largest n, padded to a page.
   */
  attendPages (rows: number, heads: number, kvHeads: number, headDim: number, table: number, offset: number, q: number, scores: number, y: number): void
  /**
   * Bytes of W[rows, columns] packed. Rows come in groups of 16 that are independent of each other, so
   * large matrices may be packed 16·i rows at a time, at `packed + packedBytes(type, rows before, columns)`.
   */
  packedBytes (type: WeightType, rows: number, columns: number): number
  /**
   * W from a WeightMatrix's bytes at `from` (which are done with afterwards) into the layout that
   * products stream, at `packed`. False when a weight is infinite or undefined.
   */
  packWeights (type: WeightType, rows: number, columns: number, from: number, packed: number): boolean
  /** Bytes of scratch for products of m rows with W[rows, columns], either way, and for gatherWeights. */
  weightsScratchBytes (m: number, rows: number, columns: number): number
  /**
   * y[m,rows] (+)= x[m,columns]·Wᵀ, strictly sequential in the columns, for any m ≥ 1: the forward
   * pass of a linear layer. Each row of y has the bits that it has alone. W streams through once a
   * call, decoded once for all rows. xRow and yRow are elements from row to row, xRow ≥ columns,
   * yRow ≥ rows. f32 is what packColumns(rows, columns, W, 1, columns) packs.
   */
  matmulWeights (type: WeightType, m: number, rows: number, columns: number, x: number, xRow: number, packed: number, scratch: number, y: number, yRow: number, accumulate: boolean): void
  /**
   * The same in integers, from the same packed bytes. Of each 32 columns x becomes d·q, d = 2^(e − 14) for the
   * least e ≥ −112 with |x| < 2^e, q = x/d to the nearest integer, ties to even; y = Σ f32(Σ q·quant)·(d·scale), the
   * inner sum exact and rounded to f32 once, the outer one sequential. Scratch as for matmulWeights, which keeps what
   * x was rounded to: `again` says that it is that of the product before, with the same x, m and columns. Where an x
   * is not finite, y is not.
   */
  matmulRounded (type: 'q8_0' | 'q4_0', m: number, rows: number, columns: number, x: number, xRow: number, packed: number, scratch: number, y: number, yRow: number, accumulate: boolean, again?: boolean): void
  /** y[m,columns] (+)= x[m,rows]·W, strictly sequential in the rows: the backward pass, from the same packed bytes. */
  matmulWeightsBack (type: WeightType, m: number, rows: number, columns: number, x: number, xRow: number, packed: number, scratch: number, y: number, yRow: number, accumulate: boolean): void
  /** y[i,:] = W[ids[i],:] as f32, ids as i32 below rows. */
  gatherWeights (type: WeightType, rows: number, columns: number, count: number, ids: number, packed: number, scratch: number, y: number): void
  add (n: number, a: number, b: number, y: number): void
  mul (n: number, a: number, b: number, y: number, accumulate: boolean): void
  scale (n: number, x: number, factor: number, y: number): void
  exp (n: number, x: number, y: number): void
  log (n: number, x: number, y: number): void
  sigmoid (n: number, x: number, y: number): void
  /** y = s(1 − s)·d */
  sigmoidSlope (n: number, s: number, d: number, y: number, accumulate: boolean): void
  /** y += (1 − 2s)·t·d */
  sigmoidBend (n: number, s: number, t: number, d: number, y: number): void
  /** y = x·σ(2u), u = sqrt(2/π)·(x + 0.044715·x³) */
  gelu (n: number, x: number, y: number): void
  /** y (+)= gelu′(x)·d */
  geluSlope (n: number, x: number, d: number, y: number, accumulate: boolean): void
  /** y += gelu″(x)·t·d */
  geluBend (n: number, x: number, t: number, d: number, y: number): void
  /** y[i,j] = x[i,j] − Σ_j x[i,j]/d */
  centre (m: number, d: number, x: number, y: number): void
  /** y[i,j] = x[i,j] + b[j] */
  addRow (m: number, d: number, x: number, b: number, y: number): void
  /** y[j] = Σ_i x[i,j] */
  columnSum (m: number, d: number, x: number, y: number): void
  /** y[i] (+)= Σ_j a[i,j]·b[i,j] */
  rowDot (m: number, d: number, a: number, b: number, y: number, accumulate: boolean): void
  /** y[i,j] (+)= x[i,j]·r[i] */
  rowScale (m: number, d: number, x: number, r: number, y: number, accumulate: boolean): void
  /** y[i,j] = x[i,j] − r[i] */
  rowSubtract (m: number, d: number, x: number, r: number, y: number): void
  /** y[i,j] (+)= x[i,j]·g[j] */
  columnScale (m: number, d: number, x: number, g: number, y: number, accumulate: boolean): void
  /** y[j] (+)= Σ_i a[i,j]·b[i,j] */
  columnDot (m: number, d: number, a: number, b: number, y: number, accumulate: boolean): void
  /** y[i] = 1/sqrt(Σ_j x[i,j]²/d + eps) */
  inverseRms (m: number, d: number, x: number, eps: number, y: number): void
  /** By row; with period p > 0 row i sees columns 0 … n − p + i mod p, the rest become 0. */
  softmax (rows: number, n: number, period: number, x: number, y: number): void
  /** P = softmax(logits), zero where weight is 0; gives Σ weight·(−log P[target]), summed in f64. */
  crossEntropy (m: number, v: number, logits: number, targets: number, weights: number, p: number): number
  /** Rotates pairs of each head by the tables' angles [m, headDim/2]. */
  rope (m: number, heads: number, headDim: number, x: number, cosines: number, sines: number, y: number, interleaved: boolean, inverse: boolean): void
  /** y[i,:] = x[ids[i],:], ids as i32 */
  gather (count: number, d: number, ids: number, x: number, y: number): void
  /** y[ids[i],:] += x[i,:] in order of i */
  scatter (count: number, d: number, ids: number, x: number, y: number): void
  allFinite (n: number, x: number): boolean
  /** r[i] = 1/sqrt(Σ_j x[i,j]²/d + eps), y = (x·r)·gain: inverseRms, rowScale and columnScale in one; y may be x. */
  rmsNorm (m: number, d: number, x: number, gain: number, eps: number, r: number, y: number): void
  /** y = (sum + (dy·gain)·r) + x·s with s[i] = rowDot(dy·gain, x)·((r·r²)·(−1/d)), the cotangent of x; `sum` may be 0. */
  rmsNormBack (m: number, d: number, x: number, gain: number, r: number, dy: number, sum: number, y: number): void
  /** s = σ(gate), y = (gate·s)·up; y may be gate or up. */
  swiglu (n: number, gate: number, up: number, s: number, y: number): void
  /** dUp = dy·(gate·s), dGate = d·s + (s(1 − s))·(d·gate) with d = dy·up */
  swigluBack (n: number, gate: number, up: number, s: number, dy: number, dGate: number, dUp: number): void
  /**
   * Causal grouped-query attention of all heads: q and y [m, heads·headDim], q scaled already; k, v [n, kvHeads·headDim];
   * row i sees rows 0 … n − m + i. p becomes the probabilities, zero behind those, [heads·m, attentionLine(n)] if they
   * are kept; else it is room for ATTENDED_ROWS rows. A row whose scores are not finite becomes NaN. Scratch has
   * `attentionScratchBytes`.
   */
  attend (m: number, n: number, heads: number, kvHeads: number, headDim: number, q: number, k: number, v: number, scratch: number, p: number, y: number, keep: boolean): void
  /** Cotangents of q (as scaled), k and v from dy, that of y; the address 0 leaves one out. Sums of dk and dv go over heads, then rows. */
  attendBack (
    m: number, n: number, heads: number, kvHeads: number, headDim: number, q: number, k: number, v: number, p: number, dy: number, scratch: number,
    dq: number, dk: number, dv: number
  ): void
  /** y = a + b·factor */
  addScaled (n: number, a: number, b: number, factor: number, y: number): void
}

/** An f64 matrix that products read piece by piece, from wherever and as whatever it lies there. */
export interface DoubleOperand {
  /** rows of A, or columns of B */
  lines: number
  /** of the inner dimension */
  depth: number
  /** whether `copy` is asked for parts of steps, in which lines lie side by side, and not for parts of lines */
  byDepth?: boolean
  /** Copies elements `from` to `to` of line (or step) `index` to `out` from `at` on. */
  copy (index: number, from: number, to: number, out: Float64Array, at: number): void
}

export interface ProductOptions {
  /** whether C is added to, or overwritten */
  accumulate?: boolean
  /** elements above the diagonal are neither computed nor written */
  lower?: boolean
  /** each sum of so many steps begins at zero and is then added to C; without it one sum begins with C's element if that is added to */
  group?: number
}

/** Linear algebra in f64; matrices are row-major. */
export interface Doubles {
  /**
   * c[i,j] (+)= Σ_k a[i,k]·b[j,k], strictly in the order of k.
   *
   * @throws {ShapeError} when operands and results do not fit together
   * @throws {NumericRangeError} when a group is no divisor of the depth, or over 1,024
   */
  product (a: DoubleOperand, b: DoubleOperand, c: Float64Array, options?: ProductOptions): void
  /**
   * The factor L with L·Lᵀ = A in place of A's lower triangle; the upper one is left alone.
   *
   * @returns the first row whose pivot is not above zero, before which all is done, or -1
   */
  cholesky (a: Float64Array, size: number): number
  /**
   * Eigenvectors of a symmetric matrix by cyclic Jacobi rotations, in the order in which they come out.
   *
   * @param a - its diagonal becomes the eigenvalues, the rest is destroyed
   * @param size - rows and columns
   * @param share - rotations end when no entry beside the diagonal exceeds this share of the largest on it
   * @param sweeps - how often all entries are tried at the most
   * @returns one per row, or undefined if the sweeps were too few or a value is not finite
   */
  eigenvectors (a: Float64Array, size: number, share: number, sweeps: number): Float64Array | undefined
}
