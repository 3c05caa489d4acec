import { PAGE_TOKENS } from '../numeric/index.ts'
import { Merging } from './merging.ts'
import { ropeTables } from './rope.ts'
import type { Resident } from './adapters.ts'
import type { Buffers } from './buffers.ts'
import type { LlamaModel } from './interface.ts'
import type { MergeTarget } from './merging.ts'
import type { RopeTables } from './rope.ts'
import type { LayerWeights, Matrix, Norm, PlacedWeights, Projection } from './weights.ts'
import type { Kernels } from '../numeric/index.ts'

/** Tokens of one sequence in a pass. */
export interface Work {
  /** the sequence's place in the batch, for the list of its pages */
  slot: number
  /** all tokens; those from `from` on, `count` of them, are computed */
  tokens: ArrayLike<number>
  from: number
  count: number
  /** where its pages are, enough for from + count tokens */
  pages: readonly number[]
  residents: readonly Resident[]
  /** alpha / rank · weight of each adapter */
  factors: readonly number[]
  /** whether logits of the last token are wanted */
  sample: boolean
}

export interface PassInit {
  kernels: Kernels
  model: LlamaModel
  weights: PlacedWeights
  buffers: Buffers
  rowsMax: number
  pagesMax: number
  lowSizeMax: number
  cosines: number
  sines: number
}

/** Projections of one layer that read the same rows, and where each writes; an index of INPUT_GROUPS is its place. */
interface Group {
  projections: ReadonlyArray<readonly [Projection, number]>
  targets: readonly MergeTarget[]
}

function groupsOf ({ q, k, v, o, gate, up, down }: LayerWeights, at: Buffers): Group[] {
  const groups: Array<Array<readonly [Projection, number]>> = [
    [[q, at.q], [k, at.k], [v, at.v]], [[o, at.h]], gate == null ? [[up, at.up]] : [[gate, at.gate], [up, at.up]], [[down, at.h]]
  ]
  return groups.map(projections => ({ projections, targets: projections.map(([{ target, weight }, y]) => ({ target, y, size: weight.rows })) }))
}

/**
 * The forward pass over rows of many sequences: what models/forward.ts computes for one sequence on a
 * tape, with the same kernels' order of sums, hence the same bits in every row.
 */
export class Pass {
  readonly #init: PassInit
  readonly #floats: Float32Array
  readonly #integers: Int32Array
  readonly #merging: Merging
  readonly #rope: RopeTables | undefined
  /** of each layer */
  readonly #groups: Group[][]
  #rows = 0

  constructor (init: PassInit) {
    const { kernels, model: { plan }, weights, buffers, rowsMax, lowSizeMax } = init
    this.#init = init
    this.#floats = new Float32Array(kernels.buffer)
    this.#integers = new Int32Array(kernels.buffer)
    this.#merging = new Merging({ kernels, ...buffers, lowSizeMax, rowsMax })
    this.#groups = weights.layers.map(layer => groupsOf(layer, buffers))
    this.#rope = plan.positions === 'rope' ? ropeTables(kernels, plan, init.cosines, init.sines) : undefined
  }

  /** Logits of each work that samples, in order, and the works whose numbers are not finite. */
  run (works: readonly Work[]): { logits: Float32Array[], faults: Set<Work> } {
    const { kernels, model: { plan }, weights, buffers: { x, h, ids, picked, logits } } = this.#init
    const pickedRows = this.#begin(works)
    this.#embed(ids)
    weights.layers.forEach((layer, index) => {
      this.#attend(layer, index)
      this.#feedForward(layer, index)
    })
    const faults = this.#faults(works.map(work => ({ work, rows: work.count })), x, plan.dim)
    if (pickedRows > 0) {
      kernels.gather(pickedRows, plan.dim, picked, x, h)
      this.#normalise(pickedRows, h, weights.finalNorm, h)
      const { rows } = weights.head
      this.#multiply(pickedRows, weights.head, h, logits)
      const sampled = works.filter(({ sample }) => sample).map(work => ({ work, rows: 1 }))
      this.#faults(sampled, logits, rows).forEach(work => faults.add(work))
    }
    const size = plan.vocabularySize
    return { logits: Array.from({ length: pickedRows }, (_, i) => this.#floats.subarray((logits >>> 2) + i * size, (logits >>> 2) + (i + 1) * size)), faults }
  }

  /** Lays out rows, pages and adapters; gives how many rows are picked. */
  #begin (works: readonly Work[]): number {
    const { buffers, pagesMax } = this.#init
    const integers = this.#integers
    this.#merging.clear()
    let row = 0
    let pickedRows = 0
    let end = 0
    for (const { slot, tokens, from, count, pages, residents, factors, sample } of works) {
      const list = buffers.lists + 4 * slot * pagesMax
      pages.forEach((page, i) => { integers[(list >>> 2) + i] = page })
      this.#merging.add(row, count, residents, factors)
      for (let position = from; position < from + count; position++, row++) {
        integers[(buffers.ids >>> 2) + row] = tokens[position]
        integers[(buffers.positions >>> 2) + row] = position
        integers[(buffers.writing >>> 2) + 2 * row] = pages[Math.floor(position / PAGE_TOKENS)]
        integers[(buffers.writing >>> 2) + 2 * row + 1] = position % PAGE_TOKENS
        integers[(buffers.attending >>> 2) + 2 * row] = position + 1
        integers[(buffers.attending >>> 2) + 2 * row + 1] = list
      }
      if (sample) {
        integers[(buffers.picked >>> 2) + pickedRows++] = row - 1
      }
      end = Math.max(end, from + count)
    }
    this.#rows = row
    this.#rope?.grow(end)
    return pickedRows
  }

  #embed (ids: number): void {
    const { kernels, model: { plan }, weights, buffers: { x, h, positions, cosines, sines } } = this.#init
    this.#gather(weights.embedding, ids, x)
    if (weights.positionEmbedding != null) {
      this.#gather(weights.positionEmbedding, positions, h)
      kernels.add(this.#rows * plan.dim, x, h, x)
    }
    if (this.#rope != null) {
      kernels.gather(this.#rows, plan.headDim / 2, positions, this.#rope.cosines, cosines)
      kernels.gather(this.#rows, plan.headDim / 2, positions, this.#rope.sines, sines)
    }
  }

  #gather ({ type, rows, columns, at }: Matrix, ids: number, y: number): void {
    this.#init.kernels.gatherWeights(type, rows, columns, this.#rows, ids, at, this.#init.buffers.scratch, y)
  }

  #attend (layer: LayerWeights, index: number): void {
    const { kernels, model: { plan }, buffers } = this.#init
    const { x, h, q, k, v, attended, cosines, sines, writing, attending, scores } = buffers
    const { heads, kvHeads, headDim } = plan
    const rows = this.#rows
    this.#normalise(rows, x, layer.attentionNorm, h)
    this.#project(index, 0, h)
    if (this.#rope != null) {
      const interleaved = plan.rope.pairing === 'interleaved'
      kernels.rope(rows, heads, headDim, q, cosines, sines, q, interleaved, false)
      kernels.rope(rows, kvHeads, headDim, k, cosines, sines, k, interleaved, false)
    }
    kernels.scale(rows * heads * headDim, q, 1 / Math.sqrt(headDim), q)
    const offset = index * 8 * PAGE_TOKENS * kvHeads * headDim
    kernels.writePages(rows, kvHeads, headDim, writing, offset, k, v)
    kernels.attendPages(rows, heads, kvHeads, headDim, attending, offset, q, scores, attended)
    this.#project(index, 1, attended)
    kernels.add(rows * plan.dim, x, h, x)
  }

  #feedForward (layer: LayerWeights, index: number): void {
    const { kernels, model: { plan }, buffers: { x, h, gate, up, sigma } } = this.#init
    const rows = this.#rows
    const size = rows * layer.up.weight.rows
    this.#normalise(rows, x, layer.feedForwardNorm, h)
    this.#project(index, 2, h)
    if (layer.gate == null) {
      this.#activate(size, up, gate)
    } else {
      if (plan.activation === 'gelu') {
        kernels.gelu(size, gate, sigma)
        kernels.mul(size, sigma, up, gate, false)
      } else {
        kernels.swiglu(size, gate, up, sigma, gate)
      }
    }
    this.#project(index, 3, gate)
    kernels.add(rows * plan.dim, x, h, x)
  }

  #activate (size: number, x: number, y: number): void {
    const { kernels, model: { plan } } = this.#init
    if (plan.activation === 'gelu') {
      kernels.gelu(size, x, y)
    } else {
      kernels.sigmoid(size, x, y)
      kernels.mul(size, x, y, y, false)
    }
  }

  #normalise (rows: number, x: number, { gain, bias }: Norm, y: number): void {
    const { kernels, model: { plan: { norm, normEps, dim } }, buffers: { norms } } = this.#init
    if (norm === 'layer') {
      kernels.centre(rows, dim, x, y)
    }
    const from = norm === 'layer' ? y : x
    kernels.rmsNorm(rows, dim, from, gain, normEps, norms, y)
    if (bias != null) {
      kernels.addRow(rows, dim, y, bias, y)
    }
  }

  /** Projections of the same rows, with their biases and then their adapters. */
  #project (layer: number, group: number, x: number): void {
    const { kernels } = this.#init
    const { projections, targets } = this.#groups[layer][group]
    let before: Matrix | undefined
    for (const [{ weight, bias }, y] of projections) {
      const { rows } = weight
      this.#multiply(this.#rows, weight, x, y, before?.rounded === true)
      before = weight
      if (bias != null) {
        kernels.addRow(this.#rows, rows, y, bias, y)
      }
    }
    this.#merging.apply(layer, group, x, projections[0][0].weight.columns, targets)
  }

  /** y[count, rows] = x·Wᵀ; `again` says that the product before rounded the same x. */
  #multiply (count: number, { type, rows, columns, at, rounded }: Matrix, x: number, y: number, again = false): void {
    const { kernels, buffers: { scratch } } = this.#init
    if (rounded && (type === 'q8_0' || type === 'q4_0')) {
      kernels.matmulRounded(type, count, rows, columns, x, columns, at, scratch, y, rows, false, again)
    } else {
      kernels.matmulWeights(type, count, rows, columns, x, columns, at, scratch, y, rows, false)
    }
  }

  /** Works with a row that is not finite. Whatever leaves the range of f32 stays out of it until here. */
  #faults (lines: ReadonlyArray<{ work: Work, rows: number }>, x: number, columns: number): Set<Work> {
    const { kernels } = this.#init
    const faults = new Set<Work>()
    if (!kernels.allFinite(lines.reduce((sum, { rows }) => sum + rows, 0) * columns, x)) {
      let row = 0
      for (const { work, rows } of lines) {
        if (!kernels.allFinite(rows * columns, x + 4 * row * columns)) {
          faults.add(work)
        }
        row += rows
      }
    }
    return faults
  }
}
