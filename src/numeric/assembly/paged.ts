/**
 * Kernels for many conversations at once. Keys and values lie in pages of 16 tokens; of each layer a
 * page holds, for each key-value head, its keys as two panels [headDim][8] (a product's packed right
 * operand), then the values as [16][kvHeads·headDim]. All sums have the order of `gemm` and `softmax`.
 */
import { gemm } from './gemm'
import { row } from './lines'
import { softmaxRows } from './softmax'

/** See TILE_COLUMNS and PAGE_TOKENS in ../constants.ts. */
const PAGE: i32 = 16
/** Columns of what counts as narrow: three projections of rank 16. */
const NARROW: i32 = 48

/** 24 columns of one row: three panels, so that additions of one column need not wait for each other. */
function row24 (k: i32, x: usize, panels: usize, panel: usize, y: usize): void {
  let s0 = f32x4.splat(0); let s1 = s0; let s2 = s0; let s3 = s0; let s4 = s0; let s5 = s0
  let second = panels + panel
  let third = second + panel
  do {
    const t = v128.load32_splat(x)
    s0 = f32x4.add(s0, f32x4.mul(t, v128.load(panels)))
    s1 = f32x4.add(s1, f32x4.mul(t, v128.load(panels, 16)))
    s2 = f32x4.add(s2, f32x4.mul(t, v128.load(second)))
    s3 = f32x4.add(s3, f32x4.mul(t, v128.load(second, 16)))
    s4 = f32x4.add(s4, f32x4.mul(t, v128.load(third)))
    s5 = f32x4.add(s5, f32x4.mul(t, v128.load(third, 16)))
    x += 4
    panels += 32
    second += 32
    third += 32
  } while (--k > 0)
  v128.store(y, s0); v128.store(y, s1, 16); v128.store(y, s2, 32)
  v128.store(y, s3, 48); v128.store(y, s4, 64); v128.store(y, s5, 80)
}

/** One row of a product with few columns, as the low ranks of adapters are. */
function rowNarrow (n: i32, k: i32, x: usize, panels: usize, y: usize): void {
  const panel = <usize>k << 5
  let j = 0
  for (; n - j >= 24 && n - j != 32; j += 24) {
    row24(k, x, panels, panel, y)
    panels += 3 * panel
    y += 96
  }
  if (n - j == 16) {
    row16(k, x, panels, panel, y)
  } else if (j < n) {
    row(n - j, k, x, 4, panels, 32, panel, y, false)
  }
}

/** Products with packed right operands; each is 8 integers: m, n, k, a, aRow, packed, c, cRow. */
export function gemmMany (count: i32, table: usize, scratch: usize): void {
  for (let i = 0; i < count; i++) {
    const m = load<i32>(table)
    const n = load<i32>(table, 4)
    const k = load<i32>(table, 8)
    const a = <usize>load<u32>(table, 12)
    const packed = <usize>load<u32>(table, 20)
    const c = <usize>load<u32>(table, 24)
    if (m == 1 && n <= NARROW) {
      rowNarrow(n, k, a, packed, c)
    } else {
      gemm(m, n, k, a, load<i32>(table, 16), 1, packed, 1, k, packed, scratch, c, load<i32>(table, 28), false)
    }
    table += 32
  }
}

/** Each row is 2 integers: the address of its layer in its page, and its slot there. */
export function writePages (rows: i32, kvHeads: i32, headDim: i32, table: usize, offset: usize, k: usize, v: usize): void {
  const line = <usize>(kvHeads * headDim) << 2
  for (let i = 0; i < rows; i++) {
    const page = <usize>load<u32>(table) + offset
    const slot = load<i32>(table, 4)
    // panel by slot, then [headDim][8]
    let to = page + (<usize>((slot >> 3) * headDim) << 5) + (<usize>(slot & 7) << 2)
    let from = k
    for (let h = 0; h < kvHeads; h++) {
      let at = to
      for (let j = 0; j < headDim; j++) {
        store<f32>(at, load<f32>(from))
        at += 32
        from += 4
      }
      to += <usize>headDim << 6
    }
    memory.copy(page + line * PAGE + <usize>slot * line, v, line)
    k += line
    v += line
    table += 8
  }
}

/** 16 columns of one row, for instance the scores of one query in a page: two panels at once. */
function row16 (k: i32, q: usize, page: usize, panel: usize, y: usize): void {
  let s0 = f32x4.splat(0); let s1 = s0; let s2 = s0; let s3 = s0
  let second = page + panel
  do {
    const x = v128.load32_splat(q)
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(page)))
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(page, 16)))
    s2 = f32x4.add(s2, f32x4.mul(x, v128.load(second)))
    s3 = f32x4.add(s3, f32x4.mul(x, v128.load(second, 16)))
    q += 4
    page += 32
    second += 32
  } while (--k > 0)
  v128.store(y, s0); v128.store(y, s1, 16); v128.store(y, s2, 32); v128.store(y, s3, 48)
}

/** One query head against n tokens. `pages` is a list of addresses. */
function attendHead (n: i32, headDim: i32, kvHeads: i32, group: i32, pages: usize, offset: usize, q: usize, scores: usize, y: usize): void {
  const head = offset + (<usize>(group * headDim) << 6)
  const panel = <usize>headDim << 5
  for (let t = 0; t < n; t += PAGE) {
    row16(headDim, q, <usize>load<u32>(pages + <usize>(t >> 4 << 2)) + head, panel, scores + (<usize>t << 2))
  }
  // where one is not finite all become NaN: a fault of this row alone, which spreads to its end, where it is found
  softmaxRows(1, n, n, scores, 0)
  const line = <usize>(kvHeads * headDim) << 2
  const values = offset + line * PAGE + (<usize>(group * headDim) << 2)
  for (let t = 0; t < n; t += PAGE) {
    row(headDim, min(PAGE, n - t), scores + (<usize>t << 2), 4, <usize>load<u32>(pages + <usize>(t >> 4 << 2)) + values, line, 32, y, t > 0)
  }
}

/** Each row is 2 integers: how many tokens it sees, and where the list of its pages is. */
export function attendPages (rows: i32, heads: i32, kvHeads: i32, headDim: i32, table: usize, offset: usize, q: usize, scores: usize, y: usize): void {
  const shared = heads / kvHeads
  for (let i = 0; i < rows; i++) {
    const n = load<i32>(table)
    const pages = <usize>load<u32>(table, 4)
    for (let h = 0; h < heads; h++) {
      attendHead(n, headDim, kvHeads, h / shared, pages, offset, q, scores, y)
      q += <usize>headDim << 2
      y += <usize>headDim << 2
    }
    table += 8
  }
}
