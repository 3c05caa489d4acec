/**
 * Adapters in a shared pass, grouped as in Punica (arXiv 2310.18547) and S-LoRA (arXiv 2311.03285):
 * rows that use one adapter lie together, and one call multiplies all groups of a projection. A row
 * that merges several adapters adds their changes one after the other, so its bits do not depend on
 * its neighbours.
 */
import { INPUT_GROUPS } from './adapters.ts'
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
  /** [rows · (1 + 3), 8] as i32, `tableBytes` for each round and group */
  table: number
  tableBytes: number
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

/** Integers of one product in the table of `gemmMany`, and which of them is the address of its right operand. */
const PRODUCT = 8
const PACKED = 5

/** A run of rows whose adapters have a projection. */
interface Run {
  row: number
  end: number
}

/** The products of one round and group: the same in every layer, but for where the adapters' layers begin. */
interface Products {
  /** where in memory their table is */
  table: number
  count: number
  /** bytes from one layer's right operand to the next one's */
  strides: number[]
  /** the layer for which the table is laid out */
  layer: number
  /** of each target */
  runs: Run[][]
}

export class Merging {
  readonly #init: MergingInit
  readonly #integers: Int32Array
  readonly #floats: Float32Array
  /** the first adapters of all rows, then the second of those that have one, … */
  #rounds: Segment[][] = []
  /** by round and group, laid out by the first layer of a pass that has it */
  #products: Array<Array<Products | undefined>> = []

  constructor (init: MergingInit) {
    this.#init = init
    this.#integers = new Int32Array(init.kernels.buffer)
    this.#floats = new Float32Array(init.kernels.buffer)
  }

  /** Begins a pass without adapters. */
  clear (): void {
    this.#rounds = []
    this.#products = []
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

  /**
   * Adds the adapters' changes to projections that read x [rows, inputs]; `group` is an index of
   * INPUT_GROUPS. Of one group, x and the targets lie at the same place in every layer of a pass.
   */
  apply (layer: number, group: number, x: number, inputs: number, targets: readonly MergeTarget[]): void {
    const { kernels, scratch } = this.#init
    for (let round = 0; round < this.#rounds.length; round++) {
      const products = (this.#products[round] ??= [])[group] ??= this.#layOut(round, group, x, inputs, targets)
      if (products.count > 0) {
        this.#turnTo(products, layer)
        kernels.gemmMany(products.count, products.table, scratch)
        targets.forEach((target, i) => { this.#add(products.runs[i], round, target, i) })
      }
    }
  }

  /** The table for layer 0: low = x·Aᵀ of all the group's projections at once, then each delta = low·Bᵀ. */
  #layOut (round: number, group: number, x: number, inputs: number, targets: readonly MergeTarget[]): Products {
    const { lowSizeMax, table, tableBytes } = this.#init
    const products: Products = { table: table + (round * INPUT_GROUPS.length + group) * tableBytes, count: 0, strides: [], layer: 0, runs: targets.map(() => []) }
    // one adapter after the other, so that its memory is read in one go
    for (const { row, rows, resident: { at, layout: { groups, layerBytes, rank } } } of this.#rounds[round]) {
      const placed = groups[group]
      if (placed == null) {
        continue
      }
      const low = this.#init.low + 4 * row * lowSizeMax
      this.#product(products, layerBytes, [rows, placed.lowSize, inputs, x + 4 * row * inputs, inputs, at + placed.offsetA, low, lowSizeMax])
      targets.forEach(({ target, size }, i) => {
        const part = placed.targets.get(target)
        if (part != null) {
          this.#product(products, layerBytes, [rows, size, rank, low + 4 * part.lowOffset, lowSizeMax, at + part.offsetB, this.#delta(i) + 4 * row * size, size])
          extend(products.runs[i], row, rows)
        }
      })
    }
    return products
  }

  #product (products: Products, layerBytes: number, integers: readonly number[]): void {
    this.#integers.set(integers, (products.table >>> 2) + products.count++ * PRODUCT)
    products.strides.push(layerBytes)
  }

  #turnTo (products: Products, layer: number): void {
    const { strides, count } = products
    const layers = layer - products.layer
    for (let i = 0, at = (products.table >>> 2) + PACKED; i < count; i++, at += PRODUCT) {
      this.#integers[at] += layers * strides[i]
    }
    products.layer = layer
  }

  /** y += factor · delta, for rows whose adapters have the projection. */
  #add (runs: readonly Run[], round: number, { y, size }: MergeTarget, index: number): void {
    const { kernels, rowsMax } = this.#init
    for (const { row, end } of runs) {
      const factors = this.#init.factors + 4 * (round * rowsMax + row)
      kernels.rowScale(end - row, size, this.#delta(index) + 4 * row * size, factors, y + 4 * row * size, true)
    }
  }

  #delta (index: number): number {
    return this.#init.delta + index * this.#init.deltaBytes
  }
}

function extend (runs: Run[], row: number, rows: number): void {
  const last = runs.at(-1)
  if (last?.end === row) {
    last.end += rows
  } else {
    runs.push({ row, end: row + rows })
  }
}
