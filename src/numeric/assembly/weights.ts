/**
 * Products with frozen weights that are decoded on the way. Decoding is exact: a quant times its f16
 * scale has at most 19 significant bits, so that every weight is the f32 number that it stands for,
 * and every sum has the bits of `gemm` over those numbers.
 */
import { BLOCK, edgeRows, packRows, tile } from './gemm'
import { halfBits, lowSigns, nibbleSigns, q4Power, q8Power, topByte, topHalf, topNibble } from './kept'
import { row8 } from './lines'
import { edge } from './statics'
import { BF16, columnOffset, F32, groupBytes, Q8 } from './weights-layout'

/** Bytes of one decoded panel: [BLOCK][8]. */
const PANEL: usize = <usize>BLOCK << 5

/** Four f16 scales times 2^−shift as f32; `power` is 2^(112 − shift). Exact, subnormals too. */
// @ts-ignore: decorator
@inline
function scales (at: usize, power: v128): v128 {
  return f32x4.mul(v128.and(i32x4.shl(v128.load16x4_s(at), 13), halfBits()), power)
}

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
function fourGroupsBf16 (columns: i32, x: usize, w: usize, apart: usize, y: usize, yApart: usize, accumulate: bool): void {
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
function single (type: i32, columns: i32, x: usize, w: usize, y: usize, accumulate: bool): void {
  if (type == BF16) {
    singleBf16(columns, x, w, y, accumulate)
  } else if (type == Q8) {
    singleQ8(columns, x, w, y, accumulate)
  } else {
    singleQ4(columns, x, w, y, accumulate)
  }
}

// @ts-ignore: decorator
@inline
function put (to: usize, d: v128, x: v128): void {
  v128.store(to, f32x4.mul(d, f32x4.convert_i32x4_s(x)))
}

/** Decodes `steps` columns of a group from `w` on into two panels of 8 rows, [steps][8], `apart` bytes apart. */
function expand (type: i32, steps: i32, w: usize, to: usize, apart: usize): void {
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

/**
 * Adds A·B to up to 8 columns of C for `steps` of k: B is one panel, the first `whole` rows of A are
 * packed by 4 with `k` steps each, of which this uses those from `ap` on, the others lie at `x`.
 */
function panelRows (
  m: i32, whole: i32, steps: i32, k: i32, ap: usize, x: usize, xLine: usize, bp: usize, c: usize, line: usize, columns: i32, accumulate: bool
): void {
  const end = bp + (<usize>steps << 5)
  if (columns < 8) {
    edgeRows(whole, ap, <usize>k << 4, bp, end, c, line, columns, accumulate)
    c += <usize>whole * line
  } else {
    for (let i = 0; i < whole; i += 4) {
      tile(ap, bp, end, c, line, accumulate)
      ap += <usize>k << 4
      c += 4 * line
    }
  }
  for (let i = whole; i < m; i++) {
    if (columns >= 8) {
      row8(steps, x, 4, bp, 32, c, accumulate)
    } else {
      const bytes = <usize>columns << 2
      memory.copy(edge, c, bytes)
      row8(steps, x, 4, bp, 32, edge, accumulate)
      memory.copy(c, edge, bytes)
    }
    x += xLine
    c += line
  }
}

/** y[m,rows] (+)= x[m,columns]·Wᵀ for decoded types. */
function decoded (type: i32, m: i32, rows: i32, columns: i32, x: usize, xRow: i32, packed: usize, scratch: usize, y: usize, yRow: i32, accumulate: bool): void {
  const group = groupBytes(type, columns)
  const whole = m & ~3
  const rest = x + (<usize>(whole * xRow) << 2)
  const panels = scratch + (<usize>(whole * columns) << 2)
  packRows(whole, columns, x, xRow, 1, scratch)
  for (let p = 0; p < columns; p += BLOCK) {
    const steps = min(BLOCK, columns - p)
    const add = accumulate || p > 0
    let w = packed + columnOffset(type, p)
    for (let j = 0; j < rows; j += 8) {
      if ((j & 8) == 0) {
        expand(type, steps, w, panels, PANEL)
        w += group
      }
      panelRows(m, whole, steps, columns, scratch + (<usize>p << 4), rest + (<usize>p << 2), <usize>xRow << 2,
        panels + ((j & 8) == 0 ? 0 : PANEL), y + (<usize>j << 2), <usize>yRow << 2, rows - j, add)
    }
  }
}

/** Rows of x up to which decoding bf16 again for each costs less than decoding it once into panels. */
const FEW_ROWS: i32 = 3

/** For rows a multiple of 64, of which each quarter is read in order beside the others (see `quarters` of ./integers). */
function quartersBf16 (m: i32, rows: i32, columns: i32, x: usize, xLine: usize, packed: usize, y: usize, yLine: usize, accumulate: bool): void {
  const group = groupBytes(BF16, columns)
  const apart = <usize>(rows >> 6) * group
  for (let j = 0; j < rows; j += 64, packed += group, y += 64) {
    let from = x
    let to = y
    for (let i = 0; i < m; i++, from += xLine, to += yLine) {
      fourGroupsBf16(columns, from, packed, apart, to, <usize>rows, accumulate)
    }
  }
}

/** y[m,rows] (+)= x[m,columns]·Wᵀ, strictly sequential in the columns. */
export function multiplyWeights (type: i32, m: i32, rows: i32, columns: i32, x: usize, xRow: i32, packed: usize, scratch: usize, y: usize, yRow: i32, accumulate: bool): void {
  if (m > (type == BF16 ? FEW_ROWS : 1)) {
    decoded(type, m, rows, columns, x, xRow, packed, scratch, y, yRow, accumulate)
    return
  }
  const group = groupBytes(type, columns)
  const xLine = <usize>xRow << 2
  const yLine = <usize>yRow << 2
  let j = 0
  if (type == BF16) {
    j = rows & ~63
    quartersBf16(m, j, columns, x, xLine, packed, y, yLine, accumulate)
    packed += <usize>(j >> 4) * group
    y += <usize>j << 2
  }
  for (; j < rows; j += 16, packed += group, y += 64) {
    const bytes = <usize>min(rows - j, 16) << 2
    let from = x
    let to = y
    for (let i = 0; i < m; i++, from += xLine, to += yLine) {
      if (bytes == 64) {
        single(type, columns, from, packed, to, accumulate)
      } else {
        memory.copy(edge, to, bytes)
        single(type, columns, from, packed, edge, accumulate)
        memory.copy(to, edge, bytes)
      }
    }
  }
}

/** [count][8] at `from` to 8 columns of `count` lines, in four lines of panels of 8: [8][8] each. */
function turn (from: usize, to: usize): void {
  for (let i: usize = 0; i < 4; i++) {
    for (let half: usize = 0; half < 2; half++) {
      const line = from + (i << 8) + (half << 7)
      transpose(line, to + i * PANEL + (half << 4))
      transpose(line + 16, to + i * PANEL + (half << 4) + 128)
    }
  }
}

/** 4×4 numbers, lines 32 bytes apart on both sides. */
// @ts-ignore: decorator
@inline
function transpose (from: usize, to: usize): void {
  const r0 = v128.load(from)
  const r1 = v128.load(from, 32)
  const r2 = v128.load(from, 64)
  const r3 = v128.load(from, 96)
  const t0 = i32x4.shuffle(r0, r1, 0, 4, 1, 5)
  const t1 = i32x4.shuffle(r2, r3, 0, 4, 1, 5)
  const t2 = i32x4.shuffle(r0, r1, 2, 6, 3, 7)
  const t3 = i32x4.shuffle(r2, r3, 2, 6, 3, 7)
  v128.store(to, i64x2.shuffle(t0, t1, 0, 2))
  v128.store(to, i64x2.shuffle(t0, t1, 1, 3), 32)
  v128.store(to, i64x2.shuffle(t2, t3, 0, 2), 64)
  v128.store(to, i64x2.shuffle(t2, t3, 1, 3), 96)
}

/**
 * Rows p … p + steps of W and 32 columns from q on as right operand: four panels of 8 columns,
 * [steps][8], PANEL bytes apart. Decodes 16 rows at a time into `buffer` (2 panels of 32 columns).
 */
function turnBlock (type: i32, rows: i32, columns: i32, p: i32, steps: i32, q: i32, packed: usize, buffer: usize, to: usize): void {
  const group = groupBytes(type, columns)
  const count = min(32, columns - q)
  let w = packed + <usize>(p >> 4) * group + columnOffset(type, q)
  const second: usize = type == F32 ? <usize>columns << 5 : 1024
  for (let i = 0; i < steps; i += 16) {
    let from = w
    if (type != F32) {
      expand(type, count, w, buffer, 1024)
      from = buffer
    }
    turn(from, to)
    if (p + i + 8 < rows) {
      turn(from + second, to + 256)
    }
    w += group
    to += 512
  }
}

/** Columns from … to of y[m,columns] (+)= x[m,rows]·W, strictly sequential in the rows; `from` is a multiple of 32. */
export function multiplyWeightsBack (
  type: i32, m: i32, rows: i32, columns: i32, x: usize, xRow: i32, packed: usize, scratch: usize, y: usize, yRow: i32, accumulate: bool, from: i32, to: i32
): void {
  const whole = m & ~3
  const rest = x + (<usize>(whole * xRow) << 2)
  const buffer = scratch + (<usize>(whole * rows) << 2)
  const panels = buffer + 2048
  packRows(whole, rows, x, xRow, 1, scratch)
  for (let p = 0; p < rows; p += BLOCK) {
    const steps = min(BLOCK, rows - p)
    for (let q = from; q < to; q += 32) {
      turnBlock(type, rows, columns, p, steps, q, packed, buffer, panels)
      for (let j = q; j < min(q + 32, to); j += 8) {
        panelRows(m, whole, steps, rows, scratch + (<usize>p << 4), rest + (<usize>p << 2), <usize>xRow << 2,
          panels + <usize>((j - q) >> 3) * PANEL, y + (<usize>j << 2), <usize>yRow << 2, to - j, accumulate || p > 0)
      }
    }
  }
}

/** y[i,:] = W[ids[i],:], ids as i32. */
export function gatherWeights (type: i32, columns: i32, count: i32, ids: usize, packed: usize, scratch: usize, y: usize): void {
  const group = groupBytes(type, columns)
  for (let i = 0; i < count; i++) {
    const row = load<i32>(ids + (<usize>i << 2))
    const c = row & 15
    if (type == F32) {
      let from = packed + <usize>(row >> 3) * (<usize>columns << 5) + (<usize>(row & 7) << 2)
      for (let column = 0; column < columns; column++, from += 32, y += 4) {
        store<f32>(y, load<f32>(from))
      }
      continue
    }
    let w = packed + <usize>(row >> 4) * group
    for (let q = 0; q < columns; q += 32) {
      const steps = min(32, columns - q)
      expand(type, steps, w, scratch, 1024)
      let from = scratch + <usize>(((c >> 3) << 10) | ((c & 7) << 2))
      for (let s = 0; s < steps; s++, from += 32, y += 4) {
        store<f32>(y, load<f32>(from))
      }
      w += columnOffset(type, 32)
    }
  }
}
