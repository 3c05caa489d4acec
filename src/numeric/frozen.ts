import { GROUP_ROWS, STAGED_BYTES } from './constants.ts'
import { NonFiniteError, ShapeError } from './errors.ts'
import { Node, NONE } from './node.ts'
import { checkWeights, packedBytes, weightsScratchBytes } from './weights.ts'
import type { Engine } from './engine.ts'
import type { WeightMatrix, WeightType } from './interface.ts'

/** Rows of a weight matrix, decoded, at an address in the arena; `ids` at an address as i32. */
export function weightRows (e: Engine, weights: Node, count: number, ids: number, y: number): void {
  if (weights.packed == null) {
    return
  }
  const mark = e.arena.mark()
  const scratch = e.arena.take(weightsScratchBytes(1, weights.rows, weights.columns))
  e.kernels.gatherWeights(weights.packed.type, weights.rows, weights.columns, count, ids, weights.packed.at, scratch, y)
  e.arena.release(mark)
}

/** All rows of a weight matrix, decoded into y. */
function allRows (e: Engine, weights: Node, y: number): void {
  const mark = e.arena.mark()
  const ids = e.arena.take(weights.rows * 4)
  e.step(() => {
    for (let i = 0; i < weights.rows; i++) {
      e.integers[(ids >>> 2) + i] = i
    }
  })
  weightRows(e, weights, weights.rows, ids, y)
  e.arena.release(mark)
}

/** The node itself, or a decoded copy of weights that are held packed only, until the next reset. */
export function dense (e: Engine, node: Node): Node {
  if (node.decode == null) {
    return node
  }
  const y = e.empty(node.rows, node.columns)
  y.name = node.name
  allRows(e, node, y.at)
  return y
}

function packable (type: WeightMatrix['type']): type is WeightType {
  return type !== 'f16'
}

/** Frozen weights, packed from a staging copy of 16·i rows at a time. */
export function frozenWeights (e: Engine, matrix: WeightMatrix, name?: string): Node {
  checkWeights('constant', matrix)
  const { type, shape: [rows, columns], bytes } = matrix
  if (!packable(type)) {
    throw new ShapeError('constant', 'weights of f32, bf16, q8_0 or q4_0 (f16 is for import: see dequantise)', type)
  }
  const at = e.arena.keep(packedBytes(type, rows, columns))
  const memory = new Uint8Array(e.kernels.buffer)
  const rowBytes = bytes.length / rows
  const part = Math.max(1, Math.floor(STAGED_BYTES / (rowBytes * GROUP_ROWS))) * GROUP_ROWS
  for (let row = 0; row < rows; row += part) {
    const count = Math.min(part, rows - row)
    const mark = e.arena.mark()
    const staged = e.arena.take(count * rowBytes)
    memory.set(bytes.subarray(row * rowBytes, (row + count) * rowBytes), staged)
    const finite = e.kernels.packWeights(type, count, columns, staged, at + packedBytes(type, row, columns))
    e.arena.release(mark)
    if (!finite) {
      throw new NonFiniteError('constant', `${name ?? 'weights'} [${rows},${columns}] of ${type}, rows ${row} to ${row + count - 1}`)
    }
  }
  const node = new Node(e.kernels.buffer, e.directions, -1, rows, columns, NONE, [])
  node.name = name
  node.packed = { type, at, transposed: false, rounded: matrix.activations != null }
  node.decode = () => e.once(() => {
    const mark = e.arena.mark()
    const y = e.arena.take(node.size * 4)
    allRows(e, node, y)
    const data = e.floats.slice(y >>> 2, (y >>> 2) + node.size)
    e.arena.release(mark)
    return data
  })
  return node
}

/**
 * A frozen right operand: packed once, the way it is first used, and streamed either way from there.
 * For op(b) = Wᵀ the packed matrix W is b (or bᵀ where `transposed`) and products run along its columns.
 */
export function frozenOperand (e: Engine, b: Node, tb: boolean): NonNullable<Node['packed']> {
  if (b.packed == null) {
    const [rows, columns] = tb ? [b.rows, b.columns] : [b.columns, b.rows]
    b.packed = { type: 'f32', at: e.arena.keep(packedBytes('f32', rows, columns)), transposed: !tb }
    const { at } = b.packed
    e.once(() => { e.kernels.packColumns(rows, columns, b.at, tb ? 1 : b.columns, tb ? b.columns : 1, at) })
  }
  return b.packed
}
