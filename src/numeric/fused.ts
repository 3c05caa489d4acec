/**
 * Compositions of primitives. A tape without directions takes several in one pass and keeps less of them;
 * with directions they are made of the primitives, whose tangents follow. The bits are the same: what is
 * fused rounds, and adds up cotangents, in the order in which the primitives do.
 */
import { add, mul, scale, silu } from './elementwise.ts'
import { sameShape } from './engine.ts'
import { ShapeError } from './errors.ts'
import { matmul, productInto, scratchBytes } from './matmul.ts'
import { NONE } from './node.ts'
import { addRow } from './rows.ts'
import type { Engine } from './engine.ts'
import type { Node } from './node.ts'

/** A LowRankChange of nodes. */
export interface Change {
  a: Node
  b: Node
  scale: number
}

/** See Tape.swiglu. */
export function swiglu (e: Engine, gate: Node, up: Node): Node {
  sameShape('swiglu', gate, up)
  if (e.directions > 0) {
    return mul(e, silu(e, gate), up)
  }
  const { rows, columns, size } = gate
  const s = e.empty(rows, columns)
  const y = e.empty(rows, columns)
  e.kernels.swiglu(size, gate.at, up.at, s.at, y.at)
  return e.finish('swiglu', y, [gate, up], dy => {
    const [dGate, dUp] = [e.empty(rows, columns), e.empty(rows, columns)]
    e.kernels.swigluBack(size, gate.at, up.at, s.at, dy.at, dGate.at, dUp.at)
    return [e.finish('swiglu', dGate, [], () => []), e.finish('swiglu', dUp, [], () => [])]
  })
}

/** See Tape.project. */
export function project (e: Engine, x: Node, w: Node, bias: Node | undefined, changes: readonly Change[]): Node {
  if (e.directions > 0 || (bias == null && changes.length === 0)) {
    const product = matmul(e, x, w, false, true)
    return changes.reduce((sum, { a, b, scale: factor }) => {
      return add(e, sum, scale(e, matmul(e, matmul(e, x, a, false, true), b, false, true), factor))
    }, bias == null ? product : addRow(e, product, bias))
  }
  const y = e.empty(x.rows, w.rows)
  productInto(e, x, w, y.at)
  if (bias != null) {
    sameRow(y, bias)
    e.kernels.addRow(y.rows, y.columns, y.at, bias.at, y.at)
  }
  const lows = changes.map(change => addChange(e, x, change, y))
  // a change's cotangents before those of what it was added to, as if each were a primitive
  const pulled = changes.map((change, i) => ({ ...change, low: lows[i] })).reverse()
  return e.finish('matmul', y, [...pulled.flatMap(({ a, b }) => [b, x, a]), ...bias == null ? [] : [bias], x, w], (dy, wants) => {
    const parts = pulled.flatMap((change, i) => pullChange(e, x, change, dy, wants.slice(3 * i, 3 * i + 3)))
    if (bias != null) {
      parts.push(wants[parts.length] ? columnSum(e, dy) : undefined)
    }
    const [wantsX, wantsW] = wants.slice(parts.length)
    return [...parts, wantsX ? matmul(e, dy, w, false, false) : undefined, wantsW ? matmul(e, dy, x, true, false) : undefined]
  })
}

function sameRow (y: Node, bias: Node): void {
  if (bias.rows !== 1 || bias.columns !== y.columns) {
    throw new ShapeError('addRow', `a bias of [1,${y.columns}]`, `[${bias.rows},${bias.columns}]`)
  }
}

/** y += scale·(x·aᵀ)·bᵀ; gives x·aᵀ, which b's gradient needs. What is not finite in it reaches y. */
function addChange (e: Engine, x: Node, { a, b, scale: factor }: Change, y: Node): Node {
  if (b.rows !== y.columns) {
    throw new ShapeError('project', `a factor of [${y.columns},${a.rows}]`, `[${b.rows},${b.columns}]`)
  }
  const low = e.empty(x.rows, a.rows)
  productInto(e, x, a, low.at)
  const mark = e.arena.mark()
  const delta = e.arena.take(y.size * 4)
  productInto(e, low, b, delta)
  e.kernels.addScaled(y.size, y.at, delta, factor, y.at)
  e.arena.release(mark)
  return low
}

/** Cotangents of b, x and a. What is not finite between them reaches one of them. */
function pullChange (e: Engine, x: Node, { a, b, scale: factor, low }: Change & { low: Node }, dy: Node, wants: boolean[]): Array<Node | undefined> {
  const [wantsB, wantsX, wantsA] = wants
  const [m, n, rank] = [x.rows, b.rows, a.rows]
  const [db, dx, da] = [wantsB ? e.empty(n, rank) : undefined, wantsX ? e.empty(m, x.columns) : undefined, wantsA ? e.empty(rank, x.columns) : undefined]
  const mark = e.arena.mark()
  const scaled = e.arena.take(dy.size * 4)
  const dLow = e.arena.take(low.size * 4)
  const scratch = e.arena.take(Math.max(scratchBytes(n, rank, m), scratchBytes(m, rank, n), scratchBytes(m, x.columns, rank), scratchBytes(rank, x.columns, m)))
  const { gemm } = e.kernels
  e.kernels.scale(dy.size, dy.at, factor, scaled)
  if (db != null) {
    gemm(n, rank, m, scaled, 1, n, low.at, rank, 1, NONE, scratch, db.at, rank, false)
  }
  if (dx != null || da != null) {
    gemm(m, rank, n, scaled, n, 1, b.at, rank, 1, NONE, scratch, dLow, rank, false)
  }
  if (dx != null) {
    gemm(m, x.columns, rank, dLow, rank, 1, a.at, x.columns, 1, NONE, scratch, dx.at, x.columns, false)
  }
  if (da != null) {
    gemm(rank, x.columns, m, dLow, 1, rank, x.at, x.columns, 1, NONE, scratch, da.at, x.columns, false)
  }
  e.arena.release(mark)
  for (const part of [db, dx, da]) {
    part == null || e.finish('project', part, [], () => [])
  }
  return [db, dx, da]
}

function columnSum (e: Engine, dy: Node): Node {
  return e.linear('addRow', dy, 1, dy.columns, (from, to) => { e.kernels.columnSum(dy.rows, dy.columns, from, to) }, () => [])
}
