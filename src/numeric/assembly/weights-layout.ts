/**
 * Frozen weights W[rows, columns] as they are streamed: groups of 16 rows, the last padded with
 * zeros, each group contiguous and in order of the columns. Lane i of a vector belongs to rows i,
 * i + 4, i + 8 and i + 12 of a group, so that decoding is shifts and masks, never shuffles.
 *
 * - f32: two panels of 8 rows, each [columns][8], as packColumns makes them
 * - bf16: [columns][2 vectors]: in vector v, rows 8v + i in the low halves, 8v + 4 + i in the high
 * - q8_0: for each 32 columns 16 scales (f16) by row, then [16][2 vectors]: byte j of word i of vector v is row
 *   8v + i + 4(j mod 2) of column 2s + (j div 2), the even ones plus 128. So half words are two columns, as products
 *   of integers want them: rows 8v + i by a mask, rows 8v + 4 + i by a shift
 * - q4_0: for each 32 columns 16 scales by row, then [16][1 vector]: nibble j of word i is row
 *   i + 4(j mod 4) of column 2s + (j div 4), as its file has it: 8 more than the quant
 */
import { packColumns } from './gemm'

export const F32 = 0
export const BF16 = 1
export const Q8 = 2
export const Q4 = 3

/** Bytes of 32 columns of a group: scales and quants. */
export const Q8_BLOCK: usize = 544
export const Q4_BLOCK: usize = 288

/** Bytes of a group of 16 rows. */
export function groupBytes (type: i32, columns: i32): usize {
  if (type == F32) {
    return <usize>columns << 6
  }
  if (type == BF16) {
    return <usize>columns << 5
  }
  return <usize>(columns >> 5) * (type == Q8 ? Q8_BLOCK : Q4_BLOCK)
}

/** Where column `column` (a multiple of 32) of a group begins. */
export function columnOffset (type: i32, column: i32): usize {
  return type == F32 ? <usize>column << 5 : groupBytes(type, column)
}

function packBf16 (rows: i32, columns: i32, from: usize, packed: usize): bool {
  let finite = true
  for (let row = 0; row < rows; row++) {
    const c = row & 15
    let to = packed + <usize>(row >> 4) * (<usize>columns << 5) + <usize>(((c >> 3) << 4) | ((c & 3) << 2) | (((c >> 2) & 1) << 1))
    for (let column = 0; column < columns; column++) {
      const bits = load<u16>(from)
      finite = finite && (bits & 0x7f80) != 0x7f80
      store<u16>(to, bits)
      from += 2
      to += 32
    }
  }
  return finite
}

function packQ8 (rows: i32, columns: i32, from: usize, packed: usize): bool {
  let finite = true
  for (let row = 0; row < rows; row++) {
    const c = row & 15
    let to = packed + <usize>(row >> 4) * groupBytes(Q8, columns)
    for (let block = 0; block < columns; block += 32) {
      const scale = load<u16>(from)
      finite = finite && (scale & 0x7c00) != 0x7c00
      store<u16>(to + <usize>(c << 1), scale)
      const second = (c >> 2) & 1
      const quants = to + 32 + <usize>(((c & 8) << 1) | ((c & 3) << 2) | second)
      const flip = second ? 0 : 128
      for (let i: usize = 0; i < 32; i++) {
        store<u8>(quants + ((i >> 1) << 5) + ((i & 1) << 1), load<u8>(from + i, 2) ^ <u8>flip)
      }
      from += 34
      to += Q8_BLOCK
    }
  }
  return finite
}

function packQ4 (rows: i32, columns: i32, from: usize, packed: usize): bool {
  let finite = true
  for (let row = 0; row < rows; row++) {
    const c = row & 15
    const shift = (c >> 2) << 2
    let to = packed + <usize>(row >> 4) * groupBytes(Q4, columns)
    for (let block = 0; block < columns; block += 32) {
      const scale = load<u16>(from)
      finite = finite && (scale & 0x7c00) != 0x7c00
      store<u16>(to + <usize>(c << 1), scale)
      for (let i = 0; i < 32; i++) {
        const byte = <u32>load<u8>(from + <usize>(i & 15), 2)
        const nibble = (i < 16 ? byte : byte >> 4) & 15
        const word = to + 32 + (<usize>(i >> 1) << 4) + (<usize>(c & 3) << 2)
        store<u32>(word, load<u32>(word) | (nibble << (shift + ((i & 1) << 4))))
      }
      from += 18
      to += Q4_BLOCK
    }
  }
  return finite
}

/** Gives false when a weight is infinite or undefined; f32 is left to allFinite. */
export function packWeights (type: i32, rows: i32, columns: i32, from: usize, packed: usize): bool {
  if (type == F32) {
    packColumns(rows, columns, from, 1, columns, packed)
    return true
  }
  memory.fill(packed, 0, <usize>((rows + 15) >> 4) * groupBytes(type, columns))
  if (type == BF16) {
    return packBf16(rows, columns, from, packed)
  }
  return type == Q8 ? packQ8(rows, columns, from, packed) : packQ4(rows, columns, from, packed)
}
