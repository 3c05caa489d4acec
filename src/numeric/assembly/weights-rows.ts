/** One x against 16 rows of frozen weights, or four times 16 of them, which are decoded in registers. */
import { lowSigns, nibbleSigns, q4Power, q8Power, topByte, topHalf, topNibble } from './kept'
import { scales } from './weights-decode'
import { BF16, Q8 } from './weights-layout'

/** s + x·y, the product rounded first. */
// @ts-ignore: decorator
@inline
function plus (s: v128, x: v128, y: v128): v128 {
  return f32x4.add(s, f32x4.mul(x, y))
}

/** 16 rows against one x. */
function singleBf16 (columns: i32, x: usize, w: usize, y: usize, accumulate: bool): void {
  let s0 = f32x4.splat(0); let s1 = s0; let s2 = s0; let s3 = s0
  if (accumulate) {
    s0 = v128.load(y); s1 = v128.load(y, 16); s2 = v128.load(y, 32); s3 = v128.load(y, 48)
  }
  const high = topHalf()
  do {
    const t = v128.load32_splat(x)
    const u = v128.load(w)
    const v = v128.load(w, 16)
    s0 = plus(s0, t, i32x4.shl(u, 16))
    s1 = plus(s1, t, v128.and(u, high))
    s2 = plus(s2, t, i32x4.shl(v, 16))
    s3 = plus(s3, t, v128.and(v, high))
    x += 4
    w += 32
  } while (--columns > 0)
  v128.store(y, s0); v128.store(y, s1, 16); v128.store(y, s2, 32); v128.store(y, s3, 48)
}

/** Groups of 16 rows, `apart` bytes from each other, against one x; y in lines of `yApart` bytes. */
export function fourGroupsBf16 (columns: i32, x: usize, w: usize, apart: usize, y: usize, yApart: usize, accumulate: bool): void {
  let s0 = f32x4.splat(0); let s1 = s0; let s2 = s0; let s3 = s0
  let s4 = s0; let s5 = s0; let s6 = s0; let s7 = s0
  let s8 = s0; let s9 = s0; let s10 = s0; let s11 = s0
  let s12 = s0; let s13 = s0; let s14 = s0; let s15 = s0
  if (accumulate) {
    s0 = v128.load(y); s1 = v128.load(y, 16); s2 = v128.load(y, 32); s3 = v128.load(y, 48)
    s4 = v128.load(y + yApart); s5 = v128.load(y + yApart, 16); s6 = v128.load(y + yApart, 32); s7 = v128.load(y + yApart, 48)
    s8 = v128.load(y + yApart * 2); s9 = v128.load(y + yApart * 2, 16); s10 = v128.load(y + yApart * 2, 32); s11 = v128.load(y + yApart * 2, 48)
    s12 = v128.load(y + yApart * 3); s13 = v128.load(y + yApart * 3, 16); s14 = v128.load(y + yApart * 3, 32); s15 = v128.load(y + yApart * 3, 48)
  }
  const high = topHalf()
  do {
    const t = v128.load32_splat(x)
    let u = v128.load(w)
    let v = v128.load(w, 16)
    s0 = plus(s0, t, i32x4.shl(u, 16))
    s1 = plus(s1, t, v128.and(u, high))
    s2 = plus(s2, t, i32x4.shl(v, 16))
    s3 = plus(s3, t, v128.and(v, high))
    u = v128.load(w + apart)
    v = v128.load(w + apart, 16)
    s4 = plus(s4, t, i32x4.shl(u, 16))
    s5 = plus(s5, t, v128.and(u, high))
    s6 = plus(s6, t, i32x4.shl(v, 16))
    s7 = plus(s7, t, v128.and(v, high))
    u = v128.load(w + apart * 2)
    v = v128.load(w + apart * 2, 16)
    s8 = plus(s8, t, i32x4.shl(u, 16))
    s9 = plus(s9, t, v128.and(u, high))
    s10 = plus(s10, t, i32x4.shl(v, 16))
    s11 = plus(s11, t, v128.and(v, high))
    u = v128.load(w + apart * 3)
    v = v128.load(w + apart * 3, 16)
    s12 = plus(s12, t, i32x4.shl(u, 16))
    s13 = plus(s13, t, v128.and(u, high))
    s14 = plus(s14, t, i32x4.shl(v, 16))
    s15 = plus(s15, t, v128.and(v, high))
    x += 4
    w += 32
  } while (--columns > 0)
  v128.store(y, s0); v128.store(y, s1, 16); v128.store(y, s2, 32); v128.store(y, s3, 48)
  v128.store(y + yApart, s4); v128.store(y + yApart, s5, 16); v128.store(y + yApart, s6, 32); v128.store(y + yApart, s7, 48)
  v128.store(y + yApart * 2, s8); v128.store(y + yApart * 2, s9, 16); v128.store(y + yApart * 2, s10, 32); v128.store(y + yApart * 2, s11, 48)
  v128.store(y + yApart * 3, s12); v128.store(y + yApart * 3, s13, 16); v128.store(y + yApart * 3, s14, 32); v128.store(y + yApart * 3, s15, 48)
}

function singleQ8 (columns: i32, x: usize, w: usize, y: usize, accumulate: bool): void {
  let s0 = f32x4.splat(0); let s1 = s0; let s2 = s0; let s3 = s0
  if (accumulate) {
    s0 = v128.load(y); s1 = v128.load(y, 16); s2 = v128.load(y, 32); s3 = v128.load(y, 48)
  }
  const power = q8Power()
  const top = topByte()
  const signs = lowSigns()
  const line = x + (<usize>columns << 2)
  do {
    const d0 = scales(w, power)
    const d1 = scales(w + 8, power)
    const d2 = scales(w + 16, power)
    const d3 = scales(w + 24, power)
    const end = x + 128
    w += 32
    do {
      const u = v128.xor(v128.load(w), signs)
      const v = v128.xor(v128.load(w, 16), signs)
      let t = v128.load32_splat(x)
      s0 = plus(s0, t, f32x4.mul(d0, f32x4.convert_i32x4_s(i32x4.shl(u, 24))))
      s1 = plus(s1, t, f32x4.mul(d1, f32x4.convert_i32x4_s(v128.and(i32x4.shl(u, 16), top))))
      s2 = plus(s2, t, f32x4.mul(d2, f32x4.convert_i32x4_s(i32x4.shl(v, 24))))
      s3 = plus(s3, t, f32x4.mul(d3, f32x4.convert_i32x4_s(v128.and(i32x4.shl(v, 16), top))))
      t = v128.load32_splat(x, 4)
      s0 = plus(s0, t, f32x4.mul(d0, f32x4.convert_i32x4_s(v128.and(i32x4.shl(u, 8), top))))
      s1 = plus(s1, t, f32x4.mul(d1, f32x4.convert_i32x4_s(v128.and(u, top))))
      s2 = plus(s2, t, f32x4.mul(d2, f32x4.convert_i32x4_s(v128.and(i32x4.shl(v, 8), top))))
      s3 = plus(s3, t, f32x4.mul(d3, f32x4.convert_i32x4_s(v128.and(v, top))))
      x += 8
      w += 32
    } while (x < end)
  } while (x < line)
  v128.store(y, s0); v128.store(y, s1, 16); v128.store(y, s2, 32); v128.store(y, s3, 48)
}

function singleQ4 (columns: i32, x: usize, w: usize, y: usize, accumulate: bool): void {
  let s0 = f32x4.splat(0); let s1 = s0; let s2 = s0; let s3 = s0
  if (accumulate) {
    s0 = v128.load(y); s1 = v128.load(y, 16); s2 = v128.load(y, 32); s3 = v128.load(y, 48)
  }
  const power = q4Power()
  const top = topNibble()
  const sign = nibbleSigns()
  const line = x + (<usize>columns << 2)
  do {
    const d0 = scales(w, power)
    const d1 = scales(w + 8, power)
    const d2 = scales(w + 16, power)
    const d3 = scales(w + 24, power)
    const end = x + 128
    w += 32
    do {
      const u = v128.xor(v128.load(w), sign)
      let t = v128.load32_splat(x)
      s0 = plus(s0, t, f32x4.mul(d0, f32x4.convert_i32x4_s(i32x4.shl(u, 28))))
      s1 = plus(s1, t, f32x4.mul(d1, f32x4.convert_i32x4_s(v128.and(i32x4.shl(u, 24), top))))
      s2 = plus(s2, t, f32x4.mul(d2, f32x4.convert_i32x4_s(v128.and(i32x4.shl(u, 20), top))))
      s3 = plus(s3, t, f32x4.mul(d3, f32x4.convert_i32x4_s(v128.and(i32x4.shl(u, 16), top))))
      t = v128.load32_splat(x, 4)
      s0 = plus(s0, t, f32x4.mul(d0, f32x4.convert_i32x4_s(v128.and(i32x4.shl(u, 12), top))))
      s1 = plus(s1, t, f32x4.mul(d1, f32x4.convert_i32x4_s(v128.and(i32x4.shl(u, 8), top))))
      s2 = plus(s2, t, f32x4.mul(d2, f32x4.convert_i32x4_s(v128.and(i32x4.shl(u, 4), top))))
      s3 = plus(s3, t, f32x4.mul(d3, f32x4.convert_i32x4_s(v128.and(u, top))))
      x += 8
      w += 16
    } while (x < end)
  } while (x < line)
  v128.store(y, s0); v128.store(y, s1, 16); v128.store(y, s2, 32); v128.store(y, s3, 48)
}

/** 16 rows against one x. */
// @ts-ignore: decorator
@inline
export function single (type: i32, columns: i32, x: usize, w: usize, y: usize, accumulate: bool): void {
  if (type == BF16) {
    singleBf16(columns, x, w, y, accumulate)
  } else if (type == Q8) {
    singleQ8(columns, x, w, y, accumulate)
  } else {
    singleQ4(columns, x, w, y, accumulate)
  }
}
