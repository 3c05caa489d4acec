/** Several rounded rows of x against 16 rows of quants, which are widened once for all of them. */
import { dot, step } from './integers-rows'
import { firstNibbles, halfBits, halfPower, lowBytes } from './kept'
import { ROUNDED_BLOCK } from './rounding'
import { edge } from './statics'
import { groupBytes, Q8 } from './weights-layout'

/** Blocks of 32 columns that are widened at once: with a row of x they stay in the first-level cache. */
const WIDE_BLOCKS: i32 = 8
/** Rows from which on widening first costs less than widening for each. */
export const WIDE_ROWS: i32 = 6

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
export function copyFirst (to: usize, from: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 4) {
    store<f32>(to + i, load<f32>(from + i))
  }
}

/** Of 16 rows, `bytes` of y a row, against all rows of x; `wide` is room for some blocks. */
export function groupWide (type: i32, m: i32, columns: i32, x: usize, w: usize, wide: usize, y: usize, yLine: usize, bytes: usize, accumulate: bool): void {
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
