/**
 * Products with frozen weights that are decoded on the way. Decoding is exact: a quant times its f16
 * scale has at most 19 significant bits, so that every weight is the f32 number that it stands for,
 * and every sum has the bits of `gemm` over those numbers.
 */
import { BLOCK, edgeRows, packRows, tile } from './gemm'
import { row8 } from './lines'
import { edge } from './statics'
import { expand } from './weights-decode'
import { BF16, columnOffset, F32, groupBytes } from './weights-layout'
import { fourGroupsBf16, single } from './weights-rows'

/** Bytes of one decoded panel: [BLOCK][8]. */
const PANEL: usize = <usize>BLOCK << 5

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
