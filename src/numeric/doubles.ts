import { DOUBLES_BLOCK, DOUBLES_GROUP_MAX, EIGENVECTORS_ROWS_MAX } from './constants.ts'
import { cholesky, eigenvectors } from './doubles-factors.ts'
import { workspaces } from './doubles-memory.ts'
import { product, stepsOf } from './doubles-products.ts'
import { NumericRangeError, ShapeError } from './errors.ts'
import { referenceDoubles } from './reference-doubles.ts'
import type { Doubles } from './interface.ts'

/**
 * Linear algebra in f64 whose bits are the same everywhere: sums run in the order of the inner
 * dimension, whatever the blocks. Operands are read piece by piece, so the memory that it takes does
 * not grow with them: 3 MB, 9 MB for grouped sums, and two matrices for eigenvectors.
 *
 * @param backend - default `wasm`; `reference` is the slow oracle
 */
export function doubles (backend: 'wasm' | 'reference' = 'wasm'): Doubles {
  const blocks = backend === 'reference' ? referenceDoubles() : blockwiseDoubles()

  return {
    product (a, b, c, options = {}) {
      if (a.depth !== b.depth || c.length !== a.lines * b.lines) {
        throw new ShapeError('product', `operands of one depth and ${a.lines * b.lines} results`, `depths ${a.depth} and ${b.depth}, and ${c.length} results`)
      }
      if (options.group != null && (!Number.isInteger(options.group) || options.group < 1 || options.group > DOUBLES_GROUP_MAX || a.depth % options.group !== 0)) {
        throw new NumericRangeError('group', `a divisor of ${a.depth} up to ${DOUBLES_GROUP_MAX}`, options.group)
      }
      blocks.product(a, b, c, options)
    },
    cholesky (a, size) {
      checkSquare('cholesky', a, size)

      return blocks.cholesky(a, size)
    },
    eigenvectors (a, size, share, sweeps) {
      checkSquare('eigenvectors', a, size)
      if (size > EIGENVECTORS_ROWS_MAX) {
        throw new NumericRangeError('rows of a matrix for eigenvectors', `at most ${EIGENVECTORS_ROWS_MAX}`, size)
      }
      if (!a.every(Number.isFinite)) {
        return undefined
      }

      return blocks.eigenvectors(a, size, share, sweeps)
    }
  }
}

function checkSquare (what: string, a: Float64Array, size: number): void {
  if (a.length !== size * size) {
    throw new ShapeError(what, `${size} × ${size} elements`, `${a.length}`)
  }
}

function blockwiseDoubles (): Doubles {
  const workspace = workspaces()

  return {
    product (a, b, c, options = {}) {
      product(workspace(stepsOf(options.group)), a, b, c, options)
    },
    cholesky: (a, size) => cholesky(workspace(DOUBLES_BLOCK), a, size),
    eigenvectors
  }
}
