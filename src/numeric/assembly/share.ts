/**
 * One chunk of a product's columns, for threads: any split gives the same bits. `task` is 16 words:
 * which product, columns of all and of a chunk, then its arguments in the order of its parameters
 * without their number of columns, scratch last of all left out.
 */
import { gemm } from './gemm'
import { multiplyRounded } from './integers'
import { multiplyWeights, multiplyWeightsBack } from './weights'
import { groupBytes } from './weights-layout'

// @ts-ignore: decorator
@inline
function word (task: usize, i: usize): i32 {
  return load<i32>(task + (i << 2))
}

// @ts-ignore: decorator
@inline
function address (task: usize, i: usize): usize {
  return <usize>load<u32>(task + (i << 2))
}

/** Chunks begin at multiples of 32 columns. */
export function share (task: usize, chunk: i32, scratch: usize): void {
  const all = word(task, 1)
  const width = word(task, 2)
  const from = chunk * width
  const count = min(width, all - from)
  const offset = <usize>from << 2
  if (word(task, 0) == 0) {
    const k = word(task, 4)
    const packed = address(task, 11)
    gemm(word(task, 3), count, k, address(task, 5), word(task, 6), word(task, 7),
      address(task, 8) + offset * <usize>word(task, 10), word(task, 9), word(task, 10), packed == 0 ? 0 : packed + <usize>k * offset,
      scratch, address(task, 12) + offset, word(task, 13), word(task, 14) != 0)
    return
  }
  const type = word(task, 3)
  const other = word(task, 5)
  if (word(task, 0) == 1) {
    multiplyWeights(type, word(task, 4), count, other, address(task, 6), word(task, 7), address(task, 8) + <usize>(from >> 4) * groupBytes(type, other),
      scratch, address(task, 9) + offset, word(task, 10), word(task, 11) != 0)
  } else if (word(task, 0) == 3) {
    multiplyRounded(type, word(task, 4), count, other, address(task, 6), address(task, 7) + <usize>(from >> 4) * groupBytes(type, other),
      scratch, address(task, 8) + offset, word(task, 9), word(task, 10) != 0)
  } else {
    multiplyWeightsBack(type, word(task, 4), other, all, address(task, 6), word(task, 7), address(task, 8),
      scratch, address(task, 9), word(task, 10), word(task, 11) != 0, from, from + count)
  }
}
