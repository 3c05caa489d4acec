/**
 * Rows of x rounded to 15 bits, for products of integers: for each 32 columns ROUNDED_BLOCK bytes, 32 i16 q, the f32 d
 * with x ≈ d·q, and −8·Σq as i32: what sums start from whose quants are stored 8 (q4_0) or 128 (half of q8_0) too large.
 */

export const ROUNDED_BLOCK: usize = 72

/** 1.5·2^23: adding it leaves the nearest integer, ties to even, in the low bits. */
const MAGIC: f32 = 12582912

/** Four of 32 numbers times a power of two, to the nearest integers. */
// @ts-ignore: decorator
@inline
function nearest (x: usize, up: v128): v128 {
  const magic = f32x4.splat(MAGIC)
  return i32x4.sub(f32x4.add(f32x4.mul(v128.load(x), up), magic), magic)
}

/** d = 2^(e − 14) for the least e with |x| < 2^e, at least 2^−126; infinite if an x is not finite. */
function roundBlock (x: usize, to: usize): void {
  const magnitude = i32x4.splat(0x7fffffff)
  let most = i32x4.splat(0)
  for (let i: usize = 0; i < 128; i += 16) {
    most = i32x4.max_u(most, v128.and(v128.load(x + i), magnitude))
  }
  most = i32x4.max_u(most, i32x4.shuffle(most, most, 2, 3, 0, 1))
  const exponent = max(i32x4.extract_lane(i32x4.max_u(most, i32x4.shuffle(most, most, 1, 0, 3, 2)), 0) >> 23, 14)
  const up = i32x4.splat((267 - exponent) << 23)
  let sum = i32x4.splat(0)
  for (let i: usize = 0; i < 32; i += 8) {
    const q = i16x8.narrow_i32x4_s(nearest(x + (i << 2), up), nearest(x + (i << 2) + 16, up))
    v128.store(to + (i << 1), q)
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(q, i16x8.splat(-8)))
  }
  store<i32>(to, exponent == 255 ? 0x7f800000 : (exponent - 13) << 23, 64)
  sum = i32x4.add(sum, i32x4.shuffle(sum, sum, 2, 3, 0, 1))
  store<i32>(to, i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1), 68)
}

export function roundRows (m: i32, columns: i32, x: usize, xRow: i32, to: usize): void {
  for (let i = 0; i < m; i++) {
    const end = x + (<usize>columns << 2)
    for (let from = x; from < end; from += 128, to += ROUNDED_BLOCK) {
      roundBlock(from, to)
    }
    x += <usize>xRow << 2
  }
}
