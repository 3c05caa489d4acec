import { AttributionInputError } from './errors.ts'
import type { LoraShape } from '../../models/index.ts'

/** One matrix among the trained parameters: rows × columns values from `offset`, row-major. */
export interface MatrixBlock {
  offset: number
  rows: number
  columns: number
}

/** The factors of a LoRA adapter as blocks: A [rank, inputs] and B [outputs, rank] of each projection. */
export function loraBlocks ({ rank, factors }: Pick<LoraShape, 'rank' | 'factors'>): MatrixBlock[] {
  return factors.flatMap(({ inputs, outputs, offsetA, offsetB }) => [
    { offset: offsetA, rows: rank, columns: inputs },
    { offset: offsetB, rows: outputs, columns: rank }
  ])
}

/**
 * @throws {AttributionInputError} unless the blocks cover all parameters, each once, in order
 */
export function checkBlocks (blocks: MatrixBlock[], parameters: number): void {
  let end = 0

  for (const { offset, rows, columns } of blocks) {
    if (offset !== end || rows < 1 || columns < 1) {
      throw new AttributionInputError(`expected a block of parameters from ${end} but got ${rows} × ${columns} from ${offset}: the blocks belong to another adapter`)
    }

    end += rows * columns
  }

  if (end !== parameters) {
    throw new AttributionInputError(`expected blocks over ${parameters} parameters but they cover ${end}: the blocks belong to another adapter`)
  }
}
