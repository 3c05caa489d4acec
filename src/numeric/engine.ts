import { arena } from './arena.ts'
import { ARENA_BASE_BYTES, OVERREAD_BYTES } from './constants.ts'
import { NonFiniteError, ShapeError, StaleValueError } from './errors.ts'
import { Node, NONE } from './node.ts'
import type { Arena } from './arena.ts'
import type { Recorder } from './capture.ts'
import type { Kernels, Value } from './interface.ts'

/**
 * Cotangents of a primitive's inputs from that of its output, made of primitives on dual values, so
 * that they carry tangents. `wants[i]` is false where nobody will use input i's: leave it undefined.
 */
export type Pullback = (dy: Node, wants: boolean[], sum?: Node) => Array<Node | undefined>

export interface Entry {
  output: Node
  inputs: Node[]
  pullback: Pullback
  /** Which input's cotangent `pullback` is given as far as it is summed up (or undefined), to add to it itself. */
  merges?: number
}

/** y (+)= product of a and b, linear in each; addresses. */
export type Bilinear = (a: number, b: number, y: number, accumulate: boolean) => void

/** What every primitive needs: memory, kernels, and the record of what was computed. */
export class Engine {
  /** Calls are noted while a pass is captured. */
  kernels: Kernels
  readonly arena: Arena
  readonly directions: number
  readonly floats: Float32Array
  readonly integers: Int32Array
  readonly ropeTables = new Map<string, { rows: number, cosines: number, sines: number }>()
  entries: Entry[] = []
  /** Off while pulling back: gradients are not differentiated in reverse again. */
  recording = true
  /** While a pass is captured. */
  private recorder?: Recorder
  private readonly direct: Kernels
  generation = 0

  constructor (kernels: Kernels, directions: number) {
    this.kernels = kernels
    this.direct = kernels
    this.directions = directions
    this.arena = arena(kernels.memoryBytes)
    this.floats = new Float32Array(kernels.buffer)
    this.integers = new Int32Array(kernels.buffer)
  }

  /** An uninitialised [rows, columns] without tangents. */
  empty (rows: number, columns: number): Node {
    return this.place(rows, columns, this.arena.take(rows * columns * 4))
  }

  /** A node over memory that is already there. */
  place (rows: number, columns: number, at: number, dots: number[] = []): Node {
    return new Node(this.kernels.buffer, this.directions, this.generation, rows, columns, at, dots)
  }

  /** The node behind a public value. */
  own (value: Value, primitive: string): Node {
    if (!(value instanceof Node) || value.buffer !== this.kernels.buffer || (!value.frozen && value.generation !== this.generation)) {
      throw new StaleValueError(primitive)
    }
    return value
  }

  fill (at: number, size: number, value: number): void {
    this.step(() => { this.floats.fill(value, at >>> 2, (at >>> 2) + size) })
  }

  /** Does what changes or checks memory and is no kernel's call: again, whenever a captured pass is replayed. */
  step (work: () => void): void {
    work()
    this.recorder?.steps.push(work)
  }

  /** Puts numbers from outside into memory. */
  leaf (data: ArrayLike<number>, write: (data: ArrayLike<number>) => void): void {
    write(data)
    this.recorder?.leaf(data, write)
  }

  get capturing (): boolean {
    return this.recorder != null
  }

  /** Runs a pass while `recorder` notes its steps. */
  noted<T> (recorder: Recorder | undefined, kernels: Kernels, pass: () => T): T {
    const before = { recorder: this.recorder, kernels: this.kernels }
    this.recorder = recorder
    this.kernels = kernels
    try {
      return pass()
    } finally {
      this.recorder = before.recorder
      this.kernels = before.kernels
    }
  }

  /** Does what stays done, whatever is captured: a replay does not repeat it. */
  once<T> (work: () => T): T {
    return this.noted(undefined, this.direct, work)
  }

  /** Fills y's tangents; `make` gives the address for a direction or NONE. */
  tangents (y: Node, inputs: Node[], make: (direction: number) => number): void {
    if (inputs.every(input => input.dots.length === 0)) {
      return
    }
    for (let i = 0; i < this.directions; i++) {
      y.dots.push(make(i))
    }
  }

  /** Refuses infinite and undefined numbers in [rows, columns] at an address; `tensor` says what that is. */
  check (primitive: string, rows: number, columns: number, at: number, tensor: (shape: string) => string): void {
    this.step(() => {
      if (!this.kernels.allFinite(rows * columns, at)) {
        const first = this.floats.subarray(at >>> 2, (at >>> 2) + rows * columns).findIndex(x => !Number.isFinite(x))
        throw new NonFiniteError(primitive, `${tensor(`[${rows},${columns}]`)} at row ${Math.floor(first / columns)}, column ${first % columns}`)
      }
    })
  }

  /** Checks a result and notes how to pull back through it. */
  finish (primitive: string, y: Node, inputs: Node[], pullback: Pullback, merges?: number): Node {
    this.check(primitive, y.rows, y.columns, y.at, shape => resultOf(shape, inputs))
    if (this.recording && inputs.some(input => input.needsGradient)) {
      y.needsGradient = true
      this.entries.push({ output: y, inputs, pullback, merges })
    }
    return y
  }

  /** A primitive that is linear in each of two operands: (ab)˙ = ȧb + aḃ. */
  bilinear (primitive: string, a: Node, b: Node, rows: number, columns: number, apply: Bilinear, pullback: Pullback): Node {
    const y = this.empty(rows, columns)
    apply(a.at, b.at, y.at, false)
    this.tangents(y, [a, b], i => {
      const da = a.dots[i] ?? NONE
      const db = b.dots[i] ?? NONE
      if (da === NONE && db === NONE) {
        return NONE
      }
      const at = this.arena.take(y.size * 4)
      if (da !== NONE) {
        apply(da, b.at, at, false)
      }
      if (db !== NONE) {
        apply(a.at, db, at, da !== NONE)
      }
      return at
    })
    return this.finish(primitive, y, [a, b], pullback)
  }

  /** A primitive that is linear in its one operand. */
  linear (primitive: string, x: Node, rows: number, columns: number, apply: (x: number, y: number) => void, pullback: Pullback): Node {
    const y = this.empty(rows, columns)
    apply(x.at, y.at)
    this.tangents(y, [x], i => {
      if (x.dots[i] === NONE) {
        return NONE
      }
      const at = this.arena.take(y.size * 4)
      apply(x.dots[i], at)
      return at
    })
    return this.finish(primitive, y, [x], pullback)
  }

  /** Runs primitives that nobody will pull back through. */
  unrecorded<T> (work: () => T): T {
    const before = this.recording
    this.recording = false
    try {
      return work()
    } finally {
      this.recording = before
    }
  }

  reset (): void {
    this.entries = []
    this.generation++
    this.arena.release(ARENA_BASE_BYTES)
  }
}

/** Bytes of memory for an arena of so many bytes. */
export function memoryBytesFor (arenaBytes: number): number {
  return arenaBytes + ARENA_BASE_BYTES + OVERREAD_BYTES
}

export function sameShape (primitive: string, a: Node, b: Node): void {
  if (a.rows !== b.rows || a.columns !== b.columns) {
    throw new ShapeError(primitive, 'operands of one shape', `[${a.rows},${a.columns}] and [${b.rows},${b.columns}]`)
  }
}

/** How messages call a result. */
export function resultOf (shape: string, inputs: Node[]): string {
  return inputs.length === 0 ? shape : `${shape} made of ${inputs.map(({ name, rows, columns }) => `${name == null ? '' : `${name} `}[${rows},${columns}]`).join(' and ')}`
}
