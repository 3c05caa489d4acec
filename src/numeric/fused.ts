/**
 * Compositions of primitives. A tape without directions takes several in one pass and keeps less of them;
 * with directions they are made of the primitives, whose tangents follow. The bits are the same: what is
 * fused rounds, and adds up cotangents, in the order in which the primitives do.
 */
import { add, mul, scale, silu } from './elementwise.ts'
import { sameShape } from './engine.ts'
import { ShapeError } from './errors.ts'
import { matmul, productInto } from './matmul.ts'
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

/** Cotangents of b, x and a. */
function pullChange (e: Engine, x: Node, { a, b, scale: factor, low }: Change & { low: Node }, dy: Node, wants: boolean[]): Array<Node | undefined> {
  const [wantsB, wantsX, wantsA] = wants
  const scaled = scale(e, dy, factor)
  const db = wantsB ? matmul(e, scaled, low, true, false) : undefined
  if (!wantsX && !wantsA) {
    return [db, undefined, undefined]
  }
  const dLow = matmul(e, scaled, b, false, false)
  return [db, wantsX ? matmul(e, dLow, a, false, false) : undefined, wantsA ? matmul(e, dLow, x, true, false) : undefined]
}

function columnSum (e: Engine, dy: Node): Node {
  return e.linear('addRow', dy, 1, dy.columns, (from, to) => { e.kernels.columnSum(dy.rows, dy.columns, from, to) }, () => [])
}
