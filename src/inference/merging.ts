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
  /** [rows · (1 + 3), 8] as i32 */
  table: number
  /** [rounds, rows]: alpha / rank · weight of each row */
  factors: number
  /** [rows, lowSizeMax] */
  low: number
  lowSizeMax: number
  /** [rows, widest projection], `deltaBytes` for each of the projections that share their input */
  delta: number
  deltaBytes: number
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
    const { kernels, table, scratch } = this.#init
    this.#rounds.forEach((segments, round) => {
      let count = 0
      // one adapter after the other, so that its memory is read in one go
      for (const segment of segments) {
        count = this.#multiply(count, segment, layer, group, x, inputs, targets)
      }
      if (count > 0) {
        kernels.gemmMany(count, table, scratch)
        targets.forEach((target, i) => { this.#add(segments, round, group, target, i) })
      }
    })
  }

  /** Products of one adapter: low = x·Aᵀ of all the group's projections at once, then each delta = low·Bᵀ. */
  #multiply (first: number, { row, rows, resident }: Segment, layer: number, group: number, x: number, inputs: number, targets: readonly MergeTarget[]): number {
    const placed = resident.layout.groups[group]
    if (placed == null) {
      return first
    }
    const { lowSizeMax } = this.#init
    const begin = resident.at + layer * resident.layout.layerBytes
    const low = this.#init.low + 4 * row * lowSizeMax
    let count = first
    this.#product(count++, rows, placed.lowSize, inputs, x + 4 * row * inputs, inputs, begin + placed.offsetA, low, lowSizeMax)
    for (let i = 0; i < targets.length; i++) {
      const { target, size } = targets[i]
      const part = placed.targets.get(target)
      if (part != null) {
        this.#product(count++, rows, size, resident.layout.rank, low + 4 * part.lowOffset, lowSizeMax, begin + part.offsetB, this.#delta(i) + 4 * row * size, size)
      }
    }
    return count
  }

  /** y += factor · delta, for rows whose adapters have the projection. */
  #add (segments: Segment[], round: number, group: number, { target, y, size }: MergeTarget, index: number): void {
    const { kernels, rowsMax } = this.#init
    const runs: Array<{ row: number, end: number }> = []
    for (const { row, rows, resident } of segments) {
      if (resident.layout.groups[group]?.targets.has(target) === true) {
        const last = runs.at(-1)
        if (last?.end === row) {
          last.end += rows
        } else {
          runs.push({ row, end: row + rows })
        }
      }
    }
    for (const { row, end } of runs) {
      const factors = this.#init.factors + 4 * (round * rowsMax + row)
      kernels.rowScale(end - row, size, this.#delta(index) + 4 * row * size, factors, y + 4 * row * size, true)
    }
  }

  #delta (index: number): number {
    return this.#init.delta + index * this.#init.deltaBytes
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
