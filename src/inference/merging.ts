/**
 * Adapters in a shared pass, grouped as in Punica (arXiv 2310.18547) and S-LoRA (arXiv 2311.03285):
 * rows that use one adapter lie together, and one call multiplies all groups of a projection. A row
 * that merges several adapters adds their changes one after the other, so its bits do not depend on
 * its neighbours.
 */
import type { Resident } from './adapters.ts'
import type { LoraTarget } from '../models/index.ts'
import type { Kernels } from '../numeric/index.ts'

/** Rows in a row that use one adapter. */
export interface Segment {
  row: number
  rows: number
  resident: Resident
}

/** What to add to: y [rows, size] is x·Wᵀ already. */
export interface MergeTarget {
  target: LoraTarget
  y: number
  size: number
}

export interface MergingInit {
  kernels: Kernels
  /** [rows, 8] as i32 */
  table: number
  /** [rounds, rows]: alpha / rank · weight of each row */
  factors: number
  /** [rows, lowSizeMax] */
  low: number
  lowSizeMax: number
  /** [rows, widest projection] */
  delta: number
  scratch: number
  rowsMax: number
}

/** Integers of one product in the table of `gemmMany`. */
const PRODUCT = 8

export class Merging {
  readonly #init: MergingInit
  readonly #integers: Int32Array
  readonly #floats: Float32Array
  /** the first adapters of all rows, then the second of those that have one, … */
  #rounds: Segment[][] = []

  constructor (init: MergingInit) {
    this.#init = init
    this.#integers = new Int32Array(init.kernels.buffer)
    this.#floats = new Float32Array(init.kernels.buffer)
  }

  /** Begins a pass without adapters. */
  clear (): void {
    this.#rounds = []
  }

  /** Says that rows of this pass use these adapters, in this order. */
  add (row: number, rows: number, residents: readonly Resident[], factors: readonly number[]): void {
    residents.forEach((resident, round) => {
      const segments = this.#rounds[round] ??= []
      const last = segments.at(-1)
      if (last?.resident === resident && last.row + last.rows === row) {
        last.rows += rows
      } else {
        segments.push({ row, rows, resident })
      }
      const at = (this.#init.factors >>> 2) + round * this.#init.rowsMax + row
      this.#floats.fill(factors[round], at, at + rows)
    })
  }

  /** Adds the adapters' changes to projections that read x [rows, inputs]; `group` is an index of INPUT_GROUPS. */
  apply (layer: number, group: number, x: number, inputs: number, targets: readonly MergeTarget[]): void {
    this.#rounds.forEach((segments, round) => {
      if (this.#multiplyDown(segments, layer, group, x, inputs)) {
        for (const target of targets) {
          this.#multiplyUp(segments, round, layer, group, target)
        }
      }
    })
  }

  /** low = x·Aᵀ of all the group's projections at once; false if no adapter has any. */
  #multiplyDown (segments: Segment[], layer: number, group: number, x: number, inputs: number): boolean {
    const { kernels, table, low, lowSizeMax, scratch } = this.#init
    let count = 0
    for (const { row, rows, resident } of segments) {
      const placed = resident.layout.groups[group]
      if (placed != null) {
        this.#product(count++, rows, placed.lowSize, inputs, x + 4 * row * inputs, inputs, begin(resident, layer) + placed.offsetA, low + 4 * row * lowSizeMax, lowSizeMax)
      }
    }
    if (count > 0) {
      kernels.gemmMany(count, table, scratch)
    }
    return count > 0
  }

  /** y += factor · low·Bᵀ */
  #multiplyUp (segments: Segment[], round: number, layer: number, group: number, { target, y, size }: MergeTarget): void {
    const { kernels, table, low, lowSizeMax, delta, scratch } = this.#init
    const runs: Array<{ row: number, end: number }> = []
    let count = 0
    for (const { row, rows, resident } of segments) {
      const placed = resident.layout.groups[group]?.targets.get(target)
      if (placed != null) {
        this.#product(count++, rows, size, resident.layout.rank, low + 4 * (row * lowSizeMax + placed.lowOffset), lowSizeMax, begin(resident, layer) + placed.offsetB, delta + 4 * row * size, size)
        const last = runs.at(-1)
        if (last?.end === row) {
          last.end += rows
        } else {
          runs.push({ row, end: row + rows })
        }
      }
    }
    if (count > 0) {
      kernels.gemmMany(count, table, scratch)
    }
    for (const { row, end } of runs) {
      const factors = this.#init.factors + 4 * (round * this.#init.rowsMax + row)
      kernels.rowScale(end - row, size, delta + 4 * row * size, factors, y + 4 * row * size, true)
    }
  }

  #product (index: number, m: number, n: number, k: number, a: number, aRow: number, packed: number, c: number, cRow: number): void {
    const at = (this.#init.table >>> 2) + index * PRODUCT
    const integers = this.#integers
    integers[at] = m
    integers[at + 1] = n
    integers[at + 2] = k
    integers[at + 3] = a
    integers[at + 4] = aRow
    integers[at + 5] = packed
    integers[at + 6] = c
    integers[at + 7] = cRow
  }
}

function begin ({ at, layout }: Resident, layer: number): number {
  return at + layer * layout.layerBytes
}
