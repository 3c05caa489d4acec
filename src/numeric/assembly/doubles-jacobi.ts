/**
 * Cyclic Jacobi rotations of a symmetric f64 matrix (Golub and Van Loan, section 8.5), in the order of
 * ../reference-doubles.ts. A rotation in the plane (p, q) changes two rows and, the matrix being
 * symmetric, two columns. Columns are written late, eight at a time, because each element of one lies
 * in a cache line of its own: row q is made current when its turn comes.
 */

/** Columns that are written together: one cache line. */
const TILE: i32 = 8

// @ts-ignore: decorator
@inline
function get (a: usize, line: usize, row: i32, column: i32): f64 {
  return load<f64>(a + <usize>row * line + (<usize>column << 3))
}

// @ts-ignore: decorator
@inline
function put (a: usize, line: usize, row: i32, column: i32, value: f64): void {
  store<f64>(a + <usize>row * line + (<usize>column << 3), value)
}

/** (x, y) becomes (c·x − s·y, s·x + c·y). */
function rotateRows (x: usize, y: usize, line: usize, c: f64, s: f64): void {
  const cc = f64x2.splat(c)
  const ss = f64x2.splat(s)
  const end = x + line
  do {
    const vx = v128.load(x)
    const vy = v128.load(y)
    v128.store(x, f64x2.sub(f64x2.mul(cc, vx), f64x2.mul(ss, vy)))
    v128.store(y, f64x2.add(f64x2.mul(ss, vx), f64x2.mul(cc, vy)))
    x += 16
    y += 16
  } while (x < end)
}

/** The rotation that makes a[p][q] zero, on rows p and q of both matrices. */
function rotate (a: usize, vectors: usize, line: usize, p: i32, q: i32): void {
  const across = get(a, line, p, q)
  const tau = (get(a, line, q, q) - get(a, line, p, p)) / (2 * across)
  const t = (tau >= 0 ? <f64>1 : <f64>-1) / (abs(tau) + sqrt(1 + tau * tau))
  const c = 1 / sqrt(1 + t * t)
  const s = t * c
  const pp = get(a, line, p, p) - t * across
  const qq = get(a, line, q, q) + t * across
  rotateRows(a + <usize>p * line, a + <usize>q * line, line, c, s)
  rotateRows(vectors + <usize>p * line, vectors + <usize>q * line, line, c, s)
  put(a, line, p, p, pp)
  put(a, line, q, q, qq)
  put(a, line, p, q, 0)
  put(a, line, q, p, 0)
}

/** Columns `from` to `to` of every row but these and row p, which is ahead of them, from the rows of the same numbers. */
function writeColumns (a: usize, line: usize, size: i32, from: i32, to: i32, p: i32): void {
  for (let k = 0; k < size; k++) {
    if ((k < from || k >= to) && k != p) {
      for (let q = from; q < to; q++) {
        put(a, line, k, q, get(a, line, q, k))
      }
    }
  }
}

/** All rotations of row p with later rows; how many there were. */
function rotateWith (p: i32, size: i32, a: usize, vectors: usize, line: usize, limit: f64): i32 {
  let rotations = 0
  for (let from = p + 1; from < size; from += TILE) {
    const to = min(from + TILE, size)
    const before = rotations
    for (let q = from; q < to; q++) {
      put(a, line, q, p, get(a, line, p, q))
      for (let k = from; k < q; k++) {
        put(a, line, q, k, get(a, line, k, q))
      }
      if (abs(get(a, line, p, q)) > limit) {
        rotate(a, vectors, line, p, q)
        rotations++
        for (let k = from; k < q; k++) {
          put(a, line, k, q, get(a, line, q, k))
        }
      }
    }
    if (rotations > before) {
      writeColumns(a, line, size, from, to, p)
    }
  }
  for (let k = 0; k < size; k++) {
    put(a, line, k, p, get(a, line, p, k))
  }
  return rotations
}

function largestOnDiagonal (a: usize, line: usize, size: i32): f64 {
  let largest: f64 = 0
  for (let i = 0; i < size; i++) {
    largest = max(largest, abs(get(a, line, i, i)))
  }
  return largest
}

/**
 * Rotates until no entry beside the diagonal exceeds `share` of the largest on it.
 *
 * @param line - elements from row to row, even; what lies beyond `size` is zero
 * @param vectors - receives one eigenvector per row; the identity before
 * @returns 1, or 0 if `sweeps` sweeps were too few
 */
export function jacobi (size: i32, line: i32, a: usize, vectors: usize, share: f64, sweeps: i32): i32 {
  const bytes = <usize>line << 3
  while (sweeps-- > 0) {
    const limit = share * largestOnDiagonal(a, bytes, size)
    let rotations = 0
    for (let p = 0; p < size - 1; p++) {
      rotations += rotateWith(p, size, a, vectors, bytes, limit)
    }
    if (rotations == 0) {
      return 1
    }
  }
  return 0
}
