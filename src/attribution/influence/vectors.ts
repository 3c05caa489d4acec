import { DivergedError } from './errors.ts'

/** sum ← sum + factor · x, in index order. */
export function addScaled (sum: Float64Array, factor: number, x: ArrayLike<number>): void {
  for (let i = 0; i < sum.length; i++) {
    sum[i] += factor * x[i]
  }
}

export function scaleInPlace (x: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) {
    x[i] *= factor
  }
}

/** a · b, strictly sequential. */
export function dot (a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0

  for (let i = 0; i < a.length; i++) {
    sum += a[i] * b[i]
  }

  return sum
}

export function isZero (x: Float64Array): boolean {
  return x.every(value => value === 0)
}

/**
 * @throws {DivergedError} when a value is not finite
 */
export function checkFinite (what: string, step: number, ...vectors: ArrayLike<number>[]): void {
  for (const vector of vectors) {
    for (let i = 0; i < vector.length; i++) {
      if (!Number.isFinite(vector[i])) {
        throw new DivergedError(what, step)
      }
    }
  }
}

/**
 * A direction brought to a largest value in [1/2, 1), and the power of two that undoes it. Models
 * see directions in f32, where derivatives of long runs would over- or underflow; scaling by a
 * power of two costs no bit.
 */
export function normalised (x: Float64Array): { direction: Float64Array, factor: number } {
  let largest = 0
  let factor = 1

  for (let i = 0; i < x.length; i++) {
    largest = Math.max(largest, Math.abs(x[i]))
  }

  if (largest === 0) {
    return { direction: x, factor }
  }

  while (largest * (1 / factor) >= 1) {
    factor *= 2
  }

  while (largest * (1 / factor) < 0.5) {
    factor /= 2
  }

  const direction = x.slice()

  scaleInPlace(direction, 1 / factor)

  return { direction, factor }
}
