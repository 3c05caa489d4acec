import { sameShape } from './engine.ts'
import { NONE } from './node.ts'
import type { Engine } from './engine.ts'
import type { Node } from './node.ts'

export function add (e: Engine, a: Node, b: Node): Node {
  sameShape('add', a, b)
  const y = e.empty(a.rows, a.columns)
  e.kernels.add(a.size, a.at, b.at, y.at)
  e.tangents(y, [a, b], i => {
    const da = a.dots[i] ?? NONE
    const db = b.dots[i] ?? NONE
    if (da === NONE || db === NONE) {
      return da === NONE ? db : da
    }
    const at = e.arena.take(y.size * 4)
    e.kernels.add(y.size, da, db, at)
    return at
  })
  return e.finish('add', y, [a, b], dy => [dy, dy])
}

export function mul (e: Engine, a: Node, b: Node): Node {
  sameShape('mul', a, b)
  return e.bilinear('mul', a, b, a.rows, a.columns,
    (p, q, y, accumulate) => { e.kernels.mul(a.size, p, q, y, accumulate) },
    (dy, wants) => [wants[0] ? mul(e, dy, b) : undefined, wants[1] ? mul(e, dy, a) : undefined])
}

export function scale (e: Engine, a: Node, factor: number): Node {
  return e.linear('scale', a, a.rows, a.columns,
    (x, y) => { e.kernels.scale(a.size, x, factor, y) },
    dy => [scale(e, dy, factor)])
}

/** s(1 − s)·d, of which σ' is made; second derivatives need its tangent: s(1 − s)·ḋ + (1 − 2s)ṡ·d. */
function sigmoidSlope (e: Engine, s: Node, d: Node): Node {
  const y = e.empty(s.rows, s.columns)
  e.kernels.sigmoidSlope(s.size, s.at, d.at, y.at, false)
  e.tangents(y, [s, d], i => {
    const ds = s.dots[i] ?? NONE
    const dd = d.dots[i] ?? NONE
    if (ds === NONE && dd === NONE) {
      return NONE
    }
    const at = e.arena.take(y.size * 4)
    if (dd === NONE) {
      e.fill(at, y.size, 0)
    } else {
      e.kernels.sigmoidSlope(s.size, s.at, dd, at, false)
    }
    if (ds !== NONE) {
      e.kernels.sigmoidBend(s.size, s.at, ds, d.at, at)
    }
    return at
  })
  return e.finish('silu', y, [], () => [])
}

function sigmoid (e: Engine, x: Node): Node {
  const y = e.empty(x.rows, x.columns)
  e.kernels.sigmoid(x.size, x.at, y.at)
  e.tangents(y, [x], i => {
    if (x.dots[i] === NONE) {
      return NONE
    }
    const at = e.arena.take(y.size * 4)
    e.kernels.sigmoidSlope(x.size, y.at, x.dots[i], at, false)
    return at
  })
  return e.finish('silu', y, [x], dy => [sigmoidSlope(e, y, dy)])
}

/** x·σ(x). */
export function silu (e: Engine, x: Node): Node {
  return mul(e, x, sigmoid(e, x))
}

/** gelu′(x)·d; second derivatives need its tangent gelu′(x)·ḋ + gelu″(x)·ẋ·d. */
function geluSlope (e: Engine, x: Node, d: Node): Node {
  const y = e.empty(x.rows, x.columns)
  e.kernels.geluSlope(x.size, x.at, d.at, y.at, false)
  e.tangents(y, [x, d], i => {
    const dx = x.dots[i] ?? NONE
    const dd = d.dots[i] ?? NONE
    if (dx === NONE && dd === NONE) {
      return NONE
    }
    const at = e.arena.take(y.size * 4)
    if (dd === NONE) {
      e.fill(at, y.size, 0)
    } else {
      e.kernels.geluSlope(x.size, x.at, dd, at, false)
    }
    if (dx !== NONE) {
      e.kernels.geluBend(x.size, x.at, dx, d.at, at)
    }
    return at
  })
  return e.finish('gelu', y, [], () => [])
}

/** See Tape.gelu. */
export function gelu (e: Engine, x: Node): Node {
  const y = e.empty(x.rows, x.columns)
  e.kernels.gelu(x.size, x.at, y.at)
  e.tangents(y, [x], i => {
    if (x.dots[i] === NONE) {
      return NONE
    }
    const at = e.arena.take(y.size * 4)
    e.kernels.geluSlope(x.size, x.at, x.dots[i], at, false)
    return at
  })
  return e.finish('gelu', y, [x], dy => [geluSlope(e, x, dy)])
}
