/**
 * Products of integers: quants of q8_0 and q4_0 with rows of x that are rounded to 15 bits by blocks of
 * 32 (./rounding). Sums within a block are exact, so that only the order of blocks matters, and it is that of the columns.
 */
import { fourGroupsQ4, fourGroupsQ8, rowsQ4, rowsQ8 } from './integers-rows'
import { copyFirst, groupWide, WIDE_ROWS } from './integers-wide'
import { ROUNDED_BLOCK } from './rounding'
import { zero } from './rows'
import { edge } from './statics'
import { groupBytes, Q8 } from './weights-layout'

/**
 * y[m,rows] (+)= x·Wᵀ for m below WIDE_ROWS and rows a multiple of 64. Each quarter of the rows is read in order beside
 * the others: a processor fetches ahead in every place where it sees memory read in order, so four places give
 * half as much again as one, and what one waits for does not hold up the arithmetic of the others.
 */
function quarters (type: i32, m: i32, rows: i32, columns: i32, x: usize, packed: usize, y: usize, yLine: usize, accumulate: bool): void {
  const group = groupBytes(type, columns)
  const line = <usize>(columns >> 5) * ROUNDED_BLOCK
  const apart = <usize>(rows >> 6) * group
  for (let j = 0; j < rows; j += 64, packed += group, y += 64) {
    let from = x
    let to = y
    for (let i = 0; i < m; i++, from += line, to += yLine) {
      if (!accumulate) {
        for (let k = 0; k < 4; k++) {
          zero(to + <usize>(k * rows), 16)
        }
      }
      if (type == Q8) {
        fourGroupsQ8(columns, from, packed, apart, to, <usize>rows)
      } else {
        fourGroupsQ4(columns, from, packed, apart, to, <usize>rows)
      }
    }
  }
}

/** y[m,rows] (+)= x·Wᵀ for rounded x[m,columns]; scratch is room for WIDE_BLOCKS blocks. */
export function multiplyRounded (type: i32, m: i32, rows: i32, columns: i32, x: usize, packed: usize, scratch: usize, y: usize, yRow: i32, accumulate: bool): void {
  const group = groupBytes(type, columns)
  const line = <usize>(columns >> 5) * ROUNDED_BLOCK
  const yLine = <usize>yRow << 2
  let j = 0
  if (m < WIDE_ROWS) {
    j = rows & ~63
    quarters(type, m, j, columns, x, packed, y, yLine, accumulate)
    packed += <usize>(j >> 4) * group
    y += <usize>j << 2
  }
  for (; j < rows; j += 16) {
    const bytes = <usize>min(rows - j, 16) << 2
    if (m >= WIDE_ROWS) {
      groupWide(type, m, columns, x, packed, scratch, y, yLine, bytes, accumulate)
    } else {
      let from = x
      let to = y
      for (let i = 0; i < m; i++) {
        const at = bytes < 64 ? edge : to
        if (at == edge) {
          copyFirst(edge, to, bytes)
        }
        if (type == Q8) {
          rowsQ8(columns, from, packed, at, accumulate)
        } else {
          rowsQ4(columns, from, packed, at, accumulate)
        }
        if (at == edge) {
          copyFirst(to, edge, bytes)
        }
        from += line
        to += yLine
      }
    }
    packed += group
    y += 64
  }
}
