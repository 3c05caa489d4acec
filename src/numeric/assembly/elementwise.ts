/**
 * One element in, one element out. Buffers are padded to whole vectors, so that loops run over
 * ceil(n/4) vectors; what lands in the padding is never read as a result.
 */
import { exp4, log64 } from './functions'

/** 1; GELU's 2·sqrt(2/π), that times 0.044715, 3 and 6 times it; ∓16, 2; the bits of infinity and of magnitudes. */
const NUMBERS: usize = memory.data<f32>([
  1, 1.5957691216057308, 0.07135481627159405, 0.21406444881478215, 0.4281288976295643, -16, 16, 2
], 16)
const MASKS: usize = memory.data<u32>([0x7f800000, 0x7fffffff], 16)

/** From memory: see kept.ts. */
// @ts-ignore: decorator
@inline
function number (i: usize): v128 {
  return v128.load32_splat(NUMBERS + (i << 2))
}

// @ts-ignore: decorator
@inline
function endOf (y: usize, n: i32): usize {
  return y + (<usize>((n + 3) >> 2) << 4)
}

export function add (n: i32, a: usize, b: usize, y: usize): void {
  const end = endOf(y, n)
  while (y < end) {
    v128.store(y, f32x4.add(v128.load(a), v128.load(b)))
    a += 16
    b += 16
    y += 16
  }
}

export function mul (n: i32, a: usize, b: usize, y: usize, accumulate: bool): void {
  const end = endOf(y, n)
  if (accumulate) {
    while (y < end) {
      v128.store(y, f32x4.add(v128.load(y), f32x4.mul(v128.load(a), v128.load(b))))
      a += 16
      b += 16
      y += 16
    }
    return
  }
  while (y < end) {
    v128.store(y, f32x4.mul(v128.load(a), v128.load(b)))
    a += 16
    b += 16
    y += 16
  }
}

export function scale (n: i32, x: usize, factor: f32, y: usize): void {
  const end = endOf(y, n)
  const f = f32x4.splat(factor)
  while (y < end) {
    v128.store(y, f32x4.mul(v128.load(x), f))
    x += 16
    y += 16
  }
}

export function exp (n: i32, x: usize, y: usize): void {
  const end = endOf(y, n)
  while (y < end) {
    v128.store(y, exp4(v128.load(x)))
    x += 16
    y += 16
  }
}

export function log (n: i32, x: usize, y: usize): void {
  for (let i = 0; i < n; i++) {
    store<f32>(y, <f32>log64(<f64>load<f32>(x)))
    x += 4
    y += 4
  }
}

/** σ of four numbers. */
// @ts-ignore: decorator
@inline
export function sigmoid4 (x: v128): v128 {
  const one = number(0)
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))))
}

export function sigmoid (n: i32, x: usize, y: usize): void {
  const end = endOf(y, n)
  while (y < end) {
    v128.store(y, sigmoid4(v128.load(x)))
    x += 16
    y += 16
  }
}

export function sigmoidSlope (n: i32, s: usize, d: usize, y: usize, accumulate: bool): void {
  const end = endOf(y, n)
  const one = number(0)
  while (y < end) {
    const value = v128.load(s)
    let product = f32x4.mul(f32x4.mul(value, f32x4.sub(one, value)), v128.load(d))
    if (accumulate) {
      product = f32x4.add(v128.load(y), product)
    }
    v128.store(y, product)
    s += 16
    d += 16
    y += 16
  }
}

export function sigmoidBend (n: i32, s: usize, t: usize, d: usize, y: usize): void {
  const end = endOf(y, n)
  const one = number(0)
  const two = number(7)
  while (y < end) {
    const bend = f32x4.mul(f32x4.sub(one, f32x4.mul(two, v128.load(s))), v128.load(t))
    v128.store(y, f32x4.add(v128.load(y), f32x4.mul(bend, v128.load(d))))
    s += 16
    t += 16
    d += 16
    y += 16
  }
}

/** Beyond ±16 the sigmoid is 0 or 1 exactly; so the cube never overflows. */
// @ts-ignore: decorator
@inline
function clamped (x: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, number(5)), number(6))
}

/** σ(w·(C1 + C2·w²)) */
// @ts-ignore: decorator
@inline
function geluGate (w: v128, square: v128): v128 {
  const v = f32x4.mul(w, f32x4.add(number(1), f32x4.mul(number(2), square)))
  const one = number(0)
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(v))))
}

export function gelu (n: i32, x: usize, y: usize): void {
  const end = endOf(y, n)
  for (; y < end; x += 16, y += 16) {
    const value = v128.load(x)
    const w = clamped(value)
    v128.store(y, f32x4.mul(value, geluGate(w, f32x4.mul(w, w))))
  }
}

export function geluSlope (n: i32, x: usize, d: usize, y: usize, accumulate: bool): void {
  const end = endOf(y, n)
  for (; y < end; x += 16, d += 16, y += 16) {
    const w = clamped(v128.load(x))
    const square = f32x4.mul(w, w)
    const s = geluGate(w, square)
    const g = f32x4.mul(s, f32x4.sub(number(0), s))
    const p = f32x4.add(number(1), f32x4.mul(number(3), square))
    let product = f32x4.mul(f32x4.add(s, f32x4.mul(f32x4.mul(w, g), p)), v128.load(d))
    if (accumulate) {
      product = f32x4.add(v128.load(y), product)
    }
    v128.store(y, product)
  }
}

export function geluBend (n: i32, x: usize, t: usize, d: usize, y: usize): void {
  const end = endOf(y, n)
  const two = number(7)
  for (; y < end; x += 16, t += 16, d += 16, y += 16) {
    const w = clamped(v128.load(x))
    const square = f32x4.mul(w, w)
    const s = geluGate(w, square)
    const g = f32x4.mul(s, f32x4.sub(number(0), s))
    const p = f32x4.add(number(1), f32x4.mul(number(3), square))
    const first = f32x4.add(f32x4.mul(two, p), f32x4.mul(number(4), square))
    const second = f32x4.mul(f32x4.mul(w, f32x4.sub(number(0), f32x4.mul(two, s))), f32x4.mul(p, p))
    const bend = f32x4.mul(f32x4.mul(f32x4.mul(g, f32x4.add(first, second)), v128.load(t)), v128.load(d))
    v128.store(y, f32x4.add(v128.load(y), bend))
  }
}

export function gather (count: i32, d: i32, ids: usize, x: usize, y: usize): void {
  const line = <usize>d << 2
  for (let i = 0; i < count; i++) {
    memory.copy(y, x + <usize>load<i32>(ids) * line, line)
    ids += 4
    y += line
  }
}

export function scatter (count: i32, d: i32, ids: usize, x: usize, y: usize): void {
  const line = <usize>d << 2
  for (let i = 0; i < count; i++) {
    let to = y + <usize>load<i32>(ids) * line
    for (let j = 0; j < d; j++) {
      store<f32>(to, load<f32>(to) + load<f32>(x))
      to += 4
      x += 4
    }
    ids += 4
  }
}

/** By exponent bits, so that no NaN is computed with. */
export function allFinite (n: i32, x: usize): bool {
  const exponent = v128.load32_splat(MASKS)
  const magnitude = v128.load32_splat(MASKS, 4)
  const end = x + (<usize>(n & ~15) << 2)
  let m0 = i32x4.splat(0); let m1 = m0; let m2 = m0; let m3 = m0
  while (x < end) {
    m0 = i32x4.max_s(m0, v128.and(v128.load(x), magnitude))
    m1 = i32x4.max_s(m1, v128.and(v128.load(x, 16), magnitude))
    m2 = i32x4.max_s(m2, v128.and(v128.load(x, 32), magnitude))
    m3 = i32x4.max_s(m3, v128.and(v128.load(x, 48), magnitude))
    x += 64
  }
  let bad = v128.any_true(i32x4.ge_s(i32x4.max_s(i32x4.max_s(m0, m1), i32x4.max_s(m2, m3)), exponent))
  for (let i = n & ~15; i < n; i++) {
    bad = bad || (load<u32>(x) & 0x7f800000) == 0x7f800000
    x += 4
  }
  return !bad
}

/** Four pairs whose firsts and seconds lie together. */
// @ts-ignore: decorator
@inline
function turn (from: usize, to: usize, apart: usize, c: v128, sine: v128, inverse: bool): void {
  const s = inverse ? f32x4.neg(sine) : sine
  const x0 = v128.load(from)
  const x1 = v128.load(from + apart)
  v128.store(to, f32x4.sub(f32x4.mul(x0, c), f32x4.mul(x1, s)))
  v128.store(to + apart, f32x4.add(f32x4.mul(x0, s), f32x4.mul(x1, c)))
}

/** Two pairs that lie beside each other: (x0·c − x1·s, x0·s + x1·c) as x·(c, c) + (x1, x0)·(−s, s), which has the same bits. */
// @ts-ignore: decorator
@inline
function turnBeside (from: usize, to: usize, c: v128, s: v128, signs: v128): void {
  const x = v128.load(from)
  const cc = i32x4.shuffle(c, c, 0, 0, 1, 1)
  const ss = v128.xor(i32x4.shuffle(s, s, 0, 0, 1, 1), signs)
  v128.store(to, f32x4.add(f32x4.mul(x, cc), f32x4.mul(i32x4.shuffle(x, x, 1, 0, 3, 2), ss)))
}

/** Rotates pairs (first, second) by angle: (x0·c − x1·s, x0·s + x1·c). */
export function rope (m: i32, heads: i32, headDim: i32, x: usize, cosines: usize, sines: usize, y: usize, interleaved: bool, inverse: bool): void {
  const half = headDim >> 1
  const apart: usize = interleaved ? 4 : <usize>half << 2
  const step: usize = interleaved ? 8 : 4
  const signs = inverse ? i32x4(0, 0x80000000, 0, 0x80000000) : i32x4(0x80000000, 0, 0x80000000, 0)
  for (let i = 0; i < m; i++) {
    for (let h = 0; h < heads; h++) {
      let from = x
      let to = y
      let j = 0
      for (; !interleaved && j + 4 <= half; j += 4) {
        turn(from, to, apart, v128.load(cosines + (<usize>j << 2)), v128.load(sines + (<usize>j << 2)), inverse)
        from += 16
        to += 16
      }
      for (; interleaved && j + 2 <= half; j += 2) {
        turnBeside(from, to, v128.load64_zero(cosines + (<usize>j << 2)), v128.load64_zero(sines + (<usize>j << 2)), signs)
        from += 16
        to += 16
      }
      for (; j < half; j++) {
        const c = load<f32>(cosines + (<usize>j << 2))
        let s = load<f32>(sines + (<usize>j << 2))
        if (inverse) {
          s = -s
        }
        const x0 = load<f32>(from)
        const x1 = load<f32>(from + apart)
        store<f32>(to, x0 * c - x1 * s)
        store<f32>(to + apart, x0 * s + x1 * c)
        from += step
        to += step
      }
      x += <usize>headDim << 2
      y += <usize>headDim << 2
    }
    cosines += <usize>half << 2
    sines += <usize>half << 2
  }
}
