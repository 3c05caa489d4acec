import { CHUNK_BYTES, CHUNK_EXAMPLES, FACTOR_ROWS_MAX, FEATURES_BYTES_MAX, GRADIENTS_BYTES_MAX, KERNEL_EXAMPLES_MAX, METHOD_BYTES_MAX, PROJECTION_COPIES, PROJECTION_FEATURES, REPLAY_BYTES_MAX } from './constants.ts'
import type { MatrixBlock } from './blocks.ts'
import type { MethodCost } from './interface.ts'
import type { AttributionMethod } from '../../interface/index.ts'

/** A gradient with one tangent, in gradients; measured 1.75 to 2 on LoRA of a frozen base. */
const DUAL_COST = 1.75

/** Operations of Jacobi per cubed row: about eight sweeps of n²/2 rotations of 10·n operations. */
const JACOBI_COST = 40

export interface MethodShape {
  parameters: number
  examples: number
  /** of the run, and the examples of all of them together */
  steps: number
  seen: number
  blocks: MatrixBlock[]
  checkpoints: number
}

/** What each method costs for one cotangent, before it runs. Gradients that do not fit in memory are computed again. */
export function methodCosts ({ parameters, examples, steps, seen, blocks, checkpoints }: MethodShape): Record<AttributionMethod, MethodCost> {
  const table = examples * parameters * 4
  const kept = (budget = GRADIENTS_BYTES_MAX): number => table <= budget ? table : 0
  const passes = (count: number): number => kept() > 0 ? examples : count * examples
  const projectedSide = Math.min(examples, PROJECTION_FEATURES)
  const dots = 2 * examples * parameters
  const replayBytes = parameters * 8 * 5 * steps

  return {
    trajectory: { gradients: seen * (1 + DUAL_COST), flops: 40 * parameters * steps, bytes: Math.min(replayBytes, REPLAY_BYTES_MAX) },
    graddot: { gradients: examples, flops: dots, bytes: parameters * 8 },
    tracin: { gradients: examples * checkpoints, flops: dots * checkpoints, bytes: (kept(GRADIENTS_BYTES_MAX / checkpoints) + parameters * 8) * checkpoints },
    datainf: { gradients: passes(3), flops: 3 * dots, bytes: kept() + examples * blocks.length * 8 },
    fisher: { gradients: examples, flops: examples * dots / 2 + cube(examples) / 3, bytes: table + examples * examples * 8 },
    'fisher-projected': {
      gradients: examples,
      flops: 2 * PROJECTION_COPIES * examples * parameters + examples * PROJECTION_FEATURES * projectedSide + cube(projectedSide) / 3,
      bytes: Math.min(examples * PROJECTION_FEATURES * 8, FEATURES_BYTES_MAX) + projectedSide * projectedSide * 8 + parameters * PROJECTION_COPIES * 4
    },
    ekfac: {
      gradients: passes(3),
      flops: blocks.reduce((sum, { rows, columns }) => sum + 4 * examples * rows * columns * (rows + columns) + JACOBI_COST * (cube(rows) + cube(columns)), 0),
      bytes: kept() + Math.min(CHUNK_BYTES, CHUNK_EXAMPLES * parameters * 4) + blocks.reduce((sum, { rows, columns }) => sum + 16 * (rows * rows + columns * columns), 0)
    }
  }
}

/**
 * Why no node computes scores by a method, by what is known before a run. An adapter that named it
 * all the same could be sold, and nobody be paid for its data.
 *
 * @returns undefined if nothing speaks against it
 */
export function methodFault (name: AttributionMethod, shape: MethodShape): string | undefined {
  const { examples, blocks } = shape
  const side = blocks.reduce((most, { rows, columns }) => Math.max(most, rows, columns), 0)
  const { bytes } = methodCosts(shape)[name]

  if (name === 'ekfac' && side > FACTOR_ROWS_MAX) {
    return `ekfac takes matrices of at most ${FACTOR_ROWS_MAX} rows and columns but one has ${side}: attribute by datainf or fisher-projected`
  }

  if (name === 'fisher' && examples > KERNEL_EXAMPLES_MAX) {
    return `fisher takes at most ${KERNEL_EXAMPLES_MAX} examples but there are ${examples}: attribute by fisher-projected`
  }

  if (name === 'fisher-projected' && examples * PROJECTION_FEATURES * 8 > FEATURES_BYTES_MAX) {
    return `fisher-projected takes at most ${FEATURES_BYTES_MAX / PROJECTION_FEATURES / 8} examples but there are ${examples}: attribute by datainf`
  }

  return bytes > METHOD_BYTES_MAX ? `${name} would hold ${Math.ceil(bytes)} bytes where ${METHOD_BYTES_MAX} are allowed: attribute by trajectory, graddot or datainf` : undefined
}

function cube (x: number): number {
  return x * x * x
}
