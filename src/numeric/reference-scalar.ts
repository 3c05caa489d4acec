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

/** e^x for x ≤ 0 as softmax weighs: what is 2^63 times as small as the greatest is nothing. */
export function weightFloat (x: number): number {
  return x <= -44 ? 0 : expFloat(x)
}

/** 1/(1 + e^−x) in f32. */
export function sigmoidFloat (x: number): number {
  return round(1 / round(1 + expFloat(-x)))
}

/** 2·sqrt(2/π), then that times 0.044715, 3 and 6 times it. */
const [C1, C2, C3, C6] = [1.5957691216057308, 0.07135481627159405, 0.21406444881478215, 0.4281288976295643].map(round)

/** x·σ(2u) with u = sqrt(2/π)·(x + 0.044715·x³), and its first two derivatives, in f32. */
export function geluFloat (x: number): { value: number, slope: number, bend: number } {
  // beyond ±16 the sigmoid is 0 or 1 exactly
  const w = Math.min(Math.max(x, -16), 16)
  const square = round(w * w)
  const s = sigmoidFloat(round(w * round(C1 + round(C2 * square))))
  const g = round(s * round(1 - s))
  const p = round(C1 + round(C3 * square))
  const first = round(round(2 * p) + round(C6 * square))
  const second = round(round(w * round(1 - round(2 * s))) * round(p * p))
  return { value: round(x * s), slope: round(s + round(round(w * g) * p)), bend: round(g * round(first + second)) }
}
