/** One rounded row of x against 16 or four times 16 rows of quants, which are widened in registers. */
import { firstNibbles, halfBits, halfPower, secondNibbles, thirdNibbles } from './kept'

/** Four f16 scales as f32. */
// @ts-ignore: decorator
@inline
function scales (at: usize, d: v128, half: v128, power: v128): v128 {
  const bits = v128.and(i32x4.shl(v128.load16x4_s(at), 13), half)
  // exact, subnormals too
  return f32x4.mul(f32x4.mul(bits, power), d)
}

/** Adds the products of two columns to the sums of four rows. */
// @ts-ignore: decorator
@inline
export function dot (sums: v128, t: v128, quants: v128): v128 {
  return i32x4.add(sums, i32x4.dot_i16x8_s(t, quants))
}

// @ts-ignore: decorator
@inline
export function step (sum: v128, d: v128, integers: v128): v128 {
  return f32x4.add(sum, f32x4.mul(d, f32x4.convert_i32x4_s(integers)))
}

/**
 * A half word of q8_0 is 256 times its odd row's quant and its even row's plus 128. Multiplied whole, into the first of
 * the two sums, it needs no mask; what is too much is taken off here. Sums wrap in 32 bits on the way, two products do not
 * (2·2^14·2^15), and the end fits: 32·2^14·2^7 = 2^26 at most.
 */
// @ts-ignore: decorator
@inline
function evenRows (whole: v128, odd: v128): v128 {
  return i32x4.sub(whole, i32x4.shl(odd, 8))
}

/** Adds a block's sums of 16 rows, two pairs of even and odd ones, to y. */
// @ts-ignore: decorator
@inline
function addQ8 (y: usize, at: usize, d: v128, half: v128, power: v128, i0: v128, i1: v128, i2: v128, i3: v128): void {
  v128.store(y, step(v128.load(y), scales(at, d, half, power), evenRows(i0, i1)))
  v128.store(y, step(v128.load(y, 16), scales(at + 8, d, half, power), i1), 16)
  v128.store(y, step(v128.load(y, 32), scales(at + 16, d, half, power), evenRows(i2, i3)), 32)
  v128.store(y, step(v128.load(y, 48), scales(at + 24, d, half, power), i3), 48)
}

/** 16 rows against one rounded row. The even bytes are 128 too large, so their sums start from −128·Σq. */
export function rowsQ8 (columns: i32, x: usize, w: usize, y: usize, accumulate: bool): void {
  let s0 = f32x4.splat(0); let s1 = s0; let s2 = s0; let s3 = s0
  if (accumulate) {
    s0 = v128.load(y); s1 = v128.load(y, 16); s2 = v128.load(y, 32); s3 = v128.load(y, 48)
  }
  const half = halfBits()
  const power = halfPower()
  for (let block = 0; block < columns; block += 32) {
    const at = w
    const end = x + 64
    let i0 = i32x4.shl(v128.load32_splat(x, 68), 4); let i1 = i32x4.splat(0); let i2 = i0; let i3 = i1
    w += 32
    do {
      const t = v128.load32_splat(x)
      const u = v128.load(w)
      const v = v128.load(w, 16)
      i0 = dot(i0, t, u)
      i1 = dot(i1, t, i16x8.shr_s(u, 8))
      i2 = dot(i2, t, v)
      i3 = dot(i3, t, i16x8.shr_s(v, 8))
      x += 4
      w += 32
    } while (x < end)
    const d = v128.load32_splat(x)
    s0 = step(s0, scales(at, d, half, power), evenRows(i0, i1))
    s1 = step(s1, scales(at + 8, d, half, power), i1)
    s2 = step(s2, scales(at + 16, d, half, power), evenRows(i2, i3))
    s3 = step(s3, scales(at + 24, d, half, power), i3)
    x += 8
  }
  v128.store(y, s0); v128.store(y, s1, 16); v128.store(y, s2, 32); v128.store(y, s3, 48)
}

/** Four groups of 16 rows, `apart` bytes from each other, against one rounded row, added to y in lines of `yApart` bytes. */
export function fourGroupsQ8 (columns: i32, x: usize, w: usize, apart: usize, y: usize, yApart: usize): void {
  const half = halfBits()
  const power = halfPower()
  for (let block = 0; block < columns; block += 32) {
    const at = w
    const end = x + 64
    let i0 = i32x4.shl(v128.load32_splat(x, 68), 4); let i1 = i32x4.splat(0); let i2 = i0; let i3 = i1
    let i4 = i0; let i5 = i1; let i6 = i0; let i7 = i1
    let i8 = i0; let i9 = i1; let i10 = i0; let i11 = i1
    let i12 = i0; let i13 = i1; let i14 = i0; let i15 = i1
    w += 32
    do {
      const t = v128.load32_splat(x)
      let u = v128.load(w)
      let v = v128.load(w, 16)
      i0 = dot(i0, t, u)
      i1 = dot(i1, t, i16x8.shr_s(u, 8))
      i2 = dot(i2, t, v)
      i3 = dot(i3, t, i16x8.shr_s(v, 8))
      u = v128.load(w + apart)
      v = v128.load(w + apart, 16)
      i4 = dot(i4, t, u)
      i5 = dot(i5, t, i16x8.shr_s(u, 8))
      i6 = dot(i6, t, v)
      i7 = dot(i7, t, i16x8.shr_s(v, 8))
      u = v128.load(w + apart * 2)
      v = v128.load(w + apart * 2, 16)
      i8 = dot(i8, t, u)
      i9 = dot(i9, t, i16x8.shr_s(u, 8))
      i10 = dot(i10, t, v)
      i11 = dot(i11, t, i16x8.shr_s(v, 8))
      u = v128.load(w + apart * 3)
      v = v128.load(w + apart * 3, 16)
      i12 = dot(i12, t, u)
      i13 = dot(i13, t, i16x8.shr_s(u, 8))
      i14 = dot(i14, t, v)
      i15 = dot(i15, t, i16x8.shr_s(v, 8))
      x += 4
      w += 32
    } while (x < end)
    const d = v128.load32_splat(x)
    addQ8(y, at, d, half, power, i0, i1, i2, i3)
    addQ8(y + yApart, at + apart, d, half, power, i4, i5, i6, i7)
    addQ8(y + yApart * 2, at + apart * 2, d, half, power, i8, i9, i10, i11)
    addQ8(y + yApart * 3, at + apart * 3, d, half, power, i12, i13, i14, i15)
    x += 8
  }
}

/**
 * Nibbles stay where they lie in a word, so that sums of the second are 16 times and of the third 256 times
 * too large: below 15·256·2^14·32 < 2^31.
 */
export function rowsQ4 (columns: i32, x: usize, w: usize, y: usize, accumulate: bool): void {
  let s0 = f32x4.splat(0); let s1 = s0; let s2 = s0; let s3 = s0
  if (accumulate) {
    s0 = v128.load(y); s1 = v128.load(y, 16); s2 = v128.load(y, 32); s3 = v128.load(y, 48)
  }
  const first = firstNibbles()
  const second = secondNibbles()
  const third = thirdNibbles()
  const half = halfBits()
  const power = halfPower()
  for (let block = 0; block < columns; block += 32) {
    const at = w
    const end = x + 64
    let i0 = v128.load32_splat(x, 68); let i1 = i32x4.shl(i0, 4); let i2 = i32x4.shl(i0, 8); let i3 = i0
    w += 32
    do {
      const t = v128.load32_splat(x)
      const u = v128.load(w)
      i0 = dot(i0, t, v128.and(u, first))
      i1 = dot(i1, t, v128.and(u, second))
      i2 = dot(i2, t, v128.and(u, third))
      i3 = dot(i3, t, i16x8.shr_u(u, 12))
      x += 4
      w += 16
    } while (x < end)
    const d = v128.load32_splat(x)
    s0 = step(s0, scales(at, d, half, power), i0)
    s1 = step(s1, scales(at + 8, d, half, power), i32x4.shr_s(i1, 4))
    s2 = step(s2, scales(at + 16, d, half, power), i32x4.shr_s(i2, 8))
    s3 = step(s3, scales(at + 24, d, half, power), i3)
    x += 8
  }
  v128.store(y, s0); v128.store(y, s1, 16); v128.store(y, s2, 32); v128.store(y, s3, 48)
}

// @ts-ignore: decorator
@inline
function addQ4 (y: usize, at: usize, d: v128, half: v128, power: v128, i0: v128, i1: v128, i2: v128, i3: v128): void {
  v128.store(y, step(v128.load(y), scales(at, d, half, power), i0))
  v128.store(y, step(v128.load(y, 16), scales(at + 8, d, half, power), i32x4.shr_s(i1, 4)), 16)
  v128.store(y, step(v128.load(y, 32), scales(at + 16, d, half, power), i32x4.shr_s(i2, 8)), 32)
  v128.store(y, step(v128.load(y, 48), scales(at + 24, d, half, power), i3), 48)
}

export function fourGroupsQ4 (columns: i32, x: usize, w: usize, apart: usize, y: usize, yApart: usize): void {
  const first = firstNibbles()
  const second = secondNibbles()
  const third = thirdNibbles()
  const half = halfBits()
  const power = halfPower()
  for (let block = 0; block < columns; block += 32) {
    const at = w
    const end = x + 64
    let i0 = v128.load32_splat(x, 68); let i1 = i32x4.shl(i0, 4); let i2 = i32x4.shl(i0, 8); let i3 = i0
    let i4 = i0; let i5 = i1; let i6 = i2; let i7 = i0
    let i8 = i0; let i9 = i1; let i10 = i2; let i11 = i0
    let i12 = i0; let i13 = i1; let i14 = i2; let i15 = i0
    w += 32
    do {
      const t = v128.load32_splat(x)
      let u = v128.load(w)
      i0 = dot(i0, t, v128.and(u, first))
      i1 = dot(i1, t, v128.and(u, second))
      i2 = dot(i2, t, v128.and(u, third))
      i3 = dot(i3, t, i16x8.shr_u(u, 12))
      u = v128.load(w + apart)
      i4 = dot(i4, t, v128.and(u, first))
      i5 = dot(i5, t, v128.and(u, second))
      i6 = dot(i6, t, v128.and(u, third))
      i7 = dot(i7, t, i16x8.shr_u(u, 12))
      u = v128.load(w + apart * 2)
      i8 = dot(i8, t, v128.and(u, first))
      i9 = dot(i9, t, v128.and(u, second))
      i10 = dot(i10, t, v128.and(u, third))
      i11 = dot(i11, t, i16x8.shr_u(u, 12))
      u = v128.load(w + apart * 3)
      i12 = dot(i12, t, v128.and(u, first))
      i13 = dot(i13, t, v128.and(u, second))
      i14 = dot(i14, t, v128.and(u, third))
      i15 = dot(i15, t, i16x8.shr_u(u, 12))
      x += 4
      w += 16
    } while (x < end)
    const d = v128.load32_splat(x)
    addQ4(y, at, d, half, power, i0, i1, i2, i3)
    addQ4(y + yApart, at + apart, d, half, power, i4, i5, i6, i7)
    addQ4(y + yApart * 2, at + apart * 2, d, half, power, i8, i9, i10, i11)
    addQ4(y + yApart * 3, at + apart * 3, d, half, power, i12, i13, i14, i15)
    x += 8
  }
}
