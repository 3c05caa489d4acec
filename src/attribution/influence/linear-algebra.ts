import { AttributionInputError } from './errors.ts'

/** Sweeps of Jacobi; it converges quadratically, and 6 to 10 were seen for hundreds of rows. */
const SWEEPS_MAX = 40

/** Rotations end when no entry beside the diagonal exceeds this share of the largest on it. */
const OFF_DIAGONAL_SHARE = 1e-12

/**
 * The Cholesky factor of a symmetric positive definite matrix, in place: the lower triangle becomes
 * L with L·Lᵀ = A, the upper one is left alone. Only + − × / and square roots, in a fixed order.
 *
 * @param a - size × size, row-major
 * @throws {AttributionInputError} when A is not positive definite
 */
export function cholesky (a: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * size + j]

      for (let k = 0; k < j; k++) {
        sum -= a[i * size + k] * a[j * size + k]
      }

      if (i !== j) {
        a[i * size + j] = sum / a[j * size + j]
      } else if (sum > 0) {
        a[i * size + i] = Math.sqrt(sum)
      } else {
        throw new AttributionInputError(`a curvature matrix is not positive definite at row ${i} of ${size}: its damping is lost beside gradients that are too large or not finite`)
      }
    }
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
  const vectors = new Float64Array(size * size)

  for (let i = 0; i < size; i++) {
    vectors[i * size + i] = 1
  }

  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    const limit = OFF_DIAGONAL_SHARE * largestOnDiagonal(a, size)
    let rotations = 0

    for (let p = 0; p < size - 1; p++) {
      for (let q = p + 1; q < size; q++) {
        if (Math.abs(a[p * size + q]) > limit) {
          rotate(a, vectors, size, p, q)
          rotations++
        }
      }
    }

    if (rotations === 0) {
      return vectors
    }
  }

  throw new AttributionInputError(`a curvature matrix of ${size} rows has no eigenvectors after ${SWEEPS_MAX} sweeps: its gradients are too large or not finite`)
}

function largestOnDiagonal (a: Float64Array, size: number): number {
  let largest = 0

  for (let i = 0; i < size; i++) {
    largest = Math.max(largest, Math.abs(a[i * size + i]))
  }

  return largest
}

/** One rotation in the plane (p, q) that makes a[p][q] zero; rows are contiguous, so both triangles are kept. */
function rotate (a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const across = a[p * size + q]
  const tau = (a[q * size + q] - a[p * size + p]) / (2 * across)
  const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau))
  const c = 1 / Math.sqrt(1 + t * t)
  const s = t * c
  const pp = a[p * size + p] - t * across
  const qq = a[q * size + q] + t * across

  for (let k = 0; k < size; k++) {
    const x = a[p * size + k]
    const y = a[q * size + k]
    const vx = vectors[p * size + k]
    const vy = vectors[q * size + k]

    a[p * size + k] = c * x - s * y
    a[q * size + k] = s * x + c * y
    vectors[p * size + k] = c * vx - s * vy
    vectors[q * size + k] = s * vx + c * vy
  }

  for (let k = 0; k < size; k++) {
    a[k * size + p] = a[p * size + k]
    a[k * size + q] = a[q * size + k]
  }

  a[p * size + p] = pp
  a[q * size + q] = qq
  a[p * size + q] = 0
  a[q * size + p] = 0
}
