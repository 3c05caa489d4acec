import { attention } from './attention.ts'
import { recorder } from './capture.ts'
import { DIRECTIONS_MAX } from './constants.ts'
import { add, gelu, mul, scale, silu } from './elementwise.ts'
import { gather, rope } from './embedding.ts'
import { Engine } from './engine.ts'
import { CaptureError, NumericRangeError, ShapeError } from './errors.ts'
import { dense, frozenWeights } from './frozen.ts'
import { project, swiglu } from './fused.ts'
import { gradient } from './gradient.ts'
import { kernels } from './kernels.ts'
import { crossEntropy } from './loss.ts'
import { matmul } from './matmul.ts'
import { Node, NONE } from './node.ts'
import { addRow, layerNorm, rmsNorm } from './rows.ts'
import type { Capture, CaptureInput, Tape, TapeInit, Value, WeightMatrix } from './interface.ts'

type Shape = readonly [number, number]

function checkedShape (primitive: string, [rows, columns]: Shape, data: ArrayLike<number>): void {
  if (!Number.isInteger(rows) || !Number.isInteger(columns) || rows < 1 || columns < 1 || data.length !== rows * columns) {
    throw new ShapeError(primitive, 'as many numbers as its shape says, at least one', `${data.length} for [${rows},${columns}]`)
  }
}

/** Copies data to an address; refuses what is not finite. */
function write (e: Engine, primitive: string, at: number, data: Float32Array, [rows, columns]: Shape, name = 'a value'): number {
  e.leaf(data, numbers => { e.floats.set(numbers, at >>> 2) })
  e.check(primitive, rows, columns, at, shape => `${name} ${shape}`)
  return at
}

function constant (e: Engine, data: Float32Array | WeightMatrix, shape?: Shape, name?: string): Node {
  if (!(data instanceof Float32Array)) {
    return frozenWeights(e, data, name)
  }
  if (shape == null) {
    throw new ShapeError('constant', 'a shape beside its numbers', 'none')
  }
  checkedShape('constant', shape, data)
  const at = write(e, 'constant', e.arena.keep(data.length * 4), data, shape, name)
  const node = new Node(e.kernels.buffer, e.directions, -1, shape[0], shape[1], at, [])
  node.name = name
  return node
}

function parameter (e: Engine, data: Float32Array, shape: Shape, tangents?: ReadonlyArray<Float32Array | undefined>, name?: string): Node {
  checkedShape('parameter', shape, data)
  if (tangents != null && tangents.length !== e.directions) {
    throw new ShapeError('parameter', `${e.directions} tangents`, `${tangents.length}`)
  }
  const node = e.place(shape[0], shape[1], write(e, 'parameter', e.arena.take(data.length * 4), data, shape, name))
  node.needsGradient = true
  node.name = name
  if (tangents?.some(tangent => tangent != null) === true) {
    for (const tangent of tangents) {
      if (tangent != null) {
        checkedShape('parameter', shape, tangent)
      }
      node.dots.push(tangent == null ? NONE : write(e, 'parameter', e.arena.take(tangent.length * 4), tangent, shape, `a tangent of ${name ?? 'a value'}`))
    }
  }
  return node
}

/** See Tape.capture. */
function capture (e: Engine, inputs: readonly CaptureInput[], pass: () => Value[]): Capture {
  /** Clears the tape, but not under a pass that is being captured. */
  const begin = (): void => {
    if (e.capturing) {
      throw new CaptureError('a tape to itself', 'a capture or a replay within it')
    }
    e.reset()
  }
  begin()
  const notes = recorder(e.kernels, inputs)
  e.arena.watch()
  const values = e.noted(notes, notes.kernels, pass)
  const [end, furthest] = [e.arena.mark(), e.arena.furthest()]
  return {
    values,
    steps: notes.steps.length,
    replay (given) {
      begin()
      e.arena.retake(end, furthest)
      notes.replay(given)
    }
  }
}

/**
 * A tape over a memory of its own.
 *
 * @example
 * ```ts
 * const t = tape({ directions: 1 })
 * const w = t.constant(weights, [352, 128])
 * const a = t.parameter(values, [4, 128], [direction])
 * const y = t.matmul(t.matmul(x, a, { transposeB: true }), b)
 * const [g] = t.gradient(t.crossEntropy(y, targets), [a])
 * g.data // the gradient
 * g.tangents[0] // the Hessian times `direction`
 * t.reset()
 * ```
 * @throws {NumericRangeError} for directions or a bound of the arena out of range
 */
export function tape (init: TapeInit = {}): Tape {
  const directions = init.directions ?? 0
  if (!Number.isInteger(directions) || directions < 0 || directions > DIRECTIONS_MAX) {
    throw new NumericRangeError('directions', `an integer from 0 to ${DIRECTIONS_MAX}`, directions)
  }
  const e = new Engine(kernels(init), directions)
  const own = (value: Value, primitive: string): Node => dense(e, e.own(value, primitive))
  return {
    directions,
    constant: (data: Float32Array | WeightMatrix, shape?: Shape, name?: string) => e.once(() => constant(e, data, shape, name)),
    parameter: (data, shape, tangents, name) => parameter(e, data, shape, tangents, name),
    matmul: (a, b, options) => matmul(e, e.own(a, 'matmul'), e.own(b, 'matmul'), options?.transposeA ?? false, options?.transposeB ?? false),
    project: (x, w, { bias, changes = [] } = {}) => project(e, own(x, 'project'), e.own(w, 'project'), bias == null ? undefined : own(bias, 'project'),
      changes.map(({ a, b, scale }) => ({ a: own(a, 'project'), b: own(b, 'project'), scale }))),
    add: (a, b) => add(e, own(a, 'add'), own(b, 'add')),
    mul: (a, b) => mul(e, own(a, 'mul'), own(b, 'mul')),
    scale: (a, factor) => scale(e, own(a, 'scale'), factor),
    gather: (table, ids) => gather(e, e.own(table, 'gather'), ids),
    rmsNorm: (x, gain, eps) => rmsNorm(e, own(x, 'rmsNorm'), own(gain, 'rmsNorm'), eps),
    layerNorm: (x, gain, bias, eps) => layerNorm(e, own(x, 'layerNorm'), own(gain, 'layerNorm'), own(bias, 'layerNorm'), eps),
    addRow: (x, bias) => addRow(e, own(x, 'addRow'), own(bias, 'addRow')),
    gelu: x => gelu(e, own(x, 'gelu')),
    swiglu: (gate, up) => swiglu(e, own(gate, 'swiglu'), own(up, 'swiglu')),
    silu: x => silu(e, own(x, 'silu')),
    rope: (x, options) => rope(e, own(x, 'rope'), options),
    attention: (q, k, v, { heads, kvHeads }) => attention(e, own(q, 'attention'), own(k, 'attention'), own(v, 'attention'), heads, kvHeads),
    crossEntropy: (logits, targets, weights) => crossEntropy(e, own(logits, 'crossEntropy'), targets, weights),
    gradient: (loss, parameters) => gradient(e, own(loss, 'gradient'), parameters.map(p => e.own(p, 'gradient'))),
    capture: (inputs, pass) => capture(e, inputs, pass),
    reset () {
      e.reset()
    }
  }
}
