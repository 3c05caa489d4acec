/** Softmax of attention's scores, four rows at a time, with the sums of `softmax` in rows.ts. */
import { weigh8, weight4 } from './functions'
import { firstLanes } from './rows'

/** Four vectors of parts as four sums, each (s0 + s1) + (s2 + s3). */
// @ts-ignore: decorator
@inline
export function joined (r0: v128, r1: v128, r2: v128, r3: v128): v128 {
  const t0 = i32x4.shuffle(r0, r1, 0, 4, 1, 5)
  const t1 = i32x4.shuffle(r2, r3, 0, 4, 1, 5)
  const t2 = i32x4.shuffle(r0, r1, 2, 6, 3, 7)
  const t3 = i32x4.shuffle(r2, r3, 2, 6, 3, 7)
  return f32x4.add(f32x4.add(i64x2.shuffle(t0, t1, 0, 2), i64x2.shuffle(t0, t1, 1, 3)), f32x4.add(i64x2.shuffle(t2, t3, 0, 2), i64x2.shuffle(t2, t3, 1, 3)))
}

/** The greatest of `visible` scores, not a number where one is not finite. */
function greatest (visible: i32, x: usize): f32 {
  const magnitude = i32x4.splat(0x7fffffff)
  let top = f32x4.splat(-Infinity)
  let most = i32x4.splat(0)
  for (const end = x + (<usize>(visible & ~3) << 2); x < end; x += 16) {
    const value = v128.load(x)
    top = f32x4.pmax(top, value)
    most = i32x4.max_u(most, v128.and(value, magnitude))
  }
  if ((visible & 3) != 0) {
    const lanes = firstLanes(visible & 3)
    const value = v128.load(x)
    top = f32x4.pmax(top, v128.bitselect(value, top, lanes))
    most = i32x4.max_u(most, v128.and(v128.and(value, magnitude), lanes))
  }
  if (v128.any_true(i32x4.ge_u(most, i32x4.splat(0x7f800000)))) {
    return NaN
  }
  top = f32x4.pmax(top, i32x4.shuffle(top, top, 2, 3, 0, 1))
  return f32x4.extract_lane(f32x4.pmax(top, i32x4.shuffle(top, top, 1, 0, 3, 2)), 0)
}

/** x = e^(x − its greatest) over `visible` columns, and zero behind; gives the sums in four parts. */
function exponentials (visible: i32, columns: i32, x: usize): v128 {
  const t = f32x4.splat(greatest(visible, x))
  const last = x + (<usize>columns << 2)
  let sum = f32x4.splat(0)
  const end = x + (<usize>(visible & ~3) << 2)
  for (const pairs = end - ((end - x) & 31); x < pairs; x += 32) {
    weigh8(x, x, t)
    sum = f32x4.add(f32x4.add(sum, v128.load(x)), v128.load(x, 16))
  }
  if (x < end) {
    const e = weight4(f32x4.sub(v128.load(x), t))
    v128.store(x, e)
    sum = f32x4.add(sum, e)
    x += 16
  }
  if ((visible & 3) != 0) {
    // what is not seen must not become a number so small that it takes a processor its time
    const lanes = firstLanes(visible & 3)
    const e = v128.and(weight4(f32x4.sub(v128.bitselect(v128.load(x), t, lanes), t)), lanes)
    v128.store(x, e)
    sum = f32x4.add(sum, e)
    x += 16
  }
  for (; x < last; x += 16) {
    v128.store(x, f32x4.splat(0))
  }
  return sum
}

// @ts-ignore: decorator
@inline
function scaleRow (width: i32, x: usize, factor: v128): void {
  for (const end = x + (<usize>width << 2); x < end; x += 16) {
    v128.store(x, f32x4.mul(v128.load(x), factor))
  }
}

/** Softmax of rows of which the first sees `visible` columns and each of the next one more. */
export function softmaxRows (rows: i32, visible: i32, columns: i32, x: usize, line: usize): void {
  let i = 0
  for (; i + 4 <= rows; i += 4) {
    const width = (visible + 6) & ~3
    const x1 = x + line
    const x2 = x1 + line
    const x3 = x2 + line
    const s0 = exponentials(visible, columns, x)
    const s1 = exponentials(visible + 1, columns, x1)
    const s2 = exponentials(visible + 2, columns, x2)
    const s3 = exponentials(visible + 3, columns, x3)
    const factors = f32x4.div(f32x4.splat(1), joined(s0, s1, s2, s3))
    scaleRow(width, x, i32x4.shuffle(factors, factors, 0, 0, 0, 0))
    scaleRow(width, x1, i32x4.shuffle(factors, factors, 1, 1, 1, 1))
    scaleRow(width, x2, i32x4.shuffle(factors, factors, 2, 2, 2, 2))
    scaleRow(width, x3, i32x4.shuffle(factors, factors, 3, 3, 3, 3))
    visible += 4
    x += line << 2
  }
  for (; i < rows; i++) {
    const sum = exponentials(visible, columns, x)
    scaleRow((visible + 3) & ~3, x, f32x4.div(f32x4.splat(1), joined(sum, sum, sum, sum)))
    visible++
    x += line
  }
}
