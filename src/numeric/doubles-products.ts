import { DOUBLES_BLOCK } from './constants.ts'
import { ADD, ADD_SUM, address, padded, stage } from './doubles-memory.ts'
import type { Workspace } from './doubles-memory.ts'
import type { DoubleOperand, ProductOptions } from './interface.ts'

/** Steps of a block, which holds whole groups. */
export function stepsOf (group?: number): number {
  return group == null ? DOUBLES_BLOCK : group * Math.max(1, Math.floor(DOUBLES_BLOCK / group))
}

/** As `Doubles.product`, in a workspace of `stepsOf(group)` steps. */
export function product ({ run, values, at }: Workspace, a: DoubleOperand, b: DoubleOperand, c: Float64Array, { accumulate = false, lower = false, group }: ProductOptions): void {
  const columns = b.lines
  const steps = stepsOf(group)

  for (let i = 0; i < a.lines; i += DOUBLES_BLOCK) {
    const rows = Math.min(DOUBLES_BLOCK, a.lines - i)
    const end = lower ? Math.min(columns, i + rows) : columns

    for (let j = 0; j < end; j += DOUBLES_BLOCK) {
      const width = Math.min(DOUBLES_BLOCK, columns - j)
      const line = padded(width)

      values.fill(0, at.c, at.c + padded(rows) * line)
      for (let row = 0; row < (accumulate ? rows : 0); row++) {
        values.set(c.subarray((i + row) * columns + j, (i + row) * columns + j + width), at.c + row * line)
      }
      for (let k = 0; k < a.depth; k += steps) {
        const last = Math.min(k + steps, a.depth)
        const [aLine, aStep] = stage(a, i, i + rows, k, last, values, at.a)
        const [bLine, bStep] = stage(b, j, j + width, k, last, values, at.b)

        for (let first = 0; first < last - k; first += group ?? steps) {
          run.multiply(
            group == null ? ADD : ADD_SUM, padded(rows), line, group ?? last - k,
            address(at.a + first * aStep), aLine, aStep, address(at.b + first * bStep), bLine, bStep, address(at.scratch), address(at.c), line, lower ? i - j : line
          )
        }
      }
      for (let row = 0; row < rows; row++) {
        const written = lower ? Math.min(width, i + row - j + 1) : width

        if (written > 0) {
          c.set(values.subarray(at.c + row * line, at.c + row * line + written), (i + row) * columns + j)
        }
      }
    }
  }
}
