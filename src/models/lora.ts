import { prng } from '../numeric/index.ts'
import { projectionName } from './architecture.ts'
import { LORA_RANK_MAX } from './constants.ts'
import { LoraShapeError } from './errors.ts'
import { llamaShapes } from './llama.ts'
import type { LlamaConfig, LoraFactor, LoraShape, LoraTarget, LoraValues, Tape, Value } from './interface.ts'

/** Canonical order; a recipe's order does not matter. */
export const LORA_TARGETS: readonly LoraTarget[] = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']

/**
 * The layout of theta for a recipe on a base.
 *
 * @throws {LoraShapeError} if rank, alpha or targets are out of range
 */
export function loraShape (config: LlamaConfig, recipe: { rank: number, alpha: number, targets: readonly string[] }): LoraShape {
  const { rank, alpha } = recipe
  if (!Number.isInteger(rank) || rank < 1 || rank > LORA_RANK_MAX || !Number.isInteger(alpha) || alpha < 1 || alpha > 65_536) {
    throw new LoraShapeError(`expected a rank of 1 … ${LORA_RANK_MAX} and an alpha of 1 … 65536 but got ${rank} and ${alpha}`)
  }
  const targets = LORA_TARGETS.filter(target => recipe.targets.includes(target))
  if (targets.length === 0 || targets.length !== recipe.targets.length) {
    throw new LoraShapeError(`expected targets among ${LORA_TARGETS.join(', ')}, each once, but got ${recipe.targets.join(', ')}`)
  }
  const shapes = llamaShapes(config)
  const factors: LoraFactor[] = []
  let offset = 0
  for (let layer = 0; layer < config.layers; layer++) {
    for (const target of targets) {
      const [outputs, inputs] = shapes.get(projectionName(layer, target)) ?? []
      if (outputs == null || inputs == null) {
        const there = LORA_TARGETS.filter(name => shapes.has(projectionName(layer, name)))
        throw new LoraShapeError(`the base has no ${target}: expected targets among ${there.join(', ')}; a preset's are replaced with --targets`)
      }
      factors.push({ layer, target, inputs, outputs, offsetA: offset, offsetB: offset + rank * inputs })
      offset += rank * (inputs + outputs)
    }
  }
  return { rank, alpha, targets, factors, parameters: offset }
}

/** A theta that changes nothing yet: A normal with variance 1 / inputs, B zero. */
export function initialTheta (shape: LoraShape, seed: number): Float64Array {
  const random = prng(seed)
  const theta = new Float64Array(shape.parameters)
  for (const { inputs, offsetA, offsetB } of shape.factors) {
    const scale = 1 / Math.sqrt(inputs)
    for (let i = offsetA; i < offsetB; i++) {
      theta[i] = random.nextNormal() * scale
    }
  }
  return theta
}

/**
 * Theta as parameters of the tape, rounded to f32. `tangents` are directions of
 * `shape.parameters` values, as many as the tape has.
 *
 * @returns the values, and the same in theta's order: A, B of the first factor, A, B of the next …
 */
export function loraValues (tape: Tape, shape: LoraShape, theta: Float64Array, tangents: ReadonlyArray<Float64Array | undefined> = []): { lora: LoraValues, parameters: Value[] } {
  checkTheta(shape, theta)
  return roundedLoraValues(tape, shape, rounded(theta), tangents.map(tangent => tangent == null ? undefined : rounded(tangent)))
}

/** The same of vectors that are rounded already; the values are views of them. */
export function roundedLoraValues (tape: Tape, shape: LoraShape, values: Float32Array, directions: ReadonlyArray<Float32Array | undefined>): { lora: LoraValues, parameters: Value[] } {
  const factors: LoraValues['factors'] = new Map()
  const parameters: Value[] = []
  const place = (begin: number, rows: number, columns: number): Value => {
    const end = begin + rows * columns
    const value = tape.parameter(
      values.subarray(begin, end),
      [rows, columns],
      directions.map(direction => direction?.subarray(begin, end))
    )
    parameters.push(value)
    return value
  }
  for (const { layer, target, inputs, outputs, offsetA, offsetB } of shape.factors) {
    factors.set(`${layer}.${target}`, { a: place(offsetA, shape.rank, inputs), b: place(offsetB, outputs, shape.rank) })
  }
  return { lora: { factors, scale: shape.alpha / shape.rank }, parameters }
}

/** To f32 one by one: in one go, which typed arrays offer, it takes several times as long. */
export function rounded (vector: Float64Array, values: Float32Array = new Float32Array(vector.length)): Float32Array {
  for (let i = 0; i < vector.length; i++) {
    values[i] = vector[i]
  }
  return values
}

/** @throws {LoraShapeError} */
export function checkTheta (shape: LoraShape, theta: Float64Array): void {
  if (theta.length !== shape.parameters) {
    throw new LoraShapeError(`expected theta to hold ${shape.parameters} values but it holds ${theta.length}`)
  }
}
