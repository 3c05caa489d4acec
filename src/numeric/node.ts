import type { Value, WeightType } from './interface.ts'

/** No tangent: the address 0 is never a buffer. */
export const NONE = 0

/**
 * A Value as the engine sees it: addresses instead of views. Views are made when somebody looks.
 * Immutable once its primitive has returned, so addresses may be shared between nodes.
 */
export class Node implements Value {
  readonly rows: number
  readonly columns: number
  /** Address of the primal. */
  readonly at: number
  /** Addresses of the tangents; shorter than the number of directions when all are zero. */
  readonly dots: number[]
  /** What the caller calls this leaf, for messages. */
  name?: string
  /** Whether some parameter reaches this. */
  needsGradient = false
  /** Which reset made it; -1 outlives resets. */
  readonly generation: number
  readonly buffer: ArrayBufferLike
  readonly directions: number
  /** This frozen matrix packed for products; what is packed is the transpose where `transposed`. */
  packed?: { type: WeightType, at: number, transposed: boolean, rounded?: boolean }
  /** Set for weights that are held packed only: they have no address of their own. */
  decode?: () => Float32Array

  constructor (buffer: ArrayBufferLike, directions: number, generation: number, rows: number, columns: number, at: number, dots: number[]) {
    this.buffer = buffer
    this.directions = directions
    this.generation = generation
    this.rows = rows
    this.columns = columns
    this.at = at
    this.dots = dots
  }

  get size (): number {
    return this.rows * this.columns
  }

  get frozen (): boolean {
    return this.generation === -1
  }

  get shape (): readonly [rows: number, columns: number] {
    return [this.rows, this.columns]
  }

  get data (): Float32Array {
    return this.decode != null ? this.decode() : new Float32Array(this.buffer, this.at, this.size)
  }

  get tangents (): ReadonlyArray<Float32Array | undefined> {
    return Array.from({ length: this.directions }, (_, i) => {
      const at = this.dots[i] ?? NONE
      return at === NONE ? undefined : new Float32Array(this.buffer, at, this.size)
    })
  }
}

/** Tangent address of direction i. */
export function dot (node: Node, i: number): number {
  return node.dots.length === 0 ? NONE : node.dots[i]
}
