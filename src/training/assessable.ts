import { methodCosts, methodFault } from '../attribution/index.ts'
import { methodShapeOf } from './assess.ts'
import { ALGEBRA_COST, ASSESSED_FLOPS_PER_BLOCK, COMMIT_BLOCKS_MIN } from './constants.ts'
import type { Run } from './run.ts'
import type { AttributionMethod } from '../interface/index.ts'

/**
 * Why nobody could score an adapter's answers: its method cannot be computed on its data, or not in the
 * time that a committee has. Seats lose stake if they do not commit in time, so whoever publishes
 * a run that takes a day could have every seat punished for one answer; such an adapter is not to be
 * admitted. By operations alone: the same at every validator.
 *
 * @param run - with its data
 * @param method - by which answers are to be scored
 * @param options - of the run and its network
 * @param options.checkpoints - how many the run has
 * @param options.commitBlocks - until commits are due
 * @returns undefined if nothing speaks against it
 */
export function unassessable (run: Pick<Run, 'pool' | 'plan' | 'shape' | 'tokens' | 'flopsPerToken'>, method: AttributionMethod, { checkpoints, commitBlocks = COMMIT_BLOCKS_MIN }: { checkpoints: number, commitBlocks?: number }): string | undefined {
  const shape = methodShapeOf(run, { checkpoints })
  const { gradients, flops } = methodCosts(shape)[method]
  const tokens = run.tokens.reduce((sum, one) => sum + one, 0) / run.tokens.length
  const work = gradients * tokens * run.flopsPerToken + ALGEBRA_COST * flops
  const most = Math.max(commitBlocks, COMMIT_BLOCKS_MIN) * ASSESSED_FLOPS_PER_BLOCK

  return methodFault(method, shape) ?? (work > most
    ? `the scores of one task take ${work.toExponential(1)} operations, of which a committee has time for ${most.toExponential(1)}: take fewer steps, smaller batches, a smaller base or a cheaper method, or have the network vote a longer commitBlocks`
    : undefined)
}
