import { PAGE_TOKENS, weightsScratchBytes } from '../numeric/index.ts'
import { INPUT_GROUPS } from './adapters.ts'
import { ADAPTERS_PER_SEQUENCE_MAX } from './constants.ts'
import type { Region } from './memory.ts'
import type { Matrix, PlacedWeights } from './weights.ts'
import type { ModelPlan } from '../models/index.ts'

/** Projections that read the same rows: those of queries, keys and values. */
const PROJECTIONS_MAX = 3

/** Addresses of what one pass computes. Rows are those of the pass, padded to a whole tile. */
export interface Buffers {
  ids: number
  positions: number
  /** rows whose logits are wanted */
  picked: number
  /** tables of writePages and attendPages */
  writing: number
  attending: number
  /** lists of pages' addresses, one a slot of the batch */
  lists: number
  x: number
  h: number
  q: number
  k: number
  v: number
  attended: number
  gate: number
  up: number
  sigma: number
  norms: number
  cosines: number
  sines: number
  scores: number
  logits: number
  table: number
  tableBytes: number
  factors: number
  low: number
  delta: number
  deltaBytes: number
  scratch: number
}

export interface BufferSizes {
  rowsMax: number
  batchMax: number
  /** pages of the longest sequence */
  pagesMax: number
  lowSizeMax: number
}

/** Takes room for the largest pass. */
export function placeBuffers (memory: Region, plan: ModelPlan, weights: PlacedWeights, { rowsMax, batchMax, pagesMax, lowSizeMax }: BufferSizes): Buffers {
  const hidden = weights.layers[0].up.weight.rows
  const queries = plan.heads * plan.headDim
  const keys = plan.kvHeads * plan.headDim
  const deltaBytes = 4 * (rowsMax + 4) * Math.max(queries, keys, hidden, plan.dim)
  const tableBytes = 4 * rowsMax * 8 * (1 + PROJECTIONS_MAX)
  const rows = (columns: number): number => memory.take(4 * (rowsMax + 3) * columns)
  return {
    ids: rows(1),
    positions: rows(1),
    picked: rows(1),
    writing: rows(2),
    attending: rows(2),
    lists: memory.take(4 * batchMax * pagesMax),
    x: rows(plan.dim),
    h: rows(plan.dim),
    q: rows(queries),
    k: rows(keys),
    v: rows(keys),
    attended: rows(queries),
    gate: rows(hidden),
    up: rows(hidden),
    sigma: rows(hidden),
    norms: rows(1),
    cosines: rows(Math.ceil(plan.headDim / 2)),
    sines: rows(Math.ceil(plan.headDim / 2)),
    scores: memory.take(4 * PAGE_TOKENS * pagesMax),
    logits: memory.take(4 * (batchMax + 3) * plan.vocabularySize),
    table: memory.take(ADAPTERS_PER_SEQUENCE_MAX * INPUT_GROUPS.length * tableBytes),
    tableBytes,
    factors: memory.take(4 * ADAPTERS_PER_SEQUENCE_MAX * (rowsMax + 4)),
    low: rows(lowSizeMax),
    delta: memory.take(PROJECTIONS_MAX * deltaBytes),
    deltaBytes,
    scratch: memory.take(Math.max(...matricesOf(weights).map(({ rows, columns }) => weightsScratchBytes(rowsMax, rows, columns))))
  }
}

function matricesOf ({ embedding, head, layers }: PlacedWeights): Matrix[] {
  const { q, k, v, o, up, down } = layers[0]
  return [embedding, head, ...[q, k, v, o, up, down].map(({ weight }) => weight)]
}
