/** The same operations in the same order as reference-scalar.ts and math.ts of the oracle. */

/**
 * Bounds, rounder, log2(e), ln 2 in two parts, the polynomial from its highest term on, 1, 127 as an
 * integer, and what a softmax takes for nothing. From memory: see kept.ts.
 */
const NUMBERS: usize = memory.data<f32>([
  -104, 89, 12582912, 1.44269504088896341, 0.693359375, -2.12194440e-4,
  1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1, 1.7796490496925177e-43, -44
], 16)

// @ts-ignore: decorator
@inline
function number (i: usize): v128 {
  return v128.load32_splat(NUMBERS + (i << 2))
}

/** x·log2(e) to the nearest integer, in the low bits of a number that is the rounder larger. */
// @ts-ignore: decorator
@inline
function roundedLog2 (x: v128): v128 {
  return f32x4.add(f32x4.mul(x, number(3)), number(2))
}

/** e^(x − n·ln 2), n = roundedLog2(x). */
// @ts-ignore: decorator
@inline
function reduced (x: v128, rounded: v128): v128 {
  const n = f32x4.sub(rounded, number(2))
  let r = f32x4.sub(x, f32x4.mul(n, number(4)))
  r = f32x4.sub(r, f32x4.mul(n, number(5)))
  let p = number(6)
  p = f32x4.add(f32x4.mul(p, r), number(7))
  p = f32x4.add(f32x4.mul(p, r), number(8))
  p = f32x4.add(f32x4.mul(p, r), number(9))
  p = f32x4.add(f32x4.mul(p, r), number(10))
  p = f32x4.add(f32x4.mul(p, r), number(11))
  return f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), number(12))
}

/** e^x of four f32, about 1 ulp: Cephes' expf (S. Moshier) with the scaling in two factors. */
// @ts-ignore: decorator
@inline
export function exp4 (value: v128): v128 {
  // in this order of operands what is not a number stays that
  const x = f32x4.pmin(f32x4.pmax(value, number(0)), number(1))
  const rounded = roundedLog2(x)
  const y = reduced(x, rounded)
  const k = i32x4.sub(rounded, number(2))
  const half = i32x4.shr_s(k, 1)
  const rest = i32x4.sub(k, half)
  const bias = number(13)
  return f32x4.mul(f32x4.mul(y, i32x4.shl(i32x4.add(half, bias), 23)), i32x4.shl(i32x4.add(rest, bias), 23))
}

/**
 * e^x for x ≤ 0 as softmax weighs: up to −44 it is +0, since beside the 1 of the greatest 2^−63 is lost in every sum, and
 * what is multiplied with it soon becomes subnormal, which takes processors a hundred times as long. The rest has the bits of
 * `exp4`; one factor suffices.
 */
// @ts-ignore: decorator
@inline
export function weight4 (value: v128): v128 {
  const least = number(14)
  const x = f32x4.pmax(value, least)
  const rounded = roundedLog2(x)
  const scale = i32x4.shl(i32x4.add(i32x4.sub(rounded, number(2)), number(13)), 23)
  // asked this way, what is not a number stays that
  return v128.andnot(f32x4.mul(reduced(x, rounded), scale), f32x4.le(value, least))
}

/** y = weight4(x − top) of eight numbers: constants are fetched once for both vectors, which is half of what one costs. */
// @ts-ignore: decorator
@inline
export function weigh8 (x: usize, y: usize, top: v128): void {
  const least = number(14)
  const v0 = f32x4.sub(v128.load(x), top)
  const v1 = f32x4.sub(v128.load(x, 16), top)
  const x0 = f32x4.pmax(v0, least)
  const x1 = f32x4.pmax(v1, least)
  let c = number(3)
  const rounder = number(2)
  const k0 = f32x4.add(f32x4.mul(x0, c), rounder)
  const k1 = f32x4.add(f32x4.mul(x1, c), rounder)
  const n0 = f32x4.sub(k0, rounder)
  const n1 = f32x4.sub(k1, rounder)
  c = number(4)
  let r0 = f32x4.sub(x0, f32x4.mul(n0, c))
  let r1 = f32x4.sub(x1, f32x4.mul(n1, c))
  c = number(5)
  r0 = f32x4.sub(r0, f32x4.mul(n0, c))
  r1 = f32x4.sub(r1, f32x4.mul(n1, c))
  c = number(6)
  let d = number(7)
  let p0 = f32x4.add(f32x4.mul(c, r0), d)
  let p1 = f32x4.add(f32x4.mul(c, r1), d)
  d = number(8)
  p0 = f32x4.add(f32x4.mul(p0, r0), d)
  p1 = f32x4.add(f32x4.mul(p1, r1), d)
  d = number(9)
  p0 = f32x4.add(f32x4.mul(p0, r0), d)
  p1 = f32x4.add(f32x4.mul(p1, r1), d)
  d = number(10)
  p0 = f32x4.add(f32x4.mul(p0, r0), d)
  p1 = f32x4.add(f32x4.mul(p1, r1), d)
  d = number(11)
  p0 = f32x4.add(f32x4.mul(p0, r0), d)
  p1 = f32x4.add(f32x4.mul(p1, r1), d)
  c = number(12)
  p0 = f32x4.add(f32x4.add(f32x4.mul(p0, f32x4.mul(r0, r0)), r0), c)
  p1 = f32x4.add(f32x4.add(f32x4.mul(p1, f32x4.mul(r1, r1)), r1), c)
  d = number(13)
  p0 = f32x4.mul(p0, i32x4.shl(i32x4.add(i32x4.sub(k0, rounder), d), 23))
  p1 = f32x4.mul(p1, i32x4.shl(i32x4.add(i32x4.sub(k1, rounder), d), 23))
  v128.store(y, v128.andnot(p0, f32x4.le(v0, least)))
  v128.store(y, v128.andnot(p1, f32x4.le(v1, least)), 16)
}

/** Natural logarithm in f64 (fdlibm's e_log.c). */
export function log64 (x: f64): f64 {
  if (!(x > 0)) {
    return x == 0 ? -Infinity : NaN
  }
  if (x == Infinity) {
    return x
  }
  let k: i32 = 0
  if (x < 2.2250738585072014e-308) {
    x *= 18014398509481984
    k = -54
  }
  const bits = reinterpret<u64>(x)
  const head = <u32>(bits >> 32)
  const mantissa = head & 0xfffff
  const carry = (mantissa + 0x95f64) & 0x100000
  k += <i32>(head >> 20) - 1023 + <i32>(carry >> 20)
  const f = reinterpret<f64>((<u64>(mantissa | (carry ^ 0x3ff00000)) << 32) | (bits & 0xffffffff)) - 1
  const s = f / (2 + f)
  const z = s * s
  const w = z * z
  const t1 = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
  const t2 = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01 +
    w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)))
  const r = t2 + t1
  const half = 0.5 * f * f
  return <f64>k * 6.93147180369123816490e-01 - ((half - (s * (half + r) + <f64>k * 1.90821492927058770002e-10)) - f)
}
