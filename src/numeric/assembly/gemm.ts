/**
 * C[m,n] (+)= A[m,k]·B[k,n] in f32, strictly sequential in k: each element of C is one chain of
 * multiply, round, add, round, whatever the tile it falls into. Registers hold a 4×8 tile of C.
 *
 * Packed B: panels of 8 columns, each [k][8], the last padded with zeros. Packed A: panels of 4
 * rows, each [k][4]. All strides come in elements.
 */
import { loadTile, putFirst, row } from './lines'
import { tileStatic } from './statics'
import { product } from './strided'

/** Steps of k for which panels of A and B stay in the first-level cache. */
export const BLOCK: i32 = 384

/** Steps of k up to which lines of unpacked operands stay there too: what is not packed before is multiplied where it lies. */
const DIRECT: i32 = 256

// @ts-ignore: decorator
@inline
function transposeStore (r0: v128, r1: v128, r2: v128, r3: v128, to: usize, step: usize): void {
  const t0 = i32x4.shuffle(r0, r1, 0, 4, 1, 5)
  const t1 = i32x4.shuffle(r2, r3, 0, 4, 1, 5)
  const t2 = i32x4.shuffle(r0, r1, 2, 6, 3, 7)
  const t3 = i32x4.shuffle(r2, r3, 2, 6, 3, 7)
  v128.store(to, i64x2.shuffle(t0, t1, 0, 2))
  v128.store(to + step, i64x2.shuffle(t0, t1, 1, 3))
  v128.store(to + 2 * step, i64x2.shuffle(t2, t3, 0, 2))
  v128.store(to + 3 * step, i64x2.shuffle(t2, t3, 1, 3))
}

/** Four lines of length k at x, x + line, …, each contiguous, to [k][width] at `to`. */
function packLines (k: i32, x: usize, line: usize, to: usize, width: usize): void {
  let p = 0
  for (; p + 4 <= k; p += 4) {
    transposeStore(v128.load(x), v128.load(x + line), v128.load(x + 2 * line), v128.load(x + 3 * line), to, width)
    x += 16
    to += 4 * width
  }
  for (; p < k; p++) {
    store<f32>(to, load<f32>(x))
    store<f32>(to, load<f32>(x + line), 4)
    store<f32>(to, load<f32>(x + 2 * line), 8)
    store<f32>(to, load<f32>(x + 3 * line), 12)
    x += 4
    to += width
  }
}

/** One panel of `width` (4 or 8) of which only `used` lines exist. */
function packAny (k: i32, used: i32, x: usize, line: usize, step: usize, to: usize, width: i32): void {
  for (let p = 0; p < k; p++) {
    for (let i = 0; i < width; i++) {
      store<f32>(to + (<usize>i << 2), i < used ? load<f32>(x + <usize>i * line) : 0)
    }
    x += step
    to += <usize>width << 2
  }
}

/** The second halves of a panel. */
function zeroHalves (k: i32, to: usize): void {
  for (; k > 0; k--) {
    v128.store(to, f32x4.splat(0))
    to += 32
  }
}

/** Lines of k elements into panels of 8. */
export function packColumns (n: i32, k: i32, b: usize, bRow: i32, bColumn: i32, packed: usize): void {
  const line = <usize>bColumn << 2
  const step = <usize>bRow << 2
  for (let j = 0; j < n; j += 8) {
    if (j + 4 == n && bRow == 1) {
      packLines(k, b, line, packed, 32)
      zeroHalves(k, packed + 16)
    } else if (j + 8 > n) {
      packAny(k, n - j, b, line, step, packed, 8)
    } else if (bColumn == 1) {
      let x = b
      let to = packed
      for (let p = 0; p < k; p++) {
        v128.store(to, v128.load(x))
        v128.store(to, v128.load(x, 16), 16)
        x += step
        to += 32
      }
    } else if (bRow == 1) {
      packLines(k, b, line, packed, 32)
      packLines(k, b + 4 * line, line, packed + 16, 32)
    } else {
      packAny(k, 8, b, line, step, packed, 8)
    }
    b += 8 * line
    packed += <usize>k << 5
  }
}

/** The rows of A, a multiple of 4, into panels of 4. */
export function packRows (m: i32, k: i32, a: usize, aRow: i32, aColumn: i32, packed: usize): void {
  const line = <usize>aRow << 2
  const step = <usize>aColumn << 2
  for (let i = 0; i < m; i += 4) {
    if (aColumn == 1) {
      packLines(k, a, line, packed, 16)
    } else if (aRow == 1) {
      let x = a
      let to = packed
      for (let p = 0; p < k; p++) {
        v128.store(to, v128.load(x))
        x += step
        to += 16
      }
    } else {
      packAny(k, 4, a, line, step, packed, 4)
    }
    a += 4 * line
    packed += <usize>k << 4
  }
}

/** One 4×8 tile over steps of k until bp reaches `end`. */
export function tile (ap: usize, bp: usize, end: usize, c: usize, line: usize, accumulate: bool): void {
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
  do {
    const b0 = v128.load(bp)
    const b1 = v128.load(bp, 16)
    const a0 = v128.load32_splat(ap)
    s00 = f32x4.add(s00, f32x4.mul(a0, b0))
    s01 = f32x4.add(s01, f32x4.mul(a0, b1))
    const a1 = v128.load32_splat(ap, 4)
    s10 = f32x4.add(s10, f32x4.mul(a1, b0))
    s11 = f32x4.add(s11, f32x4.mul(a1, b1))
    const a2 = v128.load32_splat(ap, 8)
    s20 = f32x4.add(s20, f32x4.mul(a2, b0))
    s21 = f32x4.add(s21, f32x4.mul(a2, b1))
    const a3 = v128.load32_splat(ap, 12)
    s30 = f32x4.add(s30, f32x4.mul(a3, b0))
    s31 = f32x4.add(s31, f32x4.mul(a3, b1))
    ap += 16
    bp += 32
  } while (bp < end)
  v128.store(c, s00); v128.store(c, s01, 16)
  v128.store(c1, s10); v128.store(c1, s11, 16)
  v128.store(c2, s20); v128.store(c2, s21, 16)
  v128.store(c3, s30); v128.store(c3, s31, 16)
}

/** A tile of 4 rows and `columns` < 8 columns, by way of tileStatic. */
export function tileEdge (ap: usize, bp: usize, end: usize, c: usize, line: usize, columns: i32, accumulate: bool): void {
  if (accumulate) {
    loadTile(c, line)
  }
  tile(ap, bp, end, tileStatic, 32, accumulate)
  for (let i: usize = 0; i < 4; i++) {
    putFirst(c + i * line, tileStatic + (i << 5), columns)
  }
}

/** Exactly 4 columns of 8 rows, whose second panel lies `panel` bytes on: a whole tile would compute half in vain. */
function tileNarrow (ap: usize, panel: usize, bp: usize, end: usize, c: usize, line: usize, accumulate: bool): void {
  const c4 = c + 4 * line
  let s0 = f32x4.splat(0); let s1 = s0; let s2 = s0; let s3 = s0
  let s4 = s0; let s5 = s0; let s6 = s0; let s7 = s0
  if (accumulate) {
    s0 = v128.load(c); s1 = v128.load(c + line); s2 = v128.load(c + 2 * line); s3 = v128.load(c + 3 * line)
    s4 = v128.load(c4); s5 = v128.load(c4 + line); s6 = v128.load(c4 + 2 * line); s7 = v128.load(c4 + 3 * line)
  }
  let second = ap + panel
  do {
    const b = v128.load(bp)
    s0 = f32x4.add(s0, f32x4.mul(v128.load32_splat(ap), b))
    s1 = f32x4.add(s1, f32x4.mul(v128.load32_splat(ap, 4), b))
    s2 = f32x4.add(s2, f32x4.mul(v128.load32_splat(ap, 8), b))
    s3 = f32x4.add(s3, f32x4.mul(v128.load32_splat(ap, 12), b))
    s4 = f32x4.add(s4, f32x4.mul(v128.load32_splat(second), b))
    s5 = f32x4.add(s5, f32x4.mul(v128.load32_splat(second, 4), b))
    s6 = f32x4.add(s6, f32x4.mul(v128.load32_splat(second, 8), b))
    s7 = f32x4.add(s7, f32x4.mul(v128.load32_splat(second, 12), b))
    ap += 16
    second += 16
    bp += 32
  } while (bp < end)
  v128.store(c, s0); v128.store(c + line, s1); v128.store(c + 2 * line, s2); v128.store(c + 3 * line, s3)
  v128.store(c4, s4); v128.store(c4 + line, s5); v128.store(c4 + 2 * line, s6); v128.store(c4 + 3 * line, s7)
}

/** The last `columns` < 8 columns of `whole` rows. */
export function edgeRows (whole: i32, ap: usize, panel: usize, bp: usize, end: usize, c: usize, line: usize, columns: i32, accumulate: bool): void {
  let i = 0
  for (; columns == 4 && i + 8 <= whole; i += 8) {
    tileNarrow(ap, panel, bp, end, c, line, accumulate)
    ap += 2 * panel
    c += 8 * line
  }
  for (; i < whole; i += 4) {
    tileEdge(ap, bp, end, c, line, columns, accumulate)
    ap += panel
    c += 4 * line
  }
}

export function gemm (
  m: i32, n: i32, k: i32, a: usize, aRow: i32, aColumn: i32,
  b: usize, bRow: i32, bColumn: i32, packed: usize, scratch: usize,
  c: usize, cRow: i32, accumulate: bool
): void {
  const line = <usize>cRow << 2
  const whole = m & ~3
  let panels = packed
  let step: usize = 32
  let panel = <usize>k << 5
  const direct = packed == 0 && k <= DIRECT
  if (panels == 0 && (whole == 0 || direct) && bColumn == 1) {
    // a few rows or steps against an unpacked B: packing would cost as much as the product
    panels = b
    step = <usize>bRow << 2
    panel = 32
  } else if (panels == 0) {
    packColumns(n, k, b, bRow, bColumn, scratch)
    panels = scratch
    scratch += <usize>((n + 7) >> 3) * panel
  }
  if (direct) {
    product(m, n, k, a, <usize>aRow << 2, <usize>aColumn << 2, panels, step, panel, c, line, accumulate)
    return
  }
  if (whole > 0) {
    packRows(whole, k, a, aRow, aColumn, scratch)
  }
  for (let p = 0; p < k && whole > 0; p += BLOCK) {
    const steps = <usize>min(BLOCK, k - p) << 5
    const add = accumulate || p > 0
    for (let j = 0; j < n; j += 8) {
      const bp = panels + <usize>(j >> 3) * panel + (<usize>p << 5)
      let ap = scratch + (<usize>p << 4)
      let to = c + (<usize>j << 2)
      if (j + 8 > n) {
        edgeRows(whole, ap, <usize>k << 4, bp, bp + steps, to, line, n - j, add)
        continue
      }
      for (let i = 0; i < whole; i += 4) {
        tile(ap, bp, bp + steps, to, line, add)
        ap += <usize>k << 4
        to += 4 * line
      }
    }
  }
  for (let i = whole; i < m; i++) {
    row(n, k, a + (<usize>(i * aRow) << 2), <usize>aColumn << 2, panels, step, panel, c + <usize>i * line, accumulate)
  }
}
