/**
 * Products of operands where they lie, nothing packed: for few columns, packing A would cost as much as the
 * product. Sums are those of gemm. All distances are bytes: from row to row of A and C, from step to step of
 * the inner dimension in A and B, from panel to panel of 8 columns in B (32 if its rows are contiguous).
 */
import { loadTile, putFirst, row } from './lines'
import { tileStatic } from './statics'

/** 4 rows of C, all its whole panels: one call for many tiles, since short ones are over before a call is. */
function tilesOf (
  panels: i32, k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, panel: usize, c: usize, line: usize, accumulate: bool
): void {
  const far = aStep * <usize>k
  let a1 = a + aRow
  let a2 = a1 + aRow
  let a3 = a2 + aRow
  for (; panels > 0; panels--) {
    const c1 = c + line
    const c2 = c1 + line
    const c3 = c2 + line
    let s00 = f32x4.splat(0); let s01 = s00
    let s10 = s00; let s11 = s00
    let s20 = s00; let s21 = s00
    let s30 = s00; let s31 = s00
    if (accumulate) {
      s00 = v128.load(c); s01 = v128.load(c, 16)
      s10 = v128.load(c1); s11 = v128.load(c1, 16)
      s20 = v128.load(c2); s21 = v128.load(c2, 16)
      s30 = v128.load(c3); s31 = v128.load(c3, 16)
    }
    const end = a + far
    let y = b
    do {
      const b0 = v128.load(y)
      const b1 = v128.load(y, 16)
      const x0 = v128.load32_splat(a)
      s00 = f32x4.add(s00, f32x4.mul(x0, b0))
      s01 = f32x4.add(s01, f32x4.mul(x0, b1))
      const x1 = v128.load32_splat(a1)
      s10 = f32x4.add(s10, f32x4.mul(x1, b0))
      s11 = f32x4.add(s11, f32x4.mul(x1, b1))
      const x2 = v128.load32_splat(a2)
      s20 = f32x4.add(s20, f32x4.mul(x2, b0))
      s21 = f32x4.add(s21, f32x4.mul(x2, b1))
      const x3 = v128.load32_splat(a3)
      s30 = f32x4.add(s30, f32x4.mul(x3, b0))
      s31 = f32x4.add(s31, f32x4.mul(x3, b1))
      a += aStep
      a1 += aStep
      a2 += aStep
      a3 += aStep
      y += bStep
    } while (a < end)
    v128.store(c, s00); v128.store(c, s01, 16)
    v128.store(c1, s10); v128.store(c1, s11, 16)
    v128.store(c2, s20); v128.store(c2, s21, 16)
    v128.store(c3, s30); v128.store(c3, s31, 16)
    a -= far
    a1 -= far
    a2 -= far
    a3 -= far
    b += panel
    c += 32
  }
}

/** 4×4 of C: a whole tile would compute half in vain. */
function tileOf4 (k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, c: usize, line: usize, accumulate: bool): void {
  let s0 = f32x4.splat(0); let s1 = s0; let s2 = s0; let s3 = s0
  const c1 = c + line
  const c2 = c1 + line
  const c3 = c2 + line
  if (accumulate) {
    s0 = v128.load(c); s1 = v128.load(c1); s2 = v128.load(c2); s3 = v128.load(c3)
  }
  let a1 = a + aRow
  let a2 = a1 + aRow
  let a3 = a2 + aRow
  do {
    const y = v128.load(b)
    s0 = f32x4.add(s0, f32x4.mul(v128.load32_splat(a), y))
    s1 = f32x4.add(s1, f32x4.mul(v128.load32_splat(a1), y))
    s2 = f32x4.add(s2, f32x4.mul(v128.load32_splat(a2), y))
    s3 = f32x4.add(s3, f32x4.mul(v128.load32_splat(a3), y))
    a += aStep
    a1 += aStep
    a2 += aStep
    a3 += aStep
    b += bStep
  } while (--k > 0)
  v128.store(c, s0); v128.store(c1, s1); v128.store(c2, s2); v128.store(c3, s3)
}

/** 4 rows and up to 8 columns by way of tileStatic. Reads past the ends of rows, and writes none of that. */
function tileRest (columns: i32, k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, c: usize, line: usize, accumulate: bool): void {
  if (accumulate) {
    loadTile(c, line)
  }
  tilesOf(1, k, a, aRow, aStep, b, bStep, 0, tileStatic, 32, accumulate)
  for (let i: usize = 0; i < 4; i++) {
    putFirst(c + i * line, tileStatic + (i << 5), columns)
  }
}

/** C[m,n] (+)= A[m,k]·B[k,n], k ≥ 1. */
export function product (
  m: i32, n: i32, k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, panel: usize, c: usize, line: usize, accumulate: bool
): void {
  const whole = m & ~3
  const panels = n >> 3
  const rest = b + <usize>panels * panel
  let x = a
  let y = c
  for (let i = 0; i < whole; i += 4) {
    tilesOf(panels, k, x, aRow, aStep, b, bStep, panel, y, line, accumulate)
    if ((n & 7) == 4) {
      tileOf4(k, x, aRow, aStep, rest, bStep, y + (<usize>panels << 5), line, accumulate)
    } else if ((n & 7) != 0) {
      tileRest(n & 7, k, x, aRow, aStep, rest, bStep, y + (<usize>panels << 5), line, accumulate)
    }
    x += aRow << 2
    y += line << 2
  }
  for (let i = whole; i < m; i++) {
    row(n, k, x, aStep, b, bStep, panel, y, accumulate)
    x += aRow
    y += line
  }
}
