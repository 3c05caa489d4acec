/** Single rows of a product, and what sticks out of tiles: pieces that both ways of multiplying share. */
import { tileStatic } from './statics'

/** The first `count` of eight floats at `from`; copying so few by memory.copy would be a call out of WebAssembly. */
export function putFirst (to: usize, from: usize, count: i32): void {
  if (count >= 4) {
    v128.store(to, v128.load(from))
    to += 16
    from += 16
    count -= 4
  }
  for (; count > 0; count--) {
    store<f32>(to, load<f32>(from))
    to += 4
    from += 4
  }
}

/** 4 rows of C to tileStatic: reads past the end of a row, none of which is written back. */
export function loadTile (c: usize, line: usize): void {
  for (let i: usize = 0; i < 4; i++) {
    v128.store(tileStatic + (i << 5), v128.load(c + i * line))
    v128.store(tileStatic + (i << 5), v128.load(c + i * line, 16), 16)
  }
}

/** 32 columns of one row of C: B in four panels `panel` bytes apart, `step` bytes per step of k. */
function row32 (k: i32, ap: usize, aStep: usize, bp: usize, step: usize, panel: usize, c: usize, accumulate: bool): void {
  let s0 = f32x4.splat(0); let s1 = s0; let s2 = s0; let s3 = s0
  let s4 = s0; let s5 = s0; let s6 = s0; let s7 = s0
  if (accumulate) {
    s0 = v128.load(c); s1 = v128.load(c, 16); s2 = v128.load(c, 32); s3 = v128.load(c, 48)
    s4 = v128.load(c, 64); s5 = v128.load(c, 80); s6 = v128.load(c, 96); s7 = v128.load(c, 112)
  }
  let b1 = bp + panel
  let b2 = b1 + panel
  let b3 = b2 + panel
  do {
    const x = v128.load32_splat(ap)
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(bp)))
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(bp, 16)))
    s2 = f32x4.add(s2, f32x4.mul(x, v128.load(b1)))
    s3 = f32x4.add(s3, f32x4.mul(x, v128.load(b1, 16)))
    s4 = f32x4.add(s4, f32x4.mul(x, v128.load(b2)))
    s5 = f32x4.add(s5, f32x4.mul(x, v128.load(b2, 16)))
    s6 = f32x4.add(s6, f32x4.mul(x, v128.load(b3)))
    s7 = f32x4.add(s7, f32x4.mul(x, v128.load(b3, 16)))
    ap += aStep
    bp += step
    b1 += step
    b2 += step
    b3 += step
  } while (--k > 0)
  v128.store(c, s0); v128.store(c, s1, 16); v128.store(c, s2, 32); v128.store(c, s3, 48)
  v128.store(c, s4, 64); v128.store(c, s5, 80); v128.store(c, s6, 96); v128.store(c, s7, 112)
}

/** 8 columns of one row of C. */
export function row8 (k: i32, ap: usize, aStep: usize, bp: usize, step: usize, c: usize, accumulate: bool): void {
  let s0 = f32x4.splat(0); let s1 = s0
  if (accumulate) {
    s0 = v128.load(c); s1 = v128.load(c, 16)
  }
  do {
    const x = v128.load32_splat(ap)
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(bp)))
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(bp, 16)))
    ap += aStep
    bp += step
  } while (--k > 0)
  v128.store(c, s0); v128.store(c, s1, 16)
}

/** One row of C. */
export function row (n: i32, k: i32, ap: usize, aStep: usize, bp: usize, step: usize, panel: usize, c: usize, accumulate: bool): void {
  let j = 0
  for (; j + 32 <= n; j += 32) {
    row32(k, ap, aStep, bp, step, panel, c, accumulate)
    bp += 4 * panel
    c += 128
  }
  for (; j + 8 <= n; j += 8) {
    row8(k, ap, aStep, bp, step, c, accumulate)
    bp += panel
    c += 32
  }
  if (j < n) {
    if (accumulate) {
      v128.store(tileStatic, v128.load(c))
      v128.store(tileStatic, v128.load(c, 16), 16)
    }
    row8(k, ap, aStep, bp, step, tileStatic, accumulate)
    putFirst(c, tileStatic, n - j)
  }
}
