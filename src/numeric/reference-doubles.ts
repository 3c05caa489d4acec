import type { DoubleOperand, Doubles, ProductOptions } from './interface.ts'

/**
 * f64 matrices in plain loops: what the kernels' bits have to be. Only + − × / and square roots, in a
 * fixed order.
 */
export function referenceDoubles (): Doubles {
  return { product, cholesky, eigenvectors }
}

/** An operand as a whole, line by line: the oracle has no pieces. */
function read ({ lines, depth, byDepth = false, copy }: DoubleOperand): Float64Array {
  const values = new Float64Array(lines * depth)
  const step = new Float64Array(lines)

  for (let line = 0; line < (byDepth ? 0 : lines); line++) {
    copy(line, 0, depth, values, line * depth)
  }
  for (let k = 0; k < (byDepth ? depth : 0); k++) {
    copy(k, 0, lines, step, 0)
    for (let line = 0; line < lines; line++) {
      values[line * depth + k] = step[line]
    }
  }

  return values
}

function product (a: DoubleOperand, b: DoubleOperand, c: Float64Array, { accumulate = false, lower = false, group }: ProductOptions = {}): void {
  const { depth } = a
  const left = read(a)
  const right = read(b)

  for (let i = 0; i < a.lines; i++) {
    for (let j = 0; j < (lower ? Math.min(i + 1, b.lines) : b.lines); j++) {
      let total = accumulate ? c[i * b.lines + j] : 0

      for (let first = 0; first < depth; first += group ?? depth) {
        let sum = group == null ? total : 0

        for (let k = first; k < first + (group ?? depth); k++) {
          sum += left[i * depth + k] * right[j * depth + k]
        }

        total = group == null ? sum : total + sum
      }

      c[i * b.lines + j] = total
    }
  }
}

function cholesky (a: Float64Array, size: number): number {
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
        return i
      }
    }
  }

  return -1
}

function eigenvectors (a: Float64Array, size: number, share: number, sweeps: number): Float64Array | undefined {
  const vectors = new Float64Array(size * size)

  for (let i = 0; i < size; i++) {
    vectors[i * size + i] = 1
  }

  for (let sweep = 0; sweep < sweeps; sweep++) {
    const limit = share * largestOnDiagonal(a, size)
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

  return undefined
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
