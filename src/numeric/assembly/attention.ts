/**
 * Causal grouped-query attention of all heads in one call. Query i sees keys 0 … n − m + i. Probabilities
 * P [heads·m, attentionLine(n)] are zero behind those. Nothing that no query sees enters a sum, which changes
 * no bit: a sum that starts from +0 is the same with and without terms of zero.
 */
import { packColumns } from './gemm'
import { zero } from './rows'
import { joined, softmaxRows } from './softmax'
import { product } from './strided'

/** See ATTENDED_ROWS in ../constants.ts. */
const ROWS: i32 = 64

/** Columns of P: padded to whole panels, and an odd number of them, so that rows do not share their sets of a cache. */
// @ts-ignore: decorator
@inline
function lineOf (n: i32): i32 {
  return ((n + 7) & ~7) | 8
}

/** x = x_h·y_gᵀ of `rows` queries, of which the last sees `end` columns; y_g in panels. */
// @ts-ignore: decorator
@inline
function scores (rows: i32, end: i32, headDim: i32, x: usize, xLine: usize, panels: usize, out: usize, line: usize): void {
  for (let i = 0; i < rows; i += 4) {
    const some = min(4, rows - i)
    product(some, (end - rows + i + some + 7) & ~7, headDim, x, xLine, 4, panels, 32, <usize>headDim << 5, out, line, false)
    x += xLine << 2
    out += line << 2
  }
}

/** out_h = S_h·y_g of the same rows. */
// @ts-ignore: decorator
@inline
function mix (rows: i32, end: i32, headDim: i32, s: usize, line: usize, y: usize, yLine: usize, out: usize, outLine: usize): void {
  let visible = end - rows
  for (; rows > 0; rows -= 4) {
    // rows that are left are zero up to the end of their own vector only
    const some = rows < 4 ? 1 : 4
    visible += some
    product(some, headDim, visible, s, line, 4, y, yLine, 32, out, outLine, false)
    s += line * <usize>some
    out += outLine * <usize>some
    rows += 4 - some
  }
}

/** out_g += S_hᵀ·x_h over the same rows. */
// @ts-ignore: decorator
@inline
function collect (rows: i32, end: i32, headDim: i32, s: usize, line: usize, x: usize, xLine: usize, out: usize, outLine: usize): void {
  for (let j = 0; j < end; j += 4) {
    // the first row that sees column j
    const from = max(0, j - (end - rows))
    product(min(4, end - j), headDim, rows - from, s + <usize>from * line, 4, line, x + <usize>from * xLine, xLine, 32, out, outLine, true)
    s += 16
    out += outLine << 2
  }
}

/** P and y [m, heads·headDim] from q, scaled already, k and v; a row whose scores are not finite becomes NaN. */
export function attend (
  m: i32, n: i32, heads: i32, kvHeads: i32, headDim: i32, q: usize, k: usize, v: usize, scratch: usize, p: usize, y: usize, keep: bool
): void {
  const shared = heads / kvHeads
  const qLine = <usize>(heads * headDim) << 2
  const kLine = <usize>(kvHeads * headDim) << 2
  const columns = lineOf(n)
  const line = <usize>columns << 2
  for (let h = 0; h < heads; h++) {
    const group = <usize>(h / shared * headDim) << 2
    const head = <usize>(h * headDim) << 2
    if (h % shared == 0) {
      packColumns(n, headDim, k + group, 1, kvHeads * headDim, scratch)
    }
    for (let row = 0; row < m; row += ROWS) {
      const rows = min(ROWS, m - row)
      const first = n - m + row + 1
      const at = <usize>row * qLine + head
      scores(rows, first + rows - 1, headDim, q + at, qLine, scratch, p, line)
      softmaxRows(rows, first, columns, p, line)
      mix(rows, first + rows - 1, headDim, p, line, v + group, kLine, y + at, qLine)
      if (keep) {
        p += <usize>rows * line
      }
    }
  }
}

/** The sum of P·S along a row in four parts; S is zero where P is. */
function dots (width: i32, p: usize, s: usize): v128 {
  const end = p + (<usize>width << 2)
  let sum = f32x4.splat(0)
  for (; p < end; p += 16) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(p), v128.load(s)))
    s += 16
  }
  return sum
}

// @ts-ignore: decorator
@inline
function slope (width: i32, p: usize, s: usize, sum: v128): void {
  for (const end = p + (<usize>width << 2); p < end; p += 16) {
    v128.store(s, f32x4.mul(v128.load(p), f32x4.sub(v128.load(s), sum)))
    s += 16
  }
}

/** Zeros where a row sees nothing, from column `visible` up to `width`, a multiple of 4. */
function hide (visible: i32, width: i32, x: usize): void {
  for (let j = visible & ~3; j < width; j += 4) {
    const lanes = i32x4.lt_s(i32x4.add(i32x4.splat(j), i32x4(0, 1, 2, 3)), i32x4.splat(visible))
    const at = x + (<usize>j << 2)
    v128.store(at, v128.and(v128.load(at), lanes))
  }
}

/** S = P·(S − P·S) over what the rows see, else 0 up to the next vector. */
function slopes (rows: i32, visible: i32, p: usize, s: usize, line: usize): void {
  let i = 0
  for (; i + 4 <= rows; i += 4) {
    const width = (visible + 6) & ~3
    for (let j = 0; j < 4; j++) {
      hide(visible + j, width, s + <usize>j * line)
    }
    const sums = joined(dots(width, p, s), dots(width, p + line, s + line), dots(width, p + 2 * line, s + 2 * line), dots(width, p + 3 * line, s + 3 * line))
    slope(width, p, s, i32x4.shuffle(sums, sums, 0, 0, 0, 0))
    slope(width, p + line, s + line, i32x4.shuffle(sums, sums, 1, 1, 1, 1))
    slope(width, p + 2 * line, s + 2 * line, i32x4.shuffle(sums, sums, 2, 2, 2, 2))
    slope(width, p + 3 * line, s + 3 * line, i32x4.shuffle(sums, sums, 3, 3, 3, 3))
    for (let j = 0; j < 4; j++) {
      hide(visible + j, width, s + <usize>j * line)
    }
    visible += 4
    p += line << 2
    s += line << 2
  }
  for (; i < rows; i++) {
    const width = (visible + 3) & ~3
    hide(visible, width, s)
    const sum = dots(width, p, s)
    slope(width, p, s, joined(sum, sum, sum, sum))
    visible++
    p += line
    s += line
  }
}

/** Cotangents of q (scaled), k and v from that of y; those at address 0 are left out. */
export function attendBack (
  m: i32, n: i32, heads: i32, kvHeads: i32, headDim: i32, q: usize, k: usize, v: usize, p: usize, dy: usize, scratch: usize, dq: usize, dk: usize, dv: usize
): void {
  const shared = heads / kvHeads
  const qLine = <usize>(heads * headDim) << 2
  const kLine = <usize>(kvHeads * headDim) << 2
  const columns = lineOf(n)
  const line = <usize>columns << 2
  const s = scratch + (<usize>((n + 7) & ~7) * <usize>headDim << 2)
  if (dk != 0) {
    zero(dk, n * kvHeads * headDim)
  }
  if (dv != 0) {
    zero(dv, n * kvHeads * headDim)
  }
  for (let h = 0; h < heads; h++) {
    const group = <usize>(h / shared * headDim) << 2
    const head = <usize>(h * headDim) << 2
    if (h % shared == 0 && (dq != 0 || dk != 0)) {
      packColumns(n, headDim, v + group, 1, kvHeads * headDim, scratch)
    }
    for (let row = 0; row < m; row += ROWS) {
      const rows = min(ROWS, m - row)
      const end = n - m + row + rows
      const at = <usize>row * qLine + head
      if (dv != 0) {
        collect(rows, end, headDim, p, line, dy + at, qLine, dv + group, kLine)
      }
      if (dq != 0 || dk != 0) {
        scores(rows, end, headDim, dy + at, qLine, scratch, s, line)
        slopes(rows, end - rows + 1, p, s, line)
      }
      if (dk != 0) {
        collect(rows, end, headDim, s, line, q + at, qLine, dk + group, kLine)
      }
      if (dq != 0) {
        mix(rows, end, headDim, s, line, k + group, kLine, dq + at, qLine)
      }
      p += <usize>rows * line
    }
  }
}
