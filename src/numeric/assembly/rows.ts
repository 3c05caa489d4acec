/**
 * Reductions along rows: four interleaved sums (index mod 4), joined as (s0 + s1) + (s2 + s3).
 * Rows need not be whole vectors, so the last few columns go through masks or one by one.
 */
import { log64, weigh8, weight4 } from './functions'
import { rest } from './statics'

// @ts-ignore: decorator
@inline
function join (s: v128): f32 {
  return (f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1)) + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3))
}

/** All ones in the first `count` (0 … 3) lanes. */
// @ts-ignore: decorator
@inline
export function firstLanes (count: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count))
}

/** The first `count` (1 … 3) lanes. */
// @ts-ignore: decorator
@inline
function storeRest (y: usize, value: v128, count: i32): void {
  store<f32>(y, f32x4.extract_lane(value, 0))
  if (count > 1) {
    store<f32>(y, f32x4.extract_lane(value, 1), 4)
  }
  if (count > 2) {
    store<f32>(y, f32x4.extract_lane(value, 2), 8)
  }
}

/** `count` zeros; memory.fill is a call out of WebAssembly, which costs more than rows of attention take. */
export function zero (y: usize, count: i32): void {
  const end = y + (<usize>(count & ~3) << 2)
  for (; y < end; y += 16) {
    v128.store(y, f32x4.splat(0))
  }
  for (let j = count & ~3; j < count; j++) {
    store<f32>(y, 0)
    y += 4
  }
}

/** Lanes beyond the row become 0, which leaves its sum as it is: no partial sum is ever −0. */
export function dotRow (d: i32, a: usize, b: usize): f32 {
  const end = a + (<usize>(d & ~3) << 2)
  let s = f32x4.splat(0)
  while (a < end) {
    s = f32x4.add(s, f32x4.mul(v128.load(a), v128.load(b)))
    a += 16
    b += 16
  }
  if ((d & 3) != 0) {
    s = f32x4.add(s, v128.and(f32x4.mul(v128.load(a), v128.load(b)), firstLanes(d & 3)))
  }
  return join(s)
}

export function rowDot (m: i32, d: i32, a: usize, b: usize, y: usize, accumulate: bool): void {
  const line = <usize>d << 2
  for (let i = 0; i < m; i++) {
    const sum = dotRow(d, a, b)
    store<f32>(y, accumulate ? load<f32>(y) + sum : sum)
    a += line
    b += line
    y += 4
  }
}

export function inverseRms (m: i32, d: i32, x: usize, eps: f32, y: usize): void {
  for (let i = 0; i < m; i++) {
    const sum = dotRow(d, x, x)
    store<f32>(y, <f32>1 / sqrt<f32>(sum / <f32>d + eps) + (sum - sum))
    x += <usize>d << 2
    y += 4
  }
}

export function rowScale (m: i32, d: i32, x: usize, r: usize, y: usize, accumulate: bool): void {
  for (let i = 0; i < m; i++) {
    const factor = load<f32>(r)
    const f = f32x4.splat(factor)
    const end = y + (<usize>(d & ~3) << 2)
    if (accumulate) {
      for (; y < end; y += 16, x += 16) {
        v128.store(y, f32x4.add(v128.load(y), f32x4.mul(v128.load(x), f)))
      }
    } else {
      for (; y < end; y += 16, x += 16) {
        v128.store(y, f32x4.mul(v128.load(x), f))
      }
    }
    for (let j = d & ~3; j < d; j++) {
      const product = load<f32>(x) * factor
      store<f32>(y, accumulate ? load<f32>(y) + product : product)
      y += 4
      x += 4
    }
    r += 4
  }
}

export function rowSubtract (m: i32, d: i32, x: usize, r: usize, y: usize): void {
  for (let i = 0; i < m; i++) {
    const term = load<f32>(r)
    const t = f32x4.splat(term)
    const end = y + (<usize>(d & ~3) << 2)
    for (; y < end; y += 16, x += 16) {
      v128.store(y, f32x4.sub(v128.load(x), t))
    }
    for (let j = d & ~3; j < d; j++) {
      store<f32>(y, load<f32>(x) - term)
      y += 4
      x += 4
    }
    r += 4
  }
}

/** Sum of a row in four interleaved parts. */
function sumRow (d: i32, x: usize): f32 {
  const end = x + (<usize>(d & ~3) << 2)
  let s = f32x4.splat(0)
  for (; x < end; x += 16) {
    s = f32x4.add(s, v128.load(x))
  }
  if ((d & 3) != 0) {
    s = f32x4.add(s, v128.and(v128.load(x), firstLanes(d & 3)))
  }
  return join(s)
}

export function centre (m: i32, d: i32, x: usize, y: usize): void {
  const line = <usize>d << 2
  for (let i = 0; i < m; i++) {
    store<f32>(rest, sumRow(d, x) / <f32>d)
    rowSubtract(1, d, x, rest, y)
    x += line
    y += line
  }
}

export function addRow (m: i32, d: i32, x: usize, b: usize, y: usize): void {
  for (let i = 0; i < m; i++) {
    let term = b
    const end = y + (<usize>(d & ~3) << 2)
    for (; y < end; y += 16, x += 16, term += 16) {
      v128.store(y, f32x4.add(v128.load(x), v128.load(term)))
    }
    for (let j = d & ~3; j < d; j++) {
      store<f32>(y, load<f32>(x) + load<f32>(term))
      y += 4
      x += 4
      term += 4
    }
  }
}

export function columnSum (m: i32, d: i32, x: usize, y: usize): void {
  memory.fill(y, 0, <usize>d << 2)
  for (let i = 0; i < m; i++) {
    addRow(1, d, y, x, y)
    x += <usize>d << 2
  }
}

export function columnScale (m: i32, d: i32, x: usize, g: usize, y: usize, accumulate: bool): void {
  for (let i = 0; i < m; i++) {
    let gain = g
    const end = y + (<usize>(d & ~3) << 2)
    if (accumulate) {
      for (; y < end; y += 16, x += 16, gain += 16) {
        v128.store(y, f32x4.add(v128.load(y), f32x4.mul(v128.load(x), v128.load(gain))))
      }
    } else {
      for (; y < end; y += 16, x += 16, gain += 16) {
        v128.store(y, f32x4.mul(v128.load(x), v128.load(gain)))
      }
    }
    for (let j = d & ~3; j < d; j++) {
      const product = load<f32>(x) * load<f32>(gain)
      store<f32>(y, accumulate ? load<f32>(y) + product : product)
      y += 4
      x += 4
      gain += 4
    }
  }
}

export function columnDot (m: i32, d: i32, a: usize, b: usize, y: usize, accumulate: bool): void {
  if (!accumulate) {
    memory.fill(y, 0, <usize>d << 2)
  }
  for (let i = 0; i < m; i++) {
    let to = y
    const end = y + (<usize>(d & ~3) << 2)
    for (; to < end; to += 16, a += 16, b += 16) {
      v128.store(to, f32x4.add(v128.load(to), f32x4.mul(v128.load(a), v128.load(b))))
    }
    for (let j = d & ~3; j < d; j++) {
      store<f32>(to, load<f32>(to) + load<f32>(a) * load<f32>(b))
      to += 4
      a += 4
      b += 4
    }
  }
}

/**
 * max of `visible` ≥ 1 columns; which zero of two wins does not matter to exp(x − max). What is not a
 * number is passed over here, and stays in exp(x − max).
 */
function maxRow (visible: i32, x: usize): f32 {
  const end = x + (<usize>(visible & ~3) << 2)
  let s = f32x4.splat(-Infinity)
  for (; x < end; x += 16) {
    s = f32x4.pmax(s, v128.load(x))
  }
  if ((visible & 3) != 0) {
    s = f32x4.pmax(s, v128.bitselect(v128.load(x), f32x4.splat(-Infinity), firstLanes(visible & 3)))
  }
  return max(max(f32x4.extract_lane(s, 0), f32x4.extract_lane(s, 1)), max(f32x4.extract_lane(s, 2), f32x4.extract_lane(s, 3)))
}

/** y = exp(x − top) over `visible` columns; gives their sum. */
function exponentials (visible: i32, x: usize, y: usize, top: f32): f32 {
  const t = f32x4.splat(top)
  const end = x + (<usize>(visible & ~3) << 2)
  let s = f32x4.splat(0)
  for (const pairs = end - ((end - x) & 31); x < pairs; x += 32, y += 32) {
    weigh8(x, y, t)
    s = f32x4.add(f32x4.add(s, v128.load(y)), v128.load(y, 16))
  }
  if (x < end) {
    const e = weight4(f32x4.sub(v128.load(x), t))
    v128.store(y, e)
    s = f32x4.add(s, e)
    x += 16
    y += 16
  }
  if ((visible & 3) != 0) {
    const e = v128.and(weight4(f32x4.sub(v128.load(x), t)), firstLanes(visible & 3))
    storeRest(y, e, visible & 3)
    s = f32x4.add(s, e)
  }
  return join(s)
}

/** y·factor over d columns. */
function scaleRow (d: i32, y: usize, factor: f32): void {
  const f = f32x4.splat(factor)
  const end = y + (<usize>(d & ~3) << 2)
  for (; y < end; y += 16) {
    v128.store(y, f32x4.mul(v128.load(y), f))
  }
  for (let j = d & ~3; j < d; j++) {
    store<f32>(y, load<f32>(y) * factor)
    y += 4
  }
}

export function softmax (rows: i32, n: i32, period: i32, x: usize, y: usize): void {
  const line = <usize>n << 2
  let visible = period > 0 ? n - period + 1 : n
  for (let i = 0; i < rows; i++) {
    const sum = exponentials(visible, x, y, maxRow(visible, x))
    scaleRow(visible, y, <f32>1 / sum)
    zero(y + (<usize>visible << 2), n - visible)
    visible = visible < n ? visible + 1 : n - period + (period > 0 ? 1 : 0)
    x += line
    y += line
  }
}

export function crossEntropy (m: i32, v: i32, logits: usize, targets: usize, weights: usize, p: usize): f32 {
  const line = <usize>v << 2
  let loss: f64 = 0
  for (let i = 0; i < m; i++) {
    const weight = load<f32>(weights)
    if (weight == 0) {
      memory.fill(p, 0, line)
    } else {
      const target = load<f32>(logits + (<usize>load<i32>(targets) << 2))
      const top = maxRow(v, logits)
      const sum = exponentials(v, logits, p, top)
      scaleRow(v, p, <f32>1 / sum)
      loss += <f64>weight * (log64(<f64>sum) + (<f64>top - <f64>target))
    }
    logits += line
    targets += 4
    weights += 4
    p += line
  }
  return <f32>loss
}
