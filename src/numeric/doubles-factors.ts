import { DOUBLES_BLOCK, PAGE_BYTES } from './constants.ts'
import { address, instance, padded, stage, SUBTRACT } from './doubles-memory.ts'
import type { Workspace } from './doubles-memory.ts'
import type { DoubleOperand } from './interface.ts'

/**
 * Left-looking, block column by block column: what was found before is taken away in its order, then
 * the block on the diagonal is factored and those below it are solved for.
 */
export function cholesky ({ run, values, at }: Workspace, a: Float64Array, size: number): number {
  const scratch = address(at.scratch)
  const found: DoubleOperand = {
    lines: size,
    depth: size,
    copy: (line, from, to, out, place) => { out.set(a.subarray(line * size + from, line * size + to), place) }
  }
  // the factored block on the diagonal lies where the second operand was
  const pivot = address(at.b)

  for (let j = 0; j < size; j += DOUBLES_BLOCK) {
    const width = Math.min(DOUBLES_BLOCK, size - j)
    const line = padded(width)

    for (let i = j; i < size; i += DOUBLES_BLOCK) {
      const rows = Math.min(DOUBLES_BLOCK, size - i)

      loadBlock(values, at.c, a, size, i, j, rows, width)
      for (let k = 0; k < j; k += DOUBLES_BLOCK) {
        const [aLine, aStep] = stage(found, i, i + rows, k, k + DOUBLES_BLOCK, values, at.a)
        const [bLine, bStep] = stage(found, j, j + width, k, k + DOUBLES_BLOCK, values, at.scratch)
        const packed = at.scratch + DOUBLES_BLOCK * DOUBLES_BLOCK

        run.multiply(SUBTRACT, padded(rows), line, DOUBLES_BLOCK, address(at.a), aLine, aStep, scratch, bLine, bStep, address(packed), address(at.c), line, i === j ? 0 : line)
      }
      if (i > j) {
        run.solveRows(padded(rows), line, pivot, line, address(at.c), line, scratch)
      } else {
        const row = run.cholesky(line, address(at.c), line, scratch)

        if (row >= 0) {
          return j + row
        }
        values.copyWithin(at.b, at.c, at.c + line * line)
      }
      for (let row = 0; row < rows; row++) {
        const end = i === j ? row + 1 : width

        a.set(values.subarray(at.c + row * line, at.c + row * line + end), (i + row) * size + j)
      }
    }
  }

  return -1
}

/** A block of a matrix, padded with zeros, and with ones on the diagonal of the whole. */
function loadBlock (values: Float64Array, at: number, a: Float64Array, size: number, i: number, j: number, rows: number, width: number): void {
  const line = padded(width)

  values.fill(0, at, at + padded(rows) * line)
  for (let row = 0; row < rows; row++) {
    values.set(a.subarray((i + row) * size + j, (i + row) * size + j + width), at + row * line)
  }
  for (let row = rows; row < (i === j ? line : 0); row++) {
    values[at + row * line + row] = 1
  }
}

/** As `Doubles.eigenvectors`, in a memory of its own: it may be large, and is rarely asked for. */
export function eigenvectors (a: Float64Array, size: number, share: number, sweeps: number): Float64Array | undefined {
  const line = size + size % 2
  const matrix = PAGE_BYTES / 8
  const vectors = matrix + line * size
  const { run, values } = instance(2 * line * size)

  for (let i = 0; i < size; i++) {
    values.set(a.subarray(i * size, (i + 1) * size), matrix + i * line)
    values[vectors + i * line + i] = 1
  }

  const converged = run.jacobi(size, line, address(matrix), address(vectors), share, sweeps) !== 0
  const out = new Float64Array(size * size)

  for (let i = 0; i < size; i++) {
    a.set(values.subarray(matrix + i * line, matrix + i * line + size), i * size)
    out.set(values.subarray(vectors + i * line, vectors + i * line + size), i * size)
  }

  return converged ? out : undefined
}
