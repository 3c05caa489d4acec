/**
 * Several primitives in one pass over memory, for tapes without directions: each number has the bits that
 * the primitives give one after the other, and what lay between them is not written.
 */
import { sigmoid4 } from './elementwise'
import { dotRow, inverseRms } from './rows'

/** y = (x·r)·gain by row, r = 1/sqrt(mean(x²) + eps). */
export function rmsNorm (m: i32, d: i32, x: usize, gain: usize, eps: f32, r: usize, y: usize): void {
  inverseRms(m, d, x, eps, r)
  for (let i = 0; i < m; i++) {
    const factor = load<f32>(r)
    const f = f32x4.splat(factor)
    let g = gain
    for (let end = y + (<usize>(d & ~3) << 2); y < end; y += 16, x += 16, g += 16) {
      v128.store(y, f32x4.mul(f32x4.mul(v128.load(x), f), v128.load(g)))
    }
    for (let j = d & ~3; j < d; j++) {
      store<f32>(y, load<f32>(x) * factor * load<f32>(g))
      y += 4
      x += 4
      g += 4
    }
    r += 4
  }
}

/** y = (sum + (dy·gain)·r) + x·(((dy·gain)·x)·(r·r²·(−1/d))) by row; no sum where its address is 0. */
export function rmsNormBack (m: i32, d: i32, x: usize, gain: usize, r: usize, dy: usize, sum: usize, y: usize): void {
  const line = <usize>d << 2
  for (let i = 0; i < m; i++) {
    const factor = load<f32>(r)
    // y holds dy·gain for a moment
    let at: usize = 0
    for (; at < (line & ~15); at += 16) {
      v128.store(y + at, f32x4.mul(v128.load(dy + at), v128.load(gain + at)))
    }
    for (; at < line; at += 4) {
      store<f32>(y + at, load<f32>(dy + at) * load<f32>(gain + at))
    }
    const slope = dotRow(d, y, x) * (factor * (factor * factor) * (<f32>-1 / <f32>d))
    const f = f32x4.splat(factor)
    const s = f32x4.splat(slope)
    let j: usize = 0
    for (; j < (line & ~15); j += 16) {
      let first = f32x4.mul(v128.load(y + j), f)
      if (sum != 0) {
        first = f32x4.add(v128.load(sum + j), first)
      }
      v128.store(y + j, f32x4.add(first, f32x4.mul(v128.load(x + j), s)))
    }
    for (; j < line; j += 4) {
      let first = load<f32>(y + j) * factor
      if (sum != 0) {
        first = load<f32>(sum + j) + first
      }
      store<f32>(y + j, first + load<f32>(x + j) * slope)
    }
    x += line
    y += line
    dy += line
    sum += sum == 0 ? 0 : line
    r += 4
  }
}

/** s = σ(gate), y = (gate·s)·up. */
export function swiglu (n: i32, gate: usize, up: usize, s: usize, y: usize): void {
  for (let end = y + (<usize>((n + 3) >> 2) << 4); y < end; y += 16, s += 16, gate += 16, up += 16) {
    const value = v128.load(gate)
    const part = sigmoid4(value)
    v128.store(s, part)
    v128.store(y, f32x4.mul(f32x4.mul(value, part), v128.load(up)))
  }
}

/** dUp = dy·(gate·s), dGate = d·s + (s(1 − s))·(d·gate) for d = dy·up. */
export function swigluBack (n: i32, gate: usize, up: usize, s: usize, dy: usize, dGate: usize, dUp: usize): void {
  const one = f32x4.splat(1)
  for (let end = dy + (<usize>((n + 3) >> 2) << 4); dy < end; dy += 16, s += 16, gate += 16, up += 16, dGate += 16, dUp += 16) {
    const value = v128.load(gate)
    const part = v128.load(s)
    const slope = v128.load(dy)
    const d = f32x4.mul(slope, v128.load(up))
    v128.store(dUp, f32x4.mul(slope, f32x4.mul(value, part)))
    v128.store(dGate, f32x4.add(f32x4.mul(d, part), f32x4.mul(f32x4.mul(part, f32x4.sub(one, part)), f32x4.mul(d, value))))
  }
}

/** y = a + b·factor. */
export function addScaled (n: i32, a: usize, b: usize, factor: f32, y: usize): void {
  const f = f32x4.splat(factor)
  for (let end = y + (<usize>((n + 3) >> 2) << 4); y < end; y += 16, a += 16, b += 16) {
    v128.store(y, f32x4.add(v128.load(a), f32x4.mul(v128.load(b), f)))
  }
}
