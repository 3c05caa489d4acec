/** Columns of frozen weights as f32, in panels of 8 rows. */
import { halfBits, lowSigns, nibbleSigns, q4Power, q8Power, topByte, topHalf, topNibble } from './kept'
import { BF16, Q8 } from './weights-layout'

/** Four f16 scales times 2^−shift as f32; `power` is 2^(112 − shift). Exact, subnormals too. */
// @ts-ignore: decorator
@inline
export function scales (at: usize, power: v128): v128 {
  return f32x4.mul(v128.and(i32x4.shl(v128.load16x4_s(at), 13), halfBits()), power)
}

// @ts-ignore: decorator
@inline
function put (to: usize, d: v128, x: v128): void {
  v128.store(to, f32x4.mul(d, f32x4.convert_i32x4_s(x)))
}

/** Decodes `steps` columns of a group from `w` on into two panels of 8 rows, [steps][8], `apart` bytes apart. */
export function expand (type: i32, steps: i32, w: usize, to: usize, apart: usize): void {
  const end = to + (<usize>steps << 5)
  if (type == BF16) {
    const high = topHalf()
    for (; to < end; to += 32, w += 32) {
      const u = v128.load(w)
      const v = v128.load(w, 16)
      v128.store(to, i32x4.shl(u, 16))
      v128.store(to, v128.and(u, high), 16)
      v128.store(to + apart, i32x4.shl(v, 16))
      v128.store(to + apart, v128.and(v, high), 16)
    }
    return
  }
  if (type == Q8) {
    expandQ8(end, w, to, apart)
  } else {
    expandQ4(end, w, to, apart)
  }
}

function expandQ8 (end: usize, w: usize, to: usize, apart: usize): void {
  const power = q8Power()
  const top = topByte()
  const signs = lowSigns()
  while (to < end) {
    const d0 = scales(w, power)
    const d1 = scales(w + 8, power)
    const d2 = scales(w + 16, power)
    const d3 = scales(w + 24, power)
    const last = to + 1024
    w += 32
    for (; to < last; w += 32, to += 64) {
      const u = v128.xor(v128.load(w), signs)
      const v = v128.xor(v128.load(w, 16), signs)
      put(to, d0, i32x4.shl(u, 24))
      put(to + 16, d1, v128.and(i32x4.shl(u, 16), top))
      put(to + apart, d2, i32x4.shl(v, 24))
      put(to + apart + 16, d3, v128.and(i32x4.shl(v, 16), top))
      put(to + 32, d0, v128.and(i32x4.shl(u, 8), top))
      put(to + 48, d1, v128.and(u, top))
      put(to + apart + 32, d2, v128.and(i32x4.shl(v, 8), top))
      put(to + apart + 48, d3, v128.and(v, top))
    }
  }
}

function expandQ4 (end: usize, w: usize, to: usize, apart: usize): void {
  const power = q4Power()
  const top = topNibble()
  const sign = nibbleSigns()
  while (to < end) {
    const d0 = scales(w, power)
    const d1 = scales(w + 8, power)
    const d2 = scales(w + 16, power)
    const d3 = scales(w + 24, power)
    const last = to + 1024
    w += 32
    for (; to < last; w += 16, to += 64) {
      const u = v128.xor(v128.load(w), sign)
      put(to, d0, i32x4.shl(u, 28))
      put(to + 16, d1, v128.and(i32x4.shl(u, 24), top))
      put(to + apart, d2, v128.and(i32x4.shl(u, 20), top))
      put(to + apart + 16, d3, v128.and(i32x4.shl(u, 16), top))
      put(to + 32, d0, v128.and(i32x4.shl(u, 12), top))
      put(to + 48, d1, v128.and(i32x4.shl(u, 8), top))
      put(to + apart + 32, d2, v128.and(i32x4.shl(u, 4), top))
      put(to + apart + 48, d3, v128.and(u, top))
    }
  }
}
