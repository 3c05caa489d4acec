/**
 * Kernels for many conversations at once. Keys and values lie in pages of 16 tokens; of each layer a
 * page holds, for each key-value head, its keys as two panels [headDim][8] (a product's packed right
 * operand), then the values as [16][kvHeads·headDim]. All sums have the order of `gemm` and `softmax`.
 */
import { allFinite } from './elementwise'
import { gemm, row } from './gemm'
import { softmax } from './rows'

/** See TILE_COLUMNS and PAGE_TOKENS in ../constants.ts. */
const PAGE: i32 = 16

/** Products with packed right operands; each is 8 integers: m, n, k, a, aRow, packed, c, cRow. */
export function gemmMany (count: i32, table: usize, scratch: usize): void {
  for (let i = 0; i < count; i++) {
    const k = load<i32>(table, 8)
    const packed = <usize>load<u32>(table, 20)
    gemm(load<i32>(table), load<i32>(table, 4), k, <usize>load<u32>(table, 12), load<i32>(table, 16), 1,
      packed, 1, k, packed, scratch, <usize>load<u32>(table, 24), load<i32>(table, 28), false)
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

/** 16 scores of one query: both panels of a page at once. */
function scores16 (k: i32, q: usize, page: usize, panel: usize, y: usize): void {
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
    scores16(headDim, q, <usize>load<u32>(pages + <usize>(t >> 4 << 2)) + head, panel, scores + (<usize>t << 2))
  }
  if (!allFinite(n, scores)) {
    // a fault of this row alone: it spreads to the row's end, where it is found
    for (let j = 0; j < headDim; j++) {
      store<f32>(y + (<usize>j << 2), NaN)
    }
    return
  }
  softmax(1, n, 0, scores, scores)
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
