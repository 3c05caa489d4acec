import { QUANT_BLOCK } from './constants.ts'
import { blockOf } from './weights.ts'
import type { WeightMatrix } from './interface.ts'

const round = Math.fround
const words = new Uint32Array(1)
const floats = new Float32Array(words.buffer)

/** 32 numbers as d·q: d a power of two, |q| ≤ 2^14, to nearest, ties to even. Where one is not finite d is infinite. */
function rounded (x: Float32Array): { d: number, q: number[] } {
  let e = 14
  for (const value of x) {
    floats[0] = value
    e = Math.max(e, (words[0] >>> 23) & 255)
  }
  words[0] = (e - 13) << 23
  const d = e === 255 ? Infinity : floats[0]
  // adding and taking away 1.5·2^52 leaves the nearest integer
  return { d, q: Array.from(x, value => e === 255 ? 0 : (value / d + 6755399441055744) - 6755399441055744) }
}

/** One row: y[rows] (+)= W·x, as `Kernels.matmulRounded` says. */
export function roundedProduct (w: WeightMatrix, x: Float32Array, y: Float32Array, accumulate: boolean): void {
  const [rows, columns] = w.shape
  const blocks = Array.from({ length: columns / QUANT_BLOCK }, (_, i) => rounded(x.subarray(i * QUANT_BLOCK, (i + 1) * QUANT_BLOCK)))
  for (let row = 0; row < rows; row++) {
    let sum = accumulate ? y[row] : 0
    blocks.forEach(({ d, q }, i) => {
      const { scale, quants } = blockOf(w, row * blocks.length + i)
      const integer = q.reduce((total, value, j) => total + value * quants[j], 0)
      sum = round(sum + round(round(integer) * round(scale * d)))
    })
    y[row] = sum
  }
}
