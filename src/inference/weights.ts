import { dequantise, packedBytes } from '../numeric/index.ts'
import { STAGED_BYTES } from './constants.ts'
import { InferenceSettingsError } from './errors.ts'
import type { LlamaModel } from './interface.ts'
import type { Region } from './memory.ts'
import type { NormPlan, ProjectionPlan, TensorPlan } from '../models/index.ts'
import type { Kernels, WeightMatrix, WeightType } from '../numeric/index.ts'

/** A packed matrix [rows, columns]. */
export interface Matrix {
  type: WeightType
  rows: number
  columns: number
  at: number
  /** multiplied in integers */
  rounded: boolean
}

export interface Norm {
  gain: number
  bias?: number
}

export interface Projection {
  target: ProjectionPlan['target']
  weight: Matrix
  bias?: number
}

export interface LayerWeights {
  attentionNorm: Norm
  q: Projection
  k: Projection
  v: Projection
  o: Projection
  feedForwardNorm: Norm
  gate?: Projection
  up: Projection
  down: Projection
}

export interface PlacedWeights {
  embedding: Matrix
  positionEmbedding?: Matrix
  layers: LayerWeights[]
  finalNorm: Norm
  head: Matrix
  /** what `fill` needs for a moment */
  stagedBytes: number
  fill (kernels: Kernels, staging: number): void
}

const GROUP_ROWS = 16

/** Where a model's weights will lie, each once; `fill` packs them there. */
export function placeWeights (model: LlamaModel, memory: Region): PlacedWeights {
  const { plan } = model
  const matrices: Array<{ matrix: Matrix, source: WeightMatrix }> = []
  const vectors: Array<{ at: number, data: Float32Array }> = []

  const matrix = ({ name }: TensorPlan): Matrix => {
    const source = matrixOf(model, name)
    const { type, shape: [rows, columns] } = source
    if (type === 'f16') {
      throw new InferenceSettingsError(`expected weights of f32, bf16, q8_0 or q4_0 but ${name} is f16`)
    }
    const placed = { type, rows, columns, at: memory.take(packedBytes(type, rows, columns)), rounded: source.activations != null }
    matrices.push({ matrix: placed, source })
    return placed
  }
  const vector = ({ name }: TensorPlan): number => {
    const data = dequantise(matrixOf(model, name))
    const at = memory.take(data.byteLength)
    vectors.push({ at, data })
    return at
  }
  const norm = ({ gain, bias }: NormPlan): Norm => ({ gain: vector(gain), bias: bias == null ? undefined : vector(bias) })
  const projection = ({ target, weight, bias }: ProjectionPlan): Projection => ({ target, weight: matrix(weight), bias: bias == null ? undefined : vector(bias) })

  const embedding = matrix(plan.embedding)
  const placed = {
    embedding,
    positionEmbedding: plan.positionEmbedding == null ? undefined : matrix(plan.positionEmbedding),
    layers: plan.layers.map(layer => ({
      attentionNorm: norm(layer.attentionNorm),
      q: projection(layer.q),
      k: projection(layer.k),
      v: projection(layer.v),
      o: projection(layer.o),
      feedForwardNorm: norm(layer.feedForwardNorm),
      gate: layer.gate == null ? undefined : projection(layer.gate),
      up: projection(layer.up),
      down: projection(layer.down)
    })),
    finalNorm: norm(plan.finalNorm),
    head: plan.head === plan.embedding ? embedding : matrix(plan.head)
  }
  const rowBytesMax = Math.max(...matrices.map(({ source: { bytes, shape } }) => bytes.length / shape[0]))
  const stagedBytes = Math.max(STAGED_BYTES, GROUP_ROWS * rowBytesMax)

  return {
    ...placed,
    stagedBytes,
    fill (kernels, staging) {
      const floats = new Float32Array(kernels.buffer)
      for (const { at, data } of vectors) {
        floats.set(data, at >>> 2)
      }
      for (const { matrix, source } of matrices) {
        pack(kernels, matrix, source.bytes, staging, stagedBytes)
      }
    }
  }
}

/** Packs as many groups of rows at a time as the staging buffer holds. */
function pack (kernels: Kernels, { type, rows, columns, at }: Matrix, bytes: Uint8Array, staging: number, stagedBytes: number): void {
  const memory = new Uint8Array(kernels.buffer)
  const rowBytes = bytes.length / rows
  const part = Math.floor(stagedBytes / (rowBytes * GROUP_ROWS)) * GROUP_ROWS
  // the oracle reads a matrix as a whole, and lays it out by rows
  for (let row = 0; row < rows; row += part) {
    const count = Math.min(part, rows - row)
    memory.set(bytes.subarray(row * rowBytes, (row + count) * rowBytes), staging)
    if (!kernels.packWeights(type, count, columns, staging, at + packedBytes(type, row, columns))) {
      throw new InferenceSettingsError(`expected finite weights but a matrix of [${rows}, ${columns}] has some that are not`)
    }
  }
}

/** A tensor as its bytes; vectors are one row. */
function matrixOf (model: LlamaModel, name: string): WeightMatrix {
  const weight: { shape: readonly number[], data: Float32Array } | WeightMatrix | undefined = model.weights.get(name)
  if (weight == null) {
    throw new InferenceSettingsError(`expected a tensor ${name}`)
  }
  if ('bytes' in weight) {
    return weight.type === 'f16' ? asFloats(dequantise(weight), weight.shape) : weight
  }
  const { data, shape } = weight
  return asFloats(data, shape.length === 1 ? [1, shape[0]] : [shape[0], shape[1]])
}

function asFloats (data: Float32Array, shape: readonly [number, number]): WeightMatrix {
  return { type: 'f32', shape, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }
}
