import { mul, scale } from './elementwise.ts'
import { NumericRangeError, ShapeError } from './errors.ts'
import { NONE } from './node.ts'
import type { Engine } from './engine.ts'
import type { Node } from './node.ts'

/** r[i] = Σ_j a[i,j]·b[i,j] */
export function rowDot (e: Engine, a: Node, b: Node): Node {
  return e.bilinear('rowDot', a, b, a.rows, 1,
    (p, q, y, accumulate) => { e.kernels.rowDot(a.rows, a.columns, p, q, y, accumulate) },
    (dy, wants) => [wants[0] ? rowScale(e, b, dy) : undefined, wants[1] ? rowScale(e, a, dy) : undefined])
}

/** y[i,j] = x[i,j]·r[i] */
export function rowScale (e: Engine, x: Node, r: Node): Node {
  return e.bilinear('rowScale', x, r, x.rows, x.columns,
    (p, q, y, accumulate) => { e.kernels.rowScale(x.rows, x.columns, p, q, y, accumulate) },
    (dy, wants) => [wants[0] ? rowScale(e, dy, r) : undefined, wants[1] ? rowDot(e, dy, x) : undefined])
}

/** y[j] = Σ_i a[i,j]·b[i,j]; only pulled back to, never through. */
function columnDot (e: Engine, a: Node, b: Node): Node {
  return e.bilinear('rmsNorm', a, b, 1, a.columns,
    (p, q, y, accumulate) => { e.kernels.columnDot(a.rows, a.columns, p, q, y, accumulate) },
    () => [])
}

/** y[i,j] = x[i,j]·g[j] */
function columnScale (e: Engine, x: Node, g: Node): Node {
  return e.bilinear('rmsNorm', x, g, x.rows, x.columns,
    (p, q, y, accumulate) => { e.kernels.columnScale(x.rows, x.columns, p, q, y, accumulate) },
    (dy, wants) => [wants[0] ? columnScale(e, dy, g) : undefined, wants[1] ? columnDot(e, dy, x) : undefined])
}

/** y[i,j] = x[i,j] − r[i]; used in pullbacks only. */
function rowSubtract (e: Engine, x: Node, r: Node): Node {
  const y = e.empty(x.rows, x.columns)
  e.kernels.rowSubtract(x.rows, x.columns, x.at, r.at, y.at)
  e.tangents(y, [x, r], i => {
    const dx = x.dots[i] ?? NONE
    const dr = r.dots[i] ?? NONE
    if (dr === NONE) {
      return dx
    }
    const at = e.arena.take(y.size * 4)
    if (dx === NONE) {
      e.fill(at, y.size, 0)
    }
    e.kernels.rowSubtract(x.rows, x.columns, dx === NONE ? at : dx, dr, at)
    return at
  })
  return e.finish('softmax', y, [], () => [])
}

/** 1/sqrt(mean(x²) + eps) by row. With r˙ = −r³·(x·ẋ)/d. */
function inverseRms (e: Engine, x: Node, eps: number): Node {
  const y = e.empty(x.rows, 1)
  e.kernels.inverseRms(x.rows, x.columns, x.at, eps, y.at)
  /** −r³/d as a value, for tangents and cotangents alike */
  const slope = (r: Node): Node => scale(e, mul(e, r, mul(e, r, r)), -1 / x.columns)
  if (x.dots.length > 0) {
    const factor = e.unrecorded(() => slope(e.place(y.rows, 1, y.at)))
    e.tangents(y, [x], i => {
      if (x.dots[i] === NONE) {
        return NONE
      }
      const at = e.arena.take(x.rows * 4)
      e.kernels.rowDot(x.rows, x.columns, x.at, x.dots[i], at, false)
      e.kernels.mul(x.rows, at, factor.at, at, false)
      return at
    })
  }
  return e.finish('rmsNorm', y, [x], dy => [rowScale(e, x, mul(e, dy, slope(y)))])
}

function rowOf (primitive: string, what: string, x: Node, row: Node): void {
  if (row.rows !== 1 || row.columns !== x.columns) {
    throw new ShapeError(primitive, `a ${what} of [1,${x.columns}]`, `[${row.rows},${row.columns}]`)
  }
}

/** x / sqrt(mean(x²) + eps) · gain, by row; gain is [1,d]. */
export function rmsNorm (e: Engine, x: Node, gain: Node, eps: number, primitive = 'rmsNorm'): Node {
  rowOf(primitive, 'gain', x, gain)
  if (!(eps >= 0)) {
    throw new NumericRangeError(`eps of ${primitive}`, '0 or more', eps)
  }
  return e.directions === 0 && x !== gain ? fusedNorm(e, x, gain, eps, primitive) : columnScale(e, rowScale(e, x, inverseRms(e, x, eps)), gain)
}

/** The same without tangents, of which only the inverse norms are kept. */
function fusedNorm (e: Engine, x: Node, gain: Node, eps: number, primitive: string): Node {
  const { rows, columns } = x
  const r = e.empty(rows, 1)
  const y = e.empty(rows, columns)
  e.kernels.rmsNorm(rows, columns, x.at, gain.at, eps, r.at, y.at)
  return e.finish(primitive, y, [x, gain], (dy, wants, sum) => {
    const dGain = wants[1] ? columnDot(e, dy, rowScale(e, x, r)) : undefined
    if (!wants[0]) {
      return [undefined, dGain]
    }
    const dx = e.empty(rows, columns)
    e.kernels.rmsNormBack(rows, columns, x.at, gain.at, r.at, dy.at, sum?.at ?? NONE, dx.at)
    return [e.finish(primitive, dx, [], () => []), dGain]
  }, 0)
}

/** x[i,j] + bias[j]. */
export function addRow (e: Engine, x: Node, bias: Node): Node {
  rowOf('addRow', 'bias', x, bias)
  const { rows, columns } = x
  const y = e.empty(rows, columns)
  e.kernels.addRow(rows, columns, x.at, bias.at, y.at)
  e.tangents(y, [x, bias], i => {
    const dx = x.dots[i] ?? NONE
    const db = bias.dots[i] ?? NONE
    if (db === NONE) {
      return dx
    }
    const at = e.arena.take(y.size * 4)
    if (dx === NONE) {
      e.fill(at, y.size, 0)
    }
    e.kernels.addRow(rows, columns, dx === NONE ? at : dx, db, at)
    return at
  })
  const columnSum = (dy: Node): Node => e.linear('addRow', dy, 1, columns, (from, to) => { e.kernels.columnSum(rows, columns, from, to) }, () => [])
  return e.finish('addRow', y, [x, bias], (dy, wants) => [wants[0] ? dy : undefined, wants[1] ? columnSum(dy) : undefined])
}

/** x − mean by row: a symmetric projection, so its own adjoint. */
function centre (e: Engine, x: Node): Node {
  return e.linear('layerNorm', x, x.rows, x.columns,
    (from, to) => { e.kernels.centre(x.rows, x.columns, from, to) },
    dy => [centre(e, dy)])
}

/** (x − mean) / sqrt(variance + eps) · gain + bias, by row; gain and bias are [1,d]. */
export function layerNorm (e: Engine, x: Node, gain: Node, bias: Node, eps: number): Node {
  rowOf('layerNorm', 'bias', x, bias)
  return addRow(e, rmsNorm(e, centre(e, x), gain, eps, 'layerNorm'), bias)
}

/** Tangent of p = softmax(x) along ẋ: p∘(ẋ − p·ẋ), into a new buffer. */
export function softmaxTangent (e: Engine, rows: number, columns: number, p: number, dx: number): number {
  const { kernels, arena } = e
  const at = arena.take(rows * columns * 4)
  const mark = arena.mark()
  const sums = arena.take(rows * 4)
  kernels.rowDot(rows, columns, p, dx, sums, false)
  kernels.rowSubtract(rows, columns, dx, sums, at)
  kernels.mul(rows * columns, p, at, at, false)
  arena.release(mark)
  return at
}

/**
 * Softmax by row; with `period` p > 0 the rows are heads of p queries each, and query i of a head
 * sees columns 0 … n − p + i.
 */
export function softmax (e: Engine, x: Node, period: number): Node {
  const y = e.empty(x.rows, x.columns)
  e.kernels.softmax(x.rows, x.columns, period, x.at, y.at)
  e.tangents(y, [x], i => x.dots[i] === NONE ? NONE : softmaxTangent(e, x.rows, x.columns, y.at, x.dots[i]))
  return e.finish('softmax', y, [x], dy => [mul(e, y, rowSubtract(e, dy, rowDot(e, y, dy)))])
}
