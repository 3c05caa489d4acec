/**
 * Products of integers: quants of q8_0 and q4_0 with rows of x that are rounded to 15 bits by blocks of
 * 32. Sums within a block are exact, so that only the order of blocks matters, and it is that of the columns.
 *
 * A rounded row is a sequence of ROUNDED_BLOCK bytes for each 32 columns: 32 i16 q, the f32 d with
 * x ≈ d·q, and −8·Σq as i32: what sums start from whose quants are stored 8 (q4_0) or 128 (half of q8_0) too large.
 */
import { firstNibbles, halfBits, halfPower, lowBytes, secondNibbles, thirdNibbles } from './kept'
import { zero } from './rows'
import { edge } from './statics'
import { groupBytes, Q8 } from './weights-layout'

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
function dot (sums: v128, t: v128, quants: v128): v128 {
  return i32x4.add(sums, i32x4.dot_i16x8_s(t, quants))
}

// @ts-ignore: decorator
@inline
function step (sum: v128, d: v128, integers: v128): v128 {
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
function rowsQ8 (columns: i32, x: usize, w: usize, y: usize, accumulate: bool): void {
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
function fourGroupsQ8 (columns: i32, x: usize, w: usize, apart: usize, y: usize, yApart: usize): void {
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
function rowsQ4 (columns: i32, x: usize, w: usize, y: usize, accumulate: bool): void {
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

function fourGroupsQ4 (columns: i32, x: usize, w: usize, apart: usize, y: usize, yApart: usize): void {
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

/** Blocks of 32 columns that are widened at once: with a row of x they stay in the first-level cache. */
const WIDE_BLOCKS: i32 = 8
/** Rows from which on widening first costs less than widening for each. */
const WIDE_ROWS: i32 = 6

/** One block of 16 rows: 16 scales as f32, then [16][4 vectors] of 4 rows with two columns each, as i16. */
const WIDE_BLOCK: usize = 1088

// @ts-ignore: decorator
@inline
function widenScales (at: usize, to: usize): void {
  const half = halfBits()
  const power = halfPower()
  for (let i: usize = 0; i < 32; i += 8) {
    v128.store(to + (i << 1), f32x4.mul(v128.and(i32x4.shl(v128.load16x4_s(at + i), 13), half), power))
  }
}

function widenQ8 (w: usize, to: usize): void {
  const low = lowBytes()
  const excess = i16x8.splat(128)
  widenScales(w, to)
  w += 32
  const end = to + WIDE_BLOCK
  for (let at = to + 64; at < end; at += 64, w += 32) {
    const u = v128.load(w)
    const v = v128.load(w, 16)
    v128.store(at, i16x8.sub(v128.and(u, low), excess))
    v128.store(at, i16x8.shr_s(u, 8), 16)
    v128.store(at, i16x8.sub(v128.and(v, low), excess), 32)
    v128.store(at, i16x8.shr_s(v, 8), 48)
  }
}

function widenQ4 (w: usize, to: usize): void {
  const first = firstNibbles()
  const excess = i16x8.splat(8)
  widenScales(w, to)
  w += 32
  const end = to + WIDE_BLOCK
  for (let at = to + 64; at < end; at += 64, w += 16) {
    const u = v128.load(w)
    v128.store(at, i16x8.sub(v128.and(u, first), excess))
    v128.store(at, i16x8.sub(v128.and(i16x8.shr_u(u, 4), first), excess), 16)
    v128.store(at, i16x8.sub(v128.and(i16x8.shr_u(u, 8), first), excess), 32)
    v128.store(at, i16x8.sub(i16x8.shr_u(u, 12), excess), 48)
  }
}

/** 16 rows, widened, against one rounded row, over some blocks. */
function rowsWide (blocks: i32, x: usize, wide: usize, y: usize, accumulate: bool): void {
  let s0 = f32x4.splat(0); let s1 = s0; let s2 = s0; let s3 = s0
  if (accumulate) {
    s0 = v128.load(y); s1 = v128.load(y, 16); s2 = v128.load(y, 32); s3 = v128.load(y, 48)
  }
  for (; blocks > 0; blocks--) {
    const at = wide
    const end = x + 64
    let i0 = i32x4.splat(0); let i1 = i0; let i2 = i0; let i3 = i0
    do {
      const t = v128.load32_splat(x)
      i0 = dot(i0, t, v128.load(wide, 64))
      i1 = dot(i1, t, v128.load(wide, 80))
      i2 = dot(i2, t, v128.load(wide, 96))
      i3 = dot(i3, t, v128.load(wide, 112))
      x += 4
      wide += 64
    } while (x < end)
    wide += 64
    const d = v128.load32_splat(x)
    s0 = step(s0, f32x4.mul(v128.load(at), d), i0)
    s1 = step(s1, f32x4.mul(v128.load(at, 16), d), i1)
    s2 = step(s2, f32x4.mul(v128.load(at, 32), d), i2)
    s3 = step(s3, f32x4.mul(v128.load(at, 48), d), i3)
    x += 8
  }
  v128.store(y, s0); v128.store(y, s1, 16); v128.store(y, s2, 32); v128.store(y, s3, 48)
}

// @ts-ignore: decorator
@inline
function copyFirst (to: usize, from: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 4) {
    store<f32>(to + i, load<f32>(from + i))
  }
}

/** Of 16 rows, `bytes` of y a row, against all rows of x; `wide` is room for some blocks. */
function groupWide (type: i32, m: i32, columns: i32, x: usize, w: usize, wide: usize, y: usize, yLine: usize, bytes: usize, accumulate: bool): void {
  const line = <usize>(columns >> 5) * ROUNDED_BLOCK
  const stored = groupBytes(type, 32)
  for (let p = 0; p < columns >> 5; p += WIDE_BLOCKS) {
    const blocks = min(WIDE_BLOCKS, (columns >> 5) - p)
    for (let i = 0; i < blocks; i++) {
      if (type == Q8) {
        widenQ8(w, wide + <usize>i * WIDE_BLOCK)
      } else {
        widenQ4(w, wide + <usize>i * WIDE_BLOCK)
      }
      w += stored
    }
    const add = accumulate || p > 0
    let from = x + <usize>p * ROUNDED_BLOCK
    let to = y
    for (let i = 0; i < m; i++) {
      if (bytes == 64) {
        rowsWide(blocks, from, wide, to, add)
      } else {
        copyFirst(edge, to, bytes)
        rowsWide(blocks, from, wide, edge, add)
        copyFirst(to, edge, bytes)
      }
      from += line
      to += yLine
    }
  }
}

/**
 * y[m,rows] (+)= x·Wᵀ for m below WIDE_ROWS and rows a multiple of 64. Each quarter of the rows is read in order beside
 * the others: a processor fetches ahead in every place where it sees memory read in order, so four places give
 * half as much again as one, and what one waits for does not hold up the arithmetic of the others.
 */
function quarters (type: i32, m: i32, rows: i32, columns: i32, x: usize, packed: usize, y: usize, yLine: usize, accumulate: bool): void {
  const group = groupBytes(type, columns)
  const line = <usize>(columns >> 5) * ROUNDED_BLOCK
  const apart = <usize>(rows >> 6) * group
  for (let j = 0; j < rows; j += 64, packed += group, y += 64) {
    let from = x
    let to = y
    for (let i = 0; i < m; i++, from += line, to += yLine) {
      if (!accumulate) {
        for (let k = 0; k < 4; k++) {
          zero(to + <usize>(k * rows), 16)
        }
      }
      if (type == Q8) {
        fourGroupsQ8(columns, from, packed, apart, to, <usize>rows)
      } else {
        fourGroupsQ4(columns, from, packed, apart, to, <usize>rows)
      }
    }
  }
}

/** y[m,rows] (+)= x·Wᵀ for rounded x[m,columns]; scratch is room for WIDE_BLOCKS blocks. */
export function multiplyRounded (type: i32, m: i32, rows: i32, columns: i32, x: usize, packed: usize, scratch: usize, y: usize, yRow: i32, accumulate: bool): void {
  const group = groupBytes(type, columns)
  const line = <usize>(columns >> 5) * ROUNDED_BLOCK
  const yLine = <usize>yRow << 2
  let j = 0
  if (m < WIDE_ROWS) {
    j = rows & ~63
    quarters(type, m, j, columns, x, packed, y, yLine, accumulate)
    packed += <usize>(j >> 4) * group
    y += <usize>j << 2
  }
  for (; j < rows; j += 16) {
    const bytes = <usize>min(rows - j, 16) << 2
    if (m >= WIDE_ROWS) {
      groupWide(type, m, columns, x, packed, scratch, y, yLine, bytes, accumulate)
    } else {
      let from = x
      let to = y
      for (let i = 0; i < m; i++) {
        const at = bytes < 64 ? edge : to
        if (at == edge) {
          copyFirst(edge, to, bytes)
        }
        if (type == Q8) {
          rowsQ8(columns, from, packed, at, accumulate)
        } else {
          rowsQ4(columns, from, packed, at, accumulate)
        }
        if (at == edge) {
          copyFirst(to, edge, bytes)
        }
        from += line
        to += yLine
      }
    }
    packed += group
    y += 64
  }
}
