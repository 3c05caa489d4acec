import { replayBytes } from './memory.ts'
import type { CostEstimate } from '../../interface/index.ts'

/** One tangent beside a gradient, in gradients: measured 0.7 to 0.75 from one to eight tangents, since frozen weights have none. */
const TANGENT_COST = 0.75

export interface RunShape {
  /** trained parameters */
  parameters: number
  /** tokens in one step */
  tokens: number
  /** of one gradient, per token */
  flopsPerToken: number
  steps: number
  contributions: number
  /** answers to attribute, and their mean length with the prompt */
  receipts: number
  answerTokens?: number
}

/** Work of both forms for one adapter and so many receipts. The bytes are what must be kept or published. */
export function estimateCosts (shape: RunShape): { training: CostEstimate, forward: CostEstimate, reverse: CostEstimate } {
  const { parameters, tokens, flopsPerToken, steps, contributions, receipts, answerTokens = 64 } = shape
  const training = steps * tokens * flopsPerToken
  const answers = receipts * answerTokens * flopsPerToken

  return {
    training: { flops: training, bytes: parameters * 24 },
    forward: {
      flops: training * (1 + TANGENT_COST * contributions) + answers + 2 * receipts * contributions * parameters,
      bytes: parameters * 8 * contributions
    },
    reverse: {
      flops: training * (2 + TANGENT_COST) + answers,
      bytes: replayBytes(steps, parameters)
    }
  }
}

/**
 * The form to publish an adapter with: the Jacobian if it fits the budget, since each answer is
 * then attributed exactly at once; else the replay, whose cost does not grow with contributions.
 */
export function chooseForm (costs: { forward: CostEstimate, reverse: CostEstimate }, budgetFlops: number): 'forward' | 'reverse' {
  return costs.forward.flops <= budgetFlops || costs.forward.flops <= costs.reverse.flops ? 'forward' : 'reverse'
}
