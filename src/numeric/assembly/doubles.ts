/**
 * f64 kernels, a module of their own: products, Cholesky factors and Jacobi rotations. Every element
 * is one chain of operations in the order of the inner dimension, as the loops of ../reference-doubles.ts
 * have it; lanes and tiles hold different elements, so they change no bit.
 *
 * Lines and sizes are multiples of 4: callers pad with zeros (and ones on a diagonal). Strides come in
 * elements.
 */
export { jacobi } from './doubles-jacobi'

/** What becomes of C: it is added to, subtracted from, or, by any other mode, given the sum of this call. */
const ADD: i32 = 0
const SUBTRACT: i32 = 1

/** Columns that Cholesky and its solver work off one by one; what lies before them is a product. */
const BLOCK: i32 = 32

/** Lines of k elements into panels of 4, each [k][4]. */
function pack (lines: i32, k: i32, x: usize, line: i32, step: i32, to: usize): void {
  const next = <usize>line << 3
  const along = <usize>step << 3
  for (let i = 0; i < lines; i += 4) {
    let at = x
    for (let p = 0; p < k; p++) {
      store<f64>(to, load<f64>(at))
      store<f64>(to, load<f64>(at + next), 8)
      store<f64>(to, load<f64>(at + 2 * next), 16)
      store<f64>(to, load<f64>(at + 3 * next), 24)
      at += along
      to += 32
    }
    x += 4 * next
  }
}

/** One 4×4 tile of C over all steps until bp reaches `end`. */
function tile (mode: i32, ap: usize, bp: usize, end: usize, c: usize, line: usize): void {
  const c1 = c + line
  const c2 = c1 + line
  const c3 = c2 + line
  let s00 = f64x2.splat(0); let s01 = s00
  let s10 = s00; let s11 = s00
  let s20 = s00; let s21 = s00
  let s30 = s00; let s31 = s00
  if (mode == ADD) {
    s00 = v128.load(c); s01 = v128.load(c, 16)
    s10 = v128.load(c1); s11 = v128.load(c1, 16)
    s20 = v128.load(c2); s21 = v128.load(c2, 16)
    s30 = v128.load(c3); s31 = v128.load(c3, 16)
  }
  do {
    const b0 = v128.load(bp)
    const b1 = v128.load(bp, 16)
    const a0 = v128.load64_splat(ap)
    s00 = f64x2.add(s00, f64x2.mul(a0, b0))
    s01 = f64x2.add(s01, f64x2.mul(a0, b1))
    const a1 = v128.load64_splat(ap, 8)
    s10 = f64x2.add(s10, f64x2.mul(a1, b0))
    s11 = f64x2.add(s11, f64x2.mul(a1, b1))
    const a2 = v128.load64_splat(ap, 16)
    s20 = f64x2.add(s20, f64x2.mul(a2, b0))
    s21 = f64x2.add(s21, f64x2.mul(a2, b1))
    const a3 = v128.load64_splat(ap, 24)
    s30 = f64x2.add(s30, f64x2.mul(a3, b0))
    s31 = f64x2.add(s31, f64x2.mul(a3, b1))
    ap += 32
    bp += 32
  } while (bp < end)
  if (mode != ADD) {
    s00 = f64x2.add(v128.load(c), s00); s01 = f64x2.add(v128.load(c, 16), s01)
    s10 = f64x2.add(v128.load(c1), s10); s11 = f64x2.add(v128.load(c1, 16), s11)
    s20 = f64x2.add(v128.load(c2), s20); s21 = f64x2.add(v128.load(c2, 16), s21)
    s30 = f64x2.add(v128.load(c3), s30); s31 = f64x2.add(v128.load(c3, 16), s31)
  }
  v128.store(c, s00); v128.store(c, s01, 16)
  v128.store(c1, s10); v128.store(c1, s11, 16)
  v128.store(c2, s20); v128.store(c2, s21, 16)
  v128.store(c3, s30); v128.store(c3, s31, 16)
}

/** The tile of C − A·Bᵀ, each product taken away as soon as it is there. */
function tileSubtract (ap: usize, bp: usize, end: usize, c: usize, line: usize): void {
  const c1 = c + line
  const c2 = c1 + line
  const c3 = c2 + line
  let s00 = v128.load(c); let s01 = v128.load(c, 16)
  let s10 = v128.load(c1); let s11 = v128.load(c1, 16)
  let s20 = v128.load(c2); let s21 = v128.load(c2, 16)
  let s30 = v128.load(c3); let s31 = v128.load(c3, 16)
  do {
    const b0 = v128.load(bp)
    const b1 = v128.load(bp, 16)
    const a0 = v128.load64_splat(ap)
    s00 = f64x2.sub(s00, f64x2.mul(a0, b0))
    s01 = f64x2.sub(s01, f64x2.mul(a0, b1))
    const a1 = v128.load64_splat(ap, 8)
    s10 = f64x2.sub(s10, f64x2.mul(a1, b0))
    s11 = f64x2.sub(s11, f64x2.mul(a1, b1))
    const a2 = v128.load64_splat(ap, 16)
    s20 = f64x2.sub(s20, f64x2.mul(a2, b0))
    s21 = f64x2.sub(s21, f64x2.mul(a2, b1))
    const a3 = v128.load64_splat(ap, 24)
    s30 = f64x2.sub(s30, f64x2.mul(a3, b0))
    s31 = f64x2.sub(s31, f64x2.mul(a3, b1))
    ap += 32
    bp += 32
  } while (bp < end)
  v128.store(c, s00); v128.store(c, s01, 16)
  v128.store(c1, s10); v128.store(c1, s11, 16)
  v128.store(c2, s20); v128.store(c2, s21, 16)
  v128.store(c3, s30); v128.store(c3, s31, 16)
}

/**
 * C[m,n] from A[m,k]·B[n,k]ᵀ. Tiles whose rows, moved down by `shift`, lie above all their columns are
 * left out: 0 for the lower triangle of a block on the diagonal, n for all of C.
 *
 * @param scratch - (m + n)·k f64 for the packed operands
 */
export function multiply (
  mode: i32, m: i32, n: i32, k: i32, a: usize, aLine: i32, aStep: i32, b: usize, bLine: i32, bStep: i32,
  scratch: usize, c: usize, cLine: i32, shift: i32
): void {
  const line = <usize>cLine << 3
  const panel = <usize>k << 5
  const panels = scratch + <usize>m * <usize>k * 8
  pack(m, k, a, aLine, aStep, scratch)
  pack(n, k, b, bLine, bStep, panels)
  for (let j = 0; j < n; j += 4) {
    const bp = panels + <usize>(j >> 2) * panel
    for (let i = 0; i < m; i += 4) {
      if (i + 3 + shift >= j) {
        const ap = scratch + <usize>(i >> 2) * panel
        const to = c + <usize>i * line + (<usize>j << 3)
        if (mode == SUBTRACT) {
          tileSubtract(ap, bp, bp + panel, to, line)
        } else {
          tile(mode, ap, bp, bp + panel, to, line)
        }
      }
    }
  }
}

/** Four rows of X with X·Lᵀ = B in place, columns `from` to `to`, from which all earlier ones were taken. */
function solveFour (from: i32, to: i32, l: usize, lLine: usize, b: usize, bLine: usize): void {
  const b1 = b + bLine
  const b2 = b1 + bLine
  const b3 = b2 + bLine
  for (let j = from; j < to; j++) {
    const at = <usize>j << 3
    const row = l + <usize>j * lLine
    let s0 = load<f64>(b + at)
    let s1 = load<f64>(b1 + at)
    let s2 = load<f64>(b2 + at)
    let s3 = load<f64>(b3 + at)
    for (let k = <usize>from << 3; k < at; k += 8) {
      const x = load<f64>(row + k)
      s0 -= load<f64>(b + k) * x
      s1 -= load<f64>(b1 + k) * x
      s2 -= load<f64>(b2 + k) * x
      s3 -= load<f64>(b3 + k) * x
    }
    const pivot = load<f64>(row + at)
    store<f64>(b + at, s0 / pivot)
    store<f64>(b1 + at, s1 / pivot)
    store<f64>(b2 + at, s2 / pivot)
    store<f64>(b3 + at, s3 / pivot)
  }
}

/**
 * X[m,size] with X·Lᵀ = B, in place.
 *
 * @param scratch - (m + 32)·size f64
 */
export function solveRows (m: i32, size: i32, l: usize, lLine: i32, b: usize, bLine: i32, scratch: usize): void {
  for (let j = 0; j < size; j += BLOCK) {
    const width = min(BLOCK, size - j)
    const at = b + (<usize>j << 3)
    if (j > 0) {
      multiply(SUBTRACT, m, width, j, b, bLine, 1, l + <usize>(j * lLine) * 8, lLine, 1, scratch, at, bLine, width)
    }
    for (let i = 0; i < m; i += 4) {
      solveFour(j, j + width, l, <usize>lLine << 3, b + <usize>(i * bLine) * 8, <usize>bLine << 3)
    }
  }
}

/**
 * The Cholesky factor in place of the lower triangle; what is above the diagonal is destroyed.
 *
 * @param scratch - (size + 32)·size f64
 * @returns the row whose pivot is not above zero, or -1
 */
export function cholesky (size: i32, a: usize, line: i32, scratch: usize): i32 {
  const next = <usize>line << 3
  for (let j = 0; j < size; j += BLOCK) {
    const width = min(BLOCK, size - j)
    const rows = a + <usize>j * next
    const block = rows + (<usize>j << 3)
    if (j > 0) {
      multiply(SUBTRACT, size - j, width, j, rows, line, 1, rows, line, 1, scratch, block, line, 0)
    }
    for (let i = 0; i < width; i++) {
      const row = block + <usize>i * next
      for (let k = 0; k <= i; k++) {
        const other = block + <usize>k * next
        const at = <usize>k << 3
        let sum = load<f64>(row + at)
        for (let p: usize = 0; p < at; p += 8) {
          sum -= load<f64>(row + p) * load<f64>(other + p)
        }
        if (k < i) {
          store<f64>(row + at, sum / load<f64>(other + at))
        } else if (sum > 0) {
          store<f64>(row + at, sqrt(sum))
        } else {
          return j + i
        }
      }
    }
    for (let i = width; i < size - j; i += 4) {
      solveFour(0, width, block, next, block + <usize>i * next, next)
    }
  }
  return -1
}
