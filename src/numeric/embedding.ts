import { ANGLE_MAX, ROPE_TABLE_ROWS } from './constants.ts'
import { NumericRangeError, ShapeError } from './errors.ts'
import { weightRows } from './frozen.ts'
import { cos, sin } from './math.ts'
import { ropeFrequencies, ropeMagnitude } from './rope-frequencies.ts'
import type { Engine } from './engine.ts'
import type { RopePairing, RopeScaling } from './interface.ts'
import type { Node } from './node.ts'

/** Copies row numbers to an address, each within [0, limit) unless it does not matter. */
export function placeIds (e: Engine, primitive: string, ids: ArrayLike<number>, limit: number, at: number, matters: (i: number) => boolean): void {
  e.leaf(ids, given => {
    for (let i = 0; i < given.length; i++) {
      if (!Number.isInteger(given[i]) || given[i] < 0 || given[i] >= limit) {
        if (matters(i)) {
          throw new NumericRangeError(`id ${i} of ${primitive}`, `an integer from 0 to ${limit - 1}`, given[i])
        }
      }
      e.integers[(at >>> 2) + i] = given[i]
    }
  })
}

/** Rows of `table` by id. */
export function gather (e: Engine, table: Node, ids: ArrayLike<number>): Node {
  const at = e.arena.take(ids.length * 4)
  placeIds(e, 'gather', ids, table.rows, at, () => true)
  const { length } = ids
  const { columns } = table
  return e.linear('gather', table, length, columns,
    (x, y) => {
      if (table.decode != null) {
        weightRows(e, table, length, at, y)
      } else {
        e.kernels.gather(length, columns, at, x, y)
      }
    },
    dy => [e.linear('gather', dy, table.rows, columns, (x, y) => {
      e.fill(y, table.rows * columns, 0)
      e.kernels.scatter(length, columns, at, x, y)
    }, () => [])])
}

interface RopeOptions {
  heads: number
  theta: number
  offset?: number
  pairing: RopePairing
  scaling?: RopeScaling
}

/** Cosines and sines of position·frequency, [rows, headDim/2], computed in f64 and kept. */
function ropeTable (e: Engine, headDim: number, { theta, scaling }: RopeOptions, rowsNeeded: number): { cosines: number, sines: number } {
  const key = `${headDim} ${theta} ${JSON.stringify(scaling ?? null)}`
  const known = e.ropeTables.get(key)
  if (known != null && known.rows >= rowsNeeded) {
    return known
  }
  let rows = ROPE_TABLE_ROWS
  while (rows < rowsNeeded) {
    rows *= 2
  }
  const half = headDim / 2
  const table = { rows, cosines: e.arena.keep(rows * half * 4), sines: e.arena.keep(rows * half * 4) }
  const magnitude = ropeMagnitude(scaling)
  for (const [i, frequency] of ropeFrequencies(headDim, theta, scaling).entries()) {
    for (let position = 0; position < rows; position++) {
      const angle = position * frequency
      e.floats[(table.cosines >>> 2) + position * half + i] = magnitude * cos(angle)
      e.floats[(table.sines >>> 2) + position * half + i] = magnitude * sin(angle)
    }
  }
  e.ropeTables.set(key, table)
  return table
}

/** See Tape.rope. */
export function rope (e: Engine, x: Node, options: RopeOptions): Node {
  const { heads, theta, pairing, offset = 0 } = options
  const headDim = x.columns / heads
  if (!Number.isInteger(heads) || heads < 1 || headDim % 2 !== 0) {
    throw new ShapeError('rope', 'heads that divide the columns into even parts', `${heads} heads of ${x.columns} columns`)
  }
  if (!Number.isInteger(offset) || offset < 0 || offset + x.rows > ANGLE_MAX / 2) {
    throw new NumericRangeError('offset of rope', `from 0 to ${Math.floor(ANGLE_MAX / 2) - x.rows}`, offset)
  }
  if (!(theta >= 1)) {
    throw new NumericRangeError('theta of rope', '1 or more', theta)
  }
  if (options.scaling != null && !(options.scaling.factor >= 1)) {
    throw new NumericRangeError('the factor of rope\'s scaling', '1 or more', options.scaling.factor)
  }
  const table = ropeTable(e, headDim, options, offset + x.rows)
  const skipped = offset * headDim / 2 * 4
  const turn = (value: Node, inverse: boolean): Node => e.linear('rope', value, x.rows, x.columns, (from, to) => {
    e.kernels.rope(x.rows, heads, headDim, from, table.cosines + skipped, table.sines + skipped, to, pairing === 'interleaved', inverse)
  }, dy => [turn(dy, !inverse)])
  return turn(x, false)
}
