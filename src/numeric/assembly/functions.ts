/** The same operations in the same order as reference-scalar.ts and math.ts of the oracle. */

/** e^x of four f32, about 1 ulp: Cephes' expf (S. Moshier) with the scaling in two factors. */
// @ts-ignore: decorator
@inline
export function exp4 (value: v128): v128 {
  const x = f32x4.min(f32x4.max(value, f32x4.splat(-104)), f32x4.splat(89))
  const rounder = f32x4.splat(12582912)
  const n = f32x4.sub(f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504088896341)), rounder), rounder)
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)))
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.12194440e-4)))
  let p = f32x4.splat(1.9875691500e-4)
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1))
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1))
  const y = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1))
  const k = i32x4.trunc_sat_f32x4_s(n)
  const half = i32x4.shr_s(k, 1)
  const rest = i32x4.sub(k, half)
  const bias = i32x4.splat(127)
  return f32x4.mul(f32x4.mul(y, i32x4.shl(i32x4.add(half, bias), 23)), i32x4.shl(i32x4.add(rest, bias), 23))
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
