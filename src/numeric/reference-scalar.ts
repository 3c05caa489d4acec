/**
 * The f32 functions of the kernels for one number at a time; the vector code does the same
 * operations in the same order.
 */
const round = Math.fround
const LOG2E = round(1.4426950408889634)
const LN2_HIGH = round(0.693359375)
const LN2_LOW = round(-2.12194440e-4)
/** Adding and taking away 1.5·2^23 rounds an f32 to the nearest integer, ties to even. */
const ROUNDER = 12582912
/** Coefficients of Cephes' expf (S. Moshier), highest power first. */
const COEFFICIENTS = [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1].map(round)

const POWERS_MIN = -80
/** 2^k for −80 ≤ k ≤ 80, by doubling. */
const POWERS = Float32Array.from({ length: 161 }, () => 1)
for (let k = 1; k <= 80; k++) {
  POWERS[k - POWERS_MIN] = POWERS[k - 1 - POWERS_MIN] * 2
  POWERS[-k - POWERS_MIN] = POWERS[1 - k - POWERS_MIN] / 2
}

/** e^x in f32, about 1 ulp; +Infinity above 88.72, 0 below −103.97. */
export function expFloat (x: number): number {
  x = Math.min(Math.max(x, -104), 89)
  const n = round(round(round(x * LOG2E) + ROUNDER) - ROUNDER)
  let r = round(x - round(n * LN2_HIGH))
  r = round(r - round(n * LN2_LOW))
  let p = COEFFICIENTS[0]
  for (let i = 1; i < COEFFICIENTS.length; i++) {
    p = round(round(p * r) + COEFFICIENTS[i])
  }
  const y = round(round(round(p * round(r * r)) + r) + 1)
  // two factors, so that the smallest results become subnormal instead of zero
  const half = n >> 1
  return round(round(y * POWERS[half - POWERS_MIN]) * POWERS[n - half - POWERS_MIN])
}

/** 1/(1 + e^−x) in f32. */
export function sigmoidFloat (x: number): number {
  return round(1 / round(1 + expFloat(-x)))
}
