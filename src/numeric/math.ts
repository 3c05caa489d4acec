/**
 * Elementary functions in f64 by `+ − × ÷` and `sqrt` alone, so that every engine and machine gives
 * the same bits; `Math.exp` and its kin differ between engines. Algorithms and coefficients are those
 * of fdlibm (Sun Microsystems 1993: e_exp.c, e_log.c, k_sin.c, k_cos.c, e_rem_pio2.c), error below 1 ulp.
 */
import { ANGLE_MAX } from './constants.ts'
import { NumericRangeError } from './errors.ts'

const LN2_HIGH = 6.93147180369123816490e-01
const LN2_LOW = 1.90821492927058770002e-10
const INVERSE_LN2 = 1.44269504088896338700e+00
const EXP_OVERFLOW = 7.09782712893383973096e+02
const EXP_UNDERFLOW = -7.45133219101941108420e+02

/** π to f64 precision. */
export const PI = 3.14159265358979311600e+00

const bits = new DataView(new ArrayBuffer(8))

/** 2^k for −1022 ≤ k ≤ 1023. */
function powerOfTwo (k: number): number {
  bits.setUint32(0, (k + 1023) << 20)
  bits.setUint32(4, 0)
  return bits.getFloat64(0)
}

/** e^x; +Infinity above 709.78, 0 below −745.13, NaN for NaN. */
export function exp (x: number): number {
  if (x !== x) { // eslint-disable-line no-self-compare
    return x
  }
  if (x > EXP_OVERFLOW) {
    return Infinity
  }
  if (x < EXP_UNDERFLOW) {
    return 0
  }
  const k = Math.trunc(INVERSE_LN2 * x + (x < 0 ? -0.5 : 0.5))
  const high = x - k * LN2_HIGH
  const low = k * LN2_LOW
  const r = high - low
  const t = r * r
  const c = r - t * (1.66666666666666019037e-01 + t * (-2.77777777770155933842e-03 +
    t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06 + t * 4.13813679705723846039e-08))))
  const y = 1 - ((low - (r * c) / (2 - c)) - high)
  // two factors, so that neither 2^1024 nor a subnormal power is needed
  const half = k >> 1
  return y * powerOfTwo(half) * powerOfTwo(k - half)
}

/** Natural logarithm; −Infinity at 0, NaN below. */
export function log (x: number): number {
  if (!(x > 0)) {
    return x === 0 ? -Infinity : NaN
  }
  if (x === Infinity) {
    return x
  }
  let k = 0
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984 // 2^54 makes a subnormal normal
    k = -54
  }
  bits.setFloat64(0, x)
  const head = bits.getUint32(0)
  const mantissa = head & 0xfffff
  // 1 + f lies in [√½, √2)
  const carry = (mantissa + 0x95f64) & 0x100000
  k += (head >>> 20) - 1023 + (carry >>> 20)
  bits.setUint32(0, mantissa | (carry ^ 0x3ff00000))
  const f = bits.getFloat64(0) - 1
  const s = f / (2 + f)
  const z = s * s
  const w = z * z
  const t1 = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
  const t2 = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01 +
    w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)))
  const r = t2 + t1
  const half = 0.5 * f * f
  return k * LN2_HIGH - ((half - (s * (half + r) + k * LN2_LOW)) - f)
}

/** Sine of x + y on |x| ≤ π/4, y the tail of x. */
function sineKernel (x: number, y: number): number {
  const z = x * x
  const v = z * x
  const r = 8.33333333332248946124e-03 + z * (-1.98412698298579493134e-04 + z * (2.75573137070700676789e-06 +
    z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))
  return x - ((z * (0.5 * y - v * r) - y) - v * -1.66666666666666324348e-01)
}

/** Cosine of x + y on |x| ≤ π/4, y the tail of x. */
function cosineKernel (x: number, y: number): number {
  const z = x * x
  const w = z * z
  const r = z * (4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03 + z * 2.48015872894767294178e-05)) +
    w * w * (-2.75573143513906633035e-07 + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11))
  const half = 0.5 * z
  const head = 1 - half
  return head + (((1 - head) - half) + (z * r - x * y))
}

/** sin(x + quadrants·π/2): Cody and Waite reduction in two steps, good to 118 bits. */
function sinePlus (x: number, quadrants: number): number {
  if (!(Math.abs(x) <= ANGLE_MAX)) {
    throw new NumericRangeError('an angle', `within ±${ANGLE_MAX} radians`, x)
  }
  const n = Math.floor(x * 6.36619772367581382433e-01 + 0.5)
  const t = x - n * 1.57079632673412561417e+00
  const w = n * 6.07710050630396597660e-11
  const r = t - w
  const tail = n * 2.02226624879595063154e-21 - ((t - r) - w)
  const head = r - tail
  const rest = (r - head) - tail
  const quadrant = (n + quadrants) & 3
  const value = (quadrant & 1) === 0 ? sineKernel(head, rest) : cosineKernel(head, rest)
  return quadrant > 1 ? -value : value
}

/**
 * Sine of x radians.
 *
 * @throws {NumericRangeError} beyond ±823,549
 */
export function sin (x: number): number {
  return sinePlus(x, 0)
}

/**
 * Cosine of x radians.
 *
 * @throws {NumericRangeError} beyond ±823,549
 */
export function cos (x: number): number {
  return sinePlus(x, 1)
}

/** base^exponent for base > 0, as e^(exponent·ln base): good to about 1e-14 relative. */
export function power (base: number, exponent: number): number {
  if (!(base > 0)) {
    throw new NumericRangeError('the base of a power', 'above 0', base)
  }
  return exp(exponent * log(base))
}
