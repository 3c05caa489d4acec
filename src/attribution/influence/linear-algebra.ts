import { doubles } from '../../numeric/index.ts'
import { AttributionInputError } from './errors.ts'
import type { DoubleOperand } from '../../numeric/index.ts'

/** Sweeps of Jacobi; it converges quadratically, and 6 to 10 were seen for hundreds of rows. */
const SWEEPS_MAX = 40

/** Rotations end when no entry beside the diagonal exceeds this share of the largest on it. */
const OFF_DIAGONAL_SHARE = 1e-12

const kernels = doubles()

/** c[i,j] (+)= Σ_k a[i,k]·b[j,k], strictly in the order of k; see `Doubles` of numeric. */
export const product = kernels.product

/** Vectors of one length as lines of an operand, or as its steps. */
export function vectors (all: Array<Float32Array | Float64Array>, byDepth = false): DoubleOperand {
  const length = all[0]?.length ?? 0
  const [lines, depth] = byDepth ? [length, all.length] : [all.length, length]

  return { lines, depth, byDepth, copy: (index, from, to, out, at) => { out.set(all[index].subarray(from, to), at) } }
}

/** A row-major matrix, its rows as lines of an operand, or as its steps. */
export function matrix (values: Float64Array, rows: number, columns: number, byDepth = false): DoubleOperand {
  const [lines, depth] = byDepth ? [columns, rows] : [rows, columns]

  return { lines, depth, byDepth, copy: (row, from, to, out, at) => { out.set(values.subarray(row * columns + from, row * columns + to), at) } }
}

/** What lies below the diagonal, above it too. */
export function mirror (a: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) {
      a[j * size + i] = a[i * size + j]
    }
  }
}

/**
 * The Cholesky factor of a symmetric positive definite matrix, in place: the lower triangle becomes
 * L with L·Lᵀ = A, the upper one is left alone. Only + − × / and square roots, in a fixed order.
 *
 * @param a - size × size, row-major
 * @throws {AttributionInputError} when A is not positive definite
 */
export function cholesky (a: Float64Array, size: number): void {
  const row = kernels.cholesky(a, size)

  if (row >= 0) {
    throw new AttributionInputError(`a curvature matrix is not positive definite at row ${row} of ${size}: its damping is lost beside gradients that are too large or not finite`)
  }
}

/** Solves L·Lᵀ·x = b in place, L from `cholesky`. */
export function choleskySolve (l: Float64Array, size: number, b: Float64Array): void {
  for (let i = 0; i < size; i++) {
    let sum = b[i]

    for (let k = 0; k < i; k++) {
      sum -= l[i * size + k] * b[k]
    }

    b[i] = sum / l[i * size + i]
  }

  for (let i = size - 1; i >= 0; i--) {
    let sum = b[i]

    for (let k = i + 1; k < size; k++) {
      sum -= l[k * size + i] * b[k]
    }

    b[i] = sum / l[i * size + i]
  }
}

/**
 * Eigenvectors of a symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan, section 8.5):
 * slower than tridiagonal methods and as exact as any, with nothing but + − × / and square roots in
 * a fixed order. The order of the vectors is the one in which the diagonal comes out.
 *
 * @param a - size × size, row-major; its diagonal becomes the eigenvalues, the rest is destroyed
 * @returns size × size, one eigenvector per row
 * @throws {AttributionInputError} when the matrix is not finite
 */
export function jacobiEigenvectors (a: Float64Array, size: number): Float64Array {
  const found = kernels.eigenvectors(a, size, OFF_DIAGONAL_SHARE, SWEEPS_MAX)

  if (found === undefined) {
    throw new AttributionInputError(`a curvature matrix of ${size} rows has no eigenvectors after ${SWEEPS_MAX} sweeps: its gradients are too large or not finite`)
  }

  return found
}
